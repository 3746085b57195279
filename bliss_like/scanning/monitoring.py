"""Counters that are watched in the background, scan after scan, whenever no scan of the user runs.

A monitoring is a greenlet of its own. What it watches is counted by ordinary scans of type "monitoring", unsaved unless
wanted: each goes on until a scan of the user comes, which waits for the present point at most. They claim no device, gather
no metadata, do not come to SCANS, and have no preset of DEFAULT_CHAIN: one may open a shutter.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from numbers import Integral, Real
from typing import Any

import gevent
from gevent.event import Event

from bliss_like.config.suggestion import did_you_mean
from bliss_like.config.table import table
from bliss_like.devices.interlock import claim
from bliss_like.errors import AlreadyLockedDevices, BlissLikeError, ScanError, ScanUsageError, UserAbort

from . import nodes
from .branch import Gate
from .default_chain import counters_for, default_chain
from .environment import environment
from .scan import Scan
from .scan_info import ScanInfo

__all__ = ["MONITORING_SCANS", "Monitoring", "start_monitoring", "stop_all_monitoring", "stop_monitoring"]

_log = logging.getLogger(__name__)

RETRY = 10.0
"""Seconds after which a monitoring that failed tries again."""
LATE = 1.0
"""Seconds beyond its count time that a point may take when somebody waits for it."""
LAST = 3.0
"""Seconds that devices then have to stop, until nobody waits for them any more."""


class Pace(Gate):
    """Lets a time pass between two points, which ends at once when there are none to come."""

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self.is_held = True
        self._seconds = seconds
        self._ended = Event()

    def open(self, by: str = "user") -> None:
        super().open(by)
        self.is_held = True

    def end(self) -> None:
        super().end()
        self._ended.set()

    def pass_through(self) -> bool:
        self._ended.wait(self._seconds)
        return super().pass_through()


class Monitoring:
    """What `start_monitoring` started.

    :ivar scan: the present scan, or the last one.
    :ivar state: RUNNING, PAUSED while scans of the user run, FAILED as long as it cannot count, or ENDED.
    """

    def __init__(
        self, name: str, count_time: float, counters: tuple[Any, ...], sleep_time: float, npoints: int, save: bool
    ) -> None:
        self.name, self.count_time, self.counters = name, count_time, counters
        self.sleep_time, self.npoints, self.save = sleep_time, npoints, save
        self.scan: Scan | None = None
        self.state = "RUNNING"
        self._error = ""
        self._points_before = 0
        self._ended, self._at_rest = Event(), Event()
        self._at_rest.set()
        self._background = environment.background
        self._task: gevent.Greenlet[..., None] | None = None

    @property
    def points(self) -> int:
        """How many were counted, in all scans."""
        return self._points_before + self._points_now

    @property
    def error(self) -> str:
        """What it failed for; empty as soon as it counts again."""
        return "" if self._points_now else self._error

    @property
    def _points_now(self) -> int:
        return self.scan.channels[0].length if self.scan is not None and not self._at_rest.is_set() else 0

    def start(self) -> None:
        self._task = gevent.spawn(self._run)

    def end(self) -> None:
        """Begin to end, after the present point, or now when it is between two."""
        self._ended.set()
        if self.scan is not None:
            self.scan.stop(wait=False)

    def stop(self) -> None:
        """End after the present point, or now when it is between two; return when it has.

        :raises ScanError: its devices do not come to rest.
        """
        self.end()
        if not self.wait_rest():
            raise ScanError(f"monitoring {self.name!r}: its devices do not stop; it ends when they do")
        if self._task is not None and not self._is_current:
            self._task.join(LAST)

    # -- making way ----------------------------------------------------------------------------------------------------

    def make_way(self, reason: str) -> None:
        if self.scan is None or self._at_rest.is_set():
            return
        _log.info("monitoring %s pauses for %s", self.name, reason)
        self.scan.stop(wait=False)  # first: to tell it may take its time, or fail
        try:
            if not self.scan.state.is_final:
                self.scan.add_comment(f"pauses for {reason}")
        except BlissLikeError as error:  # it says so itself
            _log.debug("monitoring %s: why it pauses is not told: %s", self.name, error)

    @property
    def _is_current(self) -> bool:
        """Whether its own greenlet asks, e.g. in a hook: it cannot wait for itself."""
        return gevent.getcurrent() is self._task

    def wait_rest(self) -> bool:
        if self._is_current:
            return True
        if not self._at_rest.wait(self.count_time + LATE) and self.scan is not None:
            self.scan.end(None)
        return bool(self._at_rest.wait(LAST))

    # -- the greenlet --------------------------------------------------------------------------------------------------

    def _run(self) -> None:
        told = ""
        try:
            while self._has_more():
                self._wait_free()
                if self._ended.is_set():
                    break
                self._error = self._run_one()
                if self._error:
                    self.state = "FAILED"
                    if self._error != told:
                        _log.warning("monitoring %s: %s; it is tried again every %g s", self.name, self._error, RETRY)
                    self._ended.wait(RETRY)
                told = self._error
        finally:
            self.state = "ENDED"
            self._ended.set()
            self._at_rest.set()

    def _has_more(self) -> bool:
        return not self._ended.is_set() and (self.npoints == 0 or self._points_before < self.npoints)

    def _wait_free(self) -> None:
        free = self._background.is_free
        while not free.is_set() and not self._ended.is_set():
            self.state = "PAUSED"
            gevent.wait([free, self._ended], count=1)

    def _run_one(self) -> str:
        """Count until there are no more points, or somebody else wants to; return what went wrong."""
        self._at_rest.clear()
        try:
            self.scan = None
            scan = self._make()
            if not self._background.is_free.is_set() or self._ended.is_set():
                return ""
            self.scan, self.state = scan, "RUNNING"
            scan.run()
        except UserAbort:  # somebody has aborted this very scan
            self._ended.set()
        except AlreadyLockedDevices as error:
            return str(error)
        except (Exception, gevent.Timeout) as error:
            return f"{type(error).__name__}: {error}"
        finally:
            if self.scan is not None and self.scan.state.is_final:
                self._points_before += self.scan.channels[0].length
            self._at_rest.set()
        return ""

    def _make(self) -> Scan:
        left = self.npoints and self.npoints - self._points_before
        params = {"count_time": self.count_time, "npoints": left, "type": "monitoring", "save": self.save}
        chain = default_chain().without_presets().get(params, self.counters)
        claim(nodes.driven_by(chain), f"monitoring {self.name}").release()  # does another session drive them now?
        info = ScanInfo.of(
            {
                "type": "monitoring",
                "title": f"monitoring {self.name} {self.count_time:.10g}",
                "npoints": left,
                "count_time": self.count_time,
                "sleep_time": self.sleep_time,
                "monitoring": self.name,
            }
        )
        info.add_curve_plot(name=self.name, x="timer:epoch")
        scan = Scan(chain, self.name, info, save=self.save, save_images=False)
        scan.with_metadata, scan.in_background = False, True
        scan.gate = Pace(self.sleep_time)
        return scan

    def __repr__(self) -> str:
        return f"<Monitoring {self.name}: {self.state}, {self.points} points>"


def start_monitoring(
    name: str, count_time: float, *counters: Any, sleep_time: float = 1.0, npoints: int = 0, save: bool = False
) -> Monitoring:
    """Count in the background, whenever no scan of the user runs, until `stop_monitoring(name)` or the session's end.

    :param name: of the monitoring, and of its scans.
    :param count_time: seconds of one point.
    :param counters: anything that has counters; none means those of the active measurement group.
    :param sleep_time: seconds between two points.
    :param npoints: how many in all; 0 for no end.
    :param save: whether writers save its scans.
    :raises ScanUsageError: an argument is wrong, or a monitoring of that name runs already.
    :raises ScanError: there is no session.
    """
    environment.require_tree()
    _check(name, count_time, sleep_time, npoints, save)
    counters_for(counters)
    running = MONITORING_SCANS.get(name)
    if running is not None and running.state != "ENDED":
        raise ScanUsageError(
            f'name: a monitoring {name!r} is {running.state} already: stop_monitoring("{name}") first, or take another name'
        )
    monitoring = Monitoring(name, float(count_time), counters, float(sleep_time), int(npoints), save)
    environment.background.runners[name] = monitoring
    monitoring.start()
    return monitoring


def stop_monitoring(name: str) -> None:
    """End a monitoring after its present point; nothing happens when it has ended.

    :raises ScanUsageError: there is none of that name.
    :raises ScanError: its devices do not come to rest.
    """
    monitoring = MONITORING_SCANS.get(name) if isinstance(name, str) else None
    if monitoring is None:
        known = list(MONITORING_SCANS)
        raise ScanUsageError(
            f"name: expected that of a monitoring, got {name!r}{did_you_mean(name, known)}; "
            f"there are: {', '.join(known) or 'none'}"
        )
    monitoring.stop()


def stop_all_monitoring() -> None:
    """End all monitorings."""
    for monitoring in MONITORING_SCANS.values():
        monitoring.end()
    for monitoring in MONITORING_SCANS.values():
        monitoring.stop()


def _check(name: Any, count_time: Any, sleep_time: Any, npoints: Any, save: Any) -> None:
    if not isinstance(name, str) or not name or any(c in ":{}" or c.isspace() for c in name):
        raise ScanUsageError(f"name: expected a name without space, ':', '{{' or '}}', got {name!r:.80}")
    for what, seconds in {"count_time": count_time, "sleep_time": sleep_time}.items():
        if isinstance(seconds, bool) or not isinstance(seconds, Real) or not 0 <= float(seconds) < float("inf"):
            raise ScanUsageError(f"{what}: expected seconds, not less than 0, got {seconds!r:.80}")
    if count_time == 0 and sleep_time == 0:
        raise ScanUsageError("sleep_time: expected more than 0 when count_time is 0, or nothing else gets its turn")
    if isinstance(npoints, bool) or not isinstance(npoints, Integral) or npoints < 0:
        raise ScanUsageError(f"npoints: expected a whole number, 0 for no end, got {npoints!r:.80}")
    if not isinstance(save, bool):
        raise ScanUsageError(f"save: expected True or False, got {save!r:.80}")


class MonitoringScans(Mapping[str, Monitoring]):
    """MONITORING_SCANS: the monitorings of the active session by name, also those that have ended."""

    def _all(self) -> dict[str, Monitoring]:
        return {name: one for name, one in environment.background.runners.items() if isinstance(one, Monitoring)}

    def __getitem__(self, name: str) -> Monitoring:
        return self._all()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._all())

    def __len__(self) -> int:
        return len(self._all())

    def __repr__(self) -> str:
        return f"<MONITORING_SCANS: {', '.join(f'{one.name} {one.state}' for one in self.values()) or 'none'}>"

    def __info__(self) -> str:
        rows = [
            (
                one.name,
                one.state,
                f"{one.points}/{one.npoints or 'no end'}",
                one.scan.path if one.scan else "",
                one.error,
            )
            for one in self.values()
        ]
        return table(("monitoring", "state", "points", "scan", "error"), rows) if rows else "Nothing is monitored."


MONITORING_SCANS = MonitoringScans()
