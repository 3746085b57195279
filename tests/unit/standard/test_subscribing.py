"""`subscribe` and `unsubscribe`, as people type them."""

from __future__ import annotations

import pytest

from bliss_like.errors import UsageError
from bliss_like.scanning.environment import environment
from bliss_like.scans import ascan, dscan
from bliss_like.standard import subscribe, unsubscribe
from tests.unit.standard.conftest import Known


def test_a_callback_of_scans_of_a_kind(known: Known) -> None:
    token = subscribe(print, kind=[ascan, dscan])
    assert list(environment.subscriptions) == [token] and token.kinds == {"ascan", "dscan"}
    unsubscribe(token)
    assert not list(environment.subscriptions)


def test_wrong_calls_say_what_is_right(known: Known) -> None:
    with pytest.raises(
        UsageError, match=r"subscribe: callback: expected a function .*\nusage: subscribe\(callback, kind="
    ):
        subscribe("diode")
    with pytest.raises(UsageError, match=r"unsubscribe: .*expected what subscribe\(\) has returned"):
        unsubscribe(3)
