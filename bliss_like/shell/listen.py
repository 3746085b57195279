"""`bliss-like listen`: print the events of a session, from any process, as they come.

A listener like any other: it knows the data layer only, and no gevent is in its process.
"""

from __future__ import annotations

import enum
import json
import math
import sys
from collections.abc import Iterator
from typing import Any

import numpy as np

from bliss_like.data.events import EventType, SavedScan
from bliss_like.data.node import DataNode, Event, ScanNode, get_session_node
from bliss_like.errors import DataError

_SCANS = ("scan", "scan_group")
_MANY = 5
"""Points of which a line shows the values; of more, it shows the first and the last."""


class Start(enum.Enum):
    """From where on events are printed."""

    BEGINNING = "beginning"
    LAST_SCAN = "last scan"
    NOW = "now"


def listen(session_name: str, *, start: Start, as_json: bool) -> int:
    """Print a line for each event until Ctrl-C; return the exit code.

    :raises StoreUnavailable: there is no server to listen to.
    :raises DataError: that cannot be the name of a session.
    """
    describe = json_line if as_json else line
    try:
        session = get_session_node(session_name)
    except ValueError as error:
        raise DataError(str(error)) from error
    try:
        for event in events(session, start, Announcement(session_name)):
            print(describe(event), flush=True)
    except KeyboardInterrupt:
        pass
    return 0


class Announcement:
    """Says that nothing new can be missed any more; an event for walks."""

    def __init__(self, session_name: str) -> None:
        self._session_name = session_name

    def set(self) -> None:
        print(f"Listening to session {self._session_name} (Ctrl-C ends)", file=sys.stderr, flush=True)


def events(session: DataNode, start: Start, started: Announcement) -> Iterator[Event]:
    """Yield the events below a session node, from `start` on, for ever."""
    if start is Start.NOW:
        return session.walk_on_new_events(started_event=started)
    past: set[str] = set()
    if start is Start.LAST_SCAN:
        past = set([node.db_name for node in session.walk(_SCANS, wait=False)][:-1])
    return session.walk_events(
        include_filter=lambda node: node.db_name not in past,
        exclude_children=lambda node: node.db_name in past,
        started_event=started,
    )


def line(event: Event) -> str:
    """Return an event as a line for people."""
    words = [f"{event.type.name:13}", event.node.db_name, _details(event)]
    return " ".join(word for word in words if word)


def json_line(event: Event) -> str:
    """Return an event as a line of JSON; a number that JSON does not know (NaN, infinity) is null."""
    node, data = event.node, event.data
    content: dict[str, Any] = {"event": event.type.name, "node": node.db_name, "type": str(node.type)}
    if event.type is EventType.NEW_DATA and data is not None:
        content |= {"first_index": data.first_index, "data": data.data}
    elif event.type is EventType.END_SCAN and data is not None:
        content |= {"state": _state(node), "error": data.data}
    elif event.type is EventType.SAVED_SCAN and data is not None:
        saved: SavedScan = data.data
        content |= {"state": saved.state, "file": saved.file, "entries": list(saved.entries), "error": saved.error}
    else:
        content["info"] = node.info
    return json.dumps(_plain(content), allow_nan=False)


def _details(event: Event) -> str:
    if event.type is EventType.NEW_NODE:
        return f"({event.node.type})"
    if event.type is EventType.NEW_DATA and event.data is not None:
        first, values = event.data.first_index, event.data.data
        return f"[{first}:{first + len(values)}] {_values(values)}"
    if event.type is EventType.END_SCAN and event.data is not None:
        return " ".join(word for word in (_state(event.node), event.data.description) if word)
    if event.type is EventType.SAVED_SCAN and event.data is not None:
        saved: SavedScan = event.data.data
        return saved.place if saved.state == "SAVED" else f"{saved.state} {saved.error}"
    return ""


def _values(points: Any) -> str:
    if len(points) and isinstance(points[0], DataNode):
        return " ".join(node.db_name for node in points)
    if len(points) and np.ndim(points[0]):
        return f"of shape {np.shape(points[0])}"
    shown = [*points[:2], "...", points[-1]] if len(points) > _MANY else points
    return " ".join(_number(float(value)) if isinstance(value, float | np.floating) else str(value) for value in shown)


def _number(value: float) -> str:
    """Return a number as people read it; a time stamp has its milliseconds."""
    return f"{value:.3f}" if 1e6 <= abs(value) < 1e12 else f"{value:.6g}"


def _state(node: DataNode) -> str:
    return node.state.name if isinstance(node, ScanNode) else ""


def _plain(value: Any) -> Any:
    """Return a value as JSON can hold it."""
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(item) for item in value]
    if isinstance(value, np.ndarray | np.generic):
        return _plain(value.tolist())
    if isinstance(value, DataNode):
        return value.db_name
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value if value is None or isinstance(value, bool | int | str) else str(value)
