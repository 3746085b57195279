"""Nested dicts of metadata as groups and fields."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from bliss_like.data.codec import to_json

from .nexus_items import Field, Group, Item
from .nexus_names import free_name

INT64 = range(-(2**63), 2**63)


def collection(values: Mapping[str, Any], nx_class: str = "NXcollection") -> Group:
    """Return a group of all values, dicts as groups in it.

    `"@name"` is an attribute of the group (`@NX_class` its class), `"field@name"` one of a field, as with `silx.io.dictdump`; a unit
    is one: `"gap@units": "mm"`. None is left out.
    """
    group = Group(str(values.get("@NX_class") or nx_class))
    names: dict[str, str] = {}
    for key, value in values.items():
        if "@" in key[1:] or key.startswith("@") or value is None:
            continue
        names[key] = name = free_name(str(key), group.items)
        group.items[name] = collection(value) if isinstance(value, Mapping) else field_of(value)
    for key, value in values.items():
        owner, at, attribute = str(key).partition("@")
        if not at or key == "@NX_class" or not attribute or value is None:
            continue
        target = group.items.get(names.get(owner, "")) if owner else group
        if isinstance(target, Group | Field):
            target.attributes[attribute] = _attribute(value)
    return group


def field_of(value: Any, **attributes: Any) -> Field:
    """Return a field of any value that JSON can hold, as text what HDF5 cannot."""
    return Field(_plain(value), attributes)


def _plain(value: Any) -> Any:
    if isinstance(value, np.ndarray | np.generic):
        value = value.tolist()
    if isinstance(value, bool | float | str):
        return value
    if isinstance(value, int):
        return value if value in INT64 else str(value)
    if isinstance(value, Sequence) and value and _is_regular(value):
        return list(value)
    return to_json(value).decode()


def _is_regular(values: Sequence[Any]) -> bool:
    """Whether it is a list of texts, or of numbers in any regular shape."""
    if all(isinstance(value, str) for value in values):
        return True
    try:
        array = np.asarray(values)
    except (ValueError, OverflowError):
        return False
    return array.dtype.kind in "fib" and array.size > 0


def _attribute(value: Any) -> Any:
    return to_json(value).decode() if isinstance(value, Mapping) else _plain(value)


def merge_into(group: Group, more: Group) -> None:
    """Add items and attributes that a group does not have."""
    for name, item in more.items.items():
        known: Item | None = group.items.get(name)
        if isinstance(known, Group) and isinstance(item, Group):
            merge_into(known, item)
        elif known is None:
            group.items[name] = item
    group.attributes = {**more.attributes, **group.attributes}
