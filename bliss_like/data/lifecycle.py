"""The life of a scan, as a table.

States only ever increase, so that waiting is `state >= X`.
"""

from __future__ import annotations

import enum


class ScanState(enum.IntEnum):
    """Where a scan is in its life; names and numbers are those of BLISS."""

    IDLE = 0
    PREPARING = 1
    STARTING = 2
    STOPPING = 3
    DONE = 4
    USER_ABORTED = 5
    KILLED = 6

    def __str__(self) -> str:
        return self.name

    @property
    def is_final(self) -> bool:
        return self >= ScanState.DONE


TRANSITIONS: dict[ScanState, frozenset[ScanState]] = {
    ScanState.IDLE: frozenset({ScanState.PREPARING}),
    ScanState.PREPARING: frozenset({ScanState.STARTING, ScanState.STOPPING}),
    ScanState.STARTING: frozenset({ScanState.STOPPING}),
    ScanState.STOPPING: frozenset({ScanState.DONE, ScanState.USER_ABORTED, ScanState.KILLED}),
    ScanState.DONE: frozenset(),
    ScanState.USER_ABORTED: frozenset(),
    ScanState.KILLED: frozenset(),
}
"""From each state, the states that may follow: a failed preparation goes through STOPPING, so devices are always stopped."""
