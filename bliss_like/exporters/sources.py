"""The events of scans that are in a store: those that were, and those to come."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from bliss_like.data import past
from bliss_like.data.events import EndScan, NewData, NewNode, PreparedScan, WireEvent
from bliss_like.data.node import ScanNode
from bliss_like.data.scan_data import means
from bliss_like.data.walker import Walker
from bliss_like.errors import ExportError, UsageError


def nodes_of(scan: Any) -> list[ScanNode]:
    """Return the nodes of a scan, a node, a number, a name..., or of several.

    :raises ExportError: that is no scan.
    :raises NodeNotFound: neither the store nor the catalogue has it.
    """
    try:
        return past.nodes_of(scan)
    except UsageError as error:
        raise ExportError(str(error)) from None


def events_of(nodes: Iterable[ScanNode], channels: Sequence[str] = (), *, live: bool = False) -> Iterator[WireEvent]:
    """Yield the events of scans, one scan after the other.

    :param channels: names, short names or patterns of those to have; none: all.
    :param live: wait for what is to come until a scan has ended.
    """
    for node in nodes:
        new = node.structure.refresh().scan
        if new is not None:
            yield new
        events: Iterator[WireEvent] = Walker(node.store, node.db_name).events(wait=live)
        yield from chosen(events, channels) if channels else events


def chosen(events: Iterable[WireEvent], channels: Sequence[str]) -> Iterator[WireEvent]:
    """Yield events of one scan without those of channels that nobody has asked for.

    :raises ExportError: nothing in the scan has one of these names.
    """
    left_out: dict[str, str] = {}
    known: list[str] = []
    found: set[str] = set()
    for event in events:
        if isinstance(event, NewNode) and event.kind.is_channel:
            name = str(event.info.get("fullname", event.path))
            known.append(name)
            fitting = {pattern for pattern in channels if means(pattern, name)}
            found |= fitting
            if not fitting:
                left_out[event.path] = name
                continue
        elif isinstance(event, NewData) and event.path in left_out:
            continue
        elif isinstance(event, PreparedScan) and (unknown := [name for name in channels if name not in found]):
            raise ExportError(
                f"scan {event.path}: no channel is, or fits, {', '.join(unknown)}; there are {', '.join(known) or 'none'}"
            )
        elif isinstance(event, EndScan):
            event = replace(event, lengths={k: v for k, v in event.lengths.items() if k not in left_out})
        yield event
