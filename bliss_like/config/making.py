"""Who makes which object: each is made once, objects that do not need each other side by side, a circle is told.

A greenlet that asks for what another one is making waits for it, unless that one waits, directly or not, for something
that the asking one is making. There is no lock: while a constructor runs, only those wait who need its object.
"""

from __future__ import annotations

from collections.abc import Callable
from copy import copy
from typing import Any
from weakref import WeakKeyDictionary

from gevent import Greenlet, Timeout, getcurrent
from gevent.event import Event

from bliss_like.errors import ReferenceCycle

FAILURES = (Exception, Timeout)
"""What a broken object may raise; gevent's Timeout is no Exception, yet what a device raises that does not answer."""


class Job:
    """One object on its way.

    :param needs: names of all that was asked for while it was being made.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.needs: set[str] = set()
        self.waits_for: list[str] = []  # several at a time, if its constructor spawns greenlets
        self.done = Event()
        self.error: BaseException | None = None


class Making:
    """The objects that are being made.

    :param place_of: tells what stands before the message about a circle: where the object is written, and what it is.
    """

    def __init__(self, place_of: Callable[[str], str]) -> None:
        self._place_of = place_of
        self._jobs: dict[str, Job] = {}
        self._current: WeakKeyDictionary[Any, Job] = WeakKeyDictionary()  # by greenlet

    def current(self) -> Job | None:
        """Return what this greenlet makes.

        A greenlet that a constructor has spawned belongs to it: the constructor may be waiting for that greenlet, which
        nobody can see, and a circle that leads through it would be waited for forever.
        """
        job = self._current.get(getcurrent()) if self._jobs else None
        return None if job is None or job.done.is_set() else job

    def _note_spawned(self, greenlet: Any) -> None:
        job = self.current()
        if job is not None:
            self._current[greenlet] = job

    def make(self, name: str, function: Callable[[Job], None]) -> None:
        """Call `function`, or wait until the greenlet that already does has finished; look again afterwards.

        :raises ReferenceCycle: the object is needed to make itself.
        :raises Exception: what the function raised, here or there.
        """
        asking = self.current()
        job = self._jobs.get(name)
        if job is not None:
            self._wait(job, asking)
            return
        if not self._jobs:
            Greenlet.add_spawn_callback(self._note_spawned)
        job = self._jobs[name] = Job(name)
        self._current[getcurrent()] = job
        if asking is not None:
            asking.waits_for.append(name)
        try:
            function(job)
        except FAILURES as error:
            job.error = error
            raise
        finally:
            if asking is not None:
                asking.waits_for.remove(name)
                self._current[getcurrent()] = asking
            else:
                del self._current[getcurrent()]
            del self._jobs[name]
            if not self._jobs:
                Greenlet.remove_spawn_callback(self._note_spawned)
            job.done.set()

    def wait(self) -> None:
        """Wait until nothing is being made."""
        while self._jobs:
            next(iter(self._jobs.values())).done.wait()

    def _wait(self, job: Job, asking: Job | None) -> None:
        if asking is not None:
            circle = self._way(job, asking)
            if circle:
                names = " -> ".join([*circle, job.name])
                raise ReferenceCycle(f"{self._place_of(job.name)}: objects that need each other: {names}")
            asking.waits_for.append(job.name)
        try:
            job.done.wait()
        finally:
            if asking is not None:
                asking.waits_for.remove(job.name)
        if job.error is not None:
            raise _copy(job.error)

    def _way(self, job: Job, to: Job) -> list[str]:
        """Return the names on the way from `job` to the one that waits for it; empty if there is none."""
        if job is to:
            return [job.name]
        for name in job.waits_for:
            next_job = self._jobs.get(name)
            rest = self._way(next_job, to) if next_job is not None else []
            if rest:
                return [job.name, *rest]
        return []


def _copy(error: BaseException) -> BaseException:
    """Return an exception of its own for each who waited: raising adds a traceback."""
    try:
        duplicate = copy(error)
    except Exception:  # noqa: BLE001 - an exception with arguments of its own
        return error
    duplicate.__cause__ = error.__cause__
    return duplicate
