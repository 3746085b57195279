"""The standard scans, as people type them; a session gives them all. docs/scans.md shows each."""

from __future__ import annotations

from .adaptive import adaptive_ascan, adaptive_dscan
from .count import ct, loopscan, sct, timescan
from .images import limatake
from .lineup import lineup
from .lookup import lookupscan, pointscan
from .mesh import a3mesh, amesh, anmesh, d3mesh, dmesh, dnmesh
from .monitoring import start_monitoring, stop_all_monitoring, stop_monitoring
from .spiral import aspiral, aspiral_fermat, aspiral_square, dspiral, dspiral_fermat, dspiral_square
from .step import a2scan, a3scan, a4scan, a5scan, anscan, ascan, d2scan, d3scan, d4scan, d5scan, dnscan, dscan

__all__ = [
    "a2scan",
    "a3mesh",
    "a3scan",
    "a4scan",
    "a5scan",
    "adaptive_ascan",
    "adaptive_dscan",
    "amesh",
    "anmesh",
    "anscan",
    "ascan",
    "aspiral",
    "aspiral_fermat",
    "aspiral_square",
    "ct",
    "d2scan",
    "d3mesh",
    "d3scan",
    "d4scan",
    "d5scan",
    "dmesh",
    "dnmesh",
    "dnscan",
    "dscan",
    "dspiral",
    "dspiral_fermat",
    "dspiral_square",
    "limatake",
    "lineup",
    "lookupscan",
    "loopscan",
    "pointscan",
    "sct",
    "start_monitoring",
    "stop_all_monitoring",
    "stop_monitoring",
    "timescan",
]
