"""Counters made of anything in Python that has a value."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from inspect import signature
from typing import Any, cast

from numpy.typing import DTypeLike

from bliss_like.config.suggestion import did_you_mean
from bliss_like.devices.counter import Conversion, SamplingCounter, SamplingCounterController, SamplingMode
from bliss_like.errors import DeviceError


class _ObjectReader(SamplingCounterController):
    """Reads an attribute or calls a method of any object."""

    def __init__(self, name: str, get: Callable[[], Any], apply: Conversion | None) -> None:
        super().__init__(name)
        self._get, self._apply = get, apply

    def read(self, counter: SamplingCounter) -> Any:
        """:raises DeviceError: the object has lost what is read, or gives nothing; what it raises itself stays as it is."""
        value = self._get()
        if value is None:
            raise DeviceError(f"SoftCounter {counter.fullname!r}: expected a value, it is None")
        return self._apply(value) if self._apply is not None else value


class SoftCounter(SamplingCounter):
    """A counter made of any object's attribute or method.

    :param value: the name of the attribute or method; or, without `obj`, a function of no argument. With `obj` a function
        is called with it.
    :param apply: applied to what was got, before `conversion_function`.
    :param dtype: of what was got; what `apply` returns, if that is another.
    """

    def __init__(
        self,
        obj: Any = None,
        value: str | Callable[..., Any] = "value",
        name: str | None = None,
        apply: Conversion | None = None,
        mode: SamplingMode | str = SamplingMode.MEAN,
        unit: str | None = None,
        conversion_function: Conversion | None = None,
        dtype: DTypeLike | None = float,
        shape: Sequence[int] = (),
        max_sampling_frequency: float | None = None,
    ) -> None:
        if apply is not None and not callable(apply):
            raise DeviceError(f"SoftCounter: expected a function as apply=, got {apply!r}")
        value_name = getattr(value, "__name__", "") if callable(value) else value
        if not isinstance(value_name, str):
            raise DeviceError(
                f"SoftCounter: expected the name of an attribute, or a function, as value=, got {value!r}"
            )
        if not value_name.isidentifier():  # a lambda
            value_name = name or "value"
        obj_name = getattr(obj, "name", None) or (type(obj).__name__ if obj is not None else "")
        controller = _ObjectReader(obj_name or value_name, _getter(obj, value, name or value_name), apply)
        controller.max_sampling_frequency = max_sampling_frequency
        super().__init__(name or value_name, controller, conversion_function, mode, unit, dtype, shape)

    @property
    def max_sampling_frequency(self) -> float | None:
        """Readings per second, within one count time; None for no limit."""
        return cast(SamplingCounterController, self.controller).max_sampling_frequency

    @max_sampling_frequency.setter
    def max_sampling_frequency(self, frequency: float | None) -> None:
        cast(SamplingCounterController, self.controller).max_sampling_frequency = frequency


def _getter(obj: Any, value: str | Callable[..., Any], name: str) -> Callable[[], Any]:
    """Return what reads the value.

    :raises DeviceError: there is nothing to read.
    """
    if callable(value):
        # A method of that object, or of its class, as BLISS takes it; or any function of nothing.
        return partial(value, obj) if _wants_object(value, obj) else value
    if obj is None:
        raise DeviceError(f"SoftCounter: {value!r} is to be read of no object; give obj=, or a function as value=")
    whole = f"SoftCounter {name!r}: {type(obj).__name__} {getattr(obj, 'name', obj)!r}"
    try:
        # A property is not read before it is counted: its device may be off now.
        is_method = not isinstance(getattr(type(obj), value, None), property) and callable(getattr(obj, value))
    except AttributeError as error:
        if not _is_of(error, obj, value):
            raise
        raise DeviceError(f"{whole} has no attribute {value!r}{did_you_mean(value, _public_names(obj))}") from None

    def get() -> Any:
        try:
            got = getattr(obj, value)
        except AttributeError as error:
            if not _is_of(error, obj, value):
                raise
            raise DeviceError(f"{whole} has no attribute {value!r} any more") from None
        return got() if is_method else got

    return get


def _is_of(error: AttributeError, obj: Any, name: str) -> bool:
    """Return whether an error says that `obj` has not that attribute; else something inside of a property has failed."""
    return error.name == name and error.obj is obj


def _public_names(obj: Any) -> list[str]:
    return [name for name in dir(obj) if not name.startswith("_")]


def _wants_object(function: Callable[..., Any], obj: Any) -> bool:
    if obj is None or getattr(function, "__self__", None) is not None:
        return False
    try:
        parameters = signature(function).parameters.values()
    except (TypeError, ValueError):
        return True
    return any(p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD) and p.default is p.empty for p in parameters)
