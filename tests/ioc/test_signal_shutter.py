"""A shutter over Channel Access, whose status is an enumeration."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from bliss_like.controllers.signal_shutter import SignalShutter
from bliss_like.devices.shutter import BaseShutterState
from bliss_like.devices.signal import open_signal
from bliss_like.errors import DeviceError, NotConnectedError
from tests.iocs import Ioc
from tests.unit.devices.making import make

ADDRESS = "ca://arr:enum"


@pytest.fixture(params=["words", "numbers"])
def shutter(request: pytest.FixtureRequest, scalars_and_arrays: Ioc) -> Iterator[SignalShutter]:
    """One variable opens, closes and tells: `yes` is open."""
    states = {"OPEN": ["yes"], "CLOSED": ["no"]} if request.param == "words" else {"OPEN": [1], "CLOSED": [0]}
    addresses = {"open": ADDRESS, "close": ADDRESS, "status": ADDRESS}
    shutter = make(SignalShutter, "fe", **addresses, open_value=1, close_value=0, states=states, timeout=30)
    shutter.__connect__(10)
    yield shutter
    shutter.__close__()


def test_it_opens_and_closes(shutter: SignalShutter) -> None:
    with shutter:
        assert shutter.state is BaseShutterState.OPEN
    assert shutter.state is BaseShutterState.CLOSED
    assert open_signal(ADDRESS).get() == 0


def test_a_permission_in_words(scalars_and_arrays: Ioc) -> None:
    permit = {"signal": "ca://arr:enum", "value": 1, "words": "the ring gives no permission"}
    addresses = {"open": ADDRESS, "close": ADDRESS, "status": ADDRESS}
    shutter = make(SignalShutter, "fe", **addresses, close_value=0, permits=[permit], timeout=30)
    shutter.close()
    with pytest.raises(DeviceError, match="^fe stays closed: the ring gives no permission$"):
        shutter.open()
    shutter.__close__()


def test_a_shutter_that_is_not_there(scalars_and_arrays: Ioc) -> None:
    addresses = dict.fromkeys(("open", "close", "status"), "ca://arr:nothing")
    shutter = make(SignalShutter, "fe", **addresses)
    with pytest.raises(NotConnectedError, match="arr:nothing"):
        shutter.__connect__(0.3)
    shutter.__close__()
