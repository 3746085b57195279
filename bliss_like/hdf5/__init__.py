"""Growing HDF5 files: whole at every moment for whoever opens them, also after the writer was killed or the disk was full.

A `GrowingFile` keeps in memory what HDF5 changes until `commit` brings it to disk in one go. Readers need nothing special.
"""

from __future__ import annotations

from .chunks import Compression, can_grow
from .dataset import GrowingDataset
from .file import GrowingFile, set_file_name

__all__ = ["Compression", "GrowingDataset", "GrowingFile", "can_grow", "set_file_name"]
