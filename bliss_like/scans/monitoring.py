"""Counters that are watched in the background; a wrong call is answered with the usage."""

from __future__ import annotations

from bliss_like.scanning import monitoring

from .command import scan_command

__all__ = ["start_monitoring", "stop_all_monitoring", "stop_monitoring"]

start_monitoring = scan_command(monitoring.start_monitoring)
stop_monitoring = scan_command(monitoring.stop_monitoring)
stop_all_monitoring = monitoring.stop_all_monitoring
