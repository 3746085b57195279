"""A past scan, as somebody would have it who has followed it."""

from __future__ import annotations

from typing import Any

import numpy as np

from bliss_like.data.channel_node import ChannelNode
from bliss_like.data.events import NewNode
from bliss_like.data.node import ScanNode
from bliss_like.errors import UsageError

from .scan import LiveChannel, LiveScan


def scan_of(given: Any, *, fields: bool = False) -> LiveScan:
    """Return what is known of a scan, with the points of its scalars; of one that still runs, those that are there.

    :param given: a scan or its node.
    :param fields: whether the last spectrum and the last image are wanted, too.
    :raises UsageError: it is neither.
    :raises DataError: its points are nowhere any more.
    """
    node = given if isinstance(given, ScanNode) else getattr(given, "node", None)
    if not isinstance(node, ScanNode):
        raise UsageError(f"expected a scan or its node, as SCANS[-1], got {given!r:.80}")
    channels = node.channels()
    most = max((len(channel) for channel in channels), default=0)
    scan = LiveScan.of(NewNode(node.db_name, node.type, node.info), limit=max(1, most))
    for channel in channels:
        scan.accept(NewNode(channel.db_name, channel.type, channel.info, scan.path))
        live = scan.channels.get(channel.db_name)
        if live is not None and len(channel) and (live.is_scalar or fields):
            _fill(live, channel)
    scan.end = node.structure.end
    return scan


def _fill(live: LiveChannel, node: ChannelNode) -> None:
    if live.is_scalar:
        live.extend(node.first_available, np.asarray(node[node.first_available :]))
    else:
        live.length = len(node)
        live.last = node.get(live.length - 1)
