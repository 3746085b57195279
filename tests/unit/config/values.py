"""Values of all kinds that a setting can hold, for property-based tests; and whether one came back as it was."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.complex_numbers()
    | st.text()
    | st.binary()
    | st.sampled_from(["0001", "None", "True", "1e5", "$array", "", "nan", "\x00", "ä{}"])
)
KEYS = st.text(max_size=6) | st.sampled_from(["$bytes", "$dict", "$", "$float"])
DTYPES = st.sampled_from(
    ["?", "i1", "<i4", ">u2", "u8", "<f2", "<f4", "f8", ">f8", "c8", "U3", "S4", "M8[ms]", "m8[s]"]
)
ARRAYS = DTYPES.flatmap(lambda dtype: arrays.arrays(dtype, arrays.array_shapes(min_dims=0, min_side=0, max_side=3)))

PYTHON_VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=8,
)
VALUES = st.recursive(
    SCALARS | ARRAYS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=6,
)


def came_back(sent: Any, received: Any) -> bool:
    """Return whether a value is of the same type and equal, NaN equal to NaN, bit by bit for arrays."""
    if isinstance(sent, np.ndarray):
        same = isinstance(received, np.ndarray) and (sent.dtype, sent.shape) == (received.dtype, received.shape)
        return same and sent.tobytes() == received.tobytes()
    if type(sent) is not type(received):
        return False
    if isinstance(sent, list):
        return len(sent) == len(received) and all(map(came_back, sent, received))
    if isinstance(sent, dict):
        return list(sent) == list(received) and all(came_back(sent[key], received[key]) for key in sent)
    return repr(sent) == repr(received)
