"""What is asked of several motor records at once."""

from __future__ import annotations

import gevent
import pytest

from bliss_like.controllers.motor_record import together
from bliss_like.errors import NotConnectedError


def test_answers_come_in_the_order_of_the_questions() -> None:
    assert together(lambda seconds: (gevent.sleep(seconds), seconds)[1], [0.02, 0.0, 0.01]) == [0.02, 0.0, 0.01]


def test_a_lost_record_is_told_to_who_asks_and_to_nobody_else(capfd: pytest.CaptureFixture[str]) -> None:
    def ask(name: str) -> str:
        if name == "lost":
            raise NotConnectedError("the connection to its IOC is lost")
        return name

    with pytest.raises(NotConnectedError, match="is lost"):
        together(ask, ["there", "lost"])
    assert capfd.readouterr().err == ""
