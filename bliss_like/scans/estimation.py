"""How long a scan is going to take, from what is known of its axes: no hardware is asked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from bliss_like.data.scan_info import Estimation
from bliss_like.devices.planning import real_lines
from bliss_like.errors import BlissLikeError

Array = np.ndarray[Any, Any]


def expected(
    npoints: int,
    count_time: float,
    positions: Mapping[Any, Any] | None = None,
    sleep_time: float | None = None,
    stab_time: float | None = None,
) -> Estimation:
    """Return what so many points take, the way to the first one included.

    An axis of which nobody knows how fast it is takes no time, and neither do backlash and the devices' own overhead: a scan
    takes more than that.

    :param count_time: seconds of one point; as `sleep_time` and `stab_time`.
    :param positions: {axis: its positions at all points}.
    """
    moving = motion_time(positions or {})
    counting = npoints * max(count_time, 0.0)
    waiting = (npoints - 1) * (sleep_time or 0.0) + (npoints * (stab_time or 0.0) if positions else 0.0)
    total, motion, counts = (round(float(seconds), 3) for seconds in (moving + counting + waiting, moving, counting))
    return Estimation(total_time=total, motion_time=motion, count_time=counts)


def motion_time(positions: Mapping[Any, Any]) -> float:
    """Return the seconds that axes take for all moves from where they are through positions: the slowest one each time."""
    try:
        lines = real_lines(positions)
    except BlissLikeError:  # the scan is going to say that, and better
        return 0.0
    each = [_moves(axis, np.atleast_1d(line)) for axis, line in lines.items()]
    return float(np.max(each, axis=0).sum()) if each else 0.0


def _moves(axis: Any, line: Array) -> Array:
    """Return the seconds of each move of one axis, shape (npoints,): the first is that from where it is."""
    known = axis.settings.now() if hasattr(axis, "settings") else {}
    here = known.get("position")
    distances = np.abs(np.diff(line, prepend=line[0] if here is None else here))
    velocity, acceleration = (_speed(axis, known, key) for key in ("velocity", "acceleration"))
    if velocity is None:
        return np.zeros(len(line))
    if acceleration is None:
        return distances / velocity
    ramp = velocity / acceleration
    cruise = distances / velocity
    return np.where(cruise >= ramp, cruise + np.where(distances > 0, ramp, 0.0), 2 * np.sqrt(distances / acceleration))


def _speed(axis: Any, known: Mapping[str, Any], key: str) -> float | None:
    """Return the velocity or acceleration of an axis as it was set last, or is configured."""
    value = known.get(key) or getattr(getattr(axis, "config", None), key, None)
    return None if value is None else float(value)
