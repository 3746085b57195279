"""Devices for tests, made as the configuration makes them."""

from __future__ import annotations

from typing import Any, TypeVar

from bliss_like.controllers.simulated.motors import SimulatedMotors
from bliss_like.devices.axis import Axis

D = TypeVar("D")


def make(device_class: type[D], name: str, **keys: Any) -> D:
    """An object with these keys of its configuration."""
    config = device_class.Config.model_validate({"name": name, **keys})  # type: ignore[attr-defined]
    return device_class(name, config)  # type: ignore[call-arg]


def make_axis(name: str = "robx", **keys: Any) -> Axis:
    """One simulated axis, alone on its controller; it is there at once unless it gets a velocity."""
    return make(SimulatedMotors, f"{name}_motors", axes=[{"name": name, **keys}]).axes[name]


class Notes(list[Any]):
    """Keeps what an event tells: `events.connect(axis, event, notes.take)`."""

    def take(self, value: Any) -> None:
        self.append(value)
