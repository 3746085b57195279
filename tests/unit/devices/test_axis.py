"""User and dial positions, limits, velocities: what an axis does without moving."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from bliss_like.controllers.simulated.motors import SimulatedMotors
from bliss_like.devices import events
from bliss_like.devices.axis import Axis, check_limits
from bliss_like.devices.axis_group import AxisGroup
from bliss_like.devices.axis_state import AxisState
from bliss_like.devices.events import AxisEvent
from bliss_like.devices.move import Motion
from bliss_like.errors import AxisDisabled, AxisDiscrepancy, AxisLimitError, DeviceError
from tests.unit.devices.making import Notes, make, make_axis

positions = st.floats(-1e6, 1e6)
signs = st.sampled_from([1, -1])
steps = st.sampled_from([1.0, 1000.0, -200.0, 0.1])


class CountingMotors(SimulatedMotors):
    """Counts how often its hardware is asked."""

    def __init__(self, name: str, config: SimulatedMotors.Config) -> None:
        super().__init__(name, config)
        self.accesses = 0

    def read_position(self, axis: Axis) -> float:
        self.accesses += 1
        return super().read_position(axis)

    def state(self, axis: Axis) -> AxisState:
        self.accesses += 1
        return super().state(axis)


@given(signs, positions, positions, steps)
def test_user_is_sign_times_dial_plus_offset(sign: int, offset: float, target: float, steps_per_unit: float) -> None:
    axis = make_axis(sign=sign, steps_per_unit=steps_per_unit)
    axis.offset = offset
    axis.move(target)
    assert axis.position == pytest.approx(sign * axis.dial + offset)
    assert axis.position == pytest.approx(target, abs=1e-6 * max(1, 1 / abs(steps_per_unit)))
    assert axis.user2dial(axis.dial2user(axis.dial)) == pytest.approx(axis.dial, abs=1e-6)


@given(signs, positions, positions)
def test_setting_the_position_moves_nothing_but_the_offset(sign: int, before: float, after: float) -> None:
    axis = make_axis(sign=sign)
    axis.move(before)
    dial = axis.dial
    axis.position = after
    assert axis.dial == dial
    assert axis.position == pytest.approx(after, abs=1e-6)
    assert axis._set_position == pytest.approx(after, abs=1e-6)


def test_setting_the_dial_writes_the_register_and_keeps_the_user_position() -> None:
    axis = make_axis(sign=-1, steps_per_unit=10)
    axis.move(3)
    axis.dial = 100
    assert (axis.dial, axis.position) == (100, 3)
    assert axis.offset == 103


def test_limits_belong_to_the_dial() -> None:
    axis = make_axis(low_limit=-1, high_limit=5)
    axis.position = 100
    assert axis.limits == (99, 105)
    axis.sign = -1
    assert axis.limits == (95, 101)
    assert axis.dial_limits == (-1, 5)


def test_what_is_told_when_the_scale_is_set() -> None:
    axis = make_axis(unit="mm")
    axis.move(3)
    told = Notes()
    events.connect(axis, AxisEvent.POSITION, told.take)
    axis.position = 1
    axis.dial = 10
    assert (axis.position, axis.settings["position"], axis.settings["dial"]) == (1, 1, 10)
    axis.jog(1, reset_position=0)
    axis.stop()
    assert (axis.settings["position"], axis.settings["dial"]) == (0, 0)
    assert told[:2] == [1, 1] and told[-1] == 0


def test_a_jog_that_goes_on_takes_what_it_is_told_for_its_end() -> None:
    axis = make_axis(velocity=5, acceleration=1000)
    axis.jog(2, polling_time=0.005)
    assert axis.polling_time == 0.005
    axis.jog(3, reset_position=0)
    axis.stop()
    assert (axis.position, axis.dial) == (0, 0)
    with pytest.raises(ValueError, match="reset_position must be None, 0 or a function, got 1"):
        axis.jog(3, reset_position=1)


def test_limits_that_were_set_by_hand_are_told_on_their_scale() -> None:
    axis = make_axis(low_limit=-5, high_limit=5)
    axis.limits = -1, 1
    assert "  set by hand: high_limit 1 (the configuration says 5)" in axis.set_by_hand()
    axis.position = 3
    assert "  set by hand: dial high_limit 1 (the configuration says 5)" in axis.set_by_hand()


def test_what_the_configuration_said_is_still_known() -> None:
    axis = make_axis(velocity=10, acceleration=100, jog_velocity=5, velocity_high_limit=50, tags=["real", "up"])
    axis.velocity, axis.acceleration, axis.jog_velocity, axis.velocity_limits = 20, 40, 8, (1, 30)
    assert (axis.config_velocity, axis.config_acceleration, axis.config_acctime) == (10, 100, 0.1)
    assert (axis.config_jog_velocity, axis.config_velocity_limits) == (5, (0, 50))
    assert (axis.jog_acctime, axis.acctime) == (0.2, 0.5)
    assert axis.has_tag("up") and not axis.has_tag("down")
    assert axis._hw_position == axis.position == 0


def test_user_limits_can_be_set_and_taken_away() -> None:
    axis = make_axis(sign=-1)
    axis.offset = 10
    axis.limits = -2, 3
    assert axis.limits == (-2, 3)
    assert axis.dial_limits == (7, 12)
    axis.limits = None, None
    assert axis.limits == (-math.inf, math.inf)
    axis.low_limit = 0
    axis.high_limit = 1
    assert axis.limits == (0, 1)


def test_limits_the_wrong_way_round_are_refused() -> None:
    axis = make_axis()
    with pytest.raises(ValueError, match="robx: the low limit must be below the high limit, got 3 and -2"):
        axis.limits = 3, -2
    assert axis.limits == (-math.inf, math.inf)


@pytest.mark.parametrize("limits", [5, (1, 2, 3), (None, "far"), "ab"])
def test_limits_that_are_no_pair_of_numbers_are_refused(limits: object) -> None:
    axis = make_axis()
    for set_limits in ("limits", "dial_limits"):
        with pytest.raises(ValueError, match=r"robx: limits must be \(low, high\), None for none, got "):
            setattr(axis, set_limits, limits)
    assert axis.limits == (-math.inf, math.inf)


@pytest.mark.parametrize(
    ("target", "message"),
    [
        (5.1, r"robx: 5.1 is above its high limit 5 by 0.1; its limits are -5 .. 5. Nothing was moved"),
        (-6, r"robx: -6 is below its low limit -5 by 1; its limits are -5 .. 5. Nothing was moved"),
        (math.inf, "robx: position must be finite, got inf"),
        (math.nan, "robx: position must be finite, got nan"),
        ("there", "robx: position must be a number, got 'there'"),
        (None, "robx: position must be a number, got None"),
    ],
)
def test_a_bad_target_moves_nothing(target: float, message: str) -> None:
    axis = make_axis(low_limit=-5, high_limit=5)
    with pytest.raises(AxisLimitError, match=message):
        axis.move(target)
    assert axis.position == 0


def test_the_limit_itself_can_be_reached_in_spite_of_rounding() -> None:
    axis = make_axis(low_limit=-1, high_limit=1)
    axis.offset = 0.1 + 0.2
    axis.move(1.3)
    assert axis.dial == pytest.approx(1)


def test_whole_trajectories_are_checked_and_the_first_bad_position_is_named() -> None:
    robx, roby = make_axis("robx", low_limit=0), make_axis("roby", high_limit=3)
    check_limits({robx: np.linspace(0, 9, 10), roby: np.linspace(-9, 3, 10)})
    with pytest.raises(AxisLimitError, match="roby: 4 is above its high limit 3"):
        check_limits({robx: np.linspace(0, 9, 10), roby: np.linspace(0, 9, 10)})
    with pytest.raises(AxisLimitError, match="roby: nan is no position"):
        check_limits({roby: [1, math.nan]})


def test_no_hardware_access_when_it_is_there_already() -> None:
    motors = make(CountingMotors, "motors", axes=[{"name": "robx"}])
    robx = motors.axes["robx"]
    robx.move(3)
    motors.accesses = 0
    robx.move(3)
    robx.rmove(0)
    assert motors.accesses == 0
    robx.move(4)
    assert motors.accesses > 0


def test_relative_moves_start_from_the_last_target() -> None:
    axis = make_axis(steps_per_unit=3)
    for _ in range(10):
        axis.rmove(0.1)
    assert axis.position == pytest.approx(1)
    axis.move(-1, relative=True)
    assert axis.position == pytest.approx(0)


def test_velocity_and_acceleration_are_in_units_and_come_from_the_configuration() -> None:
    axis = make_axis(steps_per_unit=-500, velocity=2, acceleration=8)
    assert (axis.velocity, axis.acceleration, axis.acctime) == (2, 8, 0.25)
    axis.velocity = 4
    axis.acctime = 2
    assert (axis.velocity, axis.acceleration) == (4, 2)
    for bad in (0, -1, math.nan, "fast"):
        with pytest.raises(ValueError, match="robx: velocity must be"):
            axis.velocity = bad  # type: ignore[assignment]
    assert axis.velocity == 4


def test_events_tell_what_changed() -> None:
    axis = make_axis()
    told = Notes()
    events.connect(axis, AxisEvent.LIMITS, told.take)
    events.connect(axis, AxisEvent.VELOCITY, told.take)
    axis.limits = -1, 1
    axis.velocity = 3
    assert told == [(-1, 1), 3]
    events.disconnect(axis, AxisEvent.LIMITS, told.take)
    events.disconnect(axis, AxisEvent.LIMITS, told.take)


def test_a_listener_that_fails_stops_nobody(caplog: pytest.LogCaptureFixture) -> None:
    axis = make_axis()
    told = Notes()

    def fails(value: object) -> None:
        raise RuntimeError("out of paper")

    events.connect(axis, AxisEvent.MOVE_DONE, fails)
    events.connect(axis, AxisEvent.MOVE_DONE, told.take)
    axis.move(1)
    assert told == [False, True]
    assert "out of paper" in caplog.text


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"low_limit": 3, "high_limit": 2}, "low_limit 3 must be below high_limit 2"),
        ({"steps_per_unit": 0}, "steps_per_unit must not be 0"),
        ({"velocity": 0}, "greater than 0"),
        ({"tolerence": 1}, "tolerence"),
        ({"sign": 2}, "sign"),
    ],
)
def test_a_configuration_that_makes_no_sense_is_refused(keys: dict[str, object], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        make_axis(**keys)


def test_the_first_use_initialises_and_tries_again_after_a_failure() -> None:
    class Sleepy(SimulatedMotors):
        attempts = 0

        def initialize(self) -> None:
            self.attempts += 1
            if self.attempts == 1:
                raise DeviceError("not awake")

    motors = make(Sleepy, "motors", axes=[{"name": "robx", "initial_position": 7}])
    robx = motors.axes["robx"]
    assert motors.attempts == 0
    with pytest.raises(DeviceError, match="not awake"):
        robx.move(1)
    assert robx.disabled
    assert robx.state == "DISABLED"
    with pytest.raises(AxisDisabled, match="could not be set up: not awake. When that is mended: robx.enable()"):
        robx.position  # noqa: B018 - what is dead is not asked again and again
    assert motors.attempts == 1
    robx.enable()
    assert not robx.disabled
    assert robx.position == 7
    assert motors.attempts == 2


def test_info_says_where_it_is() -> None:
    axis = make_axis(unit="mm", low_limit=-1, high_limit=1)
    assert "0 mm" in axis.__info__()
    assert "-1 .. 1 mm" in axis.__info__()
    assert "READY" in axis.__info__()


def test_states() -> None:
    state = AxisState("READY", "LIMPOS", ("PARKED", "in the garage"))
    assert "READY" in state and state.LIMPOS and not state.MOVING
    assert state == "PARKED" and state != "MOVING"
    assert state == AxisState("LIMPOS", "READY", ("PARKED", "elsewhere"))
    assert "in the garage" in str(state)
    with pytest.raises(ValueError, match="READY and MOVING"):
        AxisState("READY", "MOVING")
    with pytest.raises(ValueError, match="unknown axis state 'BUSY'"):
        AxisState("BUSY")


class LateFlag(SimulatedMotors):
    """Raises its moving flag only after it was looked at once, and is at its target before it lowers it again."""

    looks = -1

    def start_one(self, motion: Motion) -> None:
        super().start_one(motion)
        self.looks = 0

    def state(self, axis: Axis) -> AxisState:
        self.looks += self.looks >= 0
        return AxisState("MOVING" if 1 < self.looks < 6 else "READY")

    def read_position(self, axis: Axis) -> float:
        return super().read_position(axis) if self.looks else 0.0


def test_an_axis_has_arrived_only_when_it_stands_still_at_its_target() -> None:
    axis_keys = {"name": "late", "steps_per_unit": 1, "velocity": math.inf, "acceleration": math.inf}
    controller = make(LateFlag, "motors", axes=[axis_keys])
    controller.axes["late"].move(1)
    assert controller.looks >= 6


def test_after_it_had_no_power_its_hardware_is_asked_where_it_is() -> None:
    robx = make_axis("robx", velocity=100.0)
    robx.move(1)
    robx.move(1)
    robx.off()
    robx.controller.set_position(robx, 1.5)  # it has sunk
    robx.on()
    with pytest.raises(AxisDiscrepancy):
        robx.move(1)


def test_disabled_axes_are_no_reason_for_others_not_to_be_shown_or_moved() -> None:
    robx, roby = make_axis("robx", velocity=100.0), make_axis("roby", velocity=100.0)
    roby.disable("dismounted")
    group = AxisGroup(robx, roby)
    assert "READY" not in group.state
    assert roby.state == "DISABLED" and not roby.is_moving
    group.move({robx: 1})
    with pytest.raises(AxisDisabled, match="roby is disabled .dismounted."):
        group.move({robx: 2, roby: 1})
    assert robx.position == 1
