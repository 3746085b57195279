"""SCAN_SAVING at the prompt: what is set, where it comes from, and what is on the disk."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from bliss_like.config.table import table
from bliss_like.errors import BlissLikeError
from bliss_like.scanning.environment import environment

from .policies.config import NO_WRITER

if TYPE_CHECKING:
    from .saving import ScanSaving


def told(saving: ScanSaving, rows: Sequence[tuple[str, str, str]]) -> str:
    """:param rows: names, values, and where they come from."""
    lines = [("policy", ", ".join([saving.policy, *(f"{name} {value}" for name, value in saving.policy_info())]))]
    try:
        lines += _on_disk(saving)
    except (BlissLikeError, OSError) as error:
        lines.append(("trouble", str(error)))
    width = max(len(name) for name, _ in lines)
    shown = "\n".join(f"{name:{width}}  {text}" for name, text in lines)
    return f"{table(('SCAN_SAVING', '', 'from'), rows)}\n\n{shown}"


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
    free = found.free / 1e9
    low = ", which is little" if found.free / 1e6 < saving.warn_free_mb else ""
    volatile = "; files here are gone when the computer starts again" if found.is_volatile else ""
    lines.append(("disk", f"{free:.1f} GB free{low}{volatile}"))
    return lines
