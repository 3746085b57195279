"""Axes and counters on the motors and detectors of caproto's mini beamline, over Channel Access."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator

import gevent
import pytest

from bliss_like.controllers.signal_axes import SignalAxes
from bliss_like.controllers.signal_counters import SignalCounters
from bliss_like.devices.axis import Axis
from bliss_like.devices.counter import SamplingCounter
from bliss_like.devices.signal import Reading, open_signal
from bliss_like.errors import AxisFault, AxisStopped, DeviceError, NotConnectedError
from tests.iocs import Ioc
from tests.unit.devices.making import make


def make_axis(station: str, **keys: object) -> Axis:
    motor = {
        "name": station,
        "setpoint": f"ca://mini:{station}:mtr",
        "velocity_signal": f"ca://mini:{station}:vel",
        "velocity": 10,
        "tolerance": 1e-3,
        **keys,
    }
    return make(SignalAxes, "motors", axes=[motor]).axes[station]


def make_counter(station: str, **keys: object) -> SamplingCounter:
    counter = {"name": "det", "signal": f"ca://mini:{station}:det", **keys}
    return make(SignalCounters, "detectors", counters=[counter]).counters["det"]  # type: ignore[return-value]


def until(condition: Callable[[], object], timeout: float = 30) -> None:
    """Let other greenlets run until it is true."""
    with gevent.Timeout(timeout):
        while not condition():
            gevent.sleep(0.01)


@pytest.fixture(autouse=True)
def _beamline(mini_beamline: Ioc) -> None:
    return


@pytest.fixture
def edge() -> Iterator[Axis]:
    axis = make_axis("edge", max_step=1)
    yield axis
    axis.stop()
    axis.velocity = 10


# -- axes --------------------------------------------------------------------------------------------------------------


def test_a_move_ends_where_the_ioc_says(edge: Axis) -> None:
    edge.move(2.5)
    assert edge.position == open_signal("ca://mini:edge:mtr").get() == 2.5
    edge.move(-1)
    edge.rmove(0.25)
    assert edge.position == pytest.approx(-0.75)


def test_the_position_read_in_motion_is_on_the_way(edge: Axis) -> None:
    edge.move(-5)
    edge.velocity = 1
    edge.move(5, wait=False)
    seen: list[float] = []
    until(lambda: seen.append(edge.position) or len(set(seen)) > 3)  # type: ignore[func-returns-value]
    assert edge.is_moving
    assert seen == sorted(seen)
    assert -5 <= seen[0] < seen[-1] < 5


def test_velocity_is_that_of_the_ioc(edge: Axis) -> None:
    assert edge.velocity == 10
    edge.velocity = 20
    assert open_signal("ca://mini:edge:vel").get() == 20
    edge.velocity = 10


def test_a_killed_move_stops_a_motor_that_cannot_be_stopped_within_a_step(edge: Axis) -> None:
    edge.move(-10)
    edge.velocity = 2
    moving = gevent.spawn(edge.move, 10)
    until(lambda: edge.position > -10)
    moving.kill(timeout=30)
    at = edge.position
    assert -10 < at < 10
    assert not edge.is_moving
    gevent.sleep(0.3)
    assert edge.position == at


def test_stop_from_another_greenlet(edge: Axis) -> None:
    edge.move(-10)
    edge.velocity = 2
    moving = gevent.spawn(edge.move, 10)
    until(lambda: edge.position > -10)
    edge.stop()
    with pytest.raises(AxisStopped, match="edge on its way to 10"):
        moving.get(timeout=30)
    assert edge.position < 10


def test_somebody_else_may_move_the_motor(edge: Axis) -> None:
    edge.move(1)
    open_signal("ca://mini:edge:mtr").put(3)
    edge.move(1)
    assert edge.position == 1
    open_signal("ca://mini:edge:mtr").put(3)
    edge.rmove(1)
    assert edge.position == 4


def test_a_motor_that_never_arrives_is_a_fault() -> None:
    axis = make_axis("slit", readback="ca://mini:ph:mtr", timeout=0.3)
    with pytest.raises(
        AxisFault, match="slit did not arrive: it is at .* and should be at 7, .* came no nearer for 0.3 s"
    ):
        axis.move(7)


# -- counters ----------------------------------------------------------------------------------------------------------


def expected_rate(position: float) -> float:
    """Of the edge, per mA of the ring: from the source of the IOC."""
    return 200 * math.erfc(-(position - 5) / 2.5) / 2


def test_a_reading_is_never_of_the_position_before() -> None:
    """From full light to dark and back at each point: what is stale is wrong by orders of magnitude."""
    det, axis = make_counter("edge"), make_axis("edge", velocity=40)
    for position in (9, 1, 9, 1, 9, 1):
        axis.move(position)
        value = det.raw_read
        rate = expected_rate(position)
        noise = 6 * math.sqrt(525 * rate)  # the ring has 475 to 525 mA
        assert 475 * rate - noise <= value <= 525 * rate + noise, (position, value)


def test_a_reading_is_published_after_it_was_asked_for() -> None:
    det = make_counter("ph")
    source = open_signal("ca://mini:ph:det")
    published: list[Reading] = []
    end = source.subscribe(published.append)
    for _ in range(3):
        former = source.read()
        value = det.raw_read
        until(lambda: value in [one.value for one in published if one.timestamp > former.timestamp])  # noqa: B023
    end()


def test_a_value_that_integrates_is_awaited_for_as_long() -> None:
    det = make_counter("ph", integration_time=0.7)
    assert det.raw_read > 0
    began = time.time()
    assert det.raw_read > 0
    assert open_signal("ca://mini:ph:det").read().timestamp - began > 0.7 - 0.05


def test_several_are_read_in_the_time_of_one() -> None:
    stations = ("ph", "edge", "slit")
    signals = {f"{name}{n}": f"ca://mini:{name}:det" for name in stations for n in range(5)}
    detectors = make(
        SignalCounters, "all", counters=[{"name": name, "signal": signal} for name, signal in signals.items()]
    )

    def are_of_one_publication() -> bool:
        """The values of each station: never, if one were awaited after the other."""
        values = list(detectors.read_all(*detectors.counters))
        assert len(values) == 15
        return all(len(set(values[first : first + 5])) == 1 for first in (0, 5, 10))

    until(are_of_one_publication)


def test_what_does_not_change_is_read_as_it_is_or_named_when_awaited() -> None:
    constant = {"signal": "ca://mini:ph:mtr_tick_rate"}
    assert make_counter("ph", **constant, fresh=False).raw_read == 10
    with pytest.raises(DeviceError, match=r"ca://mini:ph:mtr_tick_rate published no new value within 0.5 s; its last"):
        print(make_counter("ph", **constant, timeout=0.5).raw_read)


# -- breaks ------------------------------------------------------------------------------------------------------------


def test_an_absent_variable_is_named_with_the_place_where_it_was_sought() -> None:
    absent = open_signal("ca://mini:nothing", timeout=3)
    with pytest.raises(
        NotConnectedError, match=r"mini:nothing was not found within 3 s.*EPICS_CA_ADDR_LIST \(now '127"
    ):
        absent.get()
    waits = []
    for _ in range(3):
        began = time.monotonic()
        with pytest.raises(NotConnectedError, match="mini:nothing was not found"):
            absent.get()
        waits.append(time.monotonic() - began)
    assert min(waits) < 2.5  # not sought for 3 s again


def test_a_frozen_ioc_is_an_error_in_time(mini_beamline: Ioc) -> None:
    signal = open_signal("ca://mini:ph:mtr")
    signal.get()
    signal.timeout = 0.3  # type: ignore[attr-defined]
    mini_beamline.freeze()
    try:
        with pytest.raises(NotConnectedError, match="mini:ph:mtr: no answer within 0.3 s"):
            signal.get()
        with pytest.raises(DeviceError, match="mini:ph:mtr: setting it to 1 took over 0.3 s"):
            signal.put(1, timeout=0.3)
    finally:
        mini_beamline.thaw()
    open_signal("ca://mini:ph:mtr").get()


def test_a_killed_ioc_is_a_clear_error_and_all_works_again_after_its_restart(mini_beamline: Ioc, edge: Axis) -> None:
    det = make_counter("edge", timeout=10)
    assert det.raw_read >= 0
    start = edge.position
    edge.velocity = 1
    edge.controller._drives[edge].setpoint.timeout = 3  # type: ignore[attr-defined]
    moving = gevent.spawn(edge.move, start + 8)
    until(lambda: edge.position != start)
    counting = gevent.spawn(lambda: det.raw_read)
    gevent.sleep(0)  # it has asked
    mini_beamline.kill()
    with pytest.raises(NotConnectedError, match="mini:edge:(mtr|det): the connection to its IOC is lost"):
        moving.get(timeout=30)
    with pytest.raises((NotConnectedError, DeviceError), match="mini:edge:det"):
        counting.get(timeout=40)
    waits = []
    for _ in range(4):
        began = time.monotonic()
        with pytest.raises(NotConnectedError, match="mini:edge:mtr: the connection to its IOC is lost"):
            print(edge.position)
        waits.append(time.monotonic() - began)
    assert waits[0] < 30
    assert min(waits[1:]) < 2.5  # it was waited for once
    mini_beamline.start()
    until(lambda: open_signal("ca://mini:edge:mtr").connected, timeout=60)
    edge.move(1)
    assert edge.position == 1
    assert det.raw_read == pytest.approx(500 * expected_rate(1), rel=0.2)
