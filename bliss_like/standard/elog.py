"""`elog_print elog_add elog_plot`: notes for the electronic logbook of the session."""

from __future__ import annotations

from typing import Any

from bliss_like.data.node import ScanNode
from bliss_like.devices.numbers import brief
from bliss_like.errors import SessionError, UsageError
from bliss_like.scanning.environment import environment
from bliss_like.scanning.scan import Scan

from .arguments import verb
from .plot import plot_text

COLUMNS, LINES = 80, 18
"""Size of a plot: that of a page."""
MOST_ROWS = 400
"""Lines of a table."""


@verb("text, ..., sep=' '")
def elog_print(*text: Any, sep: str = " ") -> None:
    """Note a comment; the arguments are as for `print`.

    ::

        elog_print("beam is back, new sample:", SAMPLE.name)

    :raises SessionError: the session has no logbook.
    """
    comment = sep.join(map(str, text))
    if not comment.strip():
        raise UsageError("expected something to note, got nothing")
    _logbook().comment(comment)


@verb("index=-1")
def elog_add(index: Any = -1) -> None:
    """Note what a command has printed, or the table of a scan.

    ::

        wa()
        elog_add()
        elog_add(SCANS[-1])

    :param index: -1 is the last command; a number above 0 is that of its prompt, `[12]`. A scan that is over, or its node: its table, and
        its peaks. A text: that, as it is, such as the table of `LiveTable(logbook=elog_add)`.
    :raises SessionError: the session has no logbook.
    """
    if isinstance(index, int) and not isinstance(index, bool):
        _logbook().add_output(index)
    elif isinstance(index, str) and "\n" in index:
        _logbook().add_text(index)
    elif isinstance(index, Scan | ScanNode):
        _logbook().add_text(_table(index), f"{index.name}")
    else:
        raise UsageError(
            f"index: expected a whole number, -1 for the last command, or a scan, as in elog_add(SCANS[-1]), got {brief(index)}"
        )


def _table(scan: Scan | ScanNode) -> str:
    """Return the table of a scan, of very many rows the first and the last ones, and what is told of its peaks."""
    from bliss_like.live import LiveStats, LiveTable, feed  # take their time to load
    from bliss_like.live.ending import ending

    lines: list[str] = []
    stats = LiveStats()
    feed(scan, LiveTable(width=COLUMNS, out=lines.append, repeated=0), stats)
    lines += ending(stats, COLUMNS, how_to_go=False)
    if (hidden := len(lines) - MOST_ROWS) > 0:
        half = MOST_ROWS // 2
        lines[half:-half] = [f"{hidden} lines between these; the data have all of them"]
    return "\n".join(lines)


@verb("counter=None, axis=None, scan=None, *, fit=None")
def elog_plot(counter: Any = None, axis: Any = None, scan: Any = None, *, fit: Any = None) -> None:
    """Note the last scan, or the one that runs, as a plot of characters; the arguments are as for `plot`.

    :raises SessionError: the session has no logbook.
    """
    logbook = _logbook()
    logbook.plot(plot_text(counter, axis, scan, fit=fit, width=COLUMNS, height=LINES))


def _logbook() -> Any:
    if environment.logbook is None:
        raise SessionError("a logbook needs a session, there is none: session.setup() comes first")
    return environment.logbook
