"""`bliss-like --list`: the sessions of the configuration, what they are for, and who has them open. A plain process."""

from __future__ import annotations

import datetime
import re
import shutil
import sys
import textwrap
from itertools import takewhile
from pathlib import Path

from bliss_like.config.config import get_config
from bliss_like.config.lock_holder import Holder
from bliss_like.config.lock_space import LockSpace
from bliss_like.config.node import ConfigNode
from bliss_like.config.references import relative
from bliss_like.data.past import known_store
from bliss_like.errors import DataError
from bliss_like.live.look import Role, wrapped
from bliss_like.session.lock import lock_name, way_in_of

from .style import paint

_COMMAND = re.compile(r"[\s:.]*(Open it with:?)?\s*`?bliss-like -s \S+`?\.?$")


def list_sessions() -> int:
    """Print the sessions; return the exit code.

    :raises ConfigError: there is no configuration.
    """
    config = get_config()
    names = sorted(config.survey.sessions)
    if not names:
        print(f"{relative(str(config.path))} has no session; bliss-like --create NAME begins one")
        return 0
    holders, problem = _holders(names, config.beamline)
    width = max(map(len, names))
    for name in names:
        node = config.survey.entries[name].node
        lines = [_described(node)]
        if included := node.get_inherited("include-sessions"):
            lines.append(f"includes {', '.join(map(str, included))}")
        told = _in_column("\n".join(lines), width + 2)
        if (holder := holders.get(name)) is not None:
            told += [paint(line, Role.GOOD) for line in _in_column("\n".join(_open(name, holder)), width + 2)]
        print(f"{paint(name.ljust(width), Role.HEADING)}  {told[0]}".rstrip())
        for line in told[1:]:
            print(f"{' ' * width}  {line}")
    if problem:
        print(paint(f"not known who has them open: {problem}", Role.DIM))
    return 0


def _in_column(text: str, left: int) -> list[str]:
    """Return the lines of a text that stands behind `left` columns."""
    room = shutil.get_terminal_size().columns - left
    return (wrapped(text, room) if sys.stdout.isatty() and room > 0 else text).split("\n")


def _holders(names: list[str], beamline: str) -> tuple[dict[str, Holder], str]:
    """Return who has sessions open; or why that is not known."""
    try:
        locks = LockSpace(known_store().keys, beamline)
        found = {holder.name: holder for holder in locks.holders([lock_name(name) for name in names])}
        return {name: found[lock_name(name)] for name in names if lock_name(name) in found}, ""
    except DataError as error:
        return {}, str(error)


def _open(name: str, holder: Holder) -> list[str]:
    since = datetime.datetime.fromtimestamp(holder.since).astimezone()
    today = since.date() == datetime.datetime.now().astimezone().date()
    lines = [f"open since {since:{'%H:%M' if today else '%Y-%m-%d %H:%M'}}: {holder.where}"]
    return [*lines, f"shared, to join it: {way_in}"] if (way_in := way_in_of(holder)) else lines


def _described(node: ConfigNode) -> str:
    """Return the comment above a session in its file, in a line."""
    try:
        lines = Path(node.filename).read_text(encoding="utf-8").splitlines()[: node.line - 1]
    except OSError:
        return ""
    above = [
        line.strip().lstrip("#").strip() for line in takewhile(lambda line: line.strip().startswith("#"), lines[::-1])
    ]
    text = " ".join(above[::-1]).partition(". ")[0]
    return textwrap.shorten(_COMMAND.sub("", text), 90, placeholder="...")
