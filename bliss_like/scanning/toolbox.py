"""`bliss.scanning.toolbox`: what standard scans are built with."""

from .chain_nodes import ChainBuilder
from .default_chain import DefaultAcquisitionChain

__all__ = ["ChainBuilder", "DefaultAcquisitionChain"]
