"""Events of scans, as a walker yields them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from bliss_like.data.events import EndScan, NewData, NewNode, NodeKind, PreparedScan, WireEvent

SCAN = "eh1:1_ascan"
Numbers = Sequence[float] | np.ndarray[Any, Any]


def events_of_curve(
    x: Numbers, y: Numbers, *, info: Mapping[str, Any] | None = None, block: int = 0
) -> Iterator[WireEvent]:
    """Yield the events of a scan of `axis:robx` with the counter `diodes:diode`.

    :param block: points of one event, 0 for all.
    """
    told = {"scan_nb": 1, "title": "ascan robx", "npoints": len(x), "channels": {"axis:robx": {"axis_id": 0}}}
    yield NewNode(SCAN, NodeKind.SCAN, {**told, **(info or {})})
    columns = {"axis:robx": np.asarray(x, float), "axis:timer:diodes:diode": np.asarray(y, float)}
    for name, values in columns.items():
        unit = "mm" if name == "axis:robx" else None
        spec: dict[str, Any] = {
            "fullname": name.removeprefix("axis:timer:"),
            "dtype": values.dtype.str,
            "shape": [],
            "unit": unit,
        }
        yield NewNode(f"{SCAN}:{name}", NodeKind.CHANNEL, spec, SCAN)
    yield PreparedScan(SCAN, {})
    for first in range(0, len(x), block or len(x) or 1):
        for name, values in columns.items():
            yield NewData(f"{SCAN}:{name}", first, values[first : first + (block or len(x))])
    yield EndScan(SCAN, "DONE", {f"{SCAN}:{name}": len(x) for name in columns})
