"""Simulated motors that keep time: they accelerate, cruise and brake, and a position read in motion is true.

They have limit and home switches, power, mechanical play, a closed loop, and follow trajectories. In YAML, a velocity of
`.inf` makes an axis that is there at once, `fault` one that misbehaves, `latency` a slow line; `unplug` makes the controller
unreachable, for tests. Motors from YAML are shared by all processes of the beamline, as real ones are.
"""

from __future__ import annotations

import math
import random
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Literal, Self, cast

import gevent
from pydantic import Field, model_validator

from bliss_like.controllers.simulated.track import Exchange, Mechanics, Track, Tracks
from bliss_like.devices.axis import Axis, AxisConfig
from bliss_like.devices.axis_config import ClosedLoopConfig
from bliss_like.devices.axis_scale import beamline_of
from bliss_like.devices.axis_state import AxisState
from bliss_like.devices.encoder import Encoder, EncoderConfig
from bliss_like.devices.motion import TimeLaw, at_rest, endless, through, trapezoid
from bliss_like.devices.motor_controller import MotorController, MotorControllerConfig
from bliss_like.devices.move import Motion
from bliss_like.errors import DeviceError, NotConnectedError


class SimulatedClosedLoopConfig(ClosedLoopConfig):
    """What YAML says of a simulated closed loop."""

    kp: float
    ki: float
    kd: float


class SimulatedAxisConfig(AxisConfig):
    """What YAML says of one simulated motor: how it moves, and how it misbehaves."""

    closed_loop: SimulatedClosedLoopConfig | None = None  # type: ignore[assignment]
    initial_position: float = Field(default=0.0, allow_inf_nan=False, description="dial units")
    hard_low_limit: float = Field(default=-math.inf, description="where the limit switch is, dial units")
    hard_high_limit: float = Field(default=math.inf, description="where the limit switch is, dial units")
    home_switch: float = Field(default=0.0, description="where the home switch is, dial units")
    home_velocity: float | None = Field(default=None, gt=0, description="units/s; absent: as any motion")
    play: float = Field(default=0.0, ge=0, description="mechanical play, dial units: only an encoder sees it")
    fault: Literal["start", "moving", "short", "stop"] | None = Field(
        default=None,
        description="start: refuses to start; moving: fails half way; short: ends half way and says nothing; "
        "stop: raises when it is told to stop, and stops nevertheless",
    )

    @model_validator(mode="after")
    def _check_switches(self) -> Self:
        if not self.hard_low_limit < self.hard_high_limit:
            raise ValueError(
                f"hard_low_limit {self.hard_low_limit:g} must be below hard_high_limit {self.hard_high_limit:g}"
            )
        return self


class SimulatedEncoderConfig(EncoderConfig):
    """What YAML says of one simulated encoder: how it disagrees with its axis."""

    offset: float = Field(default=0.0, description="dial units that it shows more than there are")
    noise: float = Field(default=0.0, ge=0, description="standard deviation of one reading, dial units")
    slip: float = Field(default=0.0, description="the part of each motion that it does not see")


class SimulatedMotors(MotorController):
    """Any number of independent motors."""

    class Config(MotorControllerConfig):
        axes: list[SimulatedAxisConfig]  # type: ignore[assignment]
        encoders: list[SimulatedEncoderConfig] = Field(default_factory=list)  # type: ignore[assignment]
        latency: float = Field(default=0.0, ge=0, description="seconds of each exchange with the hardware")

    def __init__(self, name: str, config: Config) -> None:
        super().__init__(name, config)
        self.latency = config.latency
        """Seconds of each exchange with the hardware; may be changed at any time."""
        self.exchanges = 0
        """How many there were."""
        self.faults: dict[Axis, str | None] = {self.axes[item.name]: item.fault for item in config.axes}
        """How axes misbehave, as `fault` in YAML; may be changed at any time."""
        self._mechanics = {self.axes[item.name]: _mechanics(item) for item in config.axes}
        self._home_velocities = {
            self.axes[item.name]: item.home_velocity * abs(item.steps_per_unit)
            for item in config.axes
            if item.home_velocity
        }
        tracks = {item.name: _at(item.initial_position * item.steps_per_unit) for item in config.axes}
        self._tracks = Tracks(tracks, beamline_of(self))
        self._pulses: dict[Axis, list[float]] = {}
        self._pulse_times: dict[Axis, list[float]] = {}
        self._loaded: dict[Axis, TimeLaw] = {}
        self._gone = (math.inf, math.inf)
        self._exchange = Exchange(self._tracks, self._take_turn)

    # -- the line to the hardware --------------------------------------------------------------------------------------

    def unplug(self, after: float = 0.0, seconds: float = math.inf) -> None:
        """Let every call raise NotConnectedError, from `after` seconds on, for some seconds; what moves, moves on."""
        begin = time.monotonic() + after
        self._gone = (begin, begin + seconds)

    def plug_in(self) -> None:
        self._gone = (math.inf, math.inf)

    def _take_turn(self) -> None:
        self.exchanges += 1
        if self.latency:
            gevent.sleep(self.latency)
        if self._gone[0] <= time.monotonic() < self._gone[1]:
            raise NotConnectedError(f"{self.name}: simulated fault, the controller does not answer; call plug_in()")

    def connect_axis(self, axis: Axis, timeout: float) -> None:
        self.read_position(axis)

    def taken_over(self, axis: Axis) -> None:
        self._tracks.look_again(axis.name)

    # -- reading -------------------------------------------------------------------------------------------------------

    def read_position(self, axis: Axis) -> float:
        with self._exchange as tracks:
            return tracks[axis.name].register

    def read_positions(self, *axes: Axis) -> Sequence[float]:
        with self._exchange as tracks:
            tracks.look_together(axis.name for axis in axes)
            return super().read_positions(*axes)

    def state(self, axis: Axis) -> AxisState:
        with self._exchange as tracks:
            track = tracks[axis.name]
        if track.is_moving:
            return AxisState("MOVING")
        return AxisState(*track.ends_in, "READY" if track.has_power else "OFF")

    def states(self, *axes: Axis) -> Sequence[AxisState]:
        with self._exchange as tracks:
            tracks.look_together(axis.name for axis in axes)
            return super().states(*axes)

    def positions_and_states(self, *axes: Axis) -> tuple[Sequence[float], Sequence[AxisState]]:
        with self._exchange:
            return self.read_positions(*axes), self.states(*axes)

    # -- registers -----------------------------------------------------------------------------------------------------

    def set_position(self, axis: Axis, new_position: float) -> None:
        with self._exchange as tracks:
            track = tracks[axis.name]
            tracks[axis.name] = track._replace(shift=new_position - track.shaft)

    def read_velocity(self, axis: Axis) -> float:
        with self._exchange as tracks:
            return tracks[axis.name].velocity

    def set_velocity(self, axis: Axis, new_velocity: float) -> None:
        self._set(axis, velocity=new_velocity)

    def read_acceleration(self, axis: Axis) -> float:
        with self._exchange as tracks:
            return tracks[axis.name].acceleration

    def set_acceleration(self, axis: Axis, new_acceleration: float) -> None:
        self._set(axis, acceleration=new_acceleration)

    def _set(self, axis: Axis, **registers: Any) -> None:
        with self._exchange as tracks:
            changed = tracks[axis.name]._replace(**registers)
            if changed != tracks[axis.name]:
                tracks[axis.name] = changed

    def set_on(self, axis: Axis) -> None:
        self._set(axis, has_power=True)

    def set_off(self, axis: Axis) -> None:
        """Without power a motor stops dead."""
        with self._exchange as tracks:
            track = tracks[axis.name]
            tracks[axis.name] = track._replace(has_power=False, law=track.law.stopped_at(track.elapsed, math.inf))

    # -- moving --------------------------------------------------------------------------------------------------------

    def start_one(self, motion: Motion) -> None:
        fault = self.faults[motion.axis]
        with self._startable(motion.axis) as track:
            start, end = track.shaft, motion.target_pos - track.shift
            end = (start + end) / 2 if fault in ("moving", "short") else end
            law = trapezoid(start, end, track.velocity, track.acceleration)
            self._begin(motion.axis, law, *(["FAULT"] if fault == "moving" else []))

    def start_all(self, *motions: Motion) -> None:
        with self._exchange:
            super().start_all(*motions)

    @contextmanager
    def _startable(self, axis: Axis) -> Iterator[Track]:
        """An exchange in which a motion is to begin."""
        with self._exchange as tracks:
            track = tracks[axis.name]
            if not track.has_power:
                raise DeviceError(f"{axis.name} has no power; switch it on: {axis.name}.on()")
            if self.faults[axis] == "start":
                raise DeviceError(f"{axis.name}: simulated fault, the motor refuses to start")
            yield track

    def _begin(self, axis: Axis, law: TimeLaw, *ends_in: str) -> None:
        self._tracks[axis.name] = self._tracks[axis.name].begin(law, self._mechanics[axis], *ends_in)

    def stop(self, axis: Axis) -> None:
        with self._exchange as tracks:
            tracks.look_again(axis.name)  # another process may have stopped it just now
            track = tracks[axis.name]
            if track.is_moving:
                law = track.law.stopped_at(track.elapsed, track.acceleration)
                ends_in = [state for state in track.ends_in if state == "FAULT"]
                tracks[axis.name] = track.follow(law, self._mechanics[axis], *ends_in)
        if self.faults[axis] == "stop":
            raise DeviceError(f"{axis.name}: simulated fault, the motor does not confirm its stop")

    def stop_all(self, *motions: Motion) -> None:
        with self._exchange:
            super().stop_all(*motions)

    def start_jog(self, axis: Axis, velocity: float, direction: int) -> None:
        if math.isinf(velocity):
            raise DeviceError(f"{axis.name}: expected a finite velocity to jog with; set its jog_velocity")
        with self._startable(axis) as track:
            now = track.elapsed
            law = endless(track.law.position(now), track.law.velocity(now), direction * velocity, track.acceleration)
            self._begin(axis, law)

    def home_search(self, axis: Axis, switch: int) -> None:
        """Stop at the home switch; where it is not on that side, at the limit switch."""
        with self._startable(axis) as track:
            home, velocity = self._mechanics[axis].home_switch, self._home_velocities.get(axis, track.velocity)
            is_there = (home - track.shaft) * switch >= 0
            end = home if is_there else self._limit_switch(axis, switch)
            law = trapezoid(track.shaft, end, velocity, track.acceleration)
            self._begin(axis, law, *(["HOME"] if is_there else []))

    def limit_search(self, axis: Axis, limit: int) -> None:
        with self._startable(axis) as track:
            end = self._limit_switch(axis, limit)
            self._begin(axis, trapezoid(track.shaft, end, track.velocity, track.acceleration))

    def _limit_switch(self, axis: Axis, side: int) -> float:
        switch = self._mechanics[axis].high_switch if side > 0 else self._mechanics[axis].low_switch
        if math.isinf(switch):
            raise DeviceError(
                f"{axis.name}: the search would never end: no limit switch on the {'positive' if side > 0 else 'negative'} side. "
                f"Give the axis a hard_low_limit and a hard_high_limit in its configuration"
            )
        return switch

    # -- encoders and closed loops -------------------------------------------------------------------------------------

    def read_encoder(self, encoder: Encoder) -> float:
        with self._exchange:
            return self._measured(encoder) + random.gauss(0, _config_of(encoder).noise) * encoder.steps_per_unit

    def read_encoders(self, *encoders: Encoder) -> Sequence[float]:
        with self._exchange:
            return super().read_encoders(*encoders)

    def set_encoder(self, encoder: Encoder, new_value: float) -> None:
        with self._exchange as tracks:
            name = self._axis_of(encoder).name
            shift = tracks[name].encoder_shift + new_value - self._measured(encoder)
            tracks[name] = tracks[name]._replace(encoder_shift=shift)

    def _measured(self, encoder: Encoder) -> float:
        axis, config = self._axis_of(encoder), _config_of(encoder)
        track = self._tracks[axis.name]
        dial = track.load_now(self._mechanics[axis].play) / axis.steps_per_unit * (1 - config.slip) + config.offset
        return dial * encoder.steps_per_unit + track.encoder_shift

    def _axis_of(self, encoder: Encoder) -> Axis:
        for axis in self.axes.values():
            if axis.encoder is encoder:
                return axis
        raise DeviceError(f"{encoder.name} is at no axis: write `encoder: ${encoder.name}` for one of {self.name}")

    def get_closed_loop_requirements(self) -> Sequence[str]:
        return ("kp", "ki", "kd")

    def get_closed_loop_state(self, axis: Axis) -> str:
        with self._exchange as tracks:
            return "on" if tracks[axis.name].has_closed_loop else "off"

    def activate_closed_loop(self, axis: Axis, onoff: bool = True) -> None:
        """With it, the load is where the motor is, whatever the play."""
        self._set(axis, has_closed_loop=bool(onoff), load=self._tracks[axis.name].shaft)

    def get_closed_loop_param(self, axis: Axis, param: str) -> Any:
        with self._exchange as tracks:
            return tracks[axis.name].parameters[param]

    def set_closed_loop_param(self, axis: Axis, param: str, value: Any) -> None:
        self._set(axis, parameters={**self._tracks[axis.name].parameters, param: value})

    # -- trajectories --------------------------------------------------------------------------------------------------

    def has_trajectory(self) -> bool:
        return True

    def prepare_trajectory(self, *trajectories: Any) -> None:
        with self._exchange:
            for each in trajectories:
                columns = [each.pvt[name].tolist() for name in ("position", "velocity", "time")]
                self._loaded[each.axis] = through(*columns)

    def move_to_trajectory(self, *trajectories: Any) -> None:
        with self._exchange:
            for each in trajectories:
                with self._startable(each.axis) as track:
                    first = self._loaded[each.axis].position(0) - track.shift
                    self._begin(each.axis, trapezoid(track.shaft, first, track.velocity, track.acceleration))

    def start_trajectory(self, *trajectories: Any) -> None:
        with self._exchange as tracks:
            together = time.monotonic()
            for each in trajectories:
                with self._startable(each.axis) as track:
                    law = self._loaded[each.axis]
                    self._check_start(each.axis, track.register, law.position(0))
                    self._begin(each.axis, law.shifted(-track.shift))
                    tracks[each.axis.name] = tracks[each.axis.name]._replace(began=together)

    def _check_start(self, axis: Axis, register: float, first: float) -> None:
        if abs(register - first) > 1e-3:
            at, should_be = register / axis.steps_per_unit, first / axis.steps_per_unit
            raise DeviceError(
                f"{axis.name} is at {at:g} and its trajectory begins at {should_be:g} (dial): call move_to_start() before"
            )

    def stop_trajectory(self, *trajectories: Any) -> None:
        with self._exchange:
            for each in trajectories:
                self.stop(each.axis)

    # -- pulses at positions -------------------------------------------------------------------------------------------

    def has_trajectory_event(self) -> bool:
        return True

    def set_trajectory_events(self, *trajectories: Any) -> None:
        with self._exchange:
            for each in trajectories:
                events = each.events_positions
                self.set_event_positions(each.axis, events["position"])
                self._pulse_times[each.axis] = (events["time"] - each.pvt["time"][0]).tolist()

    def set_event_positions(self, axis: Axis, positions: Any) -> None:
        with self._exchange:
            self._pulses[axis] = [float(position) for position in positions]
            self._pulse_times.pop(axis, None)

    def get_event_positions(self, axis: Axis) -> Sequence[float]:
        with self._exchange:
            return list(self._pulses.get(axis, []))

    def pulses(self, axis: Axis) -> list[tuple[float, float]]:
        """Return when (seconds since the epoch) and where (steps) the last motion has given its pulses until now."""
        with self._exchange as tracks:
            track = tracks[axis.name]
        times = self._pulse_times.get(axis)
        if times is None:
            times = list(track.law.passages([position - track.shift for position in self._pulses.get(axis, [])]))
        elapsed, epoch = track.elapsed, time.time() - track.elapsed
        return [(epoch + when, track.law.position(when) + track.shift) for when in times if when <= elapsed]


def _config_of(encoder: Encoder) -> SimulatedEncoderConfig:
    return cast(SimulatedEncoderConfig, encoder.config)


def _mechanics(config: SimulatedAxisConfig) -> Mechanics:
    scale = config.steps_per_unit
    low, high = sorted([config.hard_low_limit * scale, config.hard_high_limit * scale])
    return Mechanics(low, high, config.home_switch * scale, config.play * abs(scale))


def _at(position: float) -> Track:
    """A motor that never moved."""
    return Track(at_rest(position), load=position)
