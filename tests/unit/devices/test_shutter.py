"""What every shutter does: it opens, closes, and is closed again whatever happens."""

from __future__ import annotations

import gevent
import pytest

from bliss_like.controllers.simulated.shutter import SimulatedShutter
from bliss_like.devices import events
from bliss_like.devices.events import ShutterEvent
from bliss_like.devices.interlock import use_interlock
from bliss_like.devices.shutter import BaseShutter, BaseShutterState, ShutterMode
from bliss_like.errors import AlreadyLockedDevices, DeviceError, UserAbort
from tests.unit.devices.making import Notes, make


class Scripted(BaseShutter):
    """A shutter that is what the test says, and notes what it is told."""

    def __init__(self, timeout: float = 0.05) -> None:
        super().__init__("fs", timeout)
        self.now = BaseShutterState.CLOSED
        self.obeys = True
        self.told: list[str] = []

    def _state(self) -> BaseShutterState:
        return self.now

    def _open(self) -> None:
        self.told.append("open")
        self.now = BaseShutterState.OPEN if self.obeys else self.now

    def _close(self) -> None:
        self.told.append("close")
        self.now = BaseShutterState.CLOSED if self.obeys else self.now


def slow(**keys: float) -> SimulatedShutter:
    return make(SimulatedShutter, "fs", **{"opening_time": 0.02, "closing_time": 0.02, **keys})


def test_it_opens_and_closes_and_takes_its_time() -> None:
    shutter = slow()
    states = Notes()
    events.connect(shutter, ShutterEvent.STATE, states.take)
    assert shutter.is_closed and not shutter.is_open
    shutter.open()
    assert shutter.is_open and shutter.state_string == "open"
    shutter.close()
    assert shutter.state is BaseShutterState.CLOSED
    assert [state.name for state in states] == ["CLOSED", "MOVING", "OPEN", "MOVING", "CLOSED"]


def test_opening_and_closing_take_what_they_take() -> None:
    opening, closing = slow(closing_time=0.04).measure_open_close_time()
    assert 0.02 <= opening < 1
    assert 0.04 <= closing < 1


def test_it_is_open_for_a_time() -> None:
    shutter = slow()
    states = Notes()
    events.connect(shutter, ShutterEvent.STATE, states.take)
    shutter.open_for(0.01)
    assert BaseShutterState.OPEN in states
    assert shutter.is_closed


@pytest.mark.parametrize("was_open", [True, False])
def test_contexts_leave_it_as_it_was(was_open: bool) -> None:
    shutter = Scripted()
    shutter.now = BaseShutterState.OPEN if was_open else BaseShutterState.CLOSED
    with shutter.open_context():
        assert shutter.is_open
    assert shutter.is_open is was_open
    with pytest.raises(ZeroDivisionError), shutter.closed_context():
        assert shutter.is_closed
        raise ZeroDivisionError
    assert shutter.is_open is was_open


def test_with_closes_it_in_any_case() -> None:
    shutter = slow()
    shutter.open()
    with pytest.raises(ZeroDivisionError), shutter:
        raise ZeroDivisionError
    assert shutter.is_closed


@pytest.mark.parametrize("when", ["opening", "open", "closing"])
def test_an_interruption_at_any_moment_leaves_it_closed(when: str) -> None:
    shutter = slow()
    moment = gevent.event.Event()

    def use() -> None:
        with shutter:
            if when == "closing":
                gevent.spawn_later(0.005, moment.set)
                return
            moment.set()
            gevent.sleep(10)

    task = gevent.spawn(use)
    if when == "opening":
        gevent.sleep(0)
        assert shutter.state is BaseShutterState.MOVING
    else:
        assert moment.wait(5)
    task.kill(UserAbort, timeout=5)
    assert task.ready()
    with gevent.Timeout(5):
        while shutter.state is not BaseShutterState.CLOSED:
            gevent.sleep(0.001)


def test_who_is_killed_while_it_closes_leaves_when_it_is_closed() -> None:
    shutter = slow(closing_time=0.03)
    shutter.open()
    task = gevent.spawn(shutter.close)
    gevent.sleep(0)
    task.kill(UserAbort)
    assert shutter.is_closed


def test_a_close_that_follows_an_open_which_was_not_yet_seen() -> None:
    """What was told to open a moment ago may still look closed."""
    shutter = Scripted()
    shutter.close()
    assert shutter.told == ["close"]


def test_what_does_not_open_is_closed_and_told() -> None:
    shutter = Scripted()
    shutter.obeys = False
    with pytest.raises(DeviceError, match=r"fs should be open and is closed, 0\.\d s after it was told to"):
        shutter.open()
    assert shutter.told == ["open", "close"]
    with pytest.raises(DeviceError, match=r"0\.0 s after"):
        shutter.open(timeout=0.001)


@pytest.mark.parametrize("state", ["FAULT", "DISABLE", "INTERLOCK"])
def test_what_no_waiting_ends_is_told_at_once(state: str) -> None:
    shutter = Scripted(timeout=1000)
    shutter.now, shutter.obeys = BaseShutterState[state], False
    with pytest.raises(DeviceError, match=f"fs should be open and is {BaseShutterState[state].value}"):
        shutter.open()


def test_the_safety_system_is_quoted() -> None:
    shutter = slow()
    shutter.open()
    shutter.forbidden = "hutch EH1 is not searched"
    shutter.close()
    assert shutter.state_string == "closed by an interlock: hutch EH1 is not searched"
    assert shutter.is_closed
    with pytest.raises(DeviceError, match="^fs stays closed: hutch EH1 is not searched$"):
        shutter.open()
    shutter.forbidden = ""
    shutter.open()
    assert shutter.is_open


def test_a_failure_to_close_after_a_failure_to_open_is_noted() -> None:
    class Broken(Scripted):
        def _close(self) -> None:
            raise DeviceError("the line is dead")

    shutter = Broken()
    shutter.obeys = False
    with pytest.raises(DeviceError, match="should be open") as raised:
        shutter.open()
    assert raised.value.__notes__ == ["Closing fs failed too: the line is dead"]


def test_a_driver_that_gives_up_with_a_timeout_of_gevent() -> None:
    """It is no Exception, and must not be taken for a shutter that is closed."""

    class Silent(Scripted):
        def _close(self) -> None:
            raise gevent.Timeout(0.02)

    shutter = Silent()
    shutter.open()
    with pytest.raises(gevent.Timeout):
        shutter.close()
    assert shutter.is_open


def test_modes() -> None:
    shutter = Scripted()
    assert shutter.mode is ShutterMode.MANUAL
    shutter.mode = "manual"
    with pytest.raises(DeviceError, match="fs has no mode 'EXTERNAL'; expected MANUAL"):
        shutter.mode = "EXTERNAL"


def test_somebody_elses_shutter_is_not_opened_but_may_be_closed() -> None:
    class Refusing:
        def claim(self, devices: object, purpose: str) -> None:
            raise AlreadyLockedDevices(f"{purpose}: locked by eh2")

    shutter = Scripted()
    use_interlock(Refusing())  # type: ignore[arg-type]
    try:
        with pytest.raises(AlreadyLockedDevices, match="opening fs: locked by eh2"):
            shutter.open()
        shutter.close()
    finally:
        use_interlock(None)
    assert shutter.told == ["close"]


def test_a_driver_must_overload_something() -> None:
    shutter = BaseShutter("nothing")
    for action in (shutter._state, shutter._open, shutter._close):
        with pytest.raises(NotImplementedError, match="BaseShutter must overload"):
            action()
