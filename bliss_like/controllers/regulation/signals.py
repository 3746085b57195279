"""Regulation over a control system: inputs, outputs and loops made of signals, over every transport."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import Any

from pydantic import Field

from bliss_like.controllers.regulation.controller import Controller
from bliss_like.controllers.regulation.input import Input
from bliss_like.controllers.regulation.keys import InputConfig, LoopConfig, OutputConfig, RegulationConfig
from bliss_like.controllers.regulation.loop import Loop
from bliss_like.controllers.regulation.output import Output
from bliss_like.devices.signal import Signal, connect_together, open_signal
from bliss_like.errors import DeviceError


class SignalInputConfig(InputConfig):
    """What YAML says of an input, and where it is read."""

    signal: str = Field(description="address of the value, such as ca://thermo:I")


class SignalOutputConfig(OutputConfig):
    """What YAML says of an output, and where it is read and set."""

    signal: str = Field(description="address to write the value to")
    readback: str | None = Field(default=None, description="address of the value; absent: where it is written to")


class SignalLoopConfig(LoopConfig):
    """What YAML says of a loop, and where its parameters are."""

    setpoint: str = Field(description="address to write the setpoint to, such as ca://thermo:SP")
    working_setpoint: str | None = Field(default=None, description="address of the setpoint on a ramp")
    ramprate_signal: str | None = Field(
        default=None, description="address of the rate, in units/s; absent: ramps are made here"
    )
    ramping: str | None = Field(default=None, description="address that has `ramping_value` while it ramps")
    ramping_value: float = 1
    regulation: str | None = Field(
        default=None, description="address that switches the regulation; absent: it is always on"
    )
    on_value: float = 1
    off_value: float = 0
    kp: str | None = Field(default=None, description="address of P")
    ki: str | None = Field(default=None, description="address of I")
    kd: str | None = Field(default=None, description="address of D")

    @cached_property
    def has_ramp(self) -> bool:
        """The control system makes the ramps."""
        return self.ramprate_signal is not None and self.ramping is not None


class SignalRegulation(Controller):
    """Any number of inputs, outputs and loops of one control system."""

    class Config(RegulationConfig):
        inputs: list[SignalInputConfig] = Field(default_factory=list)  # type: ignore[assignment]
        outputs: list[SignalOutputConfig] = Field(default_factory=list)  # type: ignore[assignment]
        ctrl_loops: list[SignalLoopConfig] = Field(default_factory=list)  # type: ignore[assignment]

    def __init__(self, name: str, config: Config) -> None:
        super().__init__(name, config)
        self._signals: dict[str, Signal] = {}

    def connect_item(self, item: Any, timeout: float) -> None:
        connect_together([self._signal(address) for address in _addresses(item)], timeout)

    def close_controller(self) -> None:
        for signal in self._signals.values():
            signal.close()

    def _signal(self, address: str) -> Signal:
        if address not in self._signals:
            self._signals[address] = open_signal(address)
        return self._signals[address]

    def _get(self, item: Any, key: str) -> float:
        return float(self._of(item, key).get())

    def _of(self, item: Any, key: str) -> Signal:
        address = getattr(item.config, key)
        if address is None:
            raise DeviceError(
                f"{item.name}: no signal is known for it; give the address as `{key}` in its configuration"
            )
        return self._signal(address)

    # -- inputs and outputs

    def read_input(self, tinput: Input) -> float:
        return self._get(tinput, "signal")

    def state_input(self, tinput: Input) -> str:
        alarm = self._of(tinput, "signal").read().alarm
        return f"FAULT (alarm {alarm})" if alarm in ("MAJOR", "INVALID") else "READY"

    def read_output(self, toutput: Output) -> float:
        return self._get(toutput, "readback" if toutput.config.readback else "signal")

    def set_output_value(self, toutput: Output, value: float) -> None:
        self._of(toutput, "signal").put(value)

    # -- loops

    def get_setpoint(self, tloop: Loop) -> float:
        return self._get(tloop, "setpoint")

    def set_setpoint(self, tloop: Loop, sp: float) -> None:
        self._of(tloop, "setpoint").put(sp, wait=False)

    def get_working_setpoint(self, tloop: Loop) -> float:
        return self._get(tloop, "working_setpoint" if tloop.config.working_setpoint else "setpoint")

    def start_regulation(self, tloop: Loop) -> None:
        if tloop.config.regulation is not None:
            self._of(tloop, "regulation").put(tloop.config.on_value)

    def stop_regulation(self, tloop: Loop) -> None:
        self._of(tloop, "regulation").put(tloop.config.off_value)

    def is_regulating(self, tloop: Loop) -> bool:
        on_value: float = tloop.config.on_value
        return tloop.config.regulation is None or self._get(tloop, "regulation") == on_value

    def get_ramprate(self, tloop: Loop) -> float:
        self._need_ramp(tloop)
        return self._get(tloop, "ramprate_signal")

    def set_ramprate(self, tloop: Loop, rate: float) -> None:
        self._need_ramp(tloop)
        self._of(tloop, "ramprate_signal").put(rate)

    def start_ramp(self, tloop: Loop, sp: float) -> None:
        self._need_ramp(tloop)
        self._of(tloop, "setpoint").put(sp)

    def stop_ramp(self, tloop: Loop) -> None:
        """Where the ramp is becomes the setpoint."""
        self._need_ramp(tloop)
        self._of(tloop, "setpoint").put(
            self.get_working_setpoint(tloop) if tloop.config.working_setpoint else tloop.measured()
        )

    def is_ramping(self, tloop: Loop) -> bool:
        self._need_ramp(tloop)
        ramping_value: float = tloop.config.ramping_value
        return self._get(tloop, "ramping") == ramping_value

    def _need_ramp(self, tloop: Loop) -> None:
        if not tloop.config.has_ramp:
            raise NotImplementedError

    def get_kp(self, tloop: Loop) -> float:
        return self._get(tloop, "kp")

    def set_kp(self, tloop: Loop, kp: float) -> None:
        self._of(tloop, "kp").put(kp)

    def get_ki(self, tloop: Loop) -> float:
        return self._get(tloop, "ki")

    def set_ki(self, tloop: Loop, ki: float) -> None:
        self._of(tloop, "ki").put(ki)

    def get_kd(self, tloop: Loop) -> float:
        return self._get(tloop, "kd")

    def set_kd(self, tloop: Loop, kd: float) -> None:
        self._of(tloop, "kd").put(kd)


_ADDRESS_KEYS = (
    "signal",
    "readback",
    "setpoint",
    "working_setpoint",
    "ramprate_signal",
    "ramping",
    "regulation",
    *("kp", "ki", "kd"),
)


def _addresses(item: Any) -> Iterator[str]:
    """Yield the addresses of an input, of an output, of a loop with both, or of a whole controller."""
    if isinstance(item, Controller):
        for each in [*item.inputs, *item.outputs, *item.loops]:
            yield from _addresses(each)
        return
    for part in (item, getattr(item, "input", None), getattr(item, "output", None)):
        config = getattr(part, "config", None)
        yield from (address for key in _ADDRESS_KEYS if (address := getattr(config, key, None)))
