"""Follow the scans of a session by callbacks: an observer is told what happens, in the order in which it happens."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from .channel_node import ChannelNode, NodeRefChannel
from .events import EventType, NodeKind, SavedScan
from .image_node import ImageNode
from .node import DataNode, ScanNode, get_session_node
from .patience import patiently
from .store import StreamStore
from .threads import begin_thread
from .walk import Event, StopHandler

_log = logging.getLogger(__name__)


class ScansObserver:
    """Overload what you want to hear of. An exception in one of these is logged and the watch goes on."""

    def on_scan_created(self, scan_db_name: str, scan_info: dict[str, Any]) -> None:
        """A scan appeared; `scan_info` is what is known before its devices are prepared."""

    def on_child_created(self, scan_db_name: str, node: DataNode) -> None:
        """A node of a scan (master, channel) appeared."""

    def on_scan_started(self, scan_db_name: str, scan_info: dict[str, Any]) -> None:
        """All devices of the scan are prepared."""

    def on_scalar_data_received(self, scan_db_name: str, channel_name: str, index: int, data_bunch: Any) -> None:
        """New points of a channel of scalars: shape (npoints,), the first of them has this index."""

    def on_ndim_data_received(
        self, scan_db_name: str, channel_name: str, dim: int, index: int, data_bunch: Any
    ) -> None:
        """New points of a channel of arrays with `dim` dimensions: shape (npoints, *shape)."""

    def on_lima_ref_received(self, scan_db_name: str, channel_name: str, index: int, references: Any) -> None:
        """New images that files have; each of the `references` has `file`, `path`, `index` and `read()`."""

    def on_scan_finished(self, scan_db_name: str, scan_info: dict[str, Any]) -> None:
        """The scan is over; its state and the times and positions at its end are in `scan_info`."""

    def on_scan_saved(self, scan_db_name: str, saved: SavedScan) -> None:
        """The writer is done with the scan: `saved` says in which file it is, or why it is in none."""


class ScansWatcher:
    """Watches the scans of one session; runs in the thread, greenlet or process that calls `run`."""

    def __init__(self, session_name: str, store: StreamStore | None = None) -> None:
        self._session_name, self._store = session_name, store
        self._observer = ScansObserver()
        self._only_new = True
        self._groups = False
        self._handler = StopHandler()
        self._ready = threading.Event()

    def set_observer(self, observer: ScansObserver) -> None:
        self._observer = observer

    def set_exclude_existing_scans(self, exclude: bool) -> None:
        """Whether to leave out scans that are there already; by default they are left out."""
        self._only_new = exclude

    def set_watch_scan_group(self, watch: bool) -> None:
        """Whether to report groups and sequences like scans; by default they are left out."""
        self._groups = watch

    def run(self) -> None:
        """Watch until `stop` is called."""
        node = get_session_node(self._session_name, self._store)
        arguments: dict[str, Any] = {"stop_handler": self._handler, "started_event": self._ready}
        walk = node.walk_on_new_events if self._only_new else node.walk_events
        for event in walk(**arguments):
            try:
                scan = patiently(lambda node=event.node: node.scan, self._handler)  # type: ignore[misc]
                if scan is not None and (scan.type is not NodeKind.SCAN_GROUP or self._groups):
                    self._notify(event, scan)
            except Exception:
                _log.exception("observer of session %s failed in %s", self._session_name, event.type.name)

    def stop(self) -> None:
        """Make `run` return."""
        self._handler.stop()

    def wait_ready(self, timeout: float | None = None) -> None:
        """Wait until no new scan can be missed any more.

        :raises TimeoutError: that took longer than `timeout` seconds.
        """
        end = None if timeout is None else time.monotonic() + timeout
        while not self._ready.is_set():  # polled: waiting for the event would stop all greenlets of a patched process
            if end is None or time.monotonic() < end:
                time.sleep(0.005)
                continue
            raise TimeoutError(
                f"watcher of session {self._session_name}: not ready after {timeout} s; was run() called?"
            )

    @contextmanager
    def watch(self) -> Iterator[ScansWatcher]:
        """Watch in a thread while the context is open."""
        self._handler, self._ready = StopHandler(), threading.Event()  # those of a former watch are used up
        thread = begin_thread(self.run, f"watch {self._session_name}")
        self.wait_ready(10)
        try:
            yield self
        finally:
            self.stop()
            thread.join()

    def _notify(self, event: Event, scan: ScanNode) -> None:
        observer, name = self._observer, scan.db_name
        match event.type:
            case EventType.NEW_NODE if event.node == scan:
                observer.on_scan_created(name, self._info_of(scan))
            case EventType.NEW_NODE:
                observer.on_child_created(name, event.node)
            case EventType.PREPARED_SCAN:
                observer.on_scan_started(name, self._info_of(scan))
            case EventType.END_SCAN:
                observer.on_scan_finished(name, self._info_of(scan))
            case EventType.SAVED_SCAN if event.data:
                observer.on_scan_saved(name, event.data.data)
            case EventType.NEW_DATA if isinstance(event.node, ChannelNode) and event.data:
                self._notify_data(event.node, name, event.data.first_index, event.data.data)

    def _info_of(self, scan: ScanNode) -> dict[str, Any]:
        return patiently(lambda: scan.info, self._handler)

    def _notify_data(self, channel: ChannelNode, scan: str, index: int, points: Any) -> None:
        if isinstance(channel, ImageNode) and channel.is_saved:
            self._observer.on_lima_ref_received(scan, channel.name, index, points)
        elif channel.shape == () or isinstance(channel, NodeRefChannel):
            self._observer.on_scalar_data_received(scan, channel.name, index, points)
        else:
            self._observer.on_ndim_data_received(scan, channel.name, len(channel.shape), index, points)
