"""IcePAP, the multi-axis stepper controller of the ESRF, through its official client (`pip install bliss_like[icepap]`).

The commands and their answers are the client's; the connection is ours (`icepap_line.py` says why). Positions are whole
steps, velocities steps/s; the hardware has acceleration times, from which accelerations in steps/s² are made.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Sequence
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from bliss_like.controllers.icepap_line import IcePAPLine
from bliss_like.controllers.icepap_state import axis_state
from bliss_like.devices.axis import Axis, AxisConfig
from bliss_like.devices.axis_config import ClosedLoopConfig
from bliss_like.devices.axis_state import AxisState
from bliss_like.devices.encoder import Encoder, EncoderConfig
from bliss_like.devices.motor_controller import MotorController, MotorControllerConfig, refuse_same
from bliss_like.devices.move import Motion
from bliss_like.errors import DeviceError, NotConnectedError

_log = logging.getLogger(__name__)


def _check_address(address: int) -> int:
    if not (0 < address < 160 and 1 <= address % 10 <= 8):
        raise ValueError(f"expected 10 * crate (0..15) + driver (1..8), such as 1 or 23, came {address}")
    return address


Address = Annotated[int, AfterValidator(_check_address), Field(description="10 * crate (0..15) + driver (1..8)")]


class IcePAPAxisConfig(AxisConfig):
    """What YAML says of one axis of an IcePAP."""

    closed_loop: ClosedLoopConfig | None = None  # type: ignore[assignment]
    address: Address
    power_on: bool = Field(default=True, description="the motor gets its power when the axis is first used")


class IcePAPEncoderConfig(EncoderConfig):
    """What YAML says of one encoder input of an IcePAP."""

    address: Address
    source: Literal["MEASURE", "ENCIN", "INPOS", "ABSENC", "MOTOR", "SHFTENC", "TGTENC", "CTRLENC", "SYNC", "AXIS"] = (
        Field(
            default="MEASURE",
            description="the register of the driver; MEASURE, what it is configured to measure with, in steps of the axis, "
            "and any other in steps of the encoder",
        )
    )


class IcePAP(MotorController):
    """One system of up to 16 crates of 8 drivers.

    After a restart it gets its velocities and accelerations again before the next motion.
    """

    class Config(MotorControllerConfig):
        host: str
        port: int = Field(default=5000, gt=0, lt=65536)
        timeout: float = Field(default=3.0, gt=0, description="seconds to wait for a connection, and for an answer")
        axes: list[IcePAPAxisConfig]  # type: ignore[assignment]
        encoders: list[IcePAPEncoderConfig] = Field(default_factory=list)  # type: ignore[assignment]

        @model_validator(mode="after")
        def _check_addresses(self) -> Self:
            refuse_same("address", {axis.name: axis.address for axis in self.axes})
            return self

    def __init__(self, name: str, config: Config) -> None:
        super().__init__(name, config)
        self._configs = {self.axes[item.name]: item for item in config.axes}
        self._encoder_configs = {self.encoders[item.name]: item for item in config.encoders}
        self._line = IcePAPLine(name, config.host, config.port, config.timeout)
        self._client: Any = None
        self._velocities: dict[Axis, float] = {}
        self._accelerations: dict[Axis, float] = {}
        self._openings_seen = 0

    @property
    def client(self) -> Any:
        """The official client, `icepap.IcePAPController`, for all that it offers: `client[address].get_cfg()`."""
        if self._client is None:
            self._client = _client_on(self._line, self.name)
        return self._client

    def address(self, axis: Axis) -> int:
        return self._configs[axis].address

    def _addresses(self, axes: Sequence[Axis]) -> list[int]:
        return [self.address(axis) for axis in axes]

    # -- from the first use to the last --------------------------------------------------------------------------------

    def initialize(self) -> None:
        """:raises DeviceError: the client is not installed."""
        _ = self.client

    def initialize_hardware(self) -> None:
        self._line.connect()
        self._openings_seen = self._line.openings

    def initialize_hardware_axis(self, axis: Axis) -> None:
        if self._configs[axis].power_on and "OFF" in self.state(axis):
            try:
                self.set_on(axis)
            except NotConnectedError:
                raise
            except DeviceError as error:  # such as a switch at the crate: the axis can be read, and its state tells
                _log.warning("%s has no power: %s", axis.name, error)

    def connect_axis(self, axis: Axis, timeout: float) -> None:
        try:
            self._line.ask(f"?FSTATUS {self.address(axis)}", timeout)
        except DeviceError as error:
            raise NotConnectedError(f"{axis.name}: {error}") from None

    def __close__(self) -> None:
        super().__close__()
        self._line.close()

    # -- reading, of any number of axes in one round trip --------------------------------------------------------------

    def read_position(self, axis: Axis) -> float:
        return self.read_positions(axis)[0]

    def read_positions(self, *axes: Axis) -> Sequence[float]:
        return self._read(self.client.get_fpos, self._addresses(axes))

    def state(self, axis: Axis) -> AxisState:
        return self.states(axis)[0]

    def states(self, *axes: Axis) -> Sequence[AxisState]:
        return [axis_state(int(status)) for status in self._read(self.client.get_fstatus, self._addresses(axes))]

    def _read(self, query: Callable[..., Sequence[float]], addresses: Sequence[int], *args: str) -> Sequence[float]:
        """Ask the client for one number for each address.

        :raises DeviceError: that is not what came.
        """
        try:
            values = query(addresses, *args)
        except (TypeError, ValueError):  # what the client raises when there is no answer, or it has other than numbers
            values = ()
        if len(values) != len(addresses) or not all(math.isfinite(value) for value in values):
            expected = "expected a number" if len(addresses) == 1 else f"expected {len(addresses)} numbers"
            raise self._line.unexpected(*self._line.last_exchange, expected)
        return values

    def steps_position_precision(self, axis: Axis) -> float:
        """Half a step: a target is rounded to whole ones (and a little more, for the rounding of floats)."""
        return 0.501

    # -- settings ------------------------------------------------------------------------------------------------------

    def set_position(self, axis: Axis, new_position: float) -> float:
        self.client.set_pos([(self.address(axis), round(new_position))])
        return self.read_position(axis)

    def read_velocity(self, axis: Axis) -> float:
        return self._read(self.client.get_velocity, [self.address(axis)])[0]

    def set_velocity(self, axis: Axis, new_velocity: float) -> None:
        """Set it, and keep the acceleration that was set; the acceleration time that the hardware has by itself stays."""
        self.client.set_velocity([(self.address(axis), new_velocity)])
        self._velocities[axis] = new_velocity
        if axis in self._accelerations:
            self.set_acceleration(axis, self._accelerations[axis])

    def read_acceleration(self, axis: Axis) -> float:
        acctime = self._read(self.client.get_acctime, [self.address(axis)])[0]
        return self.read_velocity(axis) / acctime if acctime else math.inf

    def set_acceleration(self, axis: Axis, new_acceleration: float) -> None:
        self.client.set_acctime([(self.address(axis), self.read_velocity(axis) / new_acceleration)])
        self._accelerations[axis] = new_acceleration

    def _restore_settings(self) -> None:
        """Set the velocities and accelerations again that a restarted controller has forgotten."""
        self._line.connect()
        if self._line.openings == self._openings_seen:
            return
        openings = self._line.openings
        for axis, velocity in list(self._velocities.items()):
            found = self.read_velocity(axis)
            if not math.isclose(found, velocity, rel_tol=0.01):  # the hardware rounds
                _log.warning("%s: after a restart of %s its velocity was %g steps/s", axis.name, self._line, found)
                self.set_velocity(axis, velocity)
        for axis, acceleration in list(self._accelerations.items()):
            if not math.isclose(self.read_acceleration(axis), acceleration, rel_tol=0.01):
                self.set_acceleration(axis, acceleration)
        self._openings_seen = openings

    def set_on(self, axis: Axis) -> None:
        self.client.set_power([self.address(axis)], True)

    def set_off(self, axis: Axis) -> None:
        self.client.set_power([self.address(axis)], False)

    # -- moving --------------------------------------------------------------------------------------------------------

    def prepare_all(self, *motions: Motion) -> None:
        self._restore_settings()

    def start_one(self, motion: Motion) -> None:
        self.start_all(motion)

    def start_all(self, *motions: Motion) -> None:
        """Start them by one command, at the same moment; as a group, they stop together if one of them fails."""
        targets = [(self.address(motion.axis), round(motion.target_pos)) for motion in motions]
        self.client.move(targets, group=len(targets) > 1)

    def stop(self, axis: Axis) -> None:
        self._stop([axis])

    def stop_all(self, *motions: Motion) -> None:
        self._stop([motion.axis for motion in motions])

    def _stop(self, axes: Sequence[Axis]) -> None:
        """Stop them by one command; if it cannot be told, then as soon as the controller answers again."""
        names = ", ".join(axis.name for axis in axes)
        self._line.insist(f"stopping {names}", lambda: self.client.stop(self._addresses(axes)))

    def start_jog(self, axis: Axis, velocity: float, direction: int) -> None:
        self._restore_settings()
        self.client[self.address(axis)].jog(velocity * direction)

    def home_search(self, axis: Axis, switch: int) -> None:
        self._restore_settings()
        self.client[self.address(axis)].home(1 if switch > 0 else -1)

    def home_state(self, axis: Axis) -> AxisState:
        """MOVING until the whole sequence is over, which stands still between its phases; FAULT when it found nothing."""
        found, _ = self.client[self.address(axis)].homestat
        if found == "MOVING":
            return AxisState("MOVING")
        state = self.state(axis)
        if found == "NOTFOUND":
            state.set("FAULT")
        return state

    def limit_search(self, axis: Axis, limit: int) -> None:
        self._restore_settings()
        self.client[self.address(axis)].srch("LIM+" if limit > 0 else "LIM-", "POSEDGE", 1 if limit > 0 else -1)

    # -- encoders and closed loop --------------------------------------------------------------------------------------

    def read_encoder(self, encoder: Encoder) -> float:
        return self.read_encoders(encoder)[0]

    def read_encoders(self, *encoders: Encoder) -> Sequence[float]:
        """In one round trip for each register that is read."""
        values: dict[Encoder, float] = {}
        configs = {encoder: self._encoder_configs[encoder] for encoder in encoders}
        for source in dict.fromkeys(config.source for config in configs.values()):
            addresses = {encoder: config.address for encoder, config in configs.items() if config.source == source}
            query = self.client.get_fpos if source == "MEASURE" else self.client.get_enc
            values.update(zip(addresses, self._read(query, list(addresses.values()), source), strict=True))
        return [values[encoder] for encoder in encoders]

    def set_encoder(self, encoder: Encoder, new_value: float) -> None:
        config = self._encoder_configs[encoder]
        set_register = self.client.set_pos if config.source == "MEASURE" else self.client.set_enc
        set_register([(config.address, round(new_value))], config.source)

    def get_closed_loop_requirements(self) -> Sequence[str]:
        return ()

    def get_closed_loop_state(self, axis: Axis) -> Literal["ON", "OFF"]:
        return "ON" if self.client[self.address(axis)].pcloop else "OFF"

    def activate_closed_loop(self, axis: Axis, onoff: bool = True) -> None:
        self.client[self.address(axis)].pcloop = bool(onoff)

    # -- for people ----------------------------------------------------------------------------------------------------

    def get_id(self, axis: Axis) -> str:
        crate, driver = divmod(self.address(axis), 10)
        serial = self._line.ask(f"?RID {crate}")
        return f"IcePAP {self._line.ask('?VER')}, crate {crate} ({serial}), driver {driver}"

    def get_axis_info(self, axis: Axis) -> str:
        return f"  address   {self.address(axis)} of {self._line}"

    def get_info(self, axis: Axis) -> str:
        address = self.address(axis)
        (status,) = self._read(self.client.get_fstatus, [address])
        lines = [
            self.get_id(axis),
            f"name           {self._line.ask(f'{address}:?NAME')}",
            f"position       {self.read_position(axis):g} steps",
            f"velocity       {self.read_velocity(axis):g} steps/s",
            f"acceleration   {self.read_acceleration(axis):g} steps/s²",
            f"status         0x{int(status):08X}: {axis_state(int(status)).current_states()}",
        ]
        return "\n".join(lines)

    def raw_write(self, message: str | bytes) -> None:
        self._line.ask(_text(message))

    def raw_write_read(self, message: str | bytes) -> str:
        """Return the answer without the question that an IcePAP repeats before it; several lines if there are several."""
        return self._line.ask(_text(message)).rstrip("\n")


def _text(message: str | bytes) -> str:
    return message.decode("ascii", "replace") if isinstance(message, bytes) else message


def _client_on(line: IcePAPLine, name: str) -> Any:
    """Return the official client with our line in the place of its own.

    :raises DeviceError: it is not installed.
    """
    try:
        from icepap import IcePAPController
    except ImportError as error:
        way_out = "pip install 'bliss_like[icepap]'"
        raise DeviceError(f"{name}: the package icepap cannot be imported ({error}); {way_out}") from error

    class Client(IcePAPController):  # type: ignore[misc]
        def __init__(self) -> None:  # the client's own would open a connection of its own
            self.log = _log
            self._comm = line
            self._aliases: dict[str, int] = {}
            self._axes: dict[int, Any] = {}

    return Client()
