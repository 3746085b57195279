"""How fast an axis goes: what the hardware has, after what the configuration says or a user has set."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable

from bliss_like.devices import events
from bliss_like.devices.axis_position import AxisPosition
from bliss_like.devices.axis_scale import Limits
from bliss_like.devices.events import AxisEvent
from bliss_like.devices.naming import name_of
from bliss_like.devices.numbers import limit, low_and_high, number

_log = logging.getLogger(__name__)


class AxisSpeed(AxisPosition):
    """The velocity of an axis and what belongs to it, in its units and seconds; without sign."""

    # -- velocity ------------------------------------------------------------------------------------------------------

    @property
    def velocity(self) -> float:
        """In units/s, as the controller has it; infinite for an axis that is there at once."""
        self.make_ready()
        return self.controller.read_velocity(self._itself) / abs(self.steps_per_unit)

    @velocity.setter
    def velocity(self, velocity: float) -> None:
        """:raises ValueError: no number > 0, or outside the velocity limits."""
        self.refuse_change()
        velocity = self._allowed_velocity(velocity, "velocity")
        self.make_ready()
        self._set_velocity(velocity)
        self._keep("velocity", velocity)
        events.send(self, AxisEvent.VELOCITY, self.velocity)

    def _set_velocity(self, velocity: float) -> None:
        self.controller.set_velocity(self._itself, velocity * abs(self.steps_per_unit))
        self._compare("velocity", velocity, lambda: self.velocity)

    def _allowed_velocity(self, velocity: float, what: str) -> float:
        velocity = number(self, velocity, what, positive=True)
        low, high = self.velocity_limits
        if not low <= velocity <= high:
            side = "below the low limit" if velocity < low else "above the high limit"
            unit = f" {self.unit}/s" if self.unit else ""
            raise ValueError(
                f"{name_of(self)}: {what} {velocity:g} is {side} of its velocities, which are {low:g} .. {high:g}{unit}"
            )
        return velocity

    @property
    def config_velocity(self) -> float | None:
        return self.config.velocity

    @property
    def velocity_limits(self) -> Limits:
        """(low, high) in units/s."""
        now = self.settings.now()
        return (
            now.get("velocity_low_limit", self.config.velocity_low_limit),
            now.get("velocity_high_limit", self.config.velocity_high_limit),
        )

    @velocity_limits.setter
    def velocity_limits(self, limits: tuple[float | None, float | None]) -> None:
        low, high = low_and_high(self, limits, "velocity_limits")
        low = 0.0 if math.isinf(low) else low
        if low < 0 or high <= 0:
            raise ValueError(f"{name_of(self)}: velocities have no sign, got the velocity_limits {low:g} and {high:g}")
        self.settings.store(velocity_low_limit=low, velocity_high_limit=high)

    @property
    def velocity_low_limit(self) -> float:
        return self.velocity_limits[0]

    @velocity_low_limit.setter
    def velocity_low_limit(self, low_limit: float | None) -> None:
        self.velocity_limits = (limit(self, low_limit, "velocity_low_limit", 0.0), self.velocity_limits[1])

    @property
    def velocity_high_limit(self) -> float:
        return self.velocity_limits[1]

    @velocity_high_limit.setter
    def velocity_high_limit(self, high_limit: float | None) -> None:
        self.velocity_limits = (self.velocity_limits[0], limit(self, high_limit, "velocity_high_limit", math.inf))

    @property
    def config_velocity_limits(self) -> Limits:
        return self.config.velocity_low_limit, self.config.velocity_high_limit

    # -- acceleration --------------------------------------------------------------------------------------------------

    @property
    def acceleration(self) -> float:
        """In units/s², as the controller has it."""
        self.make_ready()
        return self.controller.read_acceleration(self._itself) / abs(self.steps_per_unit)

    @acceleration.setter
    def acceleration(self, acceleration: float) -> None:
        self.refuse_change()
        acceleration = number(self, acceleration, "acceleration", positive=True)
        self.make_ready()
        self._set_acceleration(acceleration)
        self._keep("acceleration", acceleration)
        events.send(self, AxisEvent.ACCELERATION, self.acceleration)

    def _set_acceleration(self, acceleration: float) -> None:
        self.controller.set_acceleration(self._itself, acceleration * abs(self.steps_per_unit))
        self._compare("acceleration", acceleration, lambda: self.acceleration)

    @property
    def config_acceleration(self) -> float | None:
        return self.config.acceleration

    @property
    def acctime(self) -> float:
        """Seconds from rest to full velocity."""
        return self.velocity / self.acceleration

    @acctime.setter
    def acctime(self, acctime: float) -> None:
        self.acceleration = self.velocity / number(self, acctime, "acctime", positive=True)

    @property
    def config_acctime(self) -> float | None:
        config = self.config
        if config.acctime is not None or config.velocity is None or config.acceleration is None:
            return config.acctime
        return config.velocity / config.acceleration

    # -- jog -----------------------------------------------------------------------------------------------------------

    @property
    def jog_velocity(self) -> float:
        """In units/s; that of `jog()` without one. Setting it changes the velocity of an axis that turns."""
        velocity = self.settings.now().get("jog_velocity", self.config.jog_velocity)
        return self.velocity if velocity is None else float(velocity)

    @jog_velocity.setter
    def jog_velocity(self, velocity: float) -> None:
        self.settings.store(jog_velocity=self._allowed_velocity(velocity, "jog_velocity"))
        self.turn_faster(self.jog_velocity)

    def turn_faster(self, velocity: float) -> None:
        """Turn with another velocity from now on, if the axis turns."""
        raise NotImplementedError

    @property
    def config_jog_velocity(self) -> float | None:
        return self.config.jog_velocity

    @property
    def jog_acctime(self) -> float:
        """Seconds from rest to the velocity of `jog()`."""
        return self.jog_velocity / self.acceleration

    # -- what the hardware gets ------------------------------------------------------------------------------------------

    def push_speed(self) -> None:
        """Give the hardware the velocity and the acceleration that were set last, else those of the configuration."""
        now, config = self.settings.now(), self.config
        velocity = now.get("velocity", config.velocity)
        if velocity is not None:
            self.controller.set_velocity(self._itself, velocity * abs(self.steps_per_unit))
        acceleration = now.get("acceleration", config.acceleration)
        if acceleration is None and config.acctime is not None and velocity is not None:
            acceleration = velocity / config.acctime
        if acceleration is not None:
            self.controller.set_acceleration(self._itself, acceleration * abs(self.steps_per_unit))

    def _keep(self, key: str, value: float) -> None:
        if not self.controller.shared:  # what others may set, too, is in the hardware alone
            self.settings.store(**{key: value})

    def _compare(self, what: str, wanted: float, read: Callable[[], float]) -> None:
        got = read()
        if not math.isclose(got, wanted, rel_tol=0.01) and not (math.isinf(got) and math.isinf(wanted)):
            _log.warning("%s: %s %g was asked for, the controller made it %g", name_of(self), what, wanted, got)
