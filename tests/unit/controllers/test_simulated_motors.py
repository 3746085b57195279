"""The hardware of simulated motors: switches, jog, power, play, faults, and what several processes see of one motor."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, cast

import gevent
import pytest

from bliss_like.config import Config
from bliss_like.config.settings import use_store
from bliss_like.controllers.simulated.motors import SimulatedMotors
from bliss_like.data.key_store import Command
from bliss_like.data.store import MemoryStore
from bliss_like.devices import motion_line
from bliss_like.devices.axis import Axis
from bliss_like.devices.closed_loop import ClosedLoopState
from bliss_like.devices.motion import endless, trapezoid
from bliss_like.errors import AxisFault, DeviceError, NotConnectedError, StoreUnavailable
from tests.unit.devices.making import make, make_axis

FAST = {"velocity": 100.0, "acceleration": 10000.0}
SWITCHES = {"hard_low_limit": -2, "hard_high_limit": 3, "home_switch": 1}


def motors_of(axis: Axis) -> SimulatedMotors:
    """The controller of an axis, with its hardware set up as the configuration says."""
    controller = axis.controller
    assert isinstance(controller, SimulatedMotors)
    controller.make_ready(axis)
    return controller


def until(condition: Callable[[], object]) -> None:
    with gevent.Timeout(30):
        while not condition():
            gevent.sleep(0.001)


def until_rest(axis: Axis) -> None:
    until(lambda: not axis.is_moving)


@pytest.mark.parametrize("steps_per_unit", [1, 500, -500])
@pytest.mark.parametrize("velocity", [100, float("inf")])
def test_a_limit_switch_stops_dead_and_lets_go_the_other_way(steps_per_unit: float, velocity: float) -> None:
    axis = make_axis(steps_per_unit=steps_per_unit, **SWITCHES, **{**FAST, "velocity": velocity})
    high, low = ("LIMPOS", "LIMNEG") if steps_per_unit > 0 else ("LIMNEG", "LIMPOS")
    with pytest.raises(AxisFault, match=rf"robx did not arrive: it is at .* and should be at 10, .*{high}"):
        axis.move(10)
    assert axis.position == pytest.approx(3) and high in axis.state and "READY" in axis.state
    with pytest.raises(AxisFault, match=high):
        axis.move(4)
    assert axis.position == pytest.approx(3)
    axis.move(0)
    assert axis.state.names == ("READY",)
    with pytest.raises(AxisFault, match=rf"should be at -10, .*{low}"):
        axis.move(-10)
    assert axis.position == pytest.approx(-2)


def test_the_switches_stay_where_they_are_when_the_register_is_written() -> None:
    axis = make_axis(**SWITCHES, **FAST)
    axis.dial = 100
    with pytest.raises(AxisFault, match="LIMPOS"):
        axis.move(10)
    assert (axis.dial, axis.position) == (pytest.approx(103), pytest.approx(3))


@pytest.mark.parametrize(("start", "switch"), [(0, 1), (2, -1)])
def test_home_search_from_both_sides(start: float, switch: int) -> None:
    axis = make_axis(initial_position=start, steps_per_unit=10, home_velocity=10, **SWITCHES, **FAST)
    motors = motors_of(axis)
    began = time.monotonic()
    motors.home_search(axis, switch)
    assert motors.home_state(axis) == "MOVING"
    until_rest(axis)
    assert time.monotonic() - began >= trapezoid(0, 1, 10, 10000).duration
    assert (axis.position, axis.state.names) == (pytest.approx(1), ("HOME", "READY"))
    axis.sync_hard()
    axis.move(0)
    assert "HOME" not in axis.state


def test_home_search_to_the_wrong_side_ends_on_the_limit_switch() -> None:
    axis = make_axis(**SWITCHES, **FAST)
    motors_of(axis).home_search(axis, -1)
    until_rest(axis)
    assert (axis.position, axis.state.names) == (-2, ("LIMNEG", "READY"))


def test_a_search_that_has_found_the_limit_switch_instead_says_so(caplog: pytest.LogCaptureFixture) -> None:
    axis = make_axis(**SWITCHES, **FAST)
    axis.home(-1)
    assert caplog.messages == ["robx: its search for the home switch has ended at a limit switch, at -2: LIMNEG READY"]
    caplog.clear()
    axis.home(1)
    assert caplog.messages == []


def test_limit_search() -> None:
    axis = make_axis(**SWITCHES, **FAST)
    motors = motors_of(axis)
    for side, where, state in ((1, 3, "LIMPOS"), (-1, -2, "LIMNEG")):
        motors.limit_search(axis, side)
        until_rest(axis)
        assert (axis.position, axis.state.names) == (where, (state, "READY"))
    endless_one = make_axis("free", **FAST)
    with pytest.raises(DeviceError, match="free: the search would never end: no limit switch on the negative side"):
        motors_of(endless_one).limit_search(endless_one, -1)


def test_a_jog_changes_velocity_and_direction_without_a_jump() -> None:
    axis = make_axis(velocity=10, acceleration=100)
    motors = motors_of(axis)
    law, before = endless(0, 0, 5, 100), time.monotonic()
    motors.start_jog(axis, 5, 1)
    started = time.monotonic()
    gevent.sleep(0.06)
    now = time.monotonic()
    at = motors.read_position(axis)
    assert law.position(now - started) - 1e-6 <= at <= law.position(time.monotonic() - before) + 1e-6
    motors.start_jog(axis, 8, -1)
    assert abs(motors.read_position(axis) - at) <= 8 * (time.monotonic() - now)
    until(lambda: motors.read_position(axis) < -0.1)
    motors.stop_jog(axis)
    stopping = motors.read_position(axis)
    until_rest(axis)
    assert stopping - 8**2 / 200 - 1e-6 <= axis.position <= stopping
    with pytest.raises(DeviceError, match="robx: expected a finite velocity to jog with"):
        motors.start_jog(axis, float("inf"), 1)


def test_a_jog_ends_at_the_switch() -> None:
    axis = make_axis(**SWITCHES, **FAST)
    motors_of(axis).start_jog(axis, 50, -1)
    until_rest(axis)
    assert axis.position == -2 and "LIMNEG" in axis.state


def test_without_power_nothing_moves() -> None:
    axis = make_axis(velocity=10, acceleration=100)
    motors = motors_of(axis)
    axis.move(1, wait=False)
    gevent.sleep(0.03)
    motors.set_off(axis)
    at = motors.read_position(axis)
    assert motors.state(axis) == "OFF"
    with pytest.raises(AxisFault, match="OFF"):
        axis.wait_move()
    assert 0 < motors.read_position(axis) == at < 1
    with pytest.raises(AxisFault, match="robx cannot be moved: its state is OFF"):
        axis.move(2)
    with pytest.raises(DeviceError, match=r"robx has no power; switch it on: robx.on\(\)"):
        motors.start_jog(axis, 1, 1)
    motors.set_on(axis)
    axis.move(0)
    assert axis.position == 0


@pytest.fixture
def measured(tmp_path: Path) -> Iterator[Axis]:
    """An axis with an encoder and a closed loop."""
    (tmp_path / "motors.yml").write_text(ENCODER)
    before = use_store(MemoryStore().keys)
    yield Config(tmp_path).get("m")
    motion_line.flush()
    use_store(before)


ENCODER = """
- name: motors
  class: SimulatedMotors
  encoders: [{name: enc, steps_per_unit: 50, tolerance: 0.3}, {name: loose}]
  axes:
    - name: m
      steps_per_unit: -100
      encoder: $enc
      play: 0.25
      closed_loop: {state: "off", kp: 1, ki: 2, kd: 3}
"""


def test_the_encoder_sees_the_play(measured: Axis) -> None:
    encoder = measured.encoder
    assert encoder is not None
    # with negative steps the shaft pushes on the way down
    for target, seen in ((-2, -2), (-1.9, -2), (0, -0.25), (-0.1, -0.25), (-1, -1)):
        measured.move(target)
        assert (measured.position, measured.measured_position) == (target, pytest.approx(seen))
    assert encoder.raw_read == pytest.approx(-50)
    assert encoder.set(7) == pytest.approx(7)
    with pytest.raises(AxisFault, match="m did not reach its target: it should be at 0, its encoder enc says 7.75"):
        measured.move(0)


def test_a_closed_loop_takes_the_play_out(measured: Axis) -> None:
    measured.move(-2)
    measured.move(-1)
    assert measured.measured_position == pytest.approx(-1.25)
    loop = measured.closed_loop
    assert loop is not None and loop.state is ClosedLoopState.OFF and (loop.kp, loop.kd) == (1, 3)
    loop.on()
    loop.kp = 9
    assert loop.state is ClosedLoopState.ON and loop.kp == 9
    assert measured.measured_position == pytest.approx(-1)
    measured.move(0)
    assert measured.measured_position == pytest.approx(0)
    loop.off()
    measured.move(-0.1)
    assert measured.measured_position == pytest.approx(-0.1)


def test_an_encoder_that_disagrees(measured: Axis) -> None:
    encoder = measured.encoder
    assert encoder is not None
    config = cast(Any, encoder.config)
    config.slip, config.offset = 0.1, 0.05
    measured.move(-2)
    assert measured.measured_position == pytest.approx(-1.75)
    with pytest.raises(
        AxisFault, match="its encoder enc says -3.55, which is more than the encoder's tolerance 0.3 away"
    ):
        measured.move(-4)
    config.noise = 0.1
    readings = {measured.measured_position for _ in range(100)}
    assert len(readings) > 90 and max(abs(each + 3.55) for each in readings) < 1
    loose = cast(SimulatedMotors, measured.controller).encoders["loose"]
    with pytest.raises(DeviceError, match=r"loose is at no axis: write `encoder: \$loose` for one of motors"):
        loose.read()


def test_searches_and_jogs_of_an_axis() -> None:
    axis = make_axis(**SWITCHES, **FAST, jog_velocity=20, steps_per_unit=10)
    axis.home()
    assert axis.position == 1 and "HOME" in axis.state
    axis.hw_limit(-1)
    assert axis.position == -2 and "LIMNEG" in axis.state
    axis.move(0)
    axis.jog()
    until(lambda: axis.position > 0.2)
    axis.jog(-30)
    until(lambda: axis.position < 0)
    axis.stop()
    assert "READY" in axis.state and axis.velocity == 100
    axis.off()
    assert axis.state == "OFF"
    axis.on()
    axis.rmove(0.1)


def test_a_slow_line_takes_its_time_once_for_many_axes() -> None:
    motors = make(SimulatedMotors, "motors", latency=0.02, axes=[{"name": f"m{i}"} for i in range(10)])
    axes = list(motors.axes.values())
    began = time.monotonic()
    assert motors.read_positions(*axes) == [0] * 10
    assert [str(state) for state in motors.states(*axes)] == [str(axes[0].read_state())] * 10
    assert 0.05 < time.monotonic() - began < 0.2
    motors.latency = 0
    began = time.monotonic()
    motors.read_positions(*axes)
    assert time.monotonic() - began < 0.02


def test_a_controller_that_is_unplugged_in_motion() -> None:
    axis = make_axis(velocity=10, acceleration=100, home_switch=1)
    motors = motors_of(axis)
    motors.home_search(axis, 1)
    motors.unplug()
    for ask in (motors.read_position, motors.state, motors.stop, lambda axis: motors.connect_axis(axis, 1)):
        with pytest.raises(NotConnectedError, match="robx_motors: simulated fault, the controller does not answer"):
            ask(axis)
    motors.plug_in()
    until_rest(axis)
    assert axis.position == 1  # nobody could stop it
    axis.sync_hard()
    motors.unplug(after=0.05)
    with pytest.raises(NotConnectedError):
        axis.move(100)
    motors.unplug(seconds=0)
    until_rest(axis)
    assert 1 <= axis.position < 100


def test_pulses_at_positions() -> None:
    axis = make_axis(steps_per_unit=10, **FAST)
    motors = motors_of(axis)
    motors.set_event_positions(axis, [1, 2.5, 200])
    assert motors.get_event_positions(axis) == [1, 2.5, 200]
    began = time.time()
    axis.move(0.5)
    (first, at), (second, then) = motors.pulses(axis)
    assert (at, then) == pytest.approx((1, 2.5))
    law = trapezoid(0, 5, 1000, 100000)
    assert second - first == pytest.approx(next(law.passages([2.5])) - next(law.passages([1])), abs=1e-6)
    assert began < first < second < began + 1


# -- one motor, several processes --------------------------------------------------------------------------------------

YAML = """
- name: motors
  class: SimulatedMotors
  axes:
    - {name: robx, velocity: 10, acceleration: 100, initial_position: 5, steps_per_unit: 100}
    - {name: roby}
"""


@pytest.fixture
def store() -> Iterator[Any]:
    store = MemoryStore().keys
    before = use_store(store)
    yield store
    use_store(before)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "motors.yml").write_text(YAML)
    return tmp_path


@pytest.mark.real_time
def test_a_motor_is_where_another_process_has_left_it(store: Any, root: Path) -> None:
    here, there = (Config(root).get("robx") for _ in range(2))
    assert (here.position, there.position) == (5, 5)
    here.move(25, wait=False)
    until(lambda: there.dial > 5)
    first = there.dial
    between = here.dial
    assert first <= between <= there.dial
    here.wait_move()
    until(lambda: not there.is_moving)
    assert (there.dial, there.read_state().names) == (25, ("READY",))
    here.controller.set_position(here, 0)
    here.velocity = 3
    until(lambda: (there.dial, there.velocity) == (0, 3))
    late = Config(root).get("robx")
    assert late.dial == 0


@pytest.mark.real_time
def test_it_runs_to_its_end_when_its_process_is_gone_and_can_be_stopped_by_another(store: Any, root: Path) -> None:
    config = Config(root)
    robx = config.get("robx")
    robx.controller.make_ready(robx)
    robx.controller.start_jog(robx, 1000, 1)
    del robx, config
    found = Config(root).get("robx")
    until(lambda: found.is_moving)
    found.stop()
    until_rest(found)
    assert found.dial > 5


@pytest.mark.real_time
def test_a_loop_of_moves_is_few_writes_and_reading_is_none(
    store: Any, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = Config(root)
    robx, roby = config.get("robx"), config.get("roby")
    motors = robx.controller
    _ = robx.position, roby.position
    motion_line.flush()
    asked: list[Command] = []
    run = store.run
    monkeypatch.setattr(store, "run", lambda *commands, **more: asked.extend(commands) or run(*commands, **more))
    began = time.monotonic()
    for position in range(50):
        roby.move(position)
    motion_line.flush()
    own = [command for command in asked if "simulated:" in str(command[1])]
    assert 1 <= len(own) <= 2 + (time.monotonic() - began) / motion_line.INTERVAL
    assert all(sum(len(str(word)) for word in command) < 500 for command in own)
    asked.clear()
    motors.read_positions(robx, roby)
    motors.states(robx, roby)
    motors.set_velocity(robx, motors.read_velocity(robx))
    motion_line.flush()
    assert asked == []


@pytest.mark.real_time
def test_without_the_store_it_goes_on_with_what_it_knows(
    store: Any, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    robx, there = (Config(root).get("robx") for _ in range(2))
    motors = robx.controller
    assert (robx.position, there.position) == (5, 5)
    motion_line.flush()

    def gone(*args: Any, **more: Any) -> Any:
        raise StoreUnavailable("no server")

    with monkeypatch.context() as patch:
        patch.setattr(store, "run", gone)
        patch.setattr(store, "read", gone)
        motors.set_position(robx, 100)
        motion_line.flush()
        assert motors.read_position(robx) == 100
    motion_line.flush()
    until(lambda: there.dial == 1)
    assert motors.read_position(robx) == 100


@pytest.mark.real_time
def test_motors_made_in_python_are_of_their_process(store: Any) -> None:
    here, there = make_axis(), make_axis()
    here.move(1)
    assert there.position == 0
