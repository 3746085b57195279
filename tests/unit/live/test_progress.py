"""How long a scan still takes, by a clock that the test owns."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from bliss_like.data.events import NodeKind, ScanInfoUpdate
from bliss_like.live.look import ASCII
from bliss_like.live.progress import LiveProgress, Progress, bar
from bliss_like.live.tree import LiveTree

from .making import START, Time, Told, feed

CHANNELS: dict[str, dict[str, Any]] = {"axis:robx": {}, "timer:elapsed_time": {}, "diodes:diode": {}}


class Followed:
    def __init__(self, told: Told) -> None:
        self.time, self.told = Time(), told
        self.progress = LiveProgress(clock=self.time)
        feed(self.progress, told.begin())

    def after(self, seconds: float, *events: Any) -> Progress:
        """Let time pass, then hand on events; return how far the scan is."""
        self.time.now += seconds
        for some in events:
            feed(self.progress, some)
        return self.progress.now()[0]

    def point(self, seconds: float, count: int = 1) -> Progress:
        return self.after(seconds, [self.told.block(name, np.zeros(count)) for name in self.told.channels])


def test_before_the_first_point_it_is_what_the_scan_expects() -> None:
    scan = Followed(Told(CHANNELS, npoints=10, estimation={"total_time": 20.0}))
    now = scan.after(0.0)
    assert (now.done, now.total, now.fraction, now.left) == (0, 10, 0.0, 20.0)
    assert now.finish == START + 20.0
    assert scan.after(1.0).left == pytest.approx(19.0)


def test_it_is_corrected_by_what_points_really_take() -> None:
    scan = Followed(Told(CHANNELS, npoints=100, estimation={"total_time": 100.0}))
    lefts = [scan.point(2.0).left for _ in range(50)]
    assert lefts[-1] == pytest.approx(50 * 2.0, rel=0.05)
    assert scan.after(0.0).rate == pytest.approx(0.5)
    assert all(before >= after - 8 for before, after in zip(lefts[10:], lefts[11:], strict=False)), "no jumps"  # type: ignore[operator]
    assert scan.after(1.5).left == pytest.approx(lefts[-1] - 1.5), "between two points, too"  # type: ignore[operator]


def test_points_in_blocks_do_not_fool_it() -> None:
    scan = Followed(Told(CHANNELS, npoints=1000))
    for _ in range(5):
        scan.point(10.0, 100)
    assert scan.after(0.0).left == pytest.approx(50.0)
    assert scan.after(5.0).left == pytest.approx(45.0)


def test_the_lines_of_a_mesh_are_part_of_the_pace() -> None:
    scan = Followed(Told(CHANNELS, npoints=100, estimation={"total_time": 30.0}))
    for n in range(50):
        scan.point(5.0 if n % 10 == 0 and n else 0.1)
    true = 50 * 0.1 + 5 * 4.9
    assert scan.after(0.0).left == pytest.approx(true, rel=0.25)


def test_one_long_stop_is_no_part_of_the_pace() -> None:
    scan = Followed(Told(CHANNELS, npoints=100))
    for n in range(50):
        scan.point(600.0 if n == 25 else 1.0)
    assert scan.after(0.0).left == pytest.approx(50.0, rel=0.05)


def test_a_pause_does_not_count() -> None:
    told = Told(CHANNELS, npoints=20)
    scan = Followed(told)
    for _ in range(10):
        scan.point(1.0)
    before = scan.after(0.0).left
    held = scan.after(0.0, [ScanInfoUpdate(told.path, {"paused": "user"})])
    later = scan.after(3600.0)
    assert held.paused == later.paused == "user" and later.left == before
    assert later.times() == "paused by user"
    scan.after(0.0, [ScanInfoUpdate(told.path, {"paused": ""})])
    assert scan.point(1.0).left == pytest.approx(9.0)


def test_what_is_waited_for_is_told_with_the_seconds_that_it_takes() -> None:
    told = Told(CHANNELS, npoints=20)
    scan = Followed(told)
    scan.point(1.0)
    since = scan.time.now - 4.0
    scan.after(0.0, [ScanInfoUpdate(told.path, {"waiting": "an answer of robx", "waiting_since": since})])
    assert scan.after(4.0).times() == "waiting 8 s for an answer of robx"
    assert scan.after(0.0).line(60).endswith("  1/20  waiting 8 s for an answer of robx")
    assert scan.after(192.0).times() == "waiting 3 min 20 s for an answer of robx"
    assert "waiting" not in scan.after(0.0, [ScanInfoUpdate(told.path, {"waiting": ""})]).times()


def test_who_joins_in_the_middle_knows_the_pace_at_once() -> None:
    told = Told(CHANNELS, npoints=100)
    time = Time()
    time.now = START + 50.0
    progress = LiveProgress(clock=time)
    feed(progress, told.begin())
    feed(progress, [told.block(name, np.zeros(50)) for name in CHANNELS])
    (now,) = progress.now()
    assert now.done == 50 and now.left == pytest.approx(50.0)


def test_without_an_end_there_are_time_and_rate_only() -> None:
    scan = Followed(Told(CHANNELS, npoints=0))
    for _ in range(5):
        now = scan.point(2.0)
    assert (now.fraction, now.left, now.finish) == (None, None, None)
    assert now.rate == pytest.approx(0.5)
    assert now.line(80) == "5 points  10 s, 0.5/s"


def test_more_points_than_announced_are_no_more_than_all() -> None:
    scan = Followed(Told(CHANNELS, npoints=2))
    for _ in range(3):
        now = scan.point(1.0)
    assert (now.fraction, now.done) == (None, 3)


def test_a_point_counts_when_all_channels_have_it() -> None:
    told = Told(CHANNELS, npoints=2)
    scan = Followed(told)
    assert scan.after(1.0, told.points(robx=[1], elapsed_time=[0])).done == 0
    assert scan.after(1.0, told.points(diode=[1])).done == 1


@pytest.mark.parametrize("npoints", [0, 6])
def test_a_faster_master_below_counts_if_its_points_are_announced(npoints: int) -> None:
    channels = {
        "axis:roby": {"device": "axis"},
        "line:robx": {"below": "eh1:scans:1_scan:axis:line", "device": "line"},
    }
    told = Told(channels, npoints=npoints)
    begin = told.begin()
    begin[-1].info["devices"] = {  # type: ignore[index, union-attr]
        "axis": {"npoints": 2, "triggered_devices": ["line"]},
        "line": {"npoints": 3},
    }
    progress = LiveProgress(clock=Time())
    feed(progress, [*begin, *told.points(roby=[0], robx=[0, 1])])
    assert (progress.now()[0].done, progress.now()[0].total) == ((2, 6) if npoints else (1, 2))


def test_lines_from_time_to_time_and_one_at_the_end() -> None:
    told, time, lines = Told(CHANNELS, npoints=4), Time(), list[str]()
    progress = LiveProgress(lines.append, period=10.0, clock=time)
    feed(progress, told.begin())
    for _ in range(4):
        time.now += 6.0
        feed(progress, [told.block(name, [0.0]) for name in CHANNELS])
    feed(progress, told.end(after=24.0))
    assert len(lines) == 3
    for line, words in zip(lines, (" 25 %  1/4", " 75 %  3/4", "100 %  4/4  24 s"), strict=True):
        assert line.startswith("scan 1: ") and words in line
    assert progress.last is not None and progress.last.elapsed == 24.0 and not progress.paces


def test_lines_fit_and_bars_need_no_unicode() -> None:
    now = Progress("scan 1", "ascan", "STARTING", 5, 11, 10.0, 100.0, 0.5, START)
    for width in range(5, 60):
        assert len(now.line(width)) <= width
    assert now.line(70, ASCII).startswith("#" * 9)
    assert " 45 %  5/11  1 min 40 s left, until " in now.line(70)
    assert bar(0.5, 10, ASCII) == "#####-----"
    assert bar(0.0, 3) == "───" and bar(0.5, 3) == "━╾─" and bar(1.0, 3) == "━━━" and len(bar(1 / 3, 10)) == 10


SCANS = {
    "GroupingMaster:scans": {"kind": str(NodeKind.NODE_REF_CHANNEL), "dtype": "U40"},
    "GroupingMaster:scan_numbers": {},
}


def test_a_sequence_is_a_tree() -> None:
    time = Time()
    tree = LiveTree(clock=time)
    sequence = Told(SCANS, number=4, is_scan_sequence=True, title="align", sequence_info={"scan_count": 3})
    feed(tree, sequence.begin())
    inside = [Told(CHANNELS, number=number, npoints=4, group=sequence.path, title="loop") for number in (5, 6)]
    alone = Told(CHANNELS, number=7, npoints=4, title="alone")
    for scan in inside:
        feed(tree, scan.begin())
        feed(tree, [sequence.block("GroupingMaster:scans", [scan.path])])
        time.now += 10.0
        feed(tree, [scan.block(name, np.zeros(3)) for name in CHANNELS])
        if scan is inside[0]:
            feed(tree, scan.end(after=10.0))
    feed(tree, alone.begin())
    lines = [" ".join(line.split()) for line in tree.lines(100, ASCII)]
    assert tree.is_nested
    assert lines[0].startswith("sequence 4 align") and "33 % 1/3" in lines[0]
    assert lines[1] == "scan 5 loop 3/4 done in 10 s"
    assert lines[2].startswith("scan 6 loop") and "75 % 3/4" in lines[2]
    assert lines[3].startswith("scan 7 alone")
    assert all(len(line) <= 60 for line in tree.lines(60, ASCII))
    feed(tree, [*inside[1].end(), *sequence.end(), *alone.end()])
    assert not tree.lines(80) and not tree.paces


def test_of_a_long_sequence_only_the_last_scans_are_kept() -> None:
    tree = LiveTree(clock=Time())
    sequence = Told(SCANS, number=1, is_scan_sequence=True, sequence_info={"scan_count": 100})
    feed(tree, sequence.begin())
    for number in range(2, 52):
        scan = Told(CHANNELS, number=number, group=sequence.path)
        feed(tree, [*scan.begin(), sequence.block("GroupingMaster:scans", [scan.path]), *scan.end()])
    lines = tree.lines(80, ASCII)
    assert len(lines) <= 8 and "50/100" in lines[0] and "more before these" in lines[1]
    assert "scan 51" in lines[-1]


def test_nobody_needs_the_milliseconds_that_are_left() -> None:
    scan = Followed(Told(CHANNELS, npoints=2, estimation={"total_time": 0.094}))
    assert scan.after(0.0).times() == "0.1 s left"
    assert scan.after(0.08).times() == "0.0 s left"


def test_it_measures_by_a_channel_that_it_goes_on_to_look_at() -> None:
    scan = Followed(Told({"timer:elapsed_time": {}, "diodes:one": {}, "diodes:two": {}}, npoints=10))
    looks = {name: scan.progress.looks_at(scan.told.path_of(name)) for name in scan.told.channels}
    assert looks == {"timer:elapsed_time": True, "diodes:one": True, "diodes:two": False}
    scan.after(1.0, [scan.told.block("diodes:two", np.zeros(1))])  # as of a scan that is not prepared yet
    for _ in range(4):
        now = scan.after(2.0, [scan.told.block(name, np.zeros(1)) for name, looked_at in looks.items() if looked_at])
    assert now.done == 4 and now.rate == pytest.approx(0.5)
