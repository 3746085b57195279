"""Callbacks where no session feeds them: on past scans, and from outside on those of a session that runs in another process."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import replace
from typing import Any

from bliss_like.data.callbacks import Callback, callback_for, check_callback, name_of_callback
from bliss_like.data.channel_node import ChannelNode, channel_node
from bliss_like.data.events import EndScan, NewData, NewNode, NodeKind, SavedScan, WireEvent
from bliss_like.data.node import ScanNode, get_session_node
from bliss_like.data.past import nodes_of
from bliss_like.data.process import is_gone
from bliss_like.data.replay import replay_events
from bliss_like.data.saving import saved
from bliss_like.data.scan_info import to_be_saved
from bliss_like.data.store import StreamStore
from bliss_like.data.structure import ScanStructure
from bliss_like.data.walker import Walker
from bliss_like.errors import NodeNotFound, UsageError

_log = logging.getLogger(__name__)

Stop = Callable[[], bool]


def feed(scan: Any, *callbacks: Any, speed: float | None = None, stop_handler: Stop | None = None) -> None:
    """Run callbacks on a past scan, as if it ran now.

    Callbacks are what `subscribe` takes. One that fails hears no more of that scan, the others go on; the first error is raised
    when all have had the scan. Of a sequence or a group they are fed the scans, too, each at its place and once. The node of
    each says that it is a replay of itself (`replay_of`).

    :param scan: a scan, its node, number, name, uid, a file or a place in one (`data.h5::12.1`), or several of these.
    :param speed: 1 is the pace at which it ran, 2 twice as fast; None does not wait.
    :param stop_handler: a function that tells whether to end.
    :raises UsageError: something is no scan, no callback, or no speed.
    :raises NodeNotFound: neither the store nor a file has the scan.
    """
    audience, fed = _Audience(callbacks, "feed"), set[str]()
    for node in nodes_of(scan):
        _feed(node, audience, fed, speed, stop_handler)
    if audience.error is not None:
        raise audience.error


def _feed(node: ScanNode, audience: _Audience, fed: set[str], speed: float | None, stop_handler: Stop | None) -> None:
    """Tell of a scan, and inside of it of the scans that it refers to, unless they are among those `fed` before."""
    uid = str(node.info.get("uid") or node.db_name)
    if uid in fed:
        return
    fed.add(uid)
    references: dict[str, ChannelNode] = {}
    for event in replay_events(node, speed, stop_handler):
        if isinstance(event, NewNode) and event.path == node.db_name:
            event = replace(event, info={**event.info, "replay_of": {"uid": uid, "db_name": node.db_name}})
        elif isinstance(event, NewNode) and event.kind is NodeKind.NODE_REF_CHANNEL:
            references[event.path] = channel_node(node.store, event, node.structure)
        audience.accept(event)
        if isinstance(event, NewData) and event.path in references:
            for name, member in zip(event.values, references[event.path].as_data(event.values), strict=True):
                if isinstance(member, ScanNode):
                    _feed(member, audience, fed, speed, stop_handler)
                else:
                    _log.warning("%s: its scan %s is nowhere any more, and left out", node.db_name, name)
    said = saved(node.store, [node.db_name])[0]
    if said is not None and not (stop_handler and stop_handler()):
        audience.accept(said)
    audience.forget(node.db_name)


def follow(session_name: str, *callbacks: Any, stop_handler: Stop | None = None, started_event: Any = None) -> None:
    """Run callbacks on the scans of a session while they run in another process; return when `stop_handler` says so.

    Scans that run when it begins are told from their beginning. A callback that fails is logged, and hears no more of that scan. When
    callbacks are slower than the scan, more points come in one event; none is left out as long as the server has it.

    :param stop_handler: a function that tells whether to end; asked a few times a second. Ctrl-C ends it, too.
    :param started_event: something with `set()`, which is called when no new scan can be missed any more.
    :raises UsageError: something is no callback.
    :raises StoreUnavailable: the server does not answer; one that goes away later is waited for.
    """
    audience = _Audience(callbacks, "follow", goes_on=True)
    for event in events_of_session(session_name, stop_handler, started_event):
        audience.accept(event)


def events_of_session(
    session_name: str,
    stop_handler: Stop | None = None,
    started_event: Any = None,
    *,
    store: StreamStore | None = None,
) -> Iterator[WireEvent]:
    """Yield the events of a session's scans, those that run now from their beginning; arguments as for `follow`.

    They are those that a subscriber in the session is given: the node of a scan has all that was known of it at its start.
    """
    root = get_session_node(session_name, store)
    walker = Walker(root.store, root.db_name)
    walker.start_now(running=True)
    if started_event is not None:
        started_event.set()
    for event in walker.events(stopped=stop_handler or (lambda: False)):
        if not isinstance(event, NewNode) or event.scan:
            yield event
        elif event.kind.is_scan:
            with suppress(NodeNotFound):  # its time was over between the two looks
                structure = ScanStructure(root.store, event.path).refresh()
                if structure.scan is not None and (structure.end or not is_gone(structure.info)):
                    yield structure.scan


class _Audience:
    """Callbacks that are called one after the other, in place.

    :param goes_on: it does, for ever: errors are logged, scans that are over are forgotten. Else the first error is kept.
    """

    def __init__(self, callbacks: Iterable[Any], name: str, goes_on: bool = False) -> None:
        self._callbacks, self._goes_on = tuple(callbacks), goes_on
        self.error: BaseException | None = None
        self._calls: dict[str, list[tuple[Any, Callback]]] = {}
        """Callbacks and their functions by the scan that they follow, as long as they do."""
        self._scan_of: dict[str, str] = {}
        self._never_saved: set[str] = set()
        if not callbacks:
            raise UsageError(f"{name}: expected at least one callback: a function f(event), LiveTable()...")
        for callback in self._callbacks:
            check_callback(callback)

    def accept(self, event: WireEvent) -> None:
        scan = self._scan_of.get(event.path, event.path)
        if isinstance(event, NewNode) and event.kind.is_scan:
            self._begin(event)
        elif isinstance(event, NewNode):
            scan = self._scan_of[event.path] = event.scan
        for callback, call in list(self._calls.get(scan, ())):
            self._attempt(scan, callback, lambda call=call: call(event))  # type: ignore[misc]
        if self._goes_on and (
            isinstance(event, SavedScan) or (isinstance(event, EndScan) and scan in self._never_saved)
        ):
            self.forget(scan)

    def forget(self, scan: str) -> None:
        self._calls.pop(scan, None)
        self._never_saved.discard(scan)
        self._scan_of = {path: other for path, other in self._scan_of.items() if other != scan}

    def _begin(self, node: NewNode) -> None:
        self._calls[node.path] = []
        if not to_be_saved(node.info):
            self._never_saved.add(node.path)
        for callback in self._callbacks:
            made: list[Callback | None] = []
            self._attempt(node.path, callback, lambda: made.append(callback_for(callback, node)))  # noqa: B023  called now
            self._calls[node.path] += [(callback, call) for call in made if call is not None]

    def _attempt(self, scan: str, callback: Any, call: Callable[[], object]) -> None:
        try:
            call()
        except Exception as error:
            self._calls[scan] = [pair for pair in self._calls.get(scan, ()) if pair[0] is not callback]
            name = name_of_callback(callback)
            if self._goes_on:
                _log.error("scan %s: callback %s hears no more of it: %s: %s", scan, name, type(error).__name__, error)
            else:
                error.add_note(f"(in callback {name}, at scan {scan})")
                self.error = self.error or error
