"""What files are told by `SCAN_SAVING.writer_options`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, get_args

from bliss_like.errors import SavingError
from bliss_like.hdf5 import Compression


def compression_of(options: Mapping[str, Any]) -> Compression:
    """Return how points are to be compressed.

    :raises SavingError: an option, or its value, is not known.
    """
    known: tuple[Compression, ...] = get_args(Compression)
    chosen = options.get("compression", "auto")
    if chosen not in known:
        raise SavingError(f"expected a compression of {', '.join(known)}, came {chosen!r}")
    if others := sorted(set(options) - {"compression"}):
        raise SavingError(f"expected 'compression', came {', '.join(map(repr, others))}")
    return known[known.index(chosen)]
