"""Signals are dealt with at once, whatever the main thread waits in.

Python runs its handlers in the main thread. While that sleeps in a lock of threads, as in the `join()` of one or the `map()` of a
pool of processes, a signal does not wake it that the kernel has given to another thread, or that came just before it went to sleep:
the handler would run at the next signal, if ever.
"""

from __future__ import annotations

import os
import signal
import threading

from bliss_like.data.threads import begin_thread

CALL = signal.SIGURG
"""What wakes the main thread: nobody else uses it, and programs that do not know it do not notice."""
_PERIOD = 0.05
"""Seconds between two calls: it may have been about to go to sleep."""
_PATIENT = {CALL, signal.SIGWINCH}
"""Signals that do not call: a call ends what waits in a library, which may not expect it."""
_LAST = b"\0"


class Waking:
    """A thread that hears of each signal from Python's handler in C, and calls the main thread until it has run those in Python."""

    def __init__(self) -> None:
        self._pipe: tuple[int, int] | None = None
        self._is_awake = False

    def begin(self) -> None:
        """Called in the main thread, as all but what the thread itself does; `CALL` is handled by `on_call`."""
        self._pipe = reading, writing = os.pipe()
        os.set_blocking(writing, False)
        main = threading.get_ident()
        self._thread = begin_thread(lambda: self._watch(reading, main), "bliss_like signals")
        self._before = signal.set_wakeup_fd(writing, warn_on_full_buffer=False)

    def take_back(self) -> None:
        """Hear of signals again, should somebody else have wanted to since."""
        if self._pipe:
            signal.set_wakeup_fd(self._pipe[1], warn_on_full_buffer=False)

    def end(self) -> None:
        if self._pipe:
            signal.set_wakeup_fd(self._before)
            os.write(self._pipe[1], _LAST)
            self._thread.join()
            self._close()

    def let_go(self) -> None:
        """Have nothing of it in a forked process, in which the thread is not."""
        if self._pipe:
            signal.set_wakeup_fd(-1)
            self._close()

    def on_call(self) -> None:
        """Whatever came before the call has been dealt with: handlers run in the order of their numbers, or were interrupted."""
        self._is_awake = True

    def _watch(self, pipe: int, main: int) -> None:
        nap = threading.Lock()  # `time.sleep` may be gevent's
        nap.acquire()
        numbers = b""
        while _LAST not in numbers:
            numbers = os.read(pipe, 64)
            if _PATIENT.issuperset(numbers):
                continue
            self._is_awake = False
            while not self._is_awake:
                signal.pthread_kill(main, CALL)
                nap.acquire(timeout=_PERIOD)

    def _close(self) -> None:
        if self._pipe:
            ours, self._pipe = self._pipe, None
            for descriptor in ours:
                os.close(descriptor)
