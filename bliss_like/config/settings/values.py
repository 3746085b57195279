"""Values of settings as text and back: JSON, with what JSON has no word for in objects of one key that begins with "$".

    ====================  ===================================================================
    nan, inf, -inf        `{"$float": "nan"}`
    complex               `{"$complex": [1.0, -2.0]}`, its parts as floats are
    bytes                 `{"$bytes": "<base64>"}`
    numpy array           `{"$array": ["<f8", [2, 3], "<base64 of its bytes, C order>"]}`
    a dict with such key  `{"$dict": {"$float": "of its own"}}`
    ====================  ===================================================================

All else comes back as what it was, but for tuples (as lists) and numpy's numbers (as Python's, equal to them).
"""

from __future__ import annotations

import base64
import enum
import json
import math
from typing import Any

import numpy as np

from bliss_like.errors import DataError

_STORABLE = (
    "None, bool, int, float, complex, str, bytes, a numpy array, or a list, tuple or dict (its keys str) of these"
)
_ARRAY_KINDS = "biufcSUMm"


def to_plain(value: object, what: str) -> Any:
    """Return a value in what JSON and YAML know, as `encode` stores it."""
    return _plain(value, what)


def from_plain(value: Any, what: str) -> Any:
    """Return the value that `to_plain` has made this of."""
    return decode(json.dumps(value).encode(), what)


def encode(value: object, what: str) -> bytes:
    """Return a value as it is stored.

    :param what: whose value it is, for the error.
    :raises TypeError: it cannot be stored.
    """
    try:
        return json.dumps(_plain(value, what), separators=(",", ":"), allow_nan=False).encode()
    except (RecursionError, ValueError):
        raise TypeError(f"{what}: cannot store a value that contains itself, or is hundreds of levels deep") from None


def decode(raw: bytes, what: str) -> Any:
    """Return the value that is stored as `raw`, a new one each time.

    :raises DataError: it was not stored by `encode`.
    """
    try:
        value = json.loads(raw)
        return _rich(value) if b'"$' in raw else value
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise DataError(
            f"{what}: expected a value in JSON, found {raw[:80]!r} ({error}). Another program has written it: clear the "
            f"setting, or set it anew"
        ) from error


def same(one: object, other: object, what: str) -> bool:
    """Return whether two values are stored alike: of one type and equal, the order of dicts apart."""
    first, second = (json.dumps(_plain(each, what), sort_keys=True) for each in (one, other))
    return first == second


def _plain(value: object, what: str) -> Any:
    """Return a value in what JSON knows."""
    if isinstance(value, np.generic):
        value = _of_python(value)
    match value:
        case enum.Enum() if not isinstance(value, (str, int, float)):
            pass
        case None | bool() | int() | str():
            return value
        case float():
            return float(value) if math.isfinite(value) else {"$float": str(float(value))}
        case complex():
            return {"$complex": [_plain(value.real, what), _plain(value.imag, what)]}
        case bytes() | bytearray():
            return {"$bytes": base64.b64encode(value).decode()}
        case list() | tuple():
            return [_plain(each, f"{what}[{i}]") for i, each in enumerate(value)]
        case dict():
            return _plain_dict(value, what)
        case np.ndarray() if value.dtype.kind in _ARRAY_KINDS:
            return {"$array": [value.dtype.str, list(value.shape), base64.b64encode(value.tobytes()).decode()]}
    kind = f"a numpy array of {value.dtype}" if isinstance(value, np.ndarray) else f"a {type(value).__name__}"
    raise TypeError(f"{what}: cannot store {kind}, {_short(value)}; expected {_STORABLE}")


def _plain_dict(value: dict[Any, Any], what: str) -> dict[str, Any]:
    for key in value:
        if not isinstance(key, str):
            raise TypeError(f"{what}: cannot store a dict with the key {_short(key)}; expected keys that are str")
    plain = {str(key): _plain(each, f"{what}[{key!r}]") for key, each in value.items()}
    return {"$dict": plain} if any(key.startswith("$") for key in plain) else plain


def _of_python(value: np.generic) -> Any:
    """Return a scalar of numpy as one of Python that equals it, or as an array without dimensions."""
    simple = value.item() if value.dtype.kind in "biufcSU" else value
    return np.asarray(value) if isinstance(simple, np.generic) else simple


def _rich(value: Any) -> Any:
    if isinstance(value, list):
        return [_rich(each) for each in value]
    if not isinstance(value, dict):
        return value
    if len(value) != 1 or not (tag := next(iter(value))).startswith("$"):
        return {key: _rich(each) for key, each in value.items()}
    content = value[tag]
    match tag:
        case "$float":
            return float(content)
        case "$complex":
            return complex(*map(_rich, content))
        case "$bytes":
            return base64.b64decode(content, validate=True)
        case "$array":
            dtype, shape, data = content
            return np.frombuffer(base64.b64decode(data, validate=True), dtype).reshape(shape).copy()
        case "$dict":
            return {key: _rich(each) for key, each in content.items()}
    raise ValueError(f"{tag} is no kind of value that is known here; a later version may have written it")


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:77]}..."
