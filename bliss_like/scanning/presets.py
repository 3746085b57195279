"""What people hang into scans: presets, a watchdog, a progress display."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cached_property
from time import monotonic
from typing import TYPE_CHECKING, Any

import gevent

from bliss_like.devices.counter import Counter

from .channel import AcquisitionChannel, Array

if TYPE_CHECKING:
    from bliss_like.data.channel_node import ChannelNode

    from .chain import AcquisitionChain
    from .scan import Scan

DataCallback = Callable[[Counter, str, Array], object]
"""Called with a counter, the name of one of its channels, and the block just emitted, shape (npoints, *shape)."""


class ScanPreset:
    """Does something before and after a scan. `stop` is called whenever `prepare` was, however the scan ends."""

    acq_chain: AcquisitionChain | None = None
    """That of the scan that it was added to."""

    def prepare(self, scan: Scan) -> None:
        """Called before the devices are prepared; the scan has its number."""

    def start(self, scan: Scan) -> None:
        """Called when the devices are prepared, before they start."""

    def stop(self, scan: Scan) -> None:
        """Called when the devices are stopped, before the end of the scan is published."""

    def connect_data_channels(self, counters: Iterable[Counter], callback: DataCallback) -> None:
        """Call `callback` with the data of `counters` while they are acquired; what it raises ends the scan.

        To be called in `prepare`.
        """
        self._wanted = [*getattr(self, "_wanted", ()), (list(counters), callback)]

    def connect_to(self, scan: Scan) -> None:
        """Connect what `connect_data_channels` asked for to the channels of `scan`."""
        for counters, callback in getattr(self, "_wanted", ()):
            for node in scan.acq_chain.nodes_list:
                for counter, channels in node._counters.items():
                    for channel in channels if counter in counters else ():
                        channel.connect(_to_data_callback(counter, callback))
        self._wanted = []


def _to_data_callback(counter: Counter, callback: DataCallback) -> Callable[[AcquisitionChannel, Array], object]:
    return lambda channel, block: callback(counter, channel.name, block)


class ChainPreset:
    """Does something around the acquisition of one chain, or of what is below one of its top masters."""

    def get_iterator(self, chain: AcquisitionChain) -> Iterator[ChainIterationPreset] | None:
        """Yield a preset for each iteration, if iterations matter."""

    def prepare(self, chain: AcquisitionChain) -> None:
        """Called before the devices are prepared for the first time."""

    def start(self, chain: AcquisitionChain) -> None:
        """Called before the devices are started for the first time."""

    def before_stop(self, chain: AcquisitionChain) -> None:
        """Called at the end, before the devices are stopped."""

    def stop(self, chain: AcquisitionChain) -> None:
        """Called at the end, when the devices are stopped."""


class ChainIterationPreset:
    """Does something around one iteration of a chain."""

    def prepare(self) -> None:
        """Called before the devices are prepared for this iteration."""

    def start(self) -> None:
        """Called before the devices are started for this iteration."""

    def stop(self) -> None:
        """Called when this iteration is over."""


class WatchdogCallback:
    """Looks at a scan while it runs, and may end it: by StopIteration cleanly, by any other exception with that error.

    :param watchdog_timeout: seconds without data after which `on_timeout` is called.
    """

    def __init__(self, watchdog_timeout: float = 1.0) -> None:
        self.timeout = watchdog_timeout

    def on_scan_new(self, scan: Scan, scan_info: Mapping[str, Any]) -> None:
        """Called when the scan is prepared."""

    def on_scan_data(
        self,
        data_events: Mapping[AcquisitionChannel, int],
        nodes: Mapping[AcquisitionChannel, ChannelNode],
        scan_info: Mapping[str, Any],
    ) -> None:
        """Called with the channels that got data since the last call and their numbers of points so far.

        :param nodes: where to read the data of each channel of the scan, e.g. `nodes[channel].get(-1)`.
        """

    def on_timeout(self) -> None:
        """Called when no data came for `watchdog_timeout` seconds."""

    def on_scan_end(self, scan_info: Mapping[str, Any]) -> None:
        """Called when the scan is over."""


def keep_watch(watchdog: WatchdogCallback, scan: Scan) -> None:
    """Let a watchdog look at a scan from time to time; end the scan well when it wants that.

    :raises Exception: what it raises otherwise.
    """
    seen: dict[AcquisitionChannel, int] = {}
    nodes = ChannelNodes(scan)
    last = monotonic()
    try:
        while True:
            gevent.sleep(min(0.1, watchdog.timeout / 2))
            news = {channel: channel.length for channel in scan.channels if channel.length != seen.get(channel, 0)}
            if news:
                seen.update(news)
                last = monotonic()
                watchdog.on_scan_data(news, nodes, scan.scan_info)
            elif monotonic() - last >= watchdog.timeout:
                last = monotonic()
                watchdog.on_timeout()
    except StopIteration:
        scan.end(None)


class ChannelNodes(Mapping[AcquisitionChannel, "ChannelNode"]):
    """The nodes of the channels of a running scan; nothing is asked of the store before one is wanted."""

    def __init__(self, scan: Scan) -> None:
        self._scan = scan

    def __getitem__(self, channel: AcquisitionChannel) -> ChannelNode:
        return self._nodes[channel]

    def __iter__(self) -> Iterator[AcquisitionChannel]:
        return iter(self._nodes)

    def __len__(self) -> int:
        return len(self._nodes)

    @cached_property
    def _nodes(self) -> dict[AcquisitionChannel, ChannelNode]:
        if self._scan.publisher is not None:
            self._scan.publisher.flush()  # what was announced may be on its way
        by_path = {node.db_name: node for node in self._scan.node.channels()}
        return {channel: by_path[channel.path] for channel in self._scan.channels if channel.path}


class ScanProgress:
    """Shows how far a scan is, at most ten times a second.

    :param tracked_channels: full or short names of the channels to look at; all when None.
    """

    PERIOD = 0.1

    def __init__(self, tracked_channels: Iterable[str] | None = None) -> None:
        self.tracked_channels = None if tracked_channels is None else list(tracked_channels)
        self.data: dict[str, Any] = {}
        self._next = 0.0

    def scan_new_callback(self, scan: Scan) -> None:
        """Called when the scan is prepared."""

    def progress_callback(self) -> None:
        """Called when `data`, the last values by channel name, have changed."""

    def scan_end_callback(self) -> None:
        """Called when the scan is over."""

    def begin(self, scan: Scan) -> None:
        """Follow a scan that is about to start."""
        self.data = {}
        self._next = 0.0
        for channel in scan.channels:
            if self.tracked_channels is None or {channel.name, channel.short_name} & set(self.tracked_channels):
                channel.connect(self._on_data)
        self.scan_new_callback(scan)

    def on_signal(self, data: Mapping[str, Any]) -> None:
        """Take what an acquisition object says of its progress."""
        self.data.update(data)
        self._show()

    def end(self) -> None:
        self.progress_callback()
        self.scan_end_callback()

    def _on_data(self, channel: AcquisitionChannel, block: Array) -> None:
        self.data[channel.name] = block[-1]
        self._show()

    def _show(self) -> None:
        now = monotonic()
        if now >= self._next:
            self._next = now + self.PERIOD
            self.progress_callback()
