"""What devices are told and answer, when somebody wants to see it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from bliss_like.backends.soft import VARIABLES, SoftVariable
from bliss_like.devices.signal import open_signal
from bliss_like.errors import UsageError
from bliss_like.scanning.environment import environment
from bliss_like.standard import debugoff, debugon, lsdebug, lslog
from tests.unit.standard.conftest import Known

Shown = pytest.CaptureFixture[str]
Log = pytest.LogCaptureFixture


@pytest.fixture(autouse=True)
def _quiet_again() -> Iterator[None]:
    yield
    debugoff()


@pytest.fixture
def robx(motors: Callable[..., Any], known: Known) -> Any:
    motors(robx={"unit": "mm", "steps_per_unit": 100, "velocity": 100, "acceleration": 1000})
    environment.metadata_sources = lambda: [known["robx"], known["robx"].controller]
    return known["robx"]


def test_a_motion_is_told_from_its_beginning_to_its_end(robx: Any, caplog: Log) -> None:
    debugon(robx)
    robx.move(1)
    told = [record.getMessage() for record in caplog.records if record.name == "bliss_like.device.robx"]
    assert told[0] == "Moving robx from 0 to 1 mm"
    assert told[-1] == "stands at 1.0"
    debugoff(robx)
    caplog.clear()
    robx.move(0)
    assert not caplog.records


def test_signals_are_debugged_with_the_device_that_has_them(caplog: Log) -> None:
    class Valve:
        name = "valve"

        def __init__(self) -> None:
            self.status = open_signal("soft://debugged")

    VARIABLES["soft://debugged"] = SoftVariable(1.5)
    valve = Valve()
    debugon(valve)
    assert valve.status.get() == 1.5
    assert [record.getMessage() for record in caplog.records] == ["is 1.5"]


def test_lists_name_devices_and_parts_of_the_program(robx: Any, capsys: Shown) -> None:
    lslog("robx")
    assert capsys.readouterr().out.splitlines()[2].split() == ["robx", "WARNING"]
    lslog("scanning*")
    assert "scanning.tolerance" in capsys.readouterr().out
    lsdebug()
    assert capsys.readouterr().out == "Nothing is debugged.\n"
    debugon("robx")
    capsys.readouterr()
    lsdebug()
    shown = capsys.readouterr().out
    assert {line.split()[0] for line in shown.splitlines()[2:]} == {"robx", robx.controller.name}


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ((), "lslog.. lists what there is"),
        (("robxx",), "nothing has the name 'robxx', did you mean 'robx'"),
        ((3.5,), "expected a device, its name or a pattern, got 3.5"),
    ],
)
def test_what_is_no_device_is_refused(robx: Any, given: tuple[Any, ...], said: str) -> None:
    logging.getLogger("bliss_like.scanning.tolerance")
    with pytest.raises(UsageError, match=said):
        debugon(*given)
