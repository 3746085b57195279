"""Base of what drives axes. A driver overloads the methods its hardware has; the names are those of BLISS.

Positions, velocities and accelerations are in the controller's own units: steps, steps/s, steps/s².
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from gevent.lock import RLock
from pydantic import Field

from bliss_like.config.models import ObjectConfig
from bliss_like.devices.axis import Axis, AxisConfig, unsupported
from bliss_like.devices.axis_info import axes_table
from bliss_like.devices.axis_state import AxisState
from bliss_like.devices.encoder import Encoder, EncoderConfig, EncoderCounters
from bliss_like.devices.move import Motion
from bliss_like.devices.reading import answers, position_of, real_state


class MotorControllerConfig(ObjectConfig):
    """What YAML says of a controller; a driver adds its fields, and may narrow the type of `axes`."""

    axes: list[AxisConfig]
    encoders: list[EncoderConfig] = Field(default_factory=list)


def refuse_same(key: str, values: Mapping[str, object]) -> None:
    """:raises ValueError: two axes have the same address, channel or the like.

    :param values: of a key, by the names of the axes.
    """
    owners: dict[object, str] = {}
    for name, value in values.items():
        if value in owners:
            raise ValueError(f"axes {owners[value]} and {name} have the same {key} {value}")
        owners[value] = name


class MotorController:
    """A box that drives one or several axes."""

    Config: ClassVar[type[ObjectConfig]] = MotorControllerConfig

    axis_class: ClassVar[type[Axis]] = Axis
    """What its axes are."""

    shared: ClassVar[bool] = False
    """Others may move the axes too: then the position is read before each move, never remembered."""

    interlock: ClassVar[bool] = True
    """One session at a time may move an axis, unless its configuration says `interlock: false`."""

    def __init__(self, name: str, config: Any) -> None:
        """:param config: an instance of `Config`; the hardware is not touched yet."""
        self.name = name
        self.config = config
        self.axes: dict[str, Axis] = {item.name: self.create_axis(item) for item in config.axes}
        self._encoder_counters = EncoderCounters(self)
        self.encoders = {
            item.name: Encoder(item.name, self._encoder_counters, item) for item in getattr(config, "encoders", ())
        }
        self._initializing = RLock()
        self._is_initialized = False
        self._initialized: set[Axis | Encoder] = set()

    def create_axis(self, item: Any) -> Any:
        """The axis that an item of `axes` describes."""
        return self.axis_class(item.name, self, item)

    def get_item(self, name: str) -> Axis | Encoder:
        return self.axes[name] if name in self.axes else self.encoders[name]

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name}: {' '.join(self.axes)}>"

    def __info__(self) -> str:
        return f"{type(self).__name__.lstrip('_')} {self.name}\n{axes_table(self.axes.values())}"

    def __refuse_close__(self) -> None:
        for axis in self.axes.values():
            axis.refuse_if_moving()

    def __close__(self) -> None:
        if self._is_initialized:
            for each in self._initialized:
                if isinstance(each, Axis):
                    self.finalize_axis(each)
            self.finalize()

    def make_ready(self, axis: Axis) -> None:
        """Initialise the controller and the axis at their first use; after a failure the next use tries again."""
        with self._initializing:
            self._initialize_once()
            if axis in self._initialized:
                return
            self.initialize_axis(axis)
            self.initialize_hardware_axis(axis)
            axis.rescale()
            axis.push_speed()
            if axis.closed_loop is not None:
                axis.closed_loop.push()
            self._initialized.add(axis)

    def make_ready_for(self, encoder: Encoder) -> None:
        """The same for an encoder."""
        with self._initializing:
            self._initialize_once()
            if encoder not in self._initialized:
                self.initialize_encoder(encoder)
                self._initialized.add(encoder)

    def _initialize_once(self) -> None:
        if not self._is_initialized:
            self.initialize()
            self.initialize_hardware()
            self._is_initialized = True

    # -- in the units of the axes --------------------------------------------------------------------------------------

    def read_dials(self, *axes: Axis) -> Sequence[float]:
        """Where axes are, in dial units: by their encoders, for those whose configuration wants it.

        NaN where the hardware does not know, or a calculation has no answer.
        """
        for axis in axes:
            axis.make_ready()
        of_motors = [axis for axis in axes if axis.config.read_position == "controller"]
        return self._checked_dials(axes, of_motors, self.read_positions(*of_motors) if of_motors else ())

    def _checked_dials(
        self, axes: Sequence[Axis], of_motors: Sequence[Axis], positions: Sequence[float]
    ) -> Sequence[float]:
        steps = dict(zip(of_motors, answers(self, of_motors, positions, "positions"), strict=True))
        return [
            position_of(axis, self, steps[axis]) / axis.steps_per_unit if axis in steps else axis.dial_encoder_position
            for axis in axes
        ]

    def read_states(self, *axes: Axis) -> Sequence[AxisState]:
        """What the hardware says of axes."""
        for axis in axes:
            axis.make_ready()
        return self._checked_states(axes, self.states(*axes))

    def _checked_states(self, axes: Sequence[Axis], states: Sequence[AxisState]) -> Sequence[AxisState]:
        told = answers(self, axes, states, "states")
        return [real_state(axis, state) for axis, state in zip(axes, told, strict=True)]

    def read_dials_and_states(self, *axes: Axis) -> tuple[Sequence[float], Sequence[AxisState]]:
        """Where axes are, in dial units, and then how they do."""
        if any(axis.config.read_position != "controller" for axis in axes):
            return self.read_dials(*axes), self.read_states(*axes)
        for axis in axes:
            axis.make_ready()
        positions, states = self.positions_and_states(*axes)
        return self._checked_dials(axes, axes, positions), self._checked_states(axes, states)

    def start_operation(self, motion: Motion) -> None:
        """Start what is no move to a position."""
        if motion.type == "jog":
            self.start_jog(motion.axis, motion.velocity, motion.direction)
        elif motion.type == "homing":
            self.home_search(motion.axis, motion.direction)
        else:
            self.limit_search(motion.axis, motion.direction)

    # -- what a driver overloads ---------------------------------------------------------------------------------------

    def initialize(self) -> None:
        """Read the configuration and prepare; called once, before anything else."""

    def initialize_hardware(self) -> None:
        """Connect to the hardware; called after `initialize`."""

    def initialize_axis(self, axis: Axis) -> None:
        """Prepare one axis; its velocity and acceleration are set after it."""

    def initialize_hardware_axis(self, axis: Axis) -> None:
        """Set up the hardware of one axis; called after `initialize_axis`."""

    def initialize_encoder(self, encoder: Any) -> None:
        """Prepare one encoder, before it is first read."""

    def finalize(self) -> None:
        """Let go of the hardware: the controller is closed."""

    def finalize_axis(self, axis: Axis) -> None:
        """Let go of one axis; called before `finalize`."""

    def connect_axis(self, axis: Axis, timeout: float) -> None:
        """See to it, before the first use, that the hardware of an axis answers within `timeout` seconds.

        :raises NotConnectedError: it does not; nothing else comes of it, the first use tries again.
        """

    def taken_over(self, axis: Axis) -> None:
        """Another session may have driven the axis until now: what is remembered of the hardware may be out of date."""

    # -- reading

    def read_position(self, axis: Axis) -> float:
        """Where the axis is, also in motion."""
        raise NotImplementedError(f"{type(self).__name__} must overload read_position")

    def read_positions(self, *axes: Axis) -> Sequence[float]:
        """Where several axes are: overload it when the hardware tells all in one round trip."""
        return [self.read_position(axis) for axis in axes]

    def state(self, axis: Axis) -> AxisState:
        """MOVING or READY, with what else is true."""
        raise NotImplementedError(f"{type(self).__name__} must overload state")

    def states(self, *axes: Axis) -> Sequence[AxisState]:
        """The states of several axes: overload it when the hardware tells all in one round trip."""
        return [self.state(axis) for axis in axes]

    def positions_and_states(self, *axes: Axis) -> tuple[Sequence[float], Sequence[AxisState]]:
        """Both, the states read last: overload it when the hardware tells both in one round trip."""
        return self.read_positions(*axes), self.states(*axes)

    def steps_position_precision(self, axis: Axis) -> float:
        """Positions that differ by less are the same."""
        return 1e-6

    # -- settings of the hardware

    def set_position(self, axis: Axis, new_position: float) -> float | None:
        """Write the position register without moving; may return what the register then has."""
        raise unsupported(axis, "position register that can be written")

    def read_velocity(self, axis: Axis) -> float:
        raise unsupported(axis, "velocity")

    def set_velocity(self, axis: Axis, new_velocity: float) -> None:
        raise unsupported(axis, "velocity")

    def read_acceleration(self, axis: Axis) -> float:
        raise unsupported(axis, "acceleration")

    def set_acceleration(self, axis: Axis, new_acceleration: float) -> None:
        raise unsupported(axis, "acceleration")

    def set_on(self, axis: Axis) -> None:
        """Give the axis its power."""
        raise unsupported(axis, "power that can be switched")

    def set_off(self, axis: Axis) -> None:
        raise unsupported(axis, "power that can be switched")

    # -- moving

    def check_ready_to_move(self, axis: Axis, state: AxisState) -> bool:
        """Return whether the axis can be moved; only asked when it is not READY."""
        return False

    def prepare_move(self, motion: Motion) -> None:
        """Load what the start needs; nothing moves yet."""

    def prepare_all(self, *motions: Motion) -> None:
        for motion in motions:
            self.prepare_move(motion)

    def start_one(self, motion: Motion) -> None:
        """Start, and return at once: `state` tells MOVING from here until the axis has arrived."""
        raise NotImplementedError(f"{type(self).__name__} must overload start_one")

    def start_all(self, *motions: Motion) -> None:
        for motion in motions:
            self.start_one(motion)

    def stop(self, axis: Axis) -> None:
        """Brake, and return at once."""
        raise NotImplementedError(f"{type(self).__name__} must overload stop")

    def stop_all(self, *motions: Motion) -> None:
        """Stop several axes: each of them, also when another one fails to."""
        errors: list[BaseException] = []
        for motion in motions:
            try:
                self.stop(motion.axis)
            except BaseException as error:  # noqa: BLE001 - the other axes must be stopped whatever it is
                errors.append(error)
        if errors:
            raise errors[0]

    def start_jog(self, axis: Axis, velocity: float, direction: int) -> None:
        """Turn without end, at `velocity` > 0 in `direction` 1 or -1; called again, to change them in motion."""
        raise unsupported(axis, "jog")

    def stop_jog(self, axis: Axis) -> None:
        """Brake, and return at once."""
        self.stop(axis)

    def home_search(self, axis: Axis, switch: int) -> None:
        """Start to look for the home switch, to the positive side or (switch -1) to the negative one; return at once."""
        raise unsupported(axis, "home search")

    def home_state(self, axis: Axis) -> AxisState:
        """The state of an axis that looks for its home switch."""
        return self.state(axis)

    def limit_search(self, axis: Axis, limit: int) -> None:
        """Start to move to the positive or (limit -1) the negative limit switch, and return at once."""
        raise unsupported(axis, "limit search")

    # -- encoders and closed loops

    def read_encoder(self, encoder: Any) -> float:
        """Where the encoder is, in its own steps."""
        raise NotImplementedError(f"{type(self).__name__} must overload read_encoder")

    def read_encoders(self, *encoders: Any) -> Sequence[float]:
        """Where several encoders are: overload it when the hardware tells all in one round trip."""
        return [self.read_encoder(encoder) for encoder in encoders]

    def set_encoder(self, encoder: Any, new_value: float) -> None:
        """Make the present place `new_value` steps of the encoder."""
        raise NotImplementedError(f"{type(self).__name__} must overload set_encoder")

    def get_closed_loop_requirements(self) -> Sequence[str]:
        """Return the names of the parameters that the closed loop of an axis must have in YAML, besides `state`."""
        raise NotImplementedError(f"{type(self).__name__} must overload get_closed_loop_requirements")

    def get_closed_loop_state(self, axis: Axis) -> Any:
        """A ClosedLoopState, or its name."""
        raise NotImplementedError(f"{type(self).__name__} must overload get_closed_loop_state")

    def activate_closed_loop(self, axis: Axis, onoff: bool = True) -> None:
        raise NotImplementedError(f"{type(self).__name__} must overload activate_closed_loop")

    def get_closed_loop_param(self, axis: Axis, param: str) -> Any:
        raise NotImplementedError(f"{type(self).__name__} must overload get_closed_loop_param")

    def set_closed_loop_param(self, axis: Axis, param: str, value: Any) -> None:
        raise NotImplementedError(f"{type(self).__name__} must overload set_closed_loop_param")

    # -- trajectories: positions of axes over time, that the hardware follows by itself (devices/trajectory.py)

    def has_trajectory(self) -> bool:
        return False

    def prepare_trajectory(self, *trajectories: Any) -> None:
        """Load trajectories (in steps: `trajectory.convert_to_steps()` was called); nothing moves."""
        raise NotImplementedError(f"{type(self).__name__} must overload prepare_trajectory")

    def move_to_trajectory(self, *trajectories: Any) -> None:
        """Start to move to the first points, and return at once."""
        raise NotImplementedError(f"{type(self).__name__} must overload move_to_trajectory")

    def start_trajectory(self, *trajectories: Any) -> None:
        """Start the loaded trajectories together, and return at once."""
        raise NotImplementedError(f"{type(self).__name__} must overload start_trajectory")

    def stop_trajectory(self, *trajectories: Any) -> None:
        """Brake, and return at once."""
        raise NotImplementedError(f"{type(self).__name__} must overload stop_trajectory")

    def has_trajectory_event(self) -> bool:
        """Whether the hardware can give pulses at points of a trajectory."""
        return False

    def set_trajectory_events(self, *trajectories: Any) -> None:
        raise NotImplementedError(f"{type(self).__name__} must overload set_trajectory_events")

    # -- pulses at positions

    def set_event_positions(self, axis: Axis, positions: Any) -> None:
        """Give a pulse at each of these positions (steps, in order)."""
        raise unsupported(axis, "pulses at positions")

    def get_event_positions(self, axis: Axis) -> Any:
        raise unsupported(axis, "pulses at positions")

    # -- for people

    def get_info(self, axis: Axis) -> str:
        """What the hardware tells of one axis."""
        return ""

    def get_axis_info(self, axis: Axis) -> str:
        """What is shown of the axis besides what all axes have."""
        return ""

    def get_id(self, axis: Axis) -> str:
        """The identity of the hardware: model, serial number, firmware."""
        raise unsupported(axis, "identity")

    def raw_write(self, message: str | bytes) -> None:
        """Send a command of the hardware's own language."""
        raise NotImplementedError(f"{type(self).__name__} must overload raw_write")

    def raw_write_read(self, message: str | bytes) -> str | bytes:
        """Send a command of the hardware's own language, and return the answer."""
        raise NotImplementedError(f"{type(self).__name__} must overload raw_write_read")
