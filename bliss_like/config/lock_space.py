"""The locks of one beamline, as one process sees them: who holds what, taken in one step and renewed as long as it is held.

A lock is a key with its holder and a time to live. It is free when it is not there, or when its holder is a process of this
host that has ended. What a server has lost is taken again by its holder; who unlocks by force leaves a note, so that he does
not. What this process holds is counted, so that taking it again costs nothing. A thread renews and gives back: a prompt that
calculates for a minute keeps its locks, and giving back waits for no server and cannot be interrupted.
"""

from __future__ import annotations

import logging
import os
import threading
import time
import uuid
from collections.abc import Callable, Iterable, Sequence

from bliss_like.data import paths
from bliss_like.data.key_store import Command, Is, KeyStore
from bliss_like.data.process import identity
from bliss_like.data.threads import begin_thread
from bliss_like.errors import DataError, StoreUnavailable

from .lock_holder import Holder, in_use

_log = logging.getLogger(__name__)

TIME_TO_LIVE = 10.0
"""Seconds after which the locks of a process are free that is no more there and ran on another host."""

_NOTED = 180_000
"""Milliseconds for which it is known that a lock was taken away by force: longer than any time to live."""

_INTERVAL = 1.0
"""Seconds between two looks at what is held."""

_AFTERWARDS = 0.05
"""Seconds for which a lock that nobody waits to see given back is still kept: the next move wants it again."""

_LINGER = 10.0
"""Seconds for which the thread and its connection stay when nothing is held any more, for whoever locks again."""


class Holding:
    """One lock that this process has, once or several times."""

    def __init__(self, key: str, holder: Holder, ttl: float) -> None:
        self.key, self.holder, self.ttl = key, holder, ttl
        self.value = holder.to_json()
        self.count = 1
        self.renewed = time.monotonic()
        self.lost = ""
        """Why it is not held any more, though nobody has given it back."""

    @property
    def is_sure(self) -> bool:
        """Whether nobody else can have it: it was renewed within its time to live."""
        return not self.lost and time.monotonic() - self.renewed < self.ttl

    @property
    def command(self) -> tuple[str | bytes | int, ...]:
        """What takes the lock."""
        return ("SET", self.key, self.value, "PX", int(self.ttl * 1000))


class LockSpace:
    """May be used from several threads and greenlets.

    :param session: who holds what is taken here, for people.
    :param sleep: how to wait, for whoever waits for a lock.
    """

    def __init__(
        self, keys: KeyStore, beamline: str = "", session: str = "", sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self.keys, self.beamline, self.session, self._sleep = keys, beamline, session, sleep
        self.time_to_live = TIME_TO_LIVE
        self._is_closed = False
        self._begin()

    def close(self) -> None:
        """Give everything back."""
        if self._pid == os.getpid():
            self._is_closed = True
            with self._mutex:
                keeper, holdings = self._keeper, list(self._held.values())
                for holding in holdings:
                    holding.count = 0
            self.release(holdings)
            self._work.set()
            self._urgent.set()
            if keeper is not None:
                keeper.join(0.5)

    def _begin(self) -> None:
        self._pid, self._token = os.getpid(), uuid.uuid4().hex
        self._mutex = threading.Lock()
        self._held: dict[str, Holding] = {}
        """By name; one whose count is 0 is about to be given back."""
        self._asked: set[str] = set()
        """Names that are on their way to or from the server."""
        self._leftovers: set[Holding] = set()
        """What may have been taken by a call that was interrupted, or could not be given back yet."""
        self.before_giving_back: Callable[[], object] = lambda: None
        """Called before locks are given back, in a thread of its own: who takes one is to find what its holder knew."""
        self._work, self._urgent = threading.Event(), threading.Event()
        self._keeper: threading.Thread | None = None
        self._is_lost_sight = False

    # -- taking --------------------------------------------------------------------------------------------------------

    def acquire(
        self,
        names: Iterable[str],
        *,
        owner: str | None = "",
        purpose: str = "",
        timeout: float = 3.0,
        ttl: float = 0.0,
    ) -> list[Holding]:
        """Take all locks or none, waiting up to `timeout` seconds for them.

        :param owner: within this process, another owner is refused; None: whoever it is here may have it.
        :param ttl: seconds after which they are free if this host is no more; 0: `time_to_live`.
        :raises AlreadyLockedDevices: somebody else holds one of them; `holders` of the error says who.
        :raises StoreUnavailable: the server cannot be reached.
        """
        if self._pid != os.getpid():
            self._begin()  # a forked process has none of its parent's locks
        wanted = sorted(set(names))
        deadline = time.monotonic() + timeout
        pause = 0.001
        while True:
            obstacles = self._try(wanted, owner, purpose, ttl or self.time_to_live)
            if isinstance(obstacles, dict):
                return [obstacles[name] for name in wanted]
            if not obstacles:
                self._sleep(0.001)
                continue
            left = deadline - time.monotonic()
            if left <= 0:
                raise in_use(obstacles)
            self._sleep(min(pause, left))
            pause = min(2 * pause, 0.1)

    def again(self, names: Sequence[str]) -> list[Holding] | None:
        """Take locks once more that this process has, whoever took them here; None: it has not all of them."""
        if self._pid != os.getpid():
            return None
        with self._mutex:
            mine = [holding for name in names if (holding := self._held.get(name)) and not holding.lost]
            if len(mine) < len(names):
                return None
            for holding in mine:
                holding.count += 1
            return mine

    def _try(
        self, wanted: Sequence[str], owner: str | None, purpose: str, ttl: float
    ) -> dict[str, Holding] | list[Holder]:
        """Take all or none at once; return them, or who is in the way: nobody, if they are only on their way just now."""
        with self._mutex:
            if any(name in self._asked for name in wanted):
                return []
            for name in [name for name in wanted if name in self._held and self._held[name].lost]:
                del self._held[name]
            mine = {name: self._held[name] for name in wanted if name in self._held}
            others = [holding for holding in mine.values() if owner not in (None, holding.holder.owner)]
            if others:
                return [holding.holder for holding in others if holding.count]
            missing = [name for name in wanted if name not in mine]
            for holding in mine.values():
                holding.count += 1
            self._asked.update(missing)
        new: list[Holding] = []
        obstacles: list[Holder] | None = None
        try:
            new = [Holding(self.key(name), self._holder(name, owner or "", purpose), ttl) for name in missing]
            obstacles = self._take(new) if new else []
        finally:
            with self._mutex:
                self._asked.difference_update(missing)
                if obstacles is None:  # killed, or no answer: what was asked for may have been given
                    self._leftovers.update(new)
                elif not obstacles:
                    self._held.update({holding.holder.name: holding for holding in new})
                if obstacles != []:
                    _count_down(mine.values())
                    self._work.set()
            self._keep_on()
        return obstacles or {**mine, **{holding.holder.name: holding for holding in new}}

    def _take(self, new: Sequence[Holding]) -> list[Holder]:
        """Take all or none in one step; return who is in the way."""
        there: list[bytes | None] = [None] * len(new)
        while True:
            conditions = [Is(holding.key, raw) for holding, raw in zip(new, there, strict=True)]
            if self.keys.run(*(holding.command for holding in new), when=conditions) is not None:
                return []
            there = self.keys.run(*(("GET", holding.key) for holding in new)) or []
            found = [Holder.of(holding.holder.name, raw) for holding, raw in zip(new, there, strict=True) if raw]
            # Of this process, but not among what it holds: left by a call that was interrupted.
            obstacles = [holder for holder in found if not (holder.is_gone or holder.token == self._token)]
            if obstacles:
                return obstacles

    def _holder(self, name: str, owner: str, purpose: str) -> Holder:
        return Holder(name, self.session, owner, purpose, time.time(), self._token, identity())

    def key(self, name: str) -> str:
        return paths.lock(self.beamline, name)

    # -- giving back ---------------------------------------------------------------------------------------------------

    def release(self, holdings: Iterable[Holding], *, wait: bool = True) -> None:
        """Give locks back, once each; with `wait` at once, and return when others can have them, if the server answers.

        Nothing is raised: a lock that cannot be given back is free after its time to live.
        """
        if self._pid != os.getpid():
            return
        holdings = list(holdings)
        with self._mutex:
            _count_down(holdings)
            if all(holding.count for holding in holdings):
                return  # of what is still held here the thread need not hear, nor take its time from a scan
        self._keep_on()
        self._work.set()
        if wait:
            self._urgent.set()
        deadline, pause = time.monotonic() + 2, 0.0001
        while wait and time.monotonic() < deadline and any(map(self._is_leaving, holdings)):
            self._sleep(pause)
            pause = min(2 * pause, 0.005)

    def _is_leaving(self, holding: Holding) -> bool:
        with self._mutex:
            name = holding.holder.name
            return holding.count == 0 and (self._held.get(name) is holding or name in self._asked)

    def held(self, name: str, owner: str) -> Holding | None:
        """Return the lock if this process holds it for that owner."""
        if self._pid != os.getpid():
            return None
        with self._mutex:
            holding = self._held.get(name)
            return holding if holding and holding.count and holding.holder.owner == owner else None

    # -- everybody's ---------------------------------------------------------------------------------------------------

    def holders(self, names: Iterable[str] | None = None) -> list[Holder]:
        """Return who holds these locks, or any lock of the beamline; what is free is left out."""
        prefix = self.key("")
        found = self.keys.names(prefix) if names is None else [self.key(name) for name in names]
        raws = (self.keys.run(*(("GET", key) for key in found)) or []) if found else []
        holders = [Holder.of(key[len(prefix) :], raw) for key, raw in zip(found, raws, strict=True) if raw]
        return [holder for holder in holders if not holder.is_gone]

    def force(self, names: Iterable[str]) -> list[Holder]:
        """Take locks away from whoever holds them; return who that was."""
        forced = []
        for name in names:
            key, note = self.key(name), paths.unlocked(self.beamline, name)
            raw = (self.keys.run(("GET", key)) or [None])[0]
            if raw is not None:
                by = self._holder(name, "", "").to_json()
                commands: list[Command] = [("DEL", key), ("HSET", note, raw, by), ("PEXPIRE", note, _NOTED)]
                if self.keys.run(*commands, when=[Is(key, raw)]) is not None:
                    forced.append(Holder.of(name, raw))
        return forced

    # -- the thread that renews and gives back -------------------------------------------------------------------------

    def _keep_on(self) -> None:
        with self._mutex:
            if (self._held or self._leftovers) and self._keeper is None:
                self._keeper = begin_thread(self._keep, "bliss_like locks")

    def _keep(self) -> None:
        pid, last_held = self._pid, time.monotonic()
        while pid == os.getpid():
            self._work.clear()
            self._urgent.clear()
            self._step()
            with self._mutex:
                if self._held or self._leftovers:
                    last_held = time.monotonic()
                elif self._is_closed or time.monotonic() - last_held > _LINGER:
                    self._keeper = None
                    return
            if self._work.wait(_INTERVAL):
                self._urgent.wait(_AFTERWARDS)

    def _step(self) -> None:
        """Give back what is not needed any more, renew what is."""
        with self._mutex:
            leaving = [holding for holding in self._held.values() if holding.count == 0]
            for holding in leaving:
                del self._held[holding.holder.name]
            names = {holding.holder.name for holding in leaving}
            self._asked |= names
            leftovers = list(self._leftovers)
            staying = list(self._held.values())
        if leaving:
            self._prepare_to_give_back()
        try:
            one_by_one = [] if self._drop_all(leaving) else leaving
            late = [holding for holding in one_by_one if not self._attempt(self._give_back, holding)]
        finally:
            with self._mutex:
                self._asked -= names
        with self._mutex:
            self._leftovers.update(late)
        for holding in leftovers:
            if self._attempt(self._drop, holding) or time.monotonic() - holding.renewed > holding.ttl:
                with self._mutex:
                    self._leftovers.discard(holding)
        for holding in staying:
            if not holding.lost and time.monotonic() - holding.renewed > holding.ttl / 3 - _INTERVAL:
                self._attempt(self._renew, holding)

    def _prepare_to_give_back(self) -> None:
        try:
            self.before_giving_back()
        except Exception:  # noqa: BLE001 - the locks are given back, whatever it is
            _log.exception("something went wrong before locks were given back")

    def _attempt(self, what: Callable[[Holding], object], holding: Holding) -> bool:
        """Return whether the server has answered."""
        try:
            what(holding)
        except StoreUnavailable as error:
            if not self._is_lost_sight:
                _log.warning("locks of %s: %s; they are renewed when it is back", self.session or "this process", error)
            self._is_lost_sight = True
            return False
        except Exception:  # noqa: BLE001 - the other locks are to be renewed, whatever it is
            _log.exception("lock of %s could not be renewed or given back", holding.holder.name)
        self._is_lost_sight = False
        return True

    def _drop(self, holding: Holding) -> bool:
        """Return whether it was ours until now."""
        return self.keys.run(("DEL", holding.key), when=[Is(holding.key, holding.value)]) is not None

    def _drop_all(self, holdings: Sequence[Holding]) -> bool:
        """Drop all in one step; return False when that cannot be done, and nothing was."""
        conditions = [Is(holding.key, holding.value) for holding in holdings]
        try:
            return self.keys.run(*(("DEL", holding.key) for holding in holdings), when=conditions) is not None
        except DataError:
            return False

    def _give_back(self, holding: Holding) -> None:
        if not self._drop(holding) and not holding.lost:
            self._look_after(holding, again=False)

    def _renew(self, holding: Holding) -> None:
        milliseconds, now = int(holding.ttl * 1000), time.monotonic()
        if self.keys.run(("PEXPIRE", holding.key, milliseconds), when=[Is(holding.key, holding.value)]) is None:
            self._look_after(holding, again=True)
        holding.renewed = now

    def _look_after(self, holding: Holding, again: bool) -> None:
        """It is not there as we left it: take it again if the server has lost it, else somebody has taken it away."""
        name = holding.holder.name
        raw, by = self.keys.run(("GET", holding.key), ("HGET", paths.unlocked(self.beamline, name), holding.value)) or (
            None,
            None,
        )
        if by is not None:
            holding.lost = f"it was unlocked by {Holder.of(name, by)}"
        elif raw not in (None, holding.value):
            holding.lost = f"it is held by {Holder.of(name, raw)}"
        elif again and raw is None and self.keys.run(holding.command, when=[Is(holding.key, None)]) is not None:
            away = time.monotonic() - holding.renewed
            _log.warning("lock of %s was gone and is taken again: for up to %.0f s others could have it", name, away)
        if holding.lost:
            _log.warning("lock of %s, taken at %s, is lost: %s", name, holding.holder.time, holding.lost)


def _count_down(holdings: Iterable[Holding]) -> None:
    for holding in holdings:
        holding.count = max(0, holding.count - 1)
