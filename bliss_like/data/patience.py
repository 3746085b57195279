"""A server that goes away is waited for, as long as that makes sense."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from bliss_like.errors import StoreUnavailable

Answer = TypeVar("Answer")

PATIENCE = 60.0
"""Seconds that a server may be away."""


def patiently(question: Callable[[], Answer], stopped: Callable[[], bool], patience: float = PATIENCE) -> Answer:
    """Return the answer; a server that goes away is waited for, unless who asks is `stopped`.

    :raises StoreUnavailable: it stayed away for that many seconds, by default a minute, or until who asks was stopped.
    """
    lost_at = 0.0
    while True:
        try:
            return question()
        except StoreUnavailable:
            lost_at = lost_at or time.monotonic()
            if stopped() or time.monotonic() - lost_at >= patience:
                raise
            time.sleep(0.1)
