"""How many points a scan has, and how that is put into words: the same wherever it is told."""

from __future__ import annotations

from collections.abc import Mapping

from . import paths


def counted(number: int, what: str, total: int = 0) -> str:
    """Return `1 point`, `3 points`, `3 of 9 points`."""
    of_all = f" of {total}" if number < total else ""
    return f"{number}{of_all} {what}{'' if max(number, total) == 1 else 's'}"


def npoints_of(lengths: Mapping[str, int], scan: str, *, is_whole: bool) -> int:
    """Return how many points a scan has. One that some channels have, and others were only about to, is none.

    The channels of its top masters, which are axes and times, have points first; others may be faster, or have none at all.

    :param lengths: how many points each channel has, by db_name.
    :param is_whole: nothing was cut short: a scan that is DONE, or a sequence, which counts scans.
    """
    leading = [length for path, length in lengths.items() if paths.parent(paths.parent(path)) == scan]
    most = max(leading or lengths.values(), default=0)
    if is_whole:
        return most
    return min((length for length in lengths.values() if length >= most - 1), default=0)
