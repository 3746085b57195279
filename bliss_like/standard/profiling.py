"""Where the time of scans goes: `metadata_profiling`."""

from __future__ import annotations

from bliss_like.config.table import table
from bliss_like.scanning.scan_meta import get_user_scan_meta

from .arguments import verb


@verb("")
def metadata_profiling() -> None:
    """Show how long each piece of metadata took in the last scan, the slowest first; all are gathered side by side.

    `get_user_scan_meta().metadata_profiling()` returns it.
    """
    seconds = get_user_scan_meta().metadata_profiling()
    rows = [(name, f"{took * 1e3:.3f}") for name, took in seconds.items()]
    print(table(("metadata", "ms"), rows) if rows else "No scan has gathered metadata yet.")
