"""The standard scans, as people type them; a session gives them all."""

from __future__ import annotations

from .adaptive import adaptive_ascan, adaptive_dscan
from .count import ct, loopscan, sct, timescan
from .lineup import lineup
from .lookup import lookupscan, pointscan
from .mesh import amesh, dmesh
from .step import a2scan, anscan, ascan, d2scan, dnscan, dscan

__all__ = [
    "a2scan",
    "adaptive_ascan",
    "adaptive_dscan",
    "amesh",
    "anscan",
    "ascan",
    "ct",
    "d2scan",
    "dmesh",
    "dnscan",
    "dscan",
    "lineup",
    "lookupscan",
    "loopscan",
    "pointscan",
    "sct",
    "timescan",
]
