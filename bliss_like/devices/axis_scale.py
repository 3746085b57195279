"""The scales of an axis and its limits: user = sign * dial + offset, dial = steps / steps_per_unit.

Limits are kept in dial units, so that moving the user's zero never opens them. What a user has set is in the settings of
the axis and wins over the configuration, which tells all the rest.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, cast

from bliss_like.devices import events
from bliss_like.devices.axis_config import AxisConfig
from bliss_like.devices.axis_settings import AxisSettings
from bliss_like.devices.events import AxisEvent
from bliss_like.devices.naming import name_of
from bliss_like.devices.numbers import direction, limit, low_and_high, number
from bliss_like.devices.reading import position_of

if TYPE_CHECKING:
    from bliss_like.devices.axis import Axis
    from bliss_like.devices.motor_controller import MotorController

Limits = tuple[float, float]


class AxisScale:
    """What an axis knows without asking its hardware."""

    no_offset = False
    """Whether the user position is always the dial position."""

    def __init__(self, name: str, controller: MotorController, config: AxisConfig) -> None:
        self.name = name
        self.controller = controller
        self.config = config
        self.unit = config.unit
        self.settings = AxisSettings(name, beamline_of(controller) if self._has_settings else None)
        self._tolerance = config.tolerance

    @property
    def _has_settings(self) -> bool:
        return self.config.class_ != "NoSettingsAxis"

    @property
    def steps_per_unit(self) -> float:
        return self.config.steps_per_unit

    @property
    def tolerance(self) -> float | None:
        """How far from its target the axis may stand, in dial units; None: wherever its controller says that it is there."""
        return self._tolerance

    @tolerance.setter
    def tolerance(self, tolerance: float | None) -> None:
        if tolerance is not None and number(self, tolerance, "tolerance") < 0:
            raise ValueError(
                f"{name_of(self)}: tolerance must be at least 0, None to trust the controller, got {tolerance:g}"
            )
        self._tolerance = None if tolerance is None else float(tolerance)

    @property
    def _itself(self) -> Axis:
        return cast("Axis", self)

    def refuse_change(self) -> None:
        raise NotImplementedError

    def rescale(self) -> None:
        """Keep the user position and the place of the limits when `steps_per_unit` was changed in the configuration."""
        now, new = self.settings.now(), self.steps_per_unit
        old = now.get("steps_per_unit")
        if old == new:
            return
        changed: dict[str, Any] = {"steps_per_unit": new}
        if old is not None and self.config.read_position == "controller":  # an encoder has steps of its own
            ratio = old / new
            for key in ("target", "heading"):
                if now.get(key) is not None:
                    changed[key] = now[key] * ratio
            dial = now.get("target")
            if dial is None:
                dial = self._dial_with(old)
            if math.isfinite(dial):
                changed["offset"] = self.dial2user(dial) - self.sign * dial * ratio
            for key in ("low_limit", "high_limit"):
                if now.get(key) is not None:
                    changed[key] = now[key] * ratio
            if ratio < 0 and {"low_limit", "high_limit"} & changed.keys():
                low, high = (changed.get(key, getattr(self.config, key)) for key in ("low_limit", "high_limit"))
                changed["low_limit"], changed["high_limit"] = high, low
        self.settings.remember(**changed)

    def _dial_with(self, steps_per_unit: float) -> float:
        """Where it was with another number of steps; the axis is just being set up."""
        axis, controller = self._itself, self.controller
        return position_of(axis, controller, controller.read_positions(axis)[0]) / steps_per_unit

    # -- user and dial -------------------------------------------------------------------------------------------------

    @property
    def sign(self) -> int:
        """1 or -1. Setting it turns the user scale over, and leaves the offset."""
        return int(self.settings.now().get("sign", self.config.sign))

    @sign.setter
    def sign(self, sign: int) -> None:
        sign = direction(self, sign, "sign")
        self._refuse_scale("sign")
        self.settings.store(sign=sign)
        self.announce_scale()

    @property
    def offset(self) -> float:
        return self.settings.now().get("offset") or 0.0

    @offset.setter
    def offset(self, offset: float) -> None:
        self._refuse_scale("offset")
        self.settings.store(offset=number(self, offset, "offset"))
        self.announce_scale()

    def _refuse_scale(self, what: str) -> None:
        self.refuse_change()
        if self.no_offset:
            raise RuntimeError(f"{name_of(self)}: its user position is its dial position; it has no {what} to set")

    def announce_scale(self) -> None:
        """Tell those who listen, here and elsewhere, that positions and limits have other values now."""
        dial = self.settings.now().get("dial")
        if dial is not None:
            position = float(self.dial2user(dial))
            self.settings.remember(position=position)
            events.send(self, AxisEvent.POSITION, position)
        events.send(self, AxisEvent.LIMITS, self.limits)

    def dial2user(self, dial: Any) -> Any:
        now = self.settings.now()
        return now.get("sign", self.config.sign) * dial + (now.get("offset") or 0.0)

    def user2dial(self, user: Any) -> Any:
        now = self.settings.now()
        return (user - (now.get("offset") or 0.0)) / now.get("sign", self.config.sign)

    # -- turns ---------------------------------------------------------------------------------------------------------

    @property
    def is_free_ring(self) -> bool:
        """Whether it turns, and its limits leave out no place of a turn."""
        modulo, (low, high) = self.config.modulo, self.dial_limits
        return modulo is not None and (high - low == math.inf == high == -low or modulo <= high - low < math.inf)

    def unrolled(self, dial: Any) -> Any:
        """Return the same place in the turn that begins at the low limit, if there are turns."""
        modulo = self.config.modulo
        if modulo is None:
            return dial
        low, high = self.dial_limits
        begin = (low if math.isfinite(low) and math.isfinite(high) else 0.0) - 1e-9 * modulo
        return begin + (dial - begin) % modulo

    def way(self, dial: float, target: float) -> float:
        """Return how far it is from here to there: where there are turns, the short way, if it is within the limits."""
        modulo = self.config.modulo
        if modulo is None:
            return target - dial
        low, high = self.dial_limits
        here, there = float(self.unrolled(dial)), float(self.unrolled(target))
        if not self.is_free_ring and low <= here <= high:
            return there - here
        return (target - dial + modulo / 2) % modulo - modulo / 2

    # -- limits --------------------------------------------------------------------------------------------------------

    @property
    def dial_limits(self) -> Limits:
        """(low, high) in dial units, infinite where there is none."""
        now = self.settings.now()
        return now.get("low_limit", self.config.low_limit), now.get("high_limit", self.config.high_limit)

    @dial_limits.setter
    def dial_limits(self, limits: tuple[float | None, float | None]) -> None:
        low, high = low_and_high(self, limits)
        self.settings.store(low_limit=low, high_limit=high)
        events.send(self, AxisEvent.LIMITS, self.limits)

    @property
    def limits(self) -> Limits:
        """(low, high) in user units; None or infinite where there is none."""
        return self._in_user(self.dial_limits)

    @limits.setter
    def limits(self, limits: tuple[float | None, float | None]) -> None:
        dial_low, dial_high = sorted(self.user2dial(limit) for limit in low_and_high(self, limits))
        self.dial_limits = (dial_low, dial_high)

    @property
    def config_limits(self) -> Limits:
        """Those of the configuration, in user units."""
        return self._in_user((self.config.low_limit, self.config.high_limit))

    def _in_user(self, dial_limits: Limits) -> Limits:
        low, high = sorted(self.dial2user(limit) for limit in dial_limits)
        return low, high

    @property
    def low_limit(self) -> float:
        return self.limits[0]

    @low_limit.setter
    def low_limit(self, low_limit: float | None) -> None:
        self.limits = (limit(self, low_limit, "low_limit", -math.inf), self.limits[1])

    @property
    def high_limit(self) -> float:
        return self.limits[1]

    @high_limit.setter
    def high_limit(self, high_limit: float | None) -> None:
        self.limits = (self.limits[0], limit(self, high_limit, "high_limit", math.inf))

    # -- backlash ------------------------------------------------------------------------------------------------------

    @property
    def backlash(self) -> float:
        """In user units: every motion ends by this way in the direction of its sign, going beyond its target if it must."""
        return float(self.settings.now().get("backlash", self.config.backlash))

    @backlash.setter
    def backlash(self, backlash: float) -> None:
        self.settings.store(backlash=number(self, backlash, "backlash"))


def beamline_of(controller: MotorController) -> str | None:
    """Return the beamline that the configuration of a controller is of; None: it was made in Python."""
    node = getattr(controller.config, "node", None)
    return None if node is None else str(node.config.beamline)
