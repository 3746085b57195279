"""The standard scans: what they do, what they are called, and what they refuse."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import gevent
import numpy as np
import pytest
from gevent.event import Event

from bliss_like import scans
from bliss_like.devices.axis import Axis
from bliss_like.devices.counter import SamplingCounter
from bliss_like.devices.soft_axis import SoftAxis
from bliss_like.devices.soft_counter import SoftCounter
from bliss_like.errors import AxisFault, ScanUsageError, UserAbort
from bliss_like.scanning.environment import environment
from bliss_like.scanning.presets import ScanPreset
from bliss_like.scanning.scan import Scan, ScanState
from bliss_like.scans import (
    a2scan,
    a3mesh,
    a5scan,
    amesh,
    anmesh,
    anscan,
    ascan,
    ct,
    d2scan,
    d3scan,
    dmesh,
    dnmesh,
    dnscan,
    dscan,
    lookupscan,
    loopscan,
    pointscan,
    sct,
    timescan,
)
from tests.unit.devices.making import make_axis
from tests.unit.scanning.making import Values, end_of, in_background


@pytest.fixture
def robx() -> Axis:
    return make_axis("robx", unit="mm", low_limit=-100, high_limit=100)


@pytest.fixture
def roby() -> Axis:
    return make_axis("roby", low_limit=-100, high_limit=100)


@pytest.fixture
def diode() -> SamplingCounter:
    return SamplingCounter("diode", Values("diodes", lambda: [1.0]), unit="A")


Commands = list[tuple[str, Callable[[], Scan], str, int]]


def test_titles_types_and_numbers_of_points(robx: Axis, roby: Axis, diode: SamplingCounter) -> None:
    robx.move(1)
    robz, robu, robv = make_axis("robz"), make_axis("robu"), make_axis("robv")
    commands: Commands = [
        ("ct", lambda: ct(0, diode), "ct 0", 1),
        ("ct", lambda: sct(0, diode), "ct 0", 1),
        ("timescan", lambda: timescan(0, diode, npoints=3), "timescan 0 3", 3),
        ("loopscan", lambda: loopscan(3, 0, diode), "loopscan 3 0", 3),
        ("ascan", lambda: ascan(robx, 0, 1.5, 2, 0, diode), "ascan robx 0 1.5 2 0", 3),
        ("dscan", lambda: dscan(robx, -1, 1, 4, 0, diode), "ascan robx 0.5 2.5 4 0", 5),
        ("a2scan", lambda: a2scan(robx, 0, 1, roby, 2, 3, 2, 0, diode), "a2scan robx 0 1 roby 2 3 2 0", 3),
        ("d2scan", lambda: d2scan(robx, 0, 1, roby, 0, 1, 2, 0, diode), "a2scan robx 1 2 roby 3 4 2 0", 3),
        ("a3scan", lambda: anscan([(robx, 0, 1), (roby, 0, 1), (robz, 0, 1)], 1, 0, diode),
         "a3scan robx 0 1 roby 0 1 robz 0 1 1 0", 2),
        ("ascan", lambda: anscan([(robx, 0, 1)], 1, 0, diode), "ascan robx 0 1 1 0", 2),
        ("d2scan", lambda: dnscan([(robx, 0, 1), (roby, 0, 1)], 1, 0, diode), "a2scan robx 1 2 roby 1 2 1 0", 2),
        ("amesh", lambda: amesh(robx, 0, 1, 2, roby, 0, 1, 1, 0, diode), "amesh robx 0 1 2 roby 0 1 1 0", 6),
        ("dmesh", lambda: dmesh(robx, 0, 1, 2, roby, 0, 1, 1, 0, diode), "amesh robx 1 2 2 roby 1 2 1 0", 6),
        ("d3scan", lambda: d3scan(robx, 0, 1, roby, 0, 1, robz, 0, 1, 1, 0, diode),
         "a3scan robx 1 2 roby 1 2 robz 1 2 1 0", 2),
        ("a5scan", lambda: a5scan(robx, 0, 1, roby, 0, 1, robz, 0, 1, robu, 0, 1, robv, 0, 1, 1, 0, diode),
         "a5scan robx 0 1 roby 0 1 robz 0 1 robu 0 1 robv 0 1 1 0", 2),
        ("a3mesh", lambda: a3mesh(robx, 0, 1, 2, roby, 0, 1, 1, robz, 0, 1, 1, 0, diode),
         "a3mesh robx 0 1 2 roby 0 1 1 robz 0 1 1 0", 12),
        ("anmesh", lambda: anmesh([(robx, 0, 1, 2), (roby, 0, 1, 1)], 0, diode), "anmesh robx 0 1 2 roby 0 1 1 0", 6),
        ("dnmesh", lambda: dnmesh([(robx, 0, 1, 2), (roby, 0, 1, 1)], 0, diode), "anmesh robx 1 2 2 roby 1 2 1 0", 6),
        ("lookupscan", lambda: lookupscan([(robx, [0, 1, 5])], 0, diode), "lookupscan 0 on motors (robx)", 3),
        ("pointscan", lambda: pointscan(robx, [0, 1, 5], 0, diode), "pointscan robx 3 positions 0 .. 5 0", 3),
    ]  # fmt: skip
    robx.move(1.5)
    for scan_type, command, title, npoints in commands:
        scan = command()
        info = scan.node.info
        assert (info["type"], info["title"], info["npoints"], scan.name) == (scan_type, title, npoints, scan_type)
        assert len(scan.get_data(diode)) == npoints
        assert info["count_time"] == 0


def test_counts_are_quick_and_unsaved_or_saved(diode: SamplingCounter) -> None:
    environment.axes = lambda: [make_axis()]
    quick, saved = ct(0.001, diode), sct(0.001, diode)
    assert (quick.save, saved.save) == (False, True)
    assert quick.path.endswith(":_1_ct") and saved.path.endswith(":1_ct")
    assert "positioners_start" not in quick.node.info["positioners"]
    assert "positioners_start" in saved.node.info["positioners"]


def test_a_count_of_a_counter_takes_one_second(diode: SamplingCounter) -> None:
    for scan in (ct(diode, run=False), sct(diode, run=False), ct(diode.controller, run=False), ct([diode], run=False)):
        assert scan.scan_info["count_time"] == 1.0
        assert scan.state is ScanState.IDLE


def test_read_back_positions(robx: Axis, roby: Axis, diode: SamplingCounter) -> None:
    scan = a2scan(robx, 0, 1, roby, 10, 20, 4, 0, diode)
    assert scan.get_data(robx) == pytest.approx(np.linspace(0, 1, 5))
    assert scan.get_data("axis:roby") == pytest.approx(np.linspace(10, 20, 5))
    channel = scan.node.info["channels"]["axis:robx"]
    assert (channel["start"], channel["stop"], channel["points"], channel["unit"]) == (0, 1, 5, "mm")
    assert (scan.scan_info["start"], scan.scan_info["stop"]) == ([0, 10], [1, 20])
    assert scan.scan_info["plots"][0]["x"] == "axis:robx"
    assert f"{scan.path}:axis:timer:diodes:diode" in end_of(scan).lengths


def test_positions_are_those_that_are_read_not_those_that_were_asked_for(diode: SamplingCounter) -> None:
    class Stepper:
        name = "stepper"
        position = 0

        def move(self, position: float) -> None:
            self.position = round(position)

    axis = SoftAxis("robz", Stepper(), move="move")
    scan = ascan(axis, 0, 1, 4, 0, diode)
    assert scan.get_data(axis).tolist() == [0, 0, 0, 1, 1]


def test_a_detector_sees_the_axis_at_its_position(robx: Axis) -> None:
    position = SoftCounter(robx, "position", name="seen")
    scan = ascan(robx, -1, 1, 8, 0, position)
    assert scan.get_data(position) == pytest.approx(scan.get_data(robx))


@pytest.mark.parametrize(
    ("backnforth", "fast"), [(False, [0, 1, 2, 0, 1, 2, 0, 1, 2]), (True, [0, 1, 2, 2, 1, 0, 0, 1, 2])]
)
def test_meshes(robx: Axis, roby: Axis, diode: SamplingCounter, backnforth: bool, fast: list[float]) -> None:
    scan = amesh(robx, 0, 2, 2, roby, 0, 1, 2, 0, diode, backnforth=backnforth)
    assert scan.get_data(robx) == pytest.approx(fast)
    assert scan.get_data(roby) == pytest.approx([0, 0, 0, 0.5, 0.5, 0.5, 1, 1, 1])
    info = scan.node.info
    assert (info["npoints1"], info["npoints2"], info["data_dim"]) == (3, 3, 2)
    assert [info["channels"][f"axis:{name}"]["axis_kind"] for name in ("robx", "roby")] == [
        "backnforth" if backnforth else "forth",
        "step",
    ]


@pytest.mark.parametrize("backnforth", [False, True])
def test_every_axis_but_the_slowest_turns_round(diode: SamplingCounter, backnforth: bool) -> None:
    axes = [make_axis(f"m{n}") for n in range(4)]
    scan = anmesh([(axis, 0, 2, 1) for axis in axes[:3]] + [(axes[3], 0, 3, 2)], 0, diode, backnforth=backnforth)
    info = scan.node.info
    assert [info[f"npoints{n}"] for n in (1, 2, 3, 4)] == [2, 2, 2, 3]
    assert (info["npoints"], info["data_dim"], info["start"], info["stop"]) == (24, 4, [0, 0, 0, 0], [2, 2, 2, 3])
    kind = "backnforth" if backnforth else "forth"
    for index, axis in enumerate(axes):
        channel = info["channels"][f"axis:{axis.name}"]
        assert channel["axis_kind"] == (kind if index < 3 else "step")
        assert (channel["axis_id"], channel["axis_points"], channel["points"]) == (index, 2 if index < 3 else 3, 24)
        line = scan.get_data(axis).reshape([3, 2, 2, 2])  # the slowest first
        for turn in np.ndindex(line.shape):
            way = turn[3 - index]
            turns = backnforth and index < 3 and np.ravel_multi_index(turn[: 3 - index], line.shape[: 3 - index]) % 2
            assert line[turn] == ([0, 2] if index < 3 else [0, 1.5, 3])[1 - way if turns else way]
    moves = np.abs(np.diff(np.array([scan.get_data(axis) for axis in axes]))) > 0
    assert (moves.sum(0) == 1).all() == backnforth  # one axis moves from point to point


def test_times_of_meshes_and_lists(robx: Axis, roby: Axis, diode: SamplingCounter) -> None:
    for scan in (
        amesh(robx, 0, 1, 1, roby, 0, 1, 1, 0, diode, sleep_time=0.01, stab_time=0.02),
        pointscan(robx, [0, 1, 2], 0, diode, sleep_time=0.01, stab_time=0.02),
        lookupscan([(robx, [0, 1, 2])], 0, diode, sleep_time=0.01, stab_time=0.02),
    ):
        assert all(np.diff(scan.get_data("epoch")) >= 0.03)
        assert (scan.scan_info["sleep_time"], scan.scan_info["stab_time"]) == (0.01, 0.02)


def test_the_type_is_what_it_is_the_name_what_it_is_called(robx: Axis, roby: Axis, diode: SamplingCounter) -> None:
    scan = amesh(robx, 0, 1, 1, roby, 0, 1, 1, 0, diode, name="gold", scan_type="map")
    assert (scan.name, scan.scan_info["type"], scan.scan_info["name"]) == ("gold", "map", "gold")
    assert scan.path.endswith(":1_gold")


def test_lists_of_positions(robx: Axis, roby: Axis, diode: SamplingCounter) -> None:
    scan = lookupscan([(robx, [0, 5, 1]), (roby, np.array([3, 2, 2]))], 0, diode)
    assert scan.get_data(robx).tolist() == [0, 5, 1]
    assert scan.get_data(roby).tolist() == [3, 2, 2]
    assert pointscan(robx, (7, 3), 0, diode).get_data(robx).tolist() == [7, 3]


def test_soft_axes(diode: SamplingCounter) -> None:
    class Furnace:
        name = "furnace"
        temperature = 20.0

        def set(self, temperature: float) -> None:
            self.temperature = temperature

    axis = SoftAxis("temp", Furnace(), position="temperature", move="set")
    scan = ascan(axis, 20, 30, 2, 0, diode)
    assert scan.get_data(axis).tolist() == [20, 25, 30]


# -- coming home -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "command",
    [
        lambda x, y, c: dscan(x, -1, 1, 2, 0, c),
        lambda x, y, c: d2scan(x, -1, 1, y, -1, 1, 2, 0, c),
        lambda x, y, c: dnscan([(x, -1, 1), (y, -1, 1)], 2, 0, c),
        lambda x, y, c: dmesh(x, -1, 1, 2, y, -1, 1, 2, 0, c),
        lambda x, y, c: anscan([(x, 7, 8), (y, 7, 8)], 2, 0, c, restore_motor_positions=True),
        lambda x, y, c: lookupscan([(x, [7, 8]), (y, [7, 8])], 0, c, restore_motor_positions=True),
    ],
)
def test_relative_scans_bring_the_axes_home(command: Any, robx: Axis, roby: Axis, diode: SamplingCounter) -> None:
    robx.move(5)
    roby.move(6)
    scan = command(robx, roby, diode)
    assert (robx.position, roby.position) == (5, 6)
    assert scan.get_data(robx)[-1] != 5


def test_home_before_the_end_is_published_also_after_an_error(robx: Axis) -> None:
    environment.axes = lambda: [robx]
    robx.move(5)
    readings = iter([1.0, 2.0])
    failing = SoftCounter(value=lambda: next(readings), name="failing")
    with pytest.raises(Exception) as raised:
        dscan(robx, -1, 1, 4, 0, failing)
    scan = environment.scans[-1]
    assert scan.state is ScanState.KILLED and raised.value is scan.error
    assert robx.position == 5
    assert end_of(scan).info["positioners"]["positioners_end"] == {"robx": 5.0}


def test_a_refused_relative_scan_leaves_the_axis_to_whom_it_moves_for(diode: SamplingCounter) -> None:
    axis = make_axis("robx", velocity=5, acceleration=5000)
    moving = gevent.spawn(axis.move, 5)

    class UntilItIsThere(ScanPreset):
        def stop(self, scan: Scan) -> None:
            moving.join()

    with gevent.Timeout(5):
        while not axis.is_moving:
            gevent.sleep(0.001)
    scan = dscan(axis, -1, 1, 2, 0, diode, run=False)
    scan.presets.insert(0, UntilItIsThere())
    with pytest.raises(AxisFault):
        scan.run()
    assert axis.position == pytest.approx(5)


def test_home_after_an_abort_in_the_middle_of_a_move(diode: SamplingCounter) -> None:
    environment.axes = lambda: [axis]
    axis = make_axis("robx", velocity=50, acceleration=5000)
    scan = dscan(axis, 0.5, 50, 4, 0, diode, run=False)
    task = in_background(scan)
    scan.wait_state(ScanState.STARTING, timeout=5)
    with gevent.Timeout(5):
        while not (axis.is_moving and axis.position > 1):
            gevent.sleep(0.002)
    task.kill(UserAbort, block=False)
    assert isinstance(task.get(timeout=10), UserAbort)
    assert scan.state is ScanState.USER_ABORTED
    assert axis.position == pytest.approx(0)
    assert end_of(scan).info["positioners"]["positioners_end"]["robx"] == pytest.approx(0)


def test_an_aborted_absolute_scan_stops_the_axis_where_it_is(diode: SamplingCounter) -> None:
    axis = make_axis("robx", velocity=50, acceleration=5000)
    scan = ascan(axis, 0, 50, 1, 0, diode, run=False)
    task = in_background(scan)
    scan.wait_state(ScanState.STARTING, timeout=5)
    with gevent.Timeout(5):
        while not axis.position > 1:
            gevent.sleep(0.002)
    scan.abort()
    task.get(timeout=5)
    assert not axis.is_moving
    assert 0 < axis.position < 50


# -- keywords --------------------------------------------------------------------------------------------------------------


def test_run_name_title_info_and_return(robx: Axis, diode: SamplingCounter) -> None:
    scan = ascan(
        robx, 0, 1, 2, 0, diode, name="edge", title="gold edge", scan_info={"sample": "Au"}, run=False, save=False
    )
    assert scan.state is ScanState.IDLE and robx.position == 0
    scan.run()
    info = scan.node.info
    assert (scan.path.rpartition(":")[2], info["title"], info["sample"], info["save"]) == (
        "_1_edge",
        "gold edge",
        {"name": "Au"},
        False,
    )
    assert loopscan(1, 0, diode, return_scan=False) is None


def test_sleep_and_stabilisation_times(robx: Axis, diode: SamplingCounter) -> None:
    scan = ascan(robx, 0, 1, 2, 0, diode, sleep_time=0.01, stab_time=0.02)
    assert all(np.diff(scan.get_data("epoch")) >= 0.03)
    assert (scan.scan_info["sleep_time"], scan.scan_info["stab_time"]) == (0.01, 0.02)


def test_counters_of_the_measurement_group(diode: SamplingCounter) -> None:
    class Group:
        def __init__(self, *counters: SamplingCounter) -> None:
            self.counters = counters

    with pytest.raises(ScanUsageError, match="loopscan: No counters for scan"):
        loopscan(1, 0)
    environment.active_measurement_group = lambda: Group(diode)
    assert list(loopscan(1, 0).get_data(diode)) == [1.0]
    environment.active_measurement_group = lambda: Group()
    with pytest.raises(ScanUsageError, match="No counters"):
        loopscan(1, 0)


def test_everything_that_has_counters(diode: SamplingCounter) -> None:
    other = SamplingCounter("other", Values("second", lambda: [2.0]))
    for countables in (
        [diode, other],
        [diode.controller, other.controller],
        [diode.controller.counters + [other]],
        [(diode, other)],
    ):
        assert set(loopscan(1, 0, *countables).get_data()) >= {"diodes:diode", "second:other"}


def test_every_command_is_exported_and_says_what_it_does() -> None:
    for name in scans.__all__:
        command = getattr(scans, name)
        assert command.__doc__
        parameters = inspect.signature(command).parameters
        assert "return_scan" not in parameters or parameters["run"].default is True


def test_a_counter_that_waits_does_not_keep_others(robx: Axis) -> None:
    go = Event()
    slow = SoftCounter(value=lambda: go.wait() and 1.0, name="slow")
    quick = SoftCounter(value=lambda: go.set() or 2.0, name="quick")
    scan = loopscan(1, 0, slow, quick)
    assert scan.get_data("slow")[0] == 1.0


def test_endless_timescan_is_stopped(diode: SamplingCounter) -> None:
    scan = timescan(0.001, diode, run=False)
    task = in_background(scan)
    scan.wait_state(ScanState.STARTING, timeout=5)
    gevent.sleep(0.01)
    scan.stop()
    assert task.get(timeout=5) is None
    assert len(scan.get_data(diode)) == len(scan.get_data("epoch")) > 0


def test_making_a_scan_does_not_read_its_axes(diode: SamplingCounter) -> None:
    class Cut:
        @property
        def position(self) -> float:
            raise OSError("cable cut")

    axis = SoftAxis("cut", Cut(), move=lambda position: None)
    scan = ascan(axis, 0, 1, 2, 0.01, diode, run=False)
    assert scan is not None and scan.state is ScanState.IDLE
    with pytest.raises(OSError, match="cable cut"):
        scan.run()
    assert scan.state is ScanState.KILLED


def test_a_scan_whose_axis_is_moving_is_refused_and_leaves_it_alone(diode: SamplingCounter) -> None:
    axis = make_axis("robx", velocity=10, acceleration=1000)
    first = ascan(axis, 1, 2, 1, 0, diode, run=False)
    second = ascan(axis, 5, 6, 1, 0, diode, run=False)
    assert first is not None and second is not None
    running = in_background(first)
    while not axis.is_moving:
        gevent.sleep(0.001)
    with pytest.raises(AxisFault, match="robx is moving"):
        second.run()
    assert second.state is ScanState.KILLED
    assert running.get(timeout=5) is None and first.state is ScanState.DONE
    assert first.get_data(axis).tolist() == pytest.approx([1, 2])
