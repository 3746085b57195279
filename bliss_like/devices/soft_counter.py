"""Counters made of anything in Python that has a value."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from numpy.typing import DTypeLike

from bliss_like.devices.counter import Conversion, SamplingCounter, SamplingCounterController, SamplingMode
from bliss_like.errors import DeviceError


class _ObjectReader(SamplingCounterController):
    """Reads an attribute or calls a method of any object."""

    def __init__(self, name: str, get: Callable[[], Any]) -> None:
        super().__init__(name)
        self._get = get

    def read(self, counter: SamplingCounter) -> Any:
        return self._get()


class SoftCounter(SamplingCounter):
    """A counter made of any object's attribute or method.

    :param value: the name of the attribute or method; or, without `obj`, a function of no argument.
    :param apply: applied to what was got, before `conversion_function`.
    """

    def __init__(
        self,
        obj: Any = None,
        value: str | Callable[[], Any] = "value",
        name: str | None = None,
        apply: Conversion | None = None,
        mode: SamplingMode | str = SamplingMode.MEAN,
        unit: str | None = None,
        conversion_function: Conversion | None = None,
        dtype: DTypeLike = float,
        shape: Sequence[int] = (),
    ) -> None:
        value_name = getattr(value, "__name__", "") if callable(value) else value
        if not value_name.isidentifier():  # a lambda
            value_name = name or "value"
        obj_name = getattr(obj, "name", None) or (type(obj).__name__ if obj is not None else "")
        get = _getter(obj, value)
        controller = _ObjectReader(obj_name or value_name, (lambda: apply(get())) if apply else get)
        super().__init__(name or value_name, controller, conversion_function, mode, unit, dtype, shape)


def _getter(obj: Any, value: str | Callable[[], Any]) -> Callable[[], Any]:
    if callable(value):
        return value
    if obj is None:
        raise DeviceError(f"SoftCounter: {value!r} is to be read of no object; give obj=, or a function as value=")
    try:
        is_method = callable(getattr(obj, value))
    except AttributeError:
        raise DeviceError(f"SoftCounter: {obj!r} has no attribute {value!r}") from None

    def get() -> Any:
        got = getattr(obj, value)
        return got() if is_method else got

    return get
