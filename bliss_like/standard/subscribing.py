"""Callbacks that follow scans, subscribed at the prompt, in setup files and in scripts."""

from __future__ import annotations

from typing import Any

from bliss_like.scanning.environment import environment
from bliss_like.scanning.subscriptions import OnError, Subscription

from .arguments import verb

__all__ = ["subscribe", "unsubscribe"]


@verb('callback, kind="", lossless=False, on_error="report", period=0, factory=False')
def subscribe(
    callback: Any,
    kind: Any = "",
    lossless: bool = False,
    on_error: OnError = "report",
    period: float = 0.0,
    factory: bool = False,
) -> Subscription:
    """Let a callback follow all scans to come while they run; return what `unsubscribe` takes.

    :param callback: a function f(event), an object with methods named after events, a class that is made for each scan...
    :param kind: only scans of this type, e.g. `ascan` or "ascan", or of several: [ascan, dscan].
    :param lossless: give it every point, and let scans wait for it; otherwise it misses the oldest ones when it is too slow.
    :param on_error: "report", or "abort" to end a scan by an error of the callback.
    :param period: seconds between two calls at least.
    :param factory: the callback is called with the NewNode of each scan, and returns what follows that one, or None.
    """
    subscriptions = environment.subscriptions
    return subscriptions.subscribe(
        callback, kind=kind, lossless=lossless, on_error=on_error, period=period, factory=factory
    )


@verb("subscription_or_callback")
def unsubscribe(subscription: Any) -> None:
    """End a subscription: what `subscribe` has returned, or a callback, which ends all subscriptions of it."""
    environment.subscriptions.unsubscribe(subscription)
