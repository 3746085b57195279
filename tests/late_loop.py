"""A loop of gevent in which one callback in twenty comes late: what relies on the order or the speed of greenlets shows.

GEVENT_LOOP=tests.late_loop.loop scripts/test tests/redis
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

from gevent.libev.corecext import loop as libev

SHARE = 0.05
MEAN = 0.02
"""Seconds, at most 0.3."""


class loop(libev):  # type: ignore[misc]  # noqa: N801  named as gevent's
    def run_callback(self, function: Callable[..., object], *args: object) -> Any:
        if random.random() > SHARE:  # noqa: S311
            return super().run_callback(function, *args)
        timer = self.timer(min(random.expovariate(1 / MEAN), 0.3))  # noqa: S311
        timer.start(function, *args)
        return timer
