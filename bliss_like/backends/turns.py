"""A lock that greenlets get in the order in which they asked for it; who has it may take it again.

gevent's own lock is not fair: a greenlet that asks again and again keeps it, and a stop would wait behind a reading loop.
"""

from __future__ import annotations

from collections import deque
from types import TracebackType
from typing import Any

import gevent
from gevent.event import Event


class Turns:
    """Use it as `with turns:`. A greenlet may be killed while it waits, or just when its turn has come."""

    def __init__(self) -> None:
        self._owner: Any = None
        self._depth = 0
        self._waiting: deque[tuple[Any, Event]] = deque()

    @property
    def is_mine(self) -> bool:
        """Whether the greenlet that asks has it."""
        return self._owner is gevent.getcurrent()

    def __enter__(self) -> None:
        me = gevent.getcurrent()
        if self._owner is me:
            self._depth += 1
        elif self._owner is None:
            self._owner, self._depth = me, 1
        else:
            self._wait(me)

    def _wait(self, me: Any) -> None:
        turn = (me, Event())
        self._waiting.append(turn)
        try:
            turn[1].wait()
        except BaseException:
            if self._owner is me:
                self._pass_on()
            else:
                self._waiting.remove(turn)
            raise

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._depth -= 1
        if self._depth == 0:
            self._pass_on()

    def _pass_on(self) -> None:
        if self._waiting:
            self._owner, turn = self._waiting.popleft()
            self._depth = 1
            turn.set()
        else:
            self._owner, self._depth = None, 0
