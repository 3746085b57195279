"""What a loop measures: an input of a box, or any counter or axis."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from bliss_like.config.models import ObjectConfig, Reference
from bliss_like.controllers.regulation.driver import RegulationDriver
from bliss_like.controllers.regulation.keys import InputKeys
from bliss_like.controllers.regulation.parts import Part
from bliss_like.controllers.regulation.readings import with_unit
from bliss_like.devices.calc_counter import CalcCounter
from bliss_like.devices.counter import SamplingCounter
from bliss_like.errors import DeviceError


class Input(Part):
    """A sensor of a box; `ct(1, sensor)` counts it."""

    def read(self) -> float:
        """The value now; not a number when the sensor is broken."""
        self.controller.make_ready(self)
        return float(self.controller.read_input(self))

    def state(self) -> Any:
        """READY, or what is wrong with the sensor."""
        self.controller.make_ready(self)
        return self.controller.state_input(self)

    def allow_regulation(self) -> bool:
        """Whether a soft loop may regulate now; overload it for what is measured at times only."""
        return True

    def __info__(self) -> str:
        channel = "" if self.channel is None else f", channel {self.channel}"
        return (
            f"input {self.name} of {self.controller.name}{channel}: {with_unit(self.read(), self.unit)}, {self.state()}"
        )


class External(RegulationDriver):
    """Takes the place of the box, for an input or an output that belongs to none."""

    def __init__(self, name: str) -> None:
        self.name = name


class ExternalInput(Input):
    """A counter, an axis or anything with a method `read` as an input; overload `read` for what has none of it."""

    class Config(InputKeys, ObjectConfig):
        device: Reference = Field(description="what is read: a counter, an axis, or anything with a method read")

    def __init__(self, name: str, config: Config) -> None:
        self.device = config.device
        super().__init__(External(name), config)

    def read(self) -> float:
        return read_device(self.name, self.device)

    def state(self) -> Any:
        return getattr(self.device, "state", "READY") if hasattr(type(self.device), "wait_move") else "READY"


def read_device(name: str, device: Any) -> float:
    """Return the value of a counter, of an axis, or of anything with a method `read`."""
    if isinstance(device, CalcCounter):
        return float(device.raw_read)
    if isinstance(device, SamplingCounter):
        return float(device.conversion_function(device.raw_read))
    if hasattr(type(device), "wait_move"):
        return float(device.position)
    if callable(getattr(device, "read", None)):
        return float(device.read())
    raise DeviceError(
        f"{name}: expected a counter, an axis or something with a method read as its device, got {device!r}"
    )
