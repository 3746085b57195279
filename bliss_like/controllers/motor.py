"""Base of motor drivers in the style of BLISS: with whatever keys in YAML, looked into as into a dict.

A driver that was written for BLISS runs with its imports changed. A new one had better declare its keys, as those in
`controllers/simulated` do: then a misspelt key is an error with file and line, before anything moves.
"""

from __future__ import annotations

import functools
import sys
import types
from collections.abc import Callable, Iterator
from typing import Any, ClassVar, TypeVar, get_args, overload

from pydantic import BaseModel, ConfigDict, Field

from bliss_like.config.models import ObjectConfig
from bliss_like.devices import calc_axis, calc_config
from bliss_like.devices.axis import Axis, AxisConfig
from bliss_like.devices.calc_config import CalcAxisConfig
from bliss_like.devices.encoder import EncoderConfig
from bliss_like.devices.motor_controller import MotorController, MotorControllerConfig
from bliss_like.errors import ConfigError, MissingKey

_REQUIRED = object()
_MARK = "_method_of_each_axis"
_OWN_CLASSES = get_args(AxisConfig.model_fields["class_"].annotation)
TAKES_ANY_KEY = ConfigDict(extra="allow", arbitrary_types_allowed=True, populate_by_name=True)
"""For `model_config`, beside `AnyKeys`."""

F = TypeVar("F", bound=Callable[..., Any])


class AnyKeys(BaseModel):
    """A configuration that takes keys which nobody has declared; those that are declared are checked."""

    def get(
        self, key: str, converter: Callable[[Any], Any] | None = str, default: Any = _REQUIRED, inherited: bool = False
    ) -> Any:
        """Return the value of a key.

        :param converter: what makes it of what is written, a type or a function; lists and mappings are left alone by `str`.
        :param default: returned when the key is absent.
        :param inherited: look into the mappings around this one, too.
        :raises MissingKey: the key is absent, and has no default.
        :raises ConfigError: the value cannot be converted.
        """
        value = self._value(key)
        if value is None and inherited and (node := getattr(self, "node", None)) is not None:
            value = node.get_inherited(key)
        if value is None:
            if default is _REQUIRED:
                known = ", ".join(self.config_dict)
                raise MissingKey(
                    f"{self._label}: its configuration has no key '{key}', which its driver needs; it has {known}"
                )
            return default
        if converter is None or (converter is str and isinstance(value, list | dict | BaseModel)):
            return value
        try:
            return converter(value)
        except (TypeError, ValueError) as error:
            kind = getattr(converter, "__name__", str(converter))
            raise ConfigError(f"{self._label}: key {key}: its driver expects {kind}, came {value!r}") from error

    def _value(self, key: str) -> Any:
        fields = {info.alias or name: name for name, info in type(self).model_fields.items()}
        return getattr(self, fields[key]) if key in fields else (self.model_extra or {}).get(key)

    @property
    def _label(self) -> str:
        return str(getattr(self, "name", type(self).__name__))

    @property
    def config_dict(self) -> dict[str, Any]:
        """What is written, as a dict."""
        fields = {name: info.alias or name for name, info in type(self).model_fields.items()}
        return {fields.get(key, key): value for key, value in BaseModel.__iter__(self) if key in self.model_fields_set}

    def __getitem__(self, key: str) -> Any:
        return self.get(key, None)

    def __contains__(self, key: object) -> bool:
        return key in self.config_dict

    def keys(self) -> Iterator[str]:
        return iter(self.config_dict)


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
