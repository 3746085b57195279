"""How far a scan is, and how long it still takes: first from what it expects, then from what its points have taken.

progress = LiveProgress()                  now() and lines() tell, whenever they are asked
LiveProgress(out=print)                    a line from time to time, for a script or a log
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from bliss_like.data import paths
from bliss_like.data.counting import counted
from bliss_like.data.events import NodeKind

from .choice import levels
from .digits import duration
from .look import UNICODE, Glyphs, cells, cut
from .rows import Clock
from .scan import LiveCallback, LiveChannel, LiveScan, once

TRUSTED = 3
"""Points after which the time that they took counts as much as the one that was expected."""
OUTLIER = 4.0
"""A gap between points that is so many times as long as any other one is no part of what a point takes: nobody expects it."""
WIDE = 30
"""Characters of a bar, at most."""
PERIOD = 10.0
"""Seconds between two lines."""


@dataclass(frozen=True)
class Progress:
    """How far a scan is.

    :param done: points, or scans of a sequence.
    :param total: that are to come in all; 0 when nobody knows.
    :param elapsed: seconds since it began.
    :param left: seconds until its last point; None when nobody knows.
    :param rate: points per second; 0 as long as there are not two.
    :param finish: when the last point is to be expected, seconds since the epoch.
    :param paused: who holds it; empty when it goes on.
    :param waiting: what nothing has been heard of for `silent` seconds; empty when all is well.
    """

    name: str
    title: str
    state: str
    done: int
    total: int
    elapsed: float
    left: float | None = None
    rate: float = 0.0
    finish: float | None = None
    paused: str = ""
    waiting: str = ""
    silent: float = 0.0
    unit: str = "point"

    @property
    def fraction(self) -> float | None:
        """From 0 to 1; None when the number of points is not known."""
        return min(1.0, self.done / self.total) if self.total else None

    def count(self) -> str:
        """Return `5/11`, `5 points`."""
        if self.total:
            return f"{self.done}/{self.total}"
        return counted(self.done, self.unit)

    def times(self) -> str:
        """Return `3.2 s left, until 14:02`, `paused by user`, `waiting 8 s for roby`, or how long it has taken."""
        if self.paused:
            return f"paused by {self.paused}"
        if self.waiting:
            return f"waiting {f'{self.silent:.0f} s' if self.silent < 60 else duration(self.silent)} for {self.waiting}"
        if self.left is None or self.finish is None:
            rate = f", {self.rate:.3g}/s" if self.rate else ""
            return f"{duration(self.elapsed)}{rate}"
        until = datetime.fromtimestamp(self.finish, UTC).astimezone()
        return f"{duration(round(self.left, 1))} left{f', until {until:%H:%M}' if self.left >= 60 else ''}"

    def line(self, width: int, glyphs: Glyphs = UNICODE) -> str:
        """Return bar, percent, points and times in one line, as much of it as there is room for."""
        if self.fraction is None:
            return cut(f"{self.count()}  {self.times()}", width, glyphs.ellipsis)
        words = f"{math.floor(100 * self.fraction):3} %  {self.count()}  {self.times()}"
        room = min(WIDE, width - cells(words) - 2)
        return cut(
            f"{bar(self.fraction, room, glyphs)}  {words}" if room >= 5 else words.strip(), width, glyphs.ellipsis
        )


def bar(fraction: float, width: int, glyphs: Glyphs = UNICODE) -> str:
    """Return a bar of `width` characters."""
    parts = len(glyphs.bar_parts) + 1
    full, part = divmod(math.floor(max(0.0, min(1.0, fraction)) * width * parts), parts)
    text = glyphs.bar * full + (glyphs.bar_parts[part - 1] if part else "")
    return text + glyphs.bar_rest * (width - len(text))


class Pace:
    """Measures what the points of one scan take."""

    def __init__(self, scan: LiveScan, clock: Clock) -> None:
        self.scan, self._clock = scan, clock
        told = scan.info.get("start_timestamp")
        self.began = min(float(told), clock()) if isinstance(told, int | float) else clock()
        self._expected = _expected_per_point(scan)
        self._leader = ""
        self._origin: tuple[float, int] | None = None
        self._last, self._count = self.began, 0
        self._gaps = [0.0, 0.0]
        """The two longest times between points."""
        self._paused_since: float | None = None
        self._paused = 0.0
        """Seconds since the first points."""
        self.children = 0
        """Scans of a sequence that are over."""

    def heard(self, channel: LiveChannel) -> None:
        """Take note of new points."""
        if not self._leader and not self.scan.is_group and self.looks_at(channel.path):
            self._leader = channel.path
        if channel.path == self._leader:
            self.came(channel.length)

    def came(self, count: int) -> None:
        """Take note that there are so many points now."""
        now = self._clock()
        if self._origin is None:
            is_first = count == 1 and not self.scan.is_group
            self._origin = (now, 1) if is_first else (self.began, 0)
            self._paused = 0.0 if is_first else self._paused
        elif self._paused_since is None:
            self._gaps = sorted([*self._gaps, now - self._last])[-2:]
        self._last, self._count = now, count

    def changed(self) -> None:
        """Take note of a pause, or its end."""
        now, paused = self._clock(), bool(self.scan.info.get("paused"))
        if paused and self._paused_since is None:
            self._paused_since = now
        elif not paused and self._paused_since is not None:
            self._paused += now - self._paused_since
            self._last = min(now, self._last + now - self._paused_since)
            self._paused_since = None

    def now(self) -> Progress:
        scan, now = self.scan, self._clock()
        done, total = self.points()
        left = self._left(now, done, total) if total and not scan.is_over else None
        ended = scan.info.get("end_timestamp") if scan.is_over else None
        elapsed = (float(ended) if isinstance(ended, int | float) else now) - self.began
        return Progress(
            name=scan.label if not scan.is_group else scan.label.replace("scan", "sequence"),
            title=scan.title,
            state=scan.state,
            done=done,
            total=total,
            elapsed=max(0.0, elapsed),
            left=left,
            rate=1 / each if (each := self._measured()) else 0.0,
            finish=None if left is None else now + left,
            paused="" if scan.is_over else str(scan.info.get("paused") or ""),
            waiting="" if scan.is_over else str(scan.info.get("waiting") or ""),
            silent=max(0.0, now - _number(scan.info.get("waiting_since"), now)),
            unit="scan" if scan.is_group else "point",
        )

    def points(self) -> tuple[int, int]:
        """Return how many points there are, those that all channels of a master have, and how many are to come in all."""
        scan = self.scan
        if scan.is_group:
            told = scan.info.get("sequence_info") or {}
            total = told.get("scan_count") if isinstance(told, dict) else 0
            total = total if isinstance(total, int) else 0
            return self.children, total if total >= self.children else 0
        total = scan.npoints or _told_by_masters(scan)
        counts = [min(channel.length for channel in level) for level in _levels(scan)]
        if scan.npoints:  # they may be those of a master below, which is faster
            counts = sorted(counts, key=lambda count: (count <= total, count), reverse=True)
        done = next(iter(counts), 0)
        return done, total if done <= total else 0

    def looks_at(self, path: str) -> bool:
        """Whether points of a channel say how far the scan is."""
        return self.scan.is_group or any(path == channel.path for level in _levels(self.scan) for channel in level)

    def _measured(self) -> float | None:
        """Return the seconds that a point took in the mean, without pauses; None as long as there are not two."""
        if self._origin is None or self._count <= self._origin[1]:
            return None
        began, before = self._origin
        took = self._last - began - self._paused
        second, longest = self._gaps
        if second and longest > OUTLIER * second and longest > self._expected * OUTLIER and self._count > TRUSTED:
            took -= longest - second
        return max(0.0, took) / (self._count - before)

    def _left(self, now: float, done: int, total: int) -> float | None:
        expected, measured = self._expected, self._measured()
        if not measured and not expected:
            return None
        if done >= total:
            return 0.0
        if not measured or not expected:
            each = measured or expected
        else:
            weight = self._count / (self._count + TRUSTED)
            each = weight * measured + (1 - weight) * expected
        since = (self._paused_since or now) - self._last if self._origin else (self._paused_since or now) - self.began
        longest = max(self._gaps[-1], each)
        return max(0.0, each * (total - done) - min(max(0.0, since), longest))


class LiveProgress(LiveCallback):
    """Knows how far the scans are that it follows.

    :param out: takes a line from time to time, and one at the end.
    :param period: seconds between two of them.
    :param clock: tells the seconds since the epoch.
    """

    LIMIT = 0

    def __init__(
        self, out: Callable[[str], object] | None = None, *, period: float = PERIOD, clock: Clock = time.time
    ) -> None:
        super().__init__()
        self._out, self._period, self._clock = out, period, clock
        self._next = 0.0
        self.paces: dict[str, Pace] = {}
        """Of the scans that run, by db_name, the ones that began first before the others."""
        self.last: Progress | None = None
        """Of the scan that ended last."""

    def now(self) -> list[Progress]:
        """Return how far each scan is that runs, a sequence before its scans."""
        return [pace.now() for pace in self.paces.values()]

    def of(self, scan: LiveScan) -> Progress | None:
        pace = self.paces.get(scan.path)
        return pace.now() if pace else None

    def begin(self, scan: LiveScan) -> None:
        if not scan.info.get("monitoring"):
            self.paces[scan.path] = Pace(scan, self._clock)
            self._next = self._clock() + self._period

    def changed(self, scan: LiveScan) -> None:
        if pace := self.paces.get(scan.path):
            pace.changed()

    def looks_at(self, path: str) -> bool:
        return any(pace.looks_at(path) for pace in self.paces.values())

    def data(self, scan: LiveScan, channel: LiveChannel) -> None:
        if pace := self.paces.get(scan.path):
            pace.heard(channel)
            if scan.is_group and channel.kind is NodeKind.NODE_REF_CHANNEL:
                self._count(scan.path)
            if self._out is not None and self._clock() >= self._next:
                self._next = self._clock() + self._period
                self._tell(pace.now())

    def finish(self, scan: LiveScan) -> None:
        if pace := self.paces.pop(scan.path, None):
            self._count(str(scan.info.get("group") or ""))
            self.last = pace.now()
            if self._out is not None:
                self._tell(self.last)

    def _count(self, sequence: str) -> None:
        """Count the scans of a sequence that are over: those that it refers to, and that do not run."""
        pace = self.paces.get(sequence)
        if pace is None:
            return
        references = [c.length for c in pace.scan.channels.values() if c.kind is NodeKind.NODE_REF_CHANNEL]
        running = sum(other.scan.info.get("group") == sequence for other in self.paces.values())
        count = max(references, default=0) - running
        if count > pace.children:
            pace.children = count
            pace.came(count)

    def _tell(self, progress: Progress) -> None:
        if self._out is not None:
            self._out(f"{progress.name}: {progress.line(80)}")


def _number(found: Any, otherwise: float) -> float:
    return float(found) if isinstance(found, int | float) else otherwise


@once
def _levels(scan: LiveScan) -> list[list[LiveChannel]]:
    """Return the first scalar of each device below the first top master: those of one device come together.

    Of each list the channels are equally long in the end.
    """
    first: dict[str, LiveChannel] = {}
    for channel in scan.channels.values():
        if channel.is_scalar:
            first.setdefault(paths.parent(channel.path), channel)
    found: dict[str, list[LiveChannel]] = {}
    for channel in first.values():
        found.setdefault(levels(scan, channel), []).append(channel)
    top = next(iter(found), "").partition(":")[0]
    return [channels for level, channels in found.items() if level.partition(":")[0] == top]


def _told_by_masters(scan: LiveScan) -> int:
    """Return how many points the axes, or the top master, are going to have; 0 when they do not say."""
    channels, devices = scan.info.get("channels"), scan.info.get("devices")
    told = [each.get("points") for each in _dicts(channels)]
    told += [each.get("npoints") for each in _dicts(devices)][:1]
    return max((count for count in told if isinstance(count, int)), default=0)


def _dicts(found: Any) -> list[dict[str, Any]]:
    return [each for each in found.values() if isinstance(each, dict)] if isinstance(found, dict) else []


def _expected_per_point(scan: LiveScan) -> float:
    """Return the seconds of a point that the scan expects; 0 when it does not say."""
    told, npoints = scan.info.get("estimation"), scan.npoints
    total = told.get("total_time") if isinstance(told, dict) else None
    if isinstance(total, int | float) and npoints and math.isfinite(total):
        return max(0.0, float(total)) / npoints
    times = [scan.info.get(key) for key in ("count_time", "sleep_time", "stab_time")]
    return sum(max(0.0, float(each)) for each in times if isinstance(each, int | float)) if npoints else 0.0
