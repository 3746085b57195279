"""What regulates: the methods that a driver may overload, with the names of BLISS."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bliss_like.errors import DeviceError

if TYPE_CHECKING:
    from bliss_like.controllers.regulation.input import Input
    from bliss_like.controllers.regulation.loop import Loop
    from bliss_like.controllers.regulation.output import Output


class RegulationDriver:
    """A box that regulates. Overload what the hardware has; what it has not is done here, or is an error that says so.

    Setpoints and readings are in the unit of the input, rates in units per second.
    """

    name: str

    def make_ready(self, item: Any) -> None:
        """Initialise what has to be before the first use of an input, an output or a loop."""

    def connect_item(self, item: Any, timeout: float) -> None:
        """See to it, before the first use, that an input, an output or a loop answers within `timeout` seconds.

        :raises NotConnectedError: it does not; nothing else comes of it, the first use tries again.
        """

    def initialize_controller(self) -> None:
        """Connect to the hardware; called once, before its first use."""

    def initialize_input(self, tinput: Input) -> None:
        """Prepare one input, before its first use."""

    def initialize_output(self, toutput: Output) -> None:
        """Prepare one output, before its first use."""

    def initialize_loop(self, tloop: Loop) -> None:
        """Prepare one loop, before its first use; the parameters that YAML gives are set after it."""

    def close_controller(self) -> None:
        """Let go of the hardware."""

    # -- inputs and outputs --------------------------------------------------------------------------------------------

    def read_input(self, tinput: Input) -> float:
        """The value of an input; not a number when the sensor is broken."""
        raise self._unsupported(tinput, "be read")

    def state_input(self, tinput: Input) -> Any:
        """READY, or what is wrong with the sensor."""
        return "READY"

    def read_output(self, toutput: Output) -> float:
        raise self._unsupported(toutput, "be read")

    def state_output(self, toutput: Output) -> Any:
        """READY, or what is wrong with the heater."""
        return "READY"

    def set_output_value(self, toutput: Output, value: float) -> None:
        raise self._unsupported(toutput, "be set")

    def start_output_ramp(self, toutput: Output, value: float) -> None:
        """Start to bring an output to a value at its rate; overload all five methods, or the ramp is made here."""
        raise NotImplementedError

    def stop_output_ramp(self, toutput: Output) -> None:
        raise NotImplementedError

    def is_output_ramping(self, toutput: Output) -> bool:
        raise NotImplementedError

    def set_output_ramprate(self, toutput: Output, rate: float) -> None:
        raise NotImplementedError

    def get_output_ramprate(self, toutput: Output) -> float:
        raise NotImplementedError

    # -- loops ---------------------------------------------------------------------------------------------------------

    def get_setpoint(self, tloop: Loop) -> float:
        """The setpoint that was written last."""
        raise self._unsupported(tloop, "tell its setpoint")

    def set_setpoint(self, tloop: Loop, sp: float) -> None:
        """Regulate at a new setpoint, at once."""
        raise self._unsupported(tloop, "be given a setpoint")

    def get_working_setpoint(self, tloop: Loop) -> float:
        """The setpoint that holds now, on a ramp of the hardware."""
        return self.get_setpoint(tloop)

    def start_regulation(self, tloop: Loop) -> None:
        """Switch the regulation on; on already is no error."""

    def stop_regulation(self, tloop: Loop) -> None:
        """Switch the regulation off; off already is no error."""
        raise self._unsupported(tloop, "be switched off")

    def is_regulating(self, tloop: Loop) -> bool:
        """Whether the regulation is on."""
        return True

    def start_ramp(self, tloop: Loop, sp: float) -> None:
        """Start to bring the setpoint to `sp` at the rate of the loop; `is_ramping` is true from here to the end.

        Overload this, `stop_ramp`, `is_ramping`, `set_ramprate` and `get_ramprate`, or the ramp is made here.
        """
        raise NotImplementedError

    def stop_ramp(self, tloop: Loop) -> None:
        """End the ramp, with the setpoint where it is."""
        raise NotImplementedError

    def is_ramping(self, tloop: Loop) -> bool:
        raise NotImplementedError

    def set_ramprate(self, tloop: Loop, rate: float) -> None:
        """:param rate: units/s; 0: no ramp."""
        raise NotImplementedError

    def get_ramprate(self, tloop: Loop) -> float:
        raise NotImplementedError

    def get_kp(self, tloop: Loop) -> float:
        raise self._unsupported(tloop, "tell its P")

    def set_kp(self, tloop: Loop, kp: float) -> None:
        raise self._unsupported(tloop, "be given a P")

    def get_ki(self, tloop: Loop) -> float:
        raise self._unsupported(tloop, "tell its I")

    def set_ki(self, tloop: Loop, ki: float) -> None:
        raise self._unsupported(tloop, "be given an I")

    def get_kd(self, tloop: Loop) -> float:
        raise self._unsupported(tloop, "tell its D")

    def set_kd(self, tloop: Loop, kd: float) -> None:
        raise self._unsupported(tloop, "be given a D")

    def get_sampling_frequency(self, tloop: Loop) -> float:
        raise self._unsupported(tloop, "tell its sampling frequency")

    def set_sampling_frequency(self, tloop: Loop, value: float) -> None:
        """:param value: regulations a second."""
        raise self._unsupported(tloop, "be given a sampling frequency")

    def get_pid_range(self, tloop: Loop) -> tuple[float, float]:
        raise self._unsupported(tloop, "tell the range of its PID")

    def set_pid_range(self, tloop: Loop, pid_range: tuple[float, float]) -> None:
        raise self._unsupported(tloop, "be given a range of its PID")

    # -- for people ----------------------------------------------------------------------------------------------------

    def Wraw(self, string: str) -> None:
        """Send a command of the hardware's own language."""
        raise DeviceError(f"{self.name}: {type(self).__name__} takes no raw commands")

    def Rraw(self) -> Any:
        """Return an answer in the hardware's own language."""
        raise DeviceError(f"{self.name}: {type(self).__name__} takes no raw commands")

    def WRraw(self, string: str) -> Any:
        """Send a command of the hardware's own language, and return the answer."""
        raise DeviceError(f"{self.name}: {type(self).__name__} takes no raw commands")

    def _unsupported(self, item: Any, what: str) -> DeviceError:
        return DeviceError(f"{item.name} cannot {what}: {type(self).__name__} {self.name} has no means for it")
