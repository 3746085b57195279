"""References (`$name`, `$name.attribute`), and what nodes need of the configuration that they are in."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from bliss_like.errors import ConfigError

if TYPE_CHECKING:
    from .node import ConfigNode

_REFERENCE = re.compile(r"\$([A-Za-z_]\w*)((?:\.[A-Za-z_]\w*)*)", re.ASCII)


def relative(path: str) -> str:
    """Return a path as people write it: relative to where they are, if it is below."""
    try:
        found = os.path.relpath(path)
    except (OSError, ValueError):  # the working directory has been removed; there is no path
        return path
    return path if found.startswith("..") else found


class Place(NamedTuple):
    """Where something is written; lines and columns count from 1, the file is absolute."""

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{relative(self.file)}:{self.line}:{self.column}"

    def error(self, message: str) -> ConfigError:
        """Return the error that says what is wrong here."""
        error = ConfigError(f"{self}: {message}")
        error.place = self
        return error


class Objects(Protocol):
    """Where references find their objects, and objects their names."""

    @property
    def path(self) -> Path: ...

    @property
    def root(self) -> ConfigNode: ...

    @property
    def beamline(self) -> str: ...

    def get(self, name: str) -> Any: ...

    def get_config(self, name: str) -> ConfigNode: ...

    def name_of(self, made: Any) -> str: ...

    def save(self, node: ConfigNode) -> None: ...

    def restore(self, node: ConfigNode) -> None: ...


class ResolvedText(str):
    """A text that came through a reference, hence is not itself a name that somebody forgot to write `$` before."""


def is_reference(value: object) -> bool:
    return isinstance(value, str) and _REFERENCE.fullmatch(value) is not None


def referred_name(text: str) -> str:
    """Return the name of the object in `$name.attribute`."""
    return text[1:].partition(".")[0]


class WrongReference(ValueError):
    """A reference leads to something else than is needed there."""


def dereference(text: str, objects: Objects) -> Any:
    """Return what `$name` or `$name.attribute.attribute` stands for.

    :raises ConfigError: no such object, it cannot be made, or it has no such attribute.
    """
    match = _REFERENCE.fullmatch(text)
    if match is None:
        raise ConfigError(f"expected a reference such as $robx or $robx.velocity, came {text!r}")
    value = objects.get(match[1])
    walked = match[1]
    for attribute in match[2].split(".")[1:]:
        try:
            value = getattr(value, attribute)
        except AttributeError:
            raise ConfigError(f"{text}: {walked} ({type(value).__name__}) has no attribute {attribute!r}") from None
        walked += "." + attribute
    return ResolvedText(value) if isinstance(value, str) else value


class Document:
    """One YAML file as it was read.

    :param digest: of its bytes; empty when there is no such file (a temporary one).
    :param around: the `__init__.yml` of its directory, or of the nearest one above that has it.
    """

    def __init__(self, file: str, digest: str, around: ConfigNode | None) -> None:
        self.file = file
        self.digest = digest
        self.around = around
        self.root: Any = None
        self.errors: list[ConfigError] = []
        self.failure = ""  # why it could not be read
        self.is_edited = False
