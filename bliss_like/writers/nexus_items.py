"""What an entry of a NeXus file consists of, as plain values: groups, fields, links, and the points of channels.

Items compare by value: what is written anew in a file is what differs from what was described before.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class Group:
    """A group of the class `nx_class`; attributes are texts, numbers and lists of them."""

    nx_class: str
    items: dict[str, Item] = field(default_factory=dict)
    attributes: dict[str, Any] = field(default_factory=dict)

    def group(self, name: str, nx_class: str = "NXcollection") -> Group:
        """Return the group of that name in it; made if there is none.

        :raises TypeError: there is something else of that name.
        """
        item = self.items.setdefault(name, Group(nx_class))
        if not isinstance(item, Group):
            raise TypeError(f"{name}: expected a group, it is a {type(item).__name__}")
        return item

    def groups(self) -> Iterator[tuple[str, Group]]:
        return ((name, item) for name, item in self.items.items() if isinstance(item, Group))


@dataclass(slots=True)
class Field:
    """A small dataset whose value is known: a text, a number, a list of either."""

    value: Any
    attributes: dict[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class Points:
    """The points of a channel, by its db_name. The dataset grows, and is never made again."""

    channel: str
    attributes: dict[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class Shapes:
    """Of a channel whose points differ in shape, the shape of each point: shape (npoints, dimensions). `Points` has the values
    one after the other then."""

    channel: str
    attributes: dict[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class Cut:
    """The first points of a channel, where others end before it; a copy."""

    channel: str
    npoints: int
    attributes: dict[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class Gridded:
    """The points of a channel in the order of a regular grid; a copy.

    :param shape: points along each axis of the grid, the slowest first.
    :param backnforth: axes but the slowest turn round at the ends of their lines.
    """

    channel: str
    shape: tuple[int, ...]
    backnforth: bool
    attributes: dict[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class Hard:
    """Another name of an item of the same file, `path`."""

    path: str


@dataclass(slots=True)
class Soft:
    """Refers to `path` of the same file, which may be still to come."""

    path: str


@dataclass(slots=True)
class External:
    """Refers to `path` in another file, relative to the directory of this one; both may be still to come."""

    file: str
    path: str


@dataclass(frozen=True, slots=True)
class Run:
    """Consecutive images in one dataset of one file (absolute path)."""

    file: str
    path: str
    first: int
    count: int


@dataclass(slots=True)
class Virtual:
    """Images that lie in several files, as one dataset.

    :param runs: files are absolute; in the file they are relative to its directory.
    """

    runs: tuple[Run, ...]
    shape: tuple[int, ...]
    dtype: str
    attributes: dict[str, Any] = field(default_factory=dict)


Item = Group | Field | Points | Shapes | Cut | Gridded | Hard | Soft | External | Virtual
