"""SCAN_SAVING at the prompt: what is set, where it comes from, and what is on the disk."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from bliss_like.errors import BlissLikeError
from bliss_like.scanning.environment import environment

from .policies.config import NO_WRITER

if TYPE_CHECKING:
    from .saving import ScanSaving


_WIDEST = 30
"""Characters that a column of values has at most."""


def told(saving: ScanSaving, rows: Sequence[tuple[str, str, str]]) -> str:
    """:param rows: names, values, and where they come from."""
    lines = [("policy", ", ".join([saving.policy, *(f"{name} {value}" for name, value in saving.policy_info())]))]
    try:
        lines += _on_disk(saving)
    except (BlissLikeError, OSError) as error:
        lines.append(("trouble", str(error)))
    width = max(len(name) for name, _ in lines)
    shown = "\n".join(f"{name:{width}}  {text}" for name, text in lines)
    return f"{_table(rows)}\n\n{shown}"


def _table(rows: Sequence[tuple[str, str, str]]) -> str:
    """Return lines of all rows, long values over the next column, where what they come from stands below."""
    names = max(len(name) for name, _, _ in rows)
    values = min(_WIDEST, max(len(value) for _, value, _ in rows))
    lines = [f"{'SCAN_SAVING':{names}}  {'':{values}}  from", f"{'-' * names}  {'-' * values}  ----"]
    for name, value, origin in rows:
        between = "  " if len(value) <= values else "\n" + " " * (names + values + 4)
        lines.append(f"{name:{names}}  {value:{values}}{between}{origin}")
    return "\n".join(lines)


def _on_disk(saving: ScanSaving) -> list[tuple[str, str]]:
    file = saving.filename
    lines = [("scans", f"below {saving.container}"), ("files", f"in {saving.get_path()}")]
    if file is None:
        lines.append(("writer", f"{NO_WRITER}: nothing is saved but images, by their cameras"))
        return lines
    found = saving.find()
    last = saving.last_number_on_disk() if found.exists else 0
    there = f"exists, last scan {last}" if last else "exists, no scans in it" if found.exists else "not there yet"
    lines.append(("file", f"{file} ({there})"))
    saver = environment.saver if environment.scan_saving is saving else None
    lines.append(("writer", f"{saving.writer}, {saver.told()}" if saver is not None else saving.writer))
    free = f"{found.free / 1e9:.1f} GB" if found.free >= 1e9 else f"{found.free / 1e6:.0f} MB"
    low = ", which is little" if found.free / 1e6 < saving.warn_free_mb else ""
    volatile = "; files here are gone when the computer starts again" if found.is_volatile else ""
    lines.append(("disk", f"{free} free{low}{volatile}"))
    return lines
