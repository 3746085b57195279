"""What devices and the program tell of their work: `debugon debugoff lslog lsdebug`."""

from __future__ import annotations

import fnmatch
import logging
from typing import Any

from bliss_like.config.suggestion import did_you_mean
from bliss_like.config.table import table
from bliss_like.devices.logs import DEVICE, loggers_of
from bliss_like.devices.numbers import brief
from bliss_like.errors import UsageError
from bliss_like.scanning.environment import environment

from .arguments import verb

_ROOT = "bliss_like."


@verb("device or pattern, ...")
def debugon(*devices: Any) -> None:
    """Show what devices are told and answer, and what parts of the program do, until `debugoff`.

    :param devices: devices, their names, or patterns of the names that `lslog()` lists: `debugon(robx)`, `debugon("scanning*")`.
    """
    names = _names("debugon", devices)
    for name in names:
        logging.getLogger(name).setLevel(logging.DEBUG)
    print(f"Debugging {_told(names)}.")


@verb("device or pattern, ...")
def debugoff(*devices: Any) -> None:
    """Show no more of that; of nothing, when none is given."""
    on = _at_debug()
    names = [name for name in _names("debugoff", devices) if name in on] if devices else on
    for name in names:
        logging.getLogger(name).setLevel(logging.NOTSET)
    print(f"No longer debugging {_told(names)}." if names else "Nothing of that is debugged.")


@verb("pattern='*'")
def lslog(pattern: str = "*") -> None:
    """List what can be debugged: devices by their names, parts of the program, and the level of each."""
    _print_loggers(_matching(pattern), f"Nothing fits {pattern!r}.")


@verb("pattern='*'")
def lsdebug(pattern: str = "*") -> None:
    """List what is debugged."""
    _print_loggers([name for name in _matching(pattern) if name in _at_debug()], "Nothing is debugged.")


def _print_loggers(names: list[str], none: str) -> None:
    rows = [(_short(name), logging.getLevelName(logging.getLogger(name).getEffectiveLevel())) for name in names]
    print(table(("name", "level"), rows) if rows else none)


def _names(command: str, given: tuple[Any, ...]) -> list[str]:
    """Return the names of the loggers that are meant.

    :raises UsageError: there is none.
    """
    if not given:
        raise UsageError(f"expected a device or a pattern; lslog() lists what there is, {command}('*') means all")
    names: list[str] = []
    for one in given:
        if not isinstance(one, str):
            if not hasattr(one, "name") and not hasattr(one, "controller"):
                raise UsageError(f"expected a device, its name or a pattern, got {brief(one)}")
            names += loggers_of(one)
        elif hasattr(environment.names().get(one), "name"):
            names += loggers_of(environment.names()[one])
        else:
            found = _matching(one)
            if not found:
                raise UsageError(
                    f"nothing has the name {one!r}{did_you_mean(one, map(_short, _matching('*')))}; see lslog()"
                )
            names += found
    return list(dict.fromkeys(names))


def _matching(pattern: str) -> list[str]:
    """Return the loggers that a pattern fits: those that are there, and those of the devices of the session."""
    if not isinstance(pattern, str):
        raise UsageError(f"pattern: expected a text such as 'rob*', got {brief(pattern)}")
    known = {name for name in list(logging.root.manager.loggerDict) if name.startswith(_ROOT)}
    for device in environment.metadata_sources():
        known.update(loggers_of(device))
    return sorted(name for name in known if any(fnmatch.fnmatchcase(part, pattern) for part in (name, _short(name))))


def _at_debug() -> list[str]:
    there = logging.root.manager.loggerDict
    return sorted(
        name
        for name, logger in list(there.items())
        if name.startswith(_ROOT) and isinstance(logger, logging.Logger) and logger.level == logging.DEBUG
    )


def _short(name: str) -> str:
    """Return what people call a logger: a device by its name, the rest by its module."""
    return name.removeprefix(DEVICE).removeprefix(_ROOT)


def _told(names: list[str]) -> str:
    most = 5
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(map(_short, names[:most])) + more
