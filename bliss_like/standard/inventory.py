"""What there is: `lsobj` in the session, `lsmg` of measurement groups, `lsconfig` in the configuration. No device is asked."""

from __future__ import annotations

import fnmatch
import os
import shutil
import textwrap
from collections.abc import Iterator
from typing import Any

from bliss_like.config.suggestion import did_you_mean
from bliss_like.config.table import table
from bliss_like.devices.counter import Counter
from bliss_like.devices.naming import name_of
from bliss_like.errors import UsageError
from bliss_like.live.look import Role
from bliss_like.scanning.acquisition import is_axis
from bliss_like.scanning.environment import environment

from .arguments import verb
from .look import look
from .menus import is_group


@verb("pattern='*'")
def lsobj(pattern: str = "*") -> None:
    """List the objects of the session: what they are, and which could not be made, are disabled or active.

    :param pattern: of their names, with wildcards: "rob*".
    """
    rows: list[tuple[str, ...]] = [(name, _kind(value), _state(value)) for name, value in _objects()]
    rows += [(made.name, "", "failed: ERROR_REPORT says why") for made in _attempts() if made.error is not None]
    _print_matching(("object", "class", "state"), rows, pattern, "The session has no objects.")


@verb("")
def lsmg() -> None:
    """List the measurement groups of the session; the one that scans use is marked."""
    active = environment.names().get("ACTIVE_MG")
    groups = {value.name: value for _, value in _objects() if is_group(value)}
    if active:
        groups.setdefault(active.name, active)
    rows = [
        (
            "*" if active and active.name == name else "",
            name,
            f"{len(group.enabled)} of {len(group.available)}",
            getattr(group, "active_state_name", ""),
        )
        for name, group in groups.items()
    ]
    told = "The session has no measurement groups: docs/how-to/measurement-group.md"
    print(table(("", "group", "enabled", "state"), rows) if rows else told)


@verb("pattern='*'")
def lsconfig(pattern: str = "*") -> None:
    """List the objects of the configuration, of all sessions, by file and class; nothing is made.

    :param pattern: of their names, with wildcards.
    """
    config = environment.names().get("config")
    if config is None:
        raise UsageError("there is no session, hence no configuration")
    survey = config.survey
    names = _matching(config.names_list, pattern)
    files: dict[str, dict[str, list[str]]] = {}
    for name in names:
        entry = config.tree.entries[name]
        kind = f"{entry.key} of {entry.owner}" if entry.owner else _class_name(survey.class_of(name))
        files.setdefault(os.path.relpath(entry.node.filename, config.path), {}).setdefault(kind, []).append(name)
    width = max((len(kind) for kinds in files.values() for kind in kinds), default=0) + 4
    for file, kinds in sorted(files.items()):
        print(look().paint(file, Role.HEADING))
        for kind, members in sorted(kinds.items()):
            print(_hanging(f"  {kind}".ljust(width), members))


def _class_name(cls: type[Any] | None) -> str:
    return cls.__name__.lstrip("_") if cls is not None else "(its class is not found)"


def _hanging(head: str, names: list[str]) -> str:
    columns = max(40, shutil.get_terminal_size().columns)
    return textwrap.fill(
        " ".join(names),
        columns,
        initial_indent=head,
        subsequent_indent=" " * len(head),
        break_long_words=False,
        break_on_hyphens=False,
    )


def _attempts() -> list[Any]:
    session = environment.names().get("current_session")
    return list(session.summary.objects) if session else []


def _objects() -> Iterator[tuple[str, Any]]:
    """Yield the objects of the session by the names that they have there, then what was made or fetched at the prompt."""
    names = environment.names()
    made = {id(each.value): each.name for each in _attempts() if each.error is None}
    shown = set()
    for name, value in names.items():
        is_device = is_axis(value) or isinstance(value, Counter) or hasattr(type(value), "switch_state")
        if not name.startswith("_") and (id(value) in made or is_device):
            shown.add(id(value))
            yield name, value
    for each in _attempts():
        if each.error is None and id(each.value) not in shown:
            yield each.name, each.value


def _kind(value: Any) -> str:
    kind = type(value).__name__.lstrip("_")
    controller = getattr(value, "controller", None) if is_axis(value) or isinstance(value, Counter) else None
    return f"{kind} of {name_of(controller)}" if getattr(controller, "name", None) else kind


def _state(value: Any) -> str:
    if getattr(value, "disabled", False) is True:
        return "disabled"
    active = environment.names().get("ACTIVE_MG")
    return "active" if active and is_group(value) and active.name == value.name else ""


def _print_matching(header: tuple[str, ...], rows: list[tuple[str, ...]], pattern: str, none: str) -> None:
    wanted = set(_matching([row[0] for row in rows], pattern))
    found = [row for row in rows if row[0] in wanted]
    used = [column for column in range(len(header)) if any(row[column] for row in found)]
    columns = [[row[column] for column in used] for row in found]
    print(table([header[column] for column in used], columns) if rows else none)


def _matching(names: list[str], pattern: str) -> list[str]:
    """:raises UsageError: there are names, and none is like that."""
    if not isinstance(pattern, str):
        raise UsageError(f"expected a name or a pattern, got {pattern!r}")
    found = [name for name in names if fnmatch.fnmatchcase(name, pattern)]
    if names and not found:
        raise UsageError(f"nothing is called {pattern!r}{did_you_mean(pattern, names)}")
    return found
