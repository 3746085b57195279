"""What people give wrongly: one sentence that names the object, and nothing that has changed or moves."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import gevent
import numpy as np
import pytest

from bliss_like.devices.axis import Axis
from bliss_like.devices.axis_group import AxisGroup, move
from bliss_like.devices.calc_axis import CalcController
from bliss_like.devices.motion_hook import MotionHook
from bliss_like.devices.soft_axis import SoftAxis
from bliss_like.devices.trajectory import PVT, CyclicTrajectory, Trajectory, TrajectoryGroup, trajectory_of
from bliss_like.errors import AxisFault, AxisLimitError, DeviceError, NotConnectedError, UsageError
from tests.unit.devices.calc import calc, real_axes, slow_slits
from tests.unit.devices.making import make_axis

NO_NUMBERS: list[Any] = [None, "5", "5mm", b"5", "", True, np.bool_(True), 1j, [1], {}, np.array([1.0, 2.0]), 10**400]

NUMBERS = ["position", "dial", "offset", "backlash", "velocity", "acceleration", "acctime", "jog_velocity"]

KEPT = [*NUMBERS, "sign", "limits", "velocity_limits", "tolerance", "timeout", "polling_time"]
"""What must be the same after a refusal."""


@pytest.fixture
def robx() -> Axis:
    return make_axis("robx", unit="mm", velocity=100, acceleration=1e5, low_limit=-10, high_limit=10)


def kept(axis: Axis) -> dict[str, Any]:
    return {name: getattr(axis, name) for name in KEPT}


def refused(axis: Axis, call: Callable[[], object], sentence: str, error: type[Exception] = ValueError) -> None:
    before = kept(axis)
    with pytest.raises(error, match=sentence):
        call()
    assert kept(axis) == before
    assert axis.state == "READY"


# -- what is set -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("value", NO_NUMBERS, ids=repr)
@pytest.mark.parametrize("name", NUMBERS)
def test_what_is_no_number(robx: Axis, name: str, value: Any) -> None:
    refused(robx, lambda: setattr(robx, name, value), f"^robx: {name} must be a number, got .{{0,70}}$")


@pytest.mark.parametrize("value", [*NO_NUMBERS[1:], math.nan], ids=repr)
@pytest.mark.parametrize("name", ["low_limit", "high_limit", "velocity_low_limit", "velocity_high_limit"])
def test_what_is_no_limit(robx: Axis, name: str, value: Any) -> None:
    refused(robx, lambda: setattr(robx, name, value), f"^robx: {name} must be a number, None for none, got ")


@pytest.mark.parametrize("value", [None, 5, "12", (1,), (1, 2, 3), ("1", "2"), (0, 1j), (math.nan, 1), {}], ids=repr)
@pytest.mark.parametrize("name", ["limits", "velocity_limits"])
def test_what_is_no_pair_of_limits(robx: Axis, name: str, value: Any) -> None:
    refused(robx, lambda: setattr(robx, name, value), rf"^robx: {name} must be \(low, high\), None for none, got ")


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("position", math.nan, "robx: position must be finite, got nan"),
        ("velocity", 0, "robx: velocity must be > 0, got 0"),
        ("velocity", -1, "robx: velocity must be > 0, got -1"),
        ("velocity", math.nan, "robx: velocity must be > 0, got nan"),
        ("limits", (5, 5), "robx: the low limit must be below the high limit, got 5 and 5"),
        ("velocity_limits", (5, 1), "robx: the low velocity limit must be below the high velocity limit, got 5 and 1"),
        ("velocity_limits", (-1, 1), "robx: velocities have no sign, got the velocity_limits -1 and 1"),
        ("velocity_limits", (None, 0), "robx: velocities have no sign, got the velocity_limits 0 and 0"),
        ("sign", 0, "robx: sign must be 1 or -1, got 0"),
        ("sign", np.array([1, 1]), "robx: sign must be 1 or -1, got array"),
        ("tolerance", -1, "robx: tolerance must be at least 0, None to trust the controller, got -1"),
        ("tolerance", "1um", "robx: tolerance must be a number, got '1um'"),
        ("timeout", 0, "robx: timeout must be > 0, got 0"),
        ("timeout", None, "robx: timeout must be a number, got None"),
        ("polling_time", math.nan, "robx: polling_time must be > 0, got nan"),
    ],
)
def test_what_cannot_be_set(robx: Axis, name: str, value: Any, sentence: str) -> None:
    refused(robx, lambda: setattr(robx, name, value), f"^{sentence}")


def test_a_velocity_beyond_its_limits_has_its_unit(robx: Axis) -> None:
    robx.velocity_limits = 1, 200
    refused(
        robx,
        lambda: setattr(robx, "velocity", 201),
        "^robx: velocity 201 is above the high limit of its velocities, which are 1 .. 200 mm/s$",
    )


# -- moves -----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("value", NO_NUMBERS, ids=repr)
def test_what_is_no_target(robx: Axis, value: Any) -> None:
    told = "must be a number, got .*Nothing was moved$"
    refused(robx, lambda: robx.move(value), f"^robx: position {told}", AxisLimitError)
    refused(robx, lambda: robx.rmove(value), f"^robx: distance {told}", AxisLimitError)
    refused(robx, lambda: move(robx, value), f"^robx: position {told}", AxisLimitError)


@pytest.mark.parametrize("value", [np.float32(2), np.int8(2), np.array(2.0)], ids=repr)
def test_numbers_of_numpy_are_numbers(robx: Axis, value: Any) -> None:
    robx.move(value)
    assert robx.position == pytest.approx(2)


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda axis: axis.jog("5"), "robx: velocity must be a number, got '5'"),
        (lambda axis: axis.jog(0), r"robx: jog with a velocity of 0 does not turn; to end a jog: robx.stop\(\)"),
        (lambda axis: axis.jog(math.nan), "robx: velocity must be finite, got nan"),
        (lambda axis: axis.jog(1, reset_position=3), "robx: reset_position must be None, 0 or a function, got 3"),
        (lambda axis: axis.home("up"), "robx: switch must be 1 or -1, got 'up'"),
        (lambda axis: axis.home(math.nan), "robx: switch must be 1 or -1, got nan"),
        (lambda axis: axis.hw_limit(None), "robx: limit must be 1 or -1, got None"),
        (lambda axis: axis.move(1, polling_time=-1), "robx: polling_time must be > 0, got -1"),
    ],
)
def test_what_an_axis_is_not_told(robx: Axis, call: Callable[[Axis], object], sentence: str) -> None:
    refused(robx, lambda: call(robx), f"^{sentence}$")


def test_a_jog_of_any_velocity_is_braked_at_the_limit(robx: Axis) -> None:
    robx.jog(1e300)
    with pytest.raises(AxisFault, match=r"^robx was braked at .* mm, before it left its limits -10 .. 10 mm$"):
        robx.wait_move()
    assert robx.state == "READY"


@pytest.mark.parametrize(("here", "side", "velocity"), [(10, "high", 1), (-10, "low", -1)])
def test_a_jog_does_not_begin_out_of_the_limits(robx: Axis, here: float, side: str, velocity: float) -> None:
    robx.move(here)
    told = f"^robx is at {here} mm, its {side} limit is {here} mm: it can only turn the other way. Nothing was moved$"
    refused(robx, lambda: robx.jog(velocity), told, AxisLimitError)
    robx.limits = (-5, 5)
    refused(robx, lambda: robx.jog(velocity), told.replace(f"is {here} mm:", f"is {here / 2:g} mm:"), AxisLimitError)
    robx.jog(-velocity)
    robx.stop()
    assert abs(robx.position) < abs(here)


def test_limits_are_told_in_numbers_that_people_can_read() -> None:
    axis = make_axis("robx", unit="mm", high_limit=0.1 + 0.2)
    with pytest.raises(
        AxisLimitError,
        match="^robx: 0.7 is above its high limit 0.3 by 0.4 mm; its limits are -inf .. 0.3 mm. Nothing was moved$",
    ):
        axis.move(0.7)
    large = make_axis("large", unit="um", high_limit=1234567.25)
    with pytest.raises(AxisLimitError, match="^large: 1234567.5 is above its high limit 1234567.25 by 0.25 um; "):
        large.move(1234567.5)


# -- groups ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda robx: move(), "expected axis, position, axis, position, ..., got 0 arguments. Nothing was moved"),
        (lambda robx: move(robx), "expected axis, position, axis, position, ..., got 1 argument. Nothing was moved"),
        (lambda robx: move("robx", 1), "expected an axis, got 'robx'. Nothing was moved"),
        (lambda robx: move([robx], 1), r"expected an axis, got \[<Axis robx of robx_motors>\]. Nothing was moved"),
        (lambda robx: move({None: 1}), "expected an axis, got None. Nothing was moved"),
        (lambda robx: move(robx, 1, robx, 2), "robx is there twice. Nothing was moved"),
        (lambda robx: AxisGroup("robx"), "expected an axis, got 'robx'. Nothing was moved"),
        (lambda robx: AxisGroup().move(robx, 1), "robx: expected axes of the group, which is a group without axes"),
    ],
)
def test_what_is_no_group(robx: Axis, call: Callable[[Axis], object], sentence: str) -> None:
    refused(robx, lambda: call(robx), f"^{sentence}", UsageError)


def test_a_group_stops_all_of_its_axes_even_if_one_cannot_be_told() -> None:
    gone, robx = make_axis("gone"), make_axis("robx", velocity=1, acceleration=1000)
    robx.move(100, wait=False)
    gone.controller.unplug()  # type: ignore[attr-defined]
    with pytest.raises(NotConnectedError, match="does not answer"):
        AxisGroup(gone, robx).stop()
    with gevent.Timeout(5):
        robx.wait_move()
    assert robx.position < 99


# -- hooks -----------------------------------------------------------------------------------------------------------------


class Guard(MotionHook):
    def __init__(self, before: Exception | None, after: Exception | None = None) -> None:
        super().__init__("guard", None)
        self.before, self.after = before, after

    def pre_move(self, motion_list: Any) -> None:
        if self.before:
            raise self.before

    def post_move(self, motion_list: Any) -> None:
        if self.after:
            raise self.after


def test_what_a_hook_raises_says_which_hook(robx: Axis) -> None:
    robx.motion_hooks.append(Guard(KeyError("door"), ValueError("brake")))
    with pytest.raises(KeyError) as raised:
        robx.move(1)
    assert raised.value.__notes__ == [
        "(motion hook guard, before a motion of robx)",
        "Afterwards: ValueError: brake",
    ]
    assert (robx.position, str(robx.state.names)) == (0, "('READY',)")
    robx.motion_hooks[:] = [Guard(None, ValueError("brake"))]
    with pytest.raises(ValueError, match="brake") as raised:
        robx.move(1)
    assert raised.value.__notes__ == ["(motion hook guard, after a motion of robx)"]


def test_what_fails_while_nobody_waits_is_logged_in_full(robx: Axis, caplog: pytest.LogCaptureFixture) -> None:
    robx.motion_hooks.append(Guard(None, KeyError("brake")))
    robx.move(1, wait=False)
    with gevent.Timeout(5):
        while not caplog.messages:
            gevent.sleep(0.001)
    assert caplog.messages == ["KeyError: 'brake' (motion hook guard, after a motion of robx)"]


@pytest.mark.parametrize("hooks", [None, "guard", ["guard"], [None], [Guard], 5], ids=repr)
def test_what_is_no_hook(robx: Axis, hooks: Any) -> None:
    robx.motion_hooks = hooks
    with gevent.Timeout(5):
        refused(robx, lambda: robx.move(1), "^robx: motion_hooks must be a list of motion hooks, got ", DeviceError)
    robx.motion_hooks = []
    robx.move(1)


# -- pseudo axes -----------------------------------------------------------------------------------------------------------


class Odd(CalcController):
    """Calculates what it is told."""

    forth: Callable[[dict[str, Any]], Any]
    back: Callable[[dict[str, Any]], Any]

    def calc_from_real(self, real_user_positions: dict[str, Any]) -> Any:
        return self.back(real_user_positions)

    def calc_to_real(self, pseudo_dial_positions: dict[str, Any]) -> Any:
        return self.forth(pseudo_dial_positions)


def odd(forth: Any, back: Any = lambda reals: {"t": reals["x"]}) -> tuple[Axis, Axis]:
    (x,) = real_axes("x", unit="mm", low_limit=-10, high_limit=10)
    controller = calc(Odd, {"x": x}, {"t": {"unit": "mrad"}}, name="odd")
    controller.forth, controller.back = forth, back
    return controller.axes["t"], x


@pytest.mark.parametrize(
    ("forth", "error", "sentence"),
    [
        (lambda p: None, DeviceError, "odd: calc_to_real must return a dictionary, a number for each tag, came None"),
        (lambda p: {"x": [1, 2]}, DeviceError, "odd: calc_to_real must return .* came {'x': .1, 2.}"),
        (lambda p: {"x": 10**400}, DeviceError, "odd: calc_to_real must return .* came {'x': 1000.*[.][.][.]$"),
        (lambda p: {0: 1}, DeviceError, "odd: Odd.calc_to_real gives 0, but its axes have the tags x, t"),
        (lambda p: {"x": math.nan}, AxisLimitError, "no position of x brings t to 3 mrad: odd calculates nan. Nothing"),
        (lambda p: 1 / 0, AxisLimitError, "odd: calc_to_real has no answer for t = 3: division by zero"),
        (lambda p: {"x": 99}, AxisLimitError, "x: 99 is above its high limit 10 by 89 mm, where t would need it; its "),
    ],
)
def test_calculations_that_go_wrong(forth: Any, error: type[Exception], sentence: str) -> None:
    t, x = odd(forth)
    with pytest.raises(error, match=f"^{sentence}"):
        t.move(3)
    assert (x.position, x.state) == (0, "READY")


def test_what_a_calculation_raises_says_where_also_for_many_positions() -> None:
    t, x = odd(lambda p: p["nope"])
    for call in (lambda: t.move(3), lambda: trajectory_of(t, 3, 4, 10, 0.1)):
        with pytest.raises(KeyError, match="nope") as raised:
            call()
        assert raised.value.__notes__ == ["(odd: calc_to_real of t = 3)"]
    assert x.position == 0


def test_what_a_pseudo_axis_has_not() -> None:
    vgap = slow_slits().axes["vgap"]
    with pytest.raises(DeviceError, match="^vgap is calculated and has no backlash of its own; .*: up, down$"):
        vgap.backlash = 1
    assert vgap.backlash == 0


def test_an_encoder_of_a_pseudo_axis() -> None:
    vgap = slow_slits().axes["vgap"]
    with pytest.raises(RuntimeError, match="^vgap has no encoder: its real axes may have one$"):
        _ = vgap.measured_position


def test_what_the_end_of_a_jog_raises_says_where(robx: Axis) -> None:
    robx.jog(1, reset_position=lambda axis: 1 / 0)
    with pytest.raises(ZeroDivisionError) as raised:
        robx.stop()
    assert raised.value.__notes__ == ["(reset_position of the jog of robx)"]
    assert robx.state == "READY"


def test_a_stop_of_a_pseudo_axis_stops_all_that_it_is_made_of() -> None:
    slits = slow_slits(velocity=1)
    slits.axes["vgap"].move(50, wait=False)
    up, down = slits.reals
    before = up.current_move
    with gevent.Timeout(5):
        slits.axes["vgap"].stop()
    assert before is not None and before.done
    assert max(up.position, down.position) < 25


# -- trajectories ----------------------------------------------------------------------------------------------------------

GOOD = np.array([(0, 0, 0), (1, 0, 1)], dtype=PVT)
COMPLEX = np.zeros(2, dtype=[("position", complex), ("velocity", float), ("time", float)])


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (
            lambda axis: Trajectory("robx", GOOD),
            r"a trajectory is Trajectory\(axis, points\): expected an axis, got 'r",
        ),  # type: ignore[arg-type]
        (lambda axis: Trajectory(axis, COMPLEX), "trajectory of robx: position must be numbers, got the dtype complex"),
        (lambda axis: CyclicTrajectory(axis, GOOD, math.nan), "trajectory of robx: nb_cycles must be finite, got nan"),  # type: ignore[arg-type]
        (lambda axis: CyclicTrajectory(axis, GOOD, "2"), "trajectory of robx: nb_cycles must be a number, got '2'"),  # type: ignore[arg-type]
        (lambda axis: CyclicTrajectory(axis, GOOD, 2, math.nan), "trajectory of robx: origin must be finite, got nan"),
        (lambda axis: TrajectoryGroup(axis), r"expected trajectories, as in TrajectoryGroup\(Trajectory\(axis, points"),
        (lambda axis: trajectory_of(axis, 0, "1", 10, 0.1), "robx: stop must be a number, got '1'"),  # type: ignore[arg-type]
        (lambda axis: trajectory_of(axis, 0, 1, 10, math.nan), "robx: time_per_point must be finite, got nan"),
        (lambda axis: TrajectoryGroup(Trajectory(axis, GOOD)).disable_axis("robx"), "'robx': not in this group of rob"),  # type: ignore[arg-type]
    ],
)
def test_what_is_no_trajectory(robx: Axis, call: Callable[[Axis], object], sentence: str) -> None:
    refused(robx, lambda: call(robx), f"^{sentence}")


def test_a_trajectory_on_which_nothing_moves() -> None:
    t, _ = odd(lambda p: {})
    with pytest.raises(ValueError, match="^t: no real axis moves between 0 and 1 mrad$"):
        trajectory_of(t, 0, 1, 10, 0.1)


# -- axes over objects -----------------------------------------------------------------------------------------------------


class Oven:
    def __init__(self) -> None:
        self.temperature: Any = 20.0
        self.word = "warm"

    @property
    def state(self) -> str:
        raise OSError("read, although nobody has asked")

    def heat(self) -> None:
        """It takes no target."""


@pytest.mark.parametrize(
    ("keys", "sentence"),
    [
        ({"position": "temperatur"}, "t: position: <.*Oven.* has no 'temperatur', did you mean 'temperature'?"),
        ({"move": "heta"}, "t: move: <.*Oven.* has no 'heta', did you mean 'heat'?"),
        ({"stop": "halt"}, "t: stop: <.*Oven.* has no 'halt'"),
        ({"state": 5}, "t: state: expected the name of an attribute or a method of <.*, or a function, got 5"),
        ({"move": None}, "t: move: expected the name of an attribute or a method"),
        ({"low_limit": 2, "high_limit": 1}, "t: the low limit must be below the high limit, got 2 and 1"),
        ({"low_limit": "cold"}, r"t: limits must be \(low, high\), None for none, got \('cold', inf\)"),
        ({"tolerance": -1}, "t: tolerance must be at least 0, None to trust `move`, got -1"),
        ({"name": ""}, "SoftAxis: expected a name, got ''"),
    ],
)
def test_what_is_no_soft_axis(keys: dict[str, Any], sentence: str) -> None:
    oven = Oven()
    arguments = {"name": "t", "obj": oven, "position": "temperature", "move": "temperature", "state": "state"} | keys
    with pytest.raises(ValueError, match=f"^{sentence}"):
        SoftAxis(**arguments)
    assert vars(oven) == {"temperature": 20.0, "word": "warm"}


def test_objects_that_do_not_do_what_an_axis_needs() -> None:
    oven = Oven()
    axis = SoftAxis("t", oven, "word", "heat")
    with pytest.raises(DeviceError, match="^t: expected its position to be a number, Oven.word gives 'warm'$"):
        _ = axis.position
    axis = SoftAxis("t", oven, "temperature", "heat")
    with pytest.raises(TypeError) as raised:
        axis.move(30)
    assert raised.value.__notes__[0] == "(t: Oven.heat was called with 30)"
    axis = SoftAxis("t", oven, "temperature", "temperature", state="word")
    with pytest.raises(DeviceError, match="^t: Oven.word gives the unknown axis state 'warm'"):
        axis.move(30)
    assert oven.temperature == 20
    with pytest.raises(DeviceError, match="^t has no velocity$"):
        _ = axis.velocity
