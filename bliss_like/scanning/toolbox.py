"""`bliss.scanning.toolbox`: what standard scans are built with."""

from .chain_nodes import ChainBuilder
from .default_chain import DefaultAcquisitionChain
from .default_chain import counters_for as get_all_counters

__all__ = ["ChainBuilder", "DefaultAcquisitionChain", "get_all_counters"]
