"""Who follows scans in the process that runs them: for all scans of a session, for those of a kind, or for one.

How they are fed is in `listening`.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Literal, get_args

import gevent

from bliss_like.data.callbacks import check_callback, name_of_callback
from bliss_like.errors import UsageError

if TYPE_CHECKING:
    from .scan import Scan

OnError = Literal["report", "abort"]

INSIDE = "subscriptions in whose callbacks this greenlet runs"
"""Key among what a greenlet hands down to those that it spawns."""


class Subscription:
    """Somebody who follows scans.

    :param callback: a function of an event, an object with `accept` or with methods named after events, or a dict of functions
        by these names; a class, which is made for each scan.
    :param kind: which scans are followed: types or names of scans, scan functions, or several of them; none: all but those in
        the background.
    :param lossless: whether it is given every point, and the scan waits for it if need be.
    :param on_error: "report": an error of it is logged, and it hears no more of that scan; "abort": the scan ends with it.
    :param period: seconds between two calls at least, of one that is not lossless.
    :param factory: `callback` is called with the NewNode of each scan, and returns what follows that one, or None.
    :raises UsageError: something of this is wrong.
    """

    def __init__(
        self,
        callback: Any,
        *,
        kind: Any = "",
        lossless: bool = False,
        on_error: OnError = "report",
        period: float = 0.0,
        factory: bool = False,
    ) -> None:
        check_callback(callback, factory=factory)
        if on_error not in get_args(OnError):
            raise UsageError(f'on_error: expected "report" or "abort", got {on_error!r}')
        if isinstance(period, bool) or not isinstance(period, int | float) or not 0 <= period < threading.TIMEOUT_MAX:
            raise UsageError(f"period: expected seconds, at least 0, got {period!r}")
        if lossless and period:
            raise UsageError(
                "period: a callback that is lossless is given every event as it comes; leave one of the two out"
            )
        self.callback, self.factory, self.kinds = callback, factory, kinds_of(kind)
        self.lossless, self.on_error, self.period = bool(lossless), on_error, float(period)
        self.is_active = True
        """Until somebody unsubscribes it."""

    @property
    def name(self) -> str:
        return name_of_callback(self.callback)

    def follows(self, scan: Scan) -> bool:
        if not self.kinds:
            return not scan.in_background
        return not self.kinds.isdisjoint((str(scan.scan_info.get("type", "")), scan.name, str(scan.kind)))

    def __repr__(self) -> str:
        scans = f"scans of kind {', '.join(sorted(self.kinds))}" if self.kinds else "all scans"
        how = ", lossless" * self.lossless + ", aborts them when it fails" * (self.on_error == "abort")
        return f"<{self.name} follows {scans}{how}>" if self.is_active else f"<{self.name} was unsubscribed>"


class Subscriptions:
    """Those of a session, for all its scans to come."""

    def __init__(self) -> None:
        self._all: list[Subscription] = []
        self._of_setup: list[Subscription] = []
        self._is_setup = False

    def __iter__(self) -> Iterator[Subscription]:
        return iter(tuple(self._all))

    def __info__(self) -> str:
        """Return what the prompt shows: a line for each."""
        return "\n".join(map(repr, self._all)) or "nobody follows scans"

    def subscribe(
        self,
        callback: Any,
        *,
        kind: Any = "",
        lossless: bool = False,
        on_error: OnError = "report",
        period: float = 0.0,
        factory: bool = False,
    ) -> Subscription:
        """Let a callback follow all scans to come, or those of a kind; return what `unsubscribe` takes.

        :raises UsageError: something of this is wrong; see `Subscription`.
        """
        subscription = Subscription(
            callback, kind=kind, lossless=lossless, on_error=on_error, period=period, factory=factory
        )
        self._all.append(subscription)
        if self._is_setup:
            self._of_setup.append(subscription)
        return subscription

    def unsubscribe(self, token: Any) -> None:
        """End a subscription, also for scans that run.

        :param token: what `subscribe` has returned, also that of a scan; or a callback: all subscriptions of it.
        :raises UsageError: there is no such subscription.
        """
        ended = [token] if isinstance(token, Subscription) else [one for one in self._all if _is_of(one, token)]
        if not ended:
            names = ", ".join(one.name for one in self._all) or "none"
            raise UsageError(
                f"unsubscribe: expected what subscribe() has returned, or a callback that is subscribed ({names}), got {token!r}"
            )
        for one in ended:
            one.is_active = False
        self._all = [one for one in self._all if one.is_active]

    @contextmanager
    def of_setup(self) -> Iterator[None]:
        """What is subscribed in this context belongs to the setup of the session, until its next one."""
        before, self._is_setup = self._is_setup, True
        try:
            yield
        finally:
            self._is_setup = before

    def forget_setup(self) -> None:
        """End what the setup of the session has subscribed: it is going to be run again."""
        for one in self._of_setup:
            one.is_active = False
        self._of_setup = []
        self._all = [one for one in self._all if one.is_active]

    def of(self, scan: Scan) -> list[Subscription]:
        """Return who follows a scan that is about to begin: each callback once, and none that runs it itself."""
        found: dict[int, Subscription] = {}
        inside = those_inside()
        for one in [*scan.subscriptions, *(one for one in self._all if one.follows(scan))]:
            if one.is_active and one not in inside:
                found.setdefault(id(one.callback), one)
        return list(found.values())


def those_inside() -> frozenset[Subscription]:
    """Return the subscriptions in whose callbacks this greenlet runs: they would follow scans that they run themselves."""
    handed_down = getattr(gevent.getcurrent(), "spawn_tree_locals", None) or {}
    inside: frozenset[Subscription] = handed_down.get(INSIDE, frozenset())
    return inside


def kinds_of(kind: Any) -> frozenset[str]:
    """Return types of scans by what people name them with.

    :raises UsageError: it is neither a text, nor a scan function, nor several of these.
    """
    several = kind if isinstance(kind, Iterable) and not isinstance(kind, str) else (kind,)
    names = [one if isinstance(one, str) else getattr(one, "__name__", None) for one in several]
    if None in names:
        raise UsageError(
            f'kind: expected the type of scans ("ascan"), a scan function (ascan), or several, got {kind!r}'
        )
    return frozenset(str(name) for name in names if name)


def subscriptions_of(subs: Any) -> list[Subscription]:
    """Return what `subs=` of a scan stands for: nothing, a callback, a `Subscription`, or a list of them.

    :raises UsageError: one of them is no callback.
    """
    several = subs if isinstance(subs, list | tuple) else () if subs is None else (subs,)
    return [one if isinstance(one, Subscription) else Subscription(one) for one in several]


def _is_of(subscription: Subscription, callback: Any) -> bool:
    return subscription.callback is callback or (callable(callback) and bool(subscription.callback == callback))
