"""Scans that died with their process: told at the next start of their session, once, with the way back for their axes."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

from bliss_like.data.counting import counted, npoints_of
from bliss_like.data.events import NodeKind
from bliss_like.data.orphans import note_told_deaths, untold_deaths
from bliss_like.data.store import StreamStore
from bliss_like.data.structure import ScanStructure
from bliss_like.devices import inquiry
from bliss_like.devices.inquiry import Reading
from bliss_like.devices.naming import name_of
from bliss_like.devices.numbers import place, rounded
from bliss_like.errors import NodeNotFound

MOST = 10
"""Scans that are told of, those that began last."""


def tell_deaths(store: StreamStore, session: str, axes: Iterable[Any], how: str) -> list[str]:
    """Return a sentence for each scan of a session that died and was not told of yet, the oldest first.

    :param axes: those of the session; the ones that a scan would have brought back are asked where they are.
    :param how: whether it is going to be LOGGED or TOLD.
    """
    names = untold_deaths(store, session, how)
    if not names:
        return []
    scans = sorted(_known(store, names), key=lambda scan: _number(scan.info.get("start_timestamp")))
    before = len(scans) - MOST
    scans = scans[-MOST:]
    wanted = {name for scan in scans for name in _places(scan)}
    asked = [axis for axis in axes if name_of(axis) in wanted]
    readings = {name_of(reading.axis): reading for reading in inquiry.read(asked)} if asked else {}
    sentences = [_sentence(scan, readings) for scan in scans]
    if before > 0:
        sentences.insert(0, f"{before} scan{'s' if before > 1 else ''} before these were cut off, too.")
    note_told_deaths(store, session, names, how)
    return sentences


def _known(store: StreamStore, names: Iterable[str]) -> Iterable[ScanStructure]:
    """Yield those that people remember: neither monitoring in the background, nor replays, nor what is long gone."""
    for name in names:
        try:
            scan = ScanStructure(store, name).refresh()
        except NodeNotFound:
            continue
        if not scan.info.get("monitoring") and not scan.info.get("replay_of"):
            yield scan


def _sentence(scan: ScanStructure, readings: Mapping[str, Reading]) -> str:
    return f"{_label(scan)} was cut off {_length(scan)}{_whereabouts(_places(scan), readings)}."


def _places(scan: ScanStructure) -> dict[str, float]:
    """Return where axes were to be brought back to; anybody may have changed the info."""
    told = scan.info.get("restore_positions")
    return (
        {name: float(place) for name, place in told.items() if _number(place) == place}
        if isinstance(told, dict)
        else {}
    )


def _number(told: Any) -> float:
    """Return a number of an info, 0 if it is none."""
    return float(told) if isinstance(told, int | float) and math.isfinite(told) else 0.0


def _label(scan: ScanStructure) -> str:
    """Return `Scan 12 (dscan: ascan roby 0 2 20 0.1)`: a title has absolute positions."""
    info, what = scan.info, "Sequence" if _is_group(scan) else "Scan"
    number = f" {info['scan_nb']}" if info.get("save", True) and info.get("scan_nb") else ""
    title, kind = str(info.get("title", "")), str(info.get("type") or "")
    return f"{what}{number} ({title if title.startswith(kind) else f'{kind}: {title}'})"


def _is_group(scan: ScanStructure) -> bool:
    return scan.scan is not None and scan.scan.kind is NodeKind.SCAN_GROUP


def _length(scan: ScanStructure) -> str:
    is_group = _is_group(scan)
    kind = "scan" if is_group else "point"
    length = npoints_of(scan.end.lengths if scan.end else {}, scan.path, is_whole=is_group)
    wanted = int(_number(scan.info.get("npoints")))
    if not length:
        return f"before its first {kind}"
    return f"after its last {kind}" if length == wanted else f"at {counted(length, kind, wanted)}"


def _whereabouts(places: Mapping[str, float], readings: Mapping[str, Reading]) -> str:
    """Return where axes stood, are, and how they come back; empty when none was to be brought back."""
    facts: list[str] = []
    back: list[str] = []
    for name, before in places.items():
        reading = readings.get(name)
        if reading is None:
            facts.append(f"{name} stood at {before:.10g} before it, and is not in this session")
            continue
        now = _now(reading, before)
        facts.append(f"{name} stood at {place(reading.axis, before)} before it, {now}")
        if now != _IS_BACK:
            back.append(f"{name}, {before:.10g}")
    if back:
        facts.append(f"mv({', '.join(back)}) brings {'it' if len(back) == 1 else 'them'} back")
    return "".join(f"; {fact}" for fact in facts)


_IS_BACK = "and is there"


def _now(reading: Reading, before: float) -> str:
    if reading.problem:
        return f"where it is now is not known: {reading.problem.rstrip('.')}"
    at, moves = rounded(reading.axis, reading.user), reading.state is not None and "MOVING" in reading.state
    if at == rounded(reading.axis, before) and not moves:
        return _IS_BACK
    return f"it {'still moves, and ' if moves else ''}is at {place(reading.axis, float(at))}"
