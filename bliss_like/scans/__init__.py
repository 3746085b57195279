"""The standard scans, as people type them; a session gives them all."""

from __future__ import annotations

from .count import ct, loopscan, sct, timescan
from .lookup import lookupscan, pointscan
from .mesh import amesh, dmesh
from .step import a2scan, anscan, ascan, d2scan, dnscan, dscan

__all__ = [
    "a2scan",
    "amesh",
    "anscan",
    "ascan",
    "ct",
    "d2scan",
    "dmesh",
    "dnscan",
    "dscan",
    "lookupscan",
    "loopscan",
    "pointscan",
    "sct",
    "timescan",
]
