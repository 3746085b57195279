"""Pseudo axes: positions that are calculated from those of real axes, and move them.

A gap is made of two blades, an energy of an angle. Only real axes ever move: a target of a pseudo axis becomes targets of its
real axes before anything starts, and its position and state follow from theirs.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np

from bliss_like.devices import events, motion_line
from bliss_like.devices.axis import Axis, halt
from bliss_like.devices.axis_info import axes_table
from bliss_like.devices.axis_state import AxisState
from bliss_like.devices.calc_config import CalcAxisConfig, CalcControllerConfig
from bliss_like.devices.calculation import Calculation, Value
from bliss_like.devices.events import AxisEvent
from bliss_like.devices.motor_controller import MotorController
from bliss_like.devices.naming import name_of
from bliss_like.devices.numbers import number, place
from bliss_like.devices.planning import real_axes
from bliss_like.devices.positions import inputs_below, inputs_of, read_positions, set_positions, states_of
from bliss_like.devices.pseudo_events import PseudoEvents
from bliss_like.devices.trajectory import TrajectoryGroup, trajectory_of
from bliss_like.errors import AxisFault, AxisLimitError, DeviceError


class CalcAxis(Axis):
    """An axis that is calculated from others."""

    controller: CalcController
    _no_offset: bool | None = None

    @property
    def reals(self) -> tuple[Axis, ...]:
        """The axes that it moves; some may be pseudo axes again."""
        return tuple(self.controller.reals)

    @property
    def no_offset(self) -> bool:
        return self.controller.no_offset if self._no_offset is None else self._no_offset

    @no_offset.setter
    def no_offset(self, no_offset: bool) -> None:
        self._no_offset = bool(no_offset)

    @property
    def position(self) -> float:
        """Where the axis is, in user units: from one reading of its real axes. Setting it moves only the offset, or, with
        `no_offset`, the offsets of its real axes.
        """
        return float(self.dial2user(self.dial))

    @position.setter
    def position(self, position: float) -> None:
        if self.no_offset:
            self.dial = self.user2dial(number(self, position, "position"))
        else:
            Axis.position.fset(self, position)  # type: ignore[attr-defined]

    @property
    def dial(self) -> float:
        """Where the axis is, in dial units. Setting it sets the positions of its real axes, so that it is there."""
        self.make_ready()
        return float(self.controller.read_dials(self)[0])

    @dial.setter
    def dial(self, dial: float) -> None:
        self.refuse_change()
        dial, user = number(self, dial, "dial"), self.position
        self.controller.set_position(self, dial)
        if not self.no_offset:
            self.offset = user - self.sign * self.dial

    @property
    def _set_position(self) -> float:
        """Where its real axes were last sent, in user units."""
        return float(set_positions([self])[self])

    @property
    def backlash(self) -> float:
        """Its real axes have theirs."""
        return 0.0

    @backlash.setter
    def backlash(self, backlash: float) -> None:
        raise self.controller.not_its_own(self, "backlash")

    def announce_scale(self) -> None:
        super().announce_scale()
        events.send(self, AxisEvent.POSITION, self._set_position)

    def sync_hard(self) -> None:
        """Take the hardware's positions of its real axes as the last commanded ones."""
        for axis in real_axes([self]):
            axis.sync_hard()
        events.send(self, AxisEvent.SYNC_HARD, self._set_position)

    @property
    def state(self) -> AxisState:
        """MOVING when one of its real axes moves, READY when all are; what else is true of them, with their names."""
        if self.disabled:
            return super().state
        return self.controller.state_of_reals()

    def read_state(self) -> AxisState:
        return self.state

    hw_state = property(read_state)

    def refuse_if_moving(self) -> None:
        """:raises AxisFault: one of the axes that it is calculated from is on its way."""
        for axis in inputs_below(self):
            try:
                axis.refuse_if_moving()
            except AxisFault as error:
                raise AxisFault(f"{name_of(self)} cannot be moved: {error}") from None

    def refuse_change(self) -> None:
        """:raises AxisFault: one of the axes that it is calculated from is on its way, here or in another session."""
        self.refuse_if_moving()
        for axis in inputs_below(self):
            axis.refuse_change()

    def stop(self, wait: bool = True) -> None:
        """Stop its real axes, and with them the axes that were started together with them."""
        halt([self])
        if wait:
            self.wait_move()

    def stop_wanted(self, by: str) -> bool:
        """Somebody elsewhere wants it to stand still: stop its real axes, and return whether one moved."""
        return bool(motion_line.stop_here(self.reals, by))

    def wait_move(self) -> None:
        """Return when its real axes stand still."""
        for axis in self.reals:
            axis.wait_move()

    def _operate(self, kind: str, direction: int, velocity: float = 0.0, *, wait: bool, after: Any = None) -> None:
        raise self.controller.not_its_own(self, kind.replace("_", " "))

    def heard(self, values: Mapping[str, Any]) -> None:
        """Another process has changed something; where it is, its real axes tell."""
        super().heard({key: value for key, value in values.items() if key not in ("position", "state")})


class CalcController(MotorController):
    """Calculates pseudo axes from real ones. A subclass overloads `calc_from_real` and `calc_to_real`.

    A real axis may be a pseudo axis of another controller.
    """

    Config: ClassVar[type[CalcControllerConfig]] = CalcControllerConfig
    interlock = False  # its real axes are claimed

    def __init__(self, name: str, config: Any) -> None:
        self.pseudos: list[CalcAxis] = []
        self.reals: list[Any] = []
        self.params: list[Any] = []
        """Axes whose positions are needed, and that are never moved."""
        self._tagged: dict[str, list[Any]] = {}
        self._tags: dict[Any, str] = {}
        super().__init__(name, config.model_copy(update={"axes": []}))  # not all of them are its own
        self.config = config
        self.no_offset = bool(config.no_offset)
        for item in config.axes:
            self._add(item)
        self.axes = {axis.name: axis for axis in self.pseudos}
        self._from_real = Calculation(self.calc_from_real, name)
        self._to_real = Calculation(self.calc_to_real, name)
        self.events = PseudoEvents(self)

    def create_axis(self, item: CalcAxisConfig) -> Any:
        """The pseudo axis that an item of `axes` describes, or the axis that it names."""
        return CalcAxis(item.name, self, item) if item.role == "pseudo" else item.name

    def _add(self, item: CalcAxisConfig) -> None:
        axis = self.create_axis(item)
        if item.tag in self._tagged or axis in self._tags:
            there = f"the tag {item.tag!r}" if item.tag in self._tagged else name_of(axis)
            raise DeviceError(
                f"{self.name}: {there} is there twice; each axis needs a tag of its own, and has one only"
            )
        {"real": self.reals, "param": self.params, "pseudo": self.pseudos}[item.role].append(axis)
        self._tags[axis] = item.tag
        for tag in dict.fromkeys([*item.words, item.tag]):
            self._tagged.setdefault(tag, []).append(axis)

    def __info__(self) -> str:
        roles = {axis: self._tags[axis] for axis in self.pseudos}
        roles |= {axis: f"real {self._tags[axis]}" for axis in self.reals}
        roles |= {axis: f"param {self._tags[axis]}" for axis in self.params}
        return f"{type(self).__name__} {self.name}\n{axes_table(roles, roles)}"

    def __close__(self) -> None:
        self.events.close()
        super().__close__()

    # -- what a subclass overloads -------------------------------------------------------------------------------------

    def calc_from_real(self, real_user_positions: dict[str, Value]) -> dict[str, Value]:
        """Return the dial position of each pseudo axis by its tag, from the user positions of the real axes and params."""
        raise NotImplementedError(f"{type(self).__name__} must overload calc_from_real")

    def calc_to_real(self, pseudo_dial_positions: dict[str, Value]) -> dict[str, Value]:
        """Return the user position of each real axis by its tag, from the dial positions of all pseudo axes, and the user
        positions of the params. A real axis that is left out does not move.
        """
        raise NotImplementedError(f"{type(self).__name__} must overload calc_to_real")

    def complete(self, named: dict[str, Value]) -> dict[str, Value]:
        """Return the dial positions of all pseudo axes by tag when some of them are sent somewhere.

        Those that are not named stay where they were last sent; where several are one thing in other units, as energy and
        wavelength are, overload it.
        """
        others = [axis for axis in self.pseudos if self._tags[axis] not in named]
        positions = set_positions(others)
        return {self._tags[axis]: axis.user2dial(positions[axis]) for axis in others} | named

    # -- axes ----------------------------------------------------------------------------------------------------------

    def get_axis_by_tag(self, tag: str) -> Any:
        """:raises DeviceError: no axis has that tag."""
        if tag not in self._tagged:
            raise DeviceError(f"{self.name}: no axis has the tag {tag!r}; there are {', '.join(self._tags.values())}")
        return self._tagged[tag][0]

    def require(self, *tags: str) -> None:
        """:raises DeviceError: an axis is missing that the calculation needs."""
        missing = [tag for tag in tags if tag not in self._tagged]
        if missing:
            there = ", ".join(f"{axis.name} ({tag})" for axis, tag in self._tags.items())
            raise DeviceError(f"{self.name}: no axis has the tag {', '.join(missing)}; there are {there or 'none'}")

    # -- positions -----------------------------------------------------------------------------------------------------

    def real_targets(self, targets: Mapping[Any, Value]) -> dict[Any, Value]:
        """Return where the real axes have to go, for pseudo axes to be at user positions.

        :param targets: floats or arrays of one shape. Pseudo axes that are not named stay where they were last sent.
        :return: user positions of the real axes that have to move; they may be pseudo axes again.
        :raises AxisLimitError: the real axes cannot be anywhere that makes these positions.
        """
        self._be_ready()
        named = {self._tags[axis]: axis.user2dial(position) for axis, position in targets.items()}
        dials = self.complete(named)
        params = set_positions(self.params)
        found = self._to_real(dials | {self._tags[axis]: position for axis, position in params.items()})
        self._refuse_strange(found)
        reals = {axis: found[tag] for axis in self.reals if (tag := self._tags[axis]) in found}
        for axis, positions in reals.items():
            self._refuse_nowhere(targets, axis, positions)
        left = set_positions(reals)
        return {axis: positions for axis, positions in reals.items() if not _is_there(axis, positions, left[axis])}

    def dials_of_pseudos(self, positions: Mapping[Any, Value]) -> dict[CalcAxis, Value]:
        """Return the dial positions of the pseudo axes, from user positions of all `reals` and `params`."""
        self._be_ready()
        found = self._from_real({self._tags[axis]: position for axis, position in positions.items()})
        missing = [self._tags[axis] for axis in self.pseudos if self._tags[axis] not in found]
        if missing:
            raise DeviceError(
                f"{self.name}: {type(self).__name__}.calc_from_real gives no {', '.join(missing)}; it gives "
                f"{', '.join(map(str, found)) or 'nothing'}"
            )
        return {axis: found[self._tags[axis]] for axis in self.pseudos}

    def _be_ready(self) -> None:
        for axis in self.pseudos:
            axis.make_ready()

    def _refuse_strange(self, found: Mapping[str, Value]) -> None:
        strange = [tag for tag in found if tag not in self._tagged]
        if strange:
            raise DeviceError(
                f"{self.name}: {type(self).__name__}.calc_to_real gives {', '.join(map(str, strange))}, but its axes have the tags "
                f"{', '.join(self._tags.values())}"
            )

    def _refuse_nowhere(self, targets: Mapping[Any, Value], axis: Any, positions: Value) -> None:
        if isinstance(positions, float) and math.isfinite(positions):
            return
        bad = ~np.isfinite(np.atleast_1d(positions))
        if bad.any():
            first = int(bad.ravel().argmax())
            told = " and ".join(
                f"{name_of(each)} to {place(each, _nth(value, first))}" for each, value in targets.items()
            )
            raise AxisLimitError(
                f"no position of {name_of(axis)} brings {told}: {self.name} calculates "
                f"{_nth(positions, first):g}. Nothing was moved"
            )

    def scan_on_trajectory(
        self,
        calc_axis: CalcAxis,
        start: float,
        stop: float,
        npoints: int,
        time_per_point: float,
        interpolation_factor: int = 1,
    ) -> TrajectoryGroup:
        """Return the trajectories of the real axes that move a pseudo axis with a constant velocity; see `trajectory_of`."""
        return trajectory_of(calc_axis, start, stop, npoints, time_per_point, interpolation_factor)

    # -- what axes ask of their controller -----------------------------------------------------------------------------

    def read_position(self, axis: Axis) -> float:
        return self.read_positions(axis)[0]

    def read_positions(self, *axes: Axis) -> Sequence[float]:
        positions = read_positions(axes)
        return [axis.user2dial(positions[axis]) for axis in axes]

    def set_position(self, axis: Axis, new_position: float) -> None:
        """Set the positions of the real axes, so that `axis` is at a dial position and the other pseudo axes stay."""
        axis.refuse_change()
        for real, position in self.real_targets({axis: axis.dial2user(new_position)}).items():
            real.position = position

    def state(self, axis: Axis) -> AxisState:
        return self.state_of_reals()

    def states(self, *axes: Axis) -> Sequence[AxisState]:
        return [self.state_of_reals()] * len(axes)

    def state_of_reals(self) -> AxisState:
        """MOVING when one of the real axes moves, READY when all are; what else is true of one, with its name."""
        return self.combined(states_of(self.reals))

    def combined(self, states: Mapping[Any, AxisState]) -> AxisState:
        """Return what the states of the real axes make of the pseudo axes."""
        combined = AxisState()
        for axis, state in states.items():
            for name in state.names:
                if name not in ("READY", "MOVING"):
                    combined.create_state(name, f"{name_of(axis)}: {state.description(name)}")
                    combined.set(name)
        if any("MOVING" in state for state in states.values()):
            combined.set("MOVING")
        elif states and all("READY" in state for state in states.values()):
            combined.set("READY")
        return combined

    def pseudos_are_moving(self) -> bool:
        """Tell whether one of the real axes is on its way."""
        return any(axis.is_moving for axis in self.reals)

    def steps_position_precision(self, axis: Axis) -> float:
        return 1e-12  # the real axes have theirs

    def read_velocity(self, axis: Axis) -> float:
        raise self.not_its_own(axis, "velocity")

    def set_velocity(self, axis: Axis, new_velocity: float) -> None:
        raise self.not_its_own(axis, "velocity")

    def read_acceleration(self, axis: Axis) -> float:
        raise self.not_its_own(axis, "acceleration")

    def set_acceleration(self, axis: Axis, new_acceleration: float) -> None:
        raise self.not_its_own(axis, "acceleration")

    def not_its_own(self, axis: Axis, what: str) -> DeviceError:
        reals = ", ".join(name_of(real) for real in real_axes(self.reals))
        return DeviceError(
            f"{name_of(axis)} is calculated and has no {what} of its own; its real axes have one: {reals}"
        )

    def get_axis_info(self, axis: Axis) -> str:
        """Where the axes are that it is calculated from."""
        positions = read_positions(inputs_of(axis))
        return "\n".join(
            f"  {self._tags[each]:<9} {name_of(each)}  {position:g}{f' {each.unit}' if each.unit else ''}"
            for each, position in positions.items()
        )


def _is_there(axis: Any, positions: Value, left: float) -> bool:
    """Tell whether an axis need not move at all."""
    there = abs(positions - left) <= axis.precision + 1e-13 * abs(left)
    return bool(there if isinstance(there, bool) else there.all())


def _nth(value: Value, n: int) -> float:
    values = np.ravel(value)
    return float(values[n if len(values) > 1 else 0])
