"""Base of motor drivers in the style of BLISS: with whatever keys in YAML, looked into as into a dict.

A driver that was written for BLISS runs with its imports changed. A new one had better declare its keys, as those in
`controllers/simulated` do: then a misspelt key is an error with file and line, before anything moves.
"""

from __future__ import annotations

import functools
import sys
import types
from collections.abc import Callable
from typing import Any, ClassVar, TypeVar, get_args, overload

from pydantic import Field

from bliss_like.config.any_keys import TAKES_ANY_KEY, AnyKeys
from bliss_like.config.models import ObjectConfig
from bliss_like.devices import calc_axis, calc_config
from bliss_like.devices.axis import Axis, AxisConfig
from bliss_like.devices.calc_config import CalcAxisConfig
from bliss_like.devices.encoder import EncoderConfig
from bliss_like.devices.motor_controller import MotorController, MotorControllerConfig
from bliss_like.errors import ConfigError

_MARK = "_method_of_each_axis"
_OWN_CLASSES = get_args(AxisConfig.model_fields["class_"].annotation)

F = TypeVar("F", bound=Callable[..., Any])


class ControllerAxisConfig(AnyKeys, AxisConfig):
    """What YAML says of one axis, and what its driver may ask: `axis.config.get("address", int)`."""

    model_config = TAKES_ANY_KEY

    class_: str = Field("", alias="class", description="one of a kind: ModuloAxis, or a class beside the driver")  # type: ignore[assignment]


class ControllerEncoderConfig(AnyKeys, EncoderConfig):
    """What YAML says of one encoder."""

    model_config = TAKES_ANY_KEY


class ControllerConfig(AnyKeys, MotorControllerConfig):
    """What YAML says of a controller, and what its driver may ask: `self.config.get("host")`."""

    model_config = TAKES_ANY_KEY

    axes: list[ControllerAxisConfig]  # type: ignore[assignment]
    encoders: list[ControllerEncoderConfig] = Field(default_factory=list)  # type: ignore[assignment]


class Controller(MotorController):
    """A motor controller; see `MotorController` for what a driver overloads."""

    Config: ClassVar[type[ObjectConfig]] = ControllerConfig

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, function in _methods_of_axes(type(self)).items():
            for axis in self.axes.values():
                setattr(axis, name, functools.partial(types.MethodType(function, self), axis))

    def create_axis(self, item: Any) -> Any:
        """:raises ConfigError: there is no class of axes of that name, neither here nor beside the driver."""
        if item.class_ in _OWN_CLASSES:
            return super().create_axis(item)
        module = type(self).__module__
        found = getattr(sys.modules[module], item.class_, None)
        if isinstance(found, type) and issubclass(found, Axis):
            return found(item.name, self, item)
        known = ", ".join(filter(None, _OWN_CLASSES))
        raise ConfigError(
            f"{item.name}: class: expected one of {known}, or a class of axes in {module}, came {item.class_}"
        )

    def get_axis(self, name: str) -> Axis:
        """:raises KeyError: it has no axis of that name."""
        return self.axes[name]


class ControllerCalcAxisConfig(AnyKeys, CalcAxisConfig):
    """What YAML says of one pseudo axis."""

    model_config = TAKES_ANY_KEY


class CalcControllerConfig(AnyKeys, calc_config.CalcControllerConfig):
    """What YAML says of a calc controller."""

    model_config = TAKES_ANY_KEY

    axes: list[ControllerCalcAxisConfig]  # type: ignore[assignment]
    no_offset: bool | None = None  # type: ignore[assignment]


class CalcController(Controller, calc_axis.CalcController):
    """A controller of pseudo axes; see `devices.calc_axis.CalcController` for what a driver overloads."""

    Config: ClassVar[type[ObjectConfig]] = CalcControllerConfig  # type: ignore[assignment]

    def _axis_tag(self, axis: Axis) -> str:
        return self._tags[axis]

    def _calc_from_real(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """Tell the positions again: a parameter of the calculation has changed."""
        self.events.recalculate()
        return {self._tags[axis]: axis.dial for axis in self.pseudos}


@overload
def object_method(function: F, /) -> F: ...
@overload
def object_method(*, types_info: tuple[str, str] = ..., **more: Any) -> Callable[[F], F]: ...
def object_method(function: F | None = None, /, **more: Any) -> F | Callable[[F], F]:
    """Make a method of a controller that takes an axis a method of its axes: `axis.park()` for `def park(self, axis)`."""

    def mark(marked: F) -> F:
        setattr(marked, _MARK, True)
        return marked

    return mark if function is None else mark(function)


def _methods_of_axes(driver: type[Controller]) -> dict[str, Callable[..., Any]]:
    return {
        name: function
        for cls in reversed(driver.__mro__)
        for name, function in vars(cls).items()
        if getattr(function, _MARK, False)
    }
