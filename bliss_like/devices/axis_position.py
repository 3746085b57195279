"""Where an axis is: its position as the hardware tells it, where it was sent last, and what its encoder measures."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from bliss_like.devices import events
from bliss_like.devices.axis_config import AxisConfig
from bliss_like.devices.axis_ready import AxisReady
from bliss_like.devices.axis_state import AxisState
from bliss_like.devices.events import AxisEvent
from bliss_like.devices.naming import name_of
from bliss_like.devices.numbers import number, place
from bliss_like.devices.reading import finite
from bliss_like.errors import AxisFault, ConfigError, DataError

if TYPE_CHECKING:
    from bliss_like.devices.encoder import Encoder
    from bliss_like.devices.motor_controller import MotorController


class AxisPosition(AxisReady):
    """An axis that can be asked where it is; in motion, too."""

    def __init__(self, name: str, controller: MotorController, config: AxisConfig) -> None:
        super().__init__(name, controller, config)
        self._last_position: float | None = None

    # -- position ------------------------------------------------------------------------------------------------------

    @property
    def position(self) -> float:
        """Where the axis is, in user units: read from the hardware, also in motion. Setting it moves only the offset."""
        return float(self.dial2user(self.dial))

    @position.setter
    def position(self, position: float) -> None:
        self.refuse_change()
        position = number(self, position, "position")
        self.offset = self.offset + position - self._set_position

    @property
    def dial(self) -> float:
        """Where the axis is, in dial units: read. Setting it writes the controller's register; the user position stays."""
        self.make_ready()
        return self.shown(self.controller.read_dials(self._itself)[0])

    @dial.setter
    def dial(self, dial: float) -> None:
        self.refuse_change()
        dial, before = number(self, dial, "dial"), self.known_dial()
        user = float(self.dial2user(self.shown(before)))
        self.controller.set_position(self._itself, dial * self.steps_per_unit)
        dial = self.dial
        offset = {} if self.no_offset else {"offset": user - self.sign * dial}
        try:
            self.settings.store(target=dial, heading=None, dial=dial, **offset)
        except DataError:  # with the register alone, the user's zero would be elsewhere
            self.controller.set_position(self._itself, before * self.steps_per_unit)
            raise
        self.announce_scale()

    def known_dial(self) -> float:
        """Where the axis is, in dial units; turns are counted.

        :raises DeviceError: its hardware does not know.
        """
        self.make_ready()
        return finite(self._itself, self.controller, self.controller.read_dials(self._itself)[0])

    @property
    def _set_position(self) -> float:
        """Where the axis was last sent, in user units: relative moves start from here, so that they do not add up errors."""
        return float(self.dial2user(self.shown(self._dial_target())))

    def _dial_target(self) -> float:
        target = self.settings.now().get("target")
        if target is None or (self.controller.shared and not self._is_near(target)):
            target = self.shown(self.known_dial())
            self.settings.remember(target=target, heading=None)
        return float(target)

    def _is_near(self, dial: float) -> bool:
        return self._moves_here or self._away(self.dial, dial) <= self.nearness

    @property
    def _hw_position(self) -> float:
        """The same as `position`, which is always that of the hardware."""
        return self.position

    def sync_hard(self) -> None:
        """Take the hardware's position as the last commanded one, after somebody else has moved the axis."""
        self.refuse_change()
        dial = self.known_dial()
        self.settings.remember(target=None, heading=None)
        self.saw(dial, self.read_state())
        events.send(self, AxisEvent.SYNC_HARD, self._set_position)

    def shown(self, dial: float) -> float:
        """Return a dial position as people see it: if there are turns, the one that is within the first turn for the user."""
        modulo = self.config.modulo
        if modulo is None:
            return dial
        user = float(self.dial2user(dial)) % modulo
        return float(self.user2dial(user if modulo - user > 1e-12 * modulo else 0.0))

    def _away(self, one: float, other: float) -> float:
        away, modulo = abs(one - other), self.config.modulo
        return away if modulo is None else min(away % modulo, -away % modulo)

    @property
    def precision(self) -> float:
        """Dial positions that differ by less are the same."""
        return self.controller.steps_position_precision(self._itself) / abs(self.steps_per_unit)

    @property
    def nearness(self) -> float:
        """How far from where it was sent an axis may be and still be there: the tolerance, and at least the precision.

        A little more, as 4.561 - 4.56 is more than 0.001 to a computer.
        """
        return max(self.tolerance or 0.0, self.precision) * (1 + 1e-6)

    def saw(self, dial: float, state: AxisState) -> None:
        """Take note of what was read, and tell those who listen if it is something new."""
        dial = self.shown(dial)
        position = float(self.dial2user(dial))
        self.settings.remember(dial=dial, position=position)
        if position != self._last_position:
            self._last_position = position
            events.send(self, AxisEvent.POSITION, position)
        self.saw_state(state)

    # -- encoder -------------------------------------------------------------------------------------------------------

    @property
    def encoder(self) -> Encoder | None:
        """What measures where the axis is."""
        if self.config.encoder is None:
            return None
        found = self.config.encoder()
        if not hasattr(type(found), "read"):
            raise ConfigError(f"axis {self.name!r}: encoder: expected a reference to an encoder, came {found!r}")
        return cast("Encoder", found)

    @property
    def dial_measured_position(self) -> float:
        """Within one turn, if there are turns.

        :raises RuntimeError: it has no encoder.
        """
        return self.shown(self.dial_encoder_position)

    @property
    def dial_encoder_position(self) -> float:
        """What its encoder says; turns, if there are any, are counted.

        :raises RuntimeError: it has no encoder.
        """
        encoder = self.encoder
        if encoder is None:
            way_out = (
                "its real axes may have one"
                if self._itself.reals
                else "write `encoder: $...` for it in its configuration"
            )
            raise RuntimeError(f"{name_of(self)} has no encoder: {way_out}")
        return encoder.read()

    @property
    def measured_position(self) -> float:
        """Where its encoder says that it is, in user units.

        :raises RuntimeError: it has no encoder.
        """
        return float(self.dial2user(self.dial_measured_position))

    def check_encoder(self, dial: float) -> None:
        """:raises AxisFault: the encoder says that the axis is not where it should be."""
        encoder = self.encoder
        if encoder is None or self.config.check_encoder is False:
            return
        measured = finite(encoder, self.controller, self.dial_measured_position)
        if self._away(measured, dial) > encoder.tolerance:
            raise AxisFault(
                f"{name_of(self)} did not reach its target: it should be at "
                f"{place(self, self.dial2user(self.shown(dial)))}, its encoder "
                f"{encoder.name} says {place(self, self.dial2user(measured))}, which is more than the encoder's tolerance "
                f"{place(self, encoder.tolerance)} away. If the encoder is right: {name_of(self)}.dial = "
                f"{self.shown(measured):.10g}; if the axis is: {encoder.name}.set({name_of(self)}.dial)"
            )
