"""What the prompt shows of scans."""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np
import pytest

from bliss_like.data.events import SavedScan
from bliss_like.data.saving import tell_saved
from bliss_like.devices.counter import SamplingCounter, SamplingCounterController, SamplingMode
from bliss_like.scanning.environment import environment
from bliss_like.scanning.group import Group
from bliss_like.scanning.result import LastScans
from bliss_like.scans import ct, loopscan, sct
from tests.unit.scanning.making import memory_environment


class Box(SamplingCounterController):
    """Counts up; a spectrum; a text; nothing."""

    def __init__(self) -> None:
        super().__init__("box")
        self.number = 0.0
        self.create_counter(SamplingCounter, "up", mode="SINGLE", unit="V")
        self.create_counter(SamplingCounter, "down", mode=SamplingMode.STATS, conversion_function=lambda up: -1e-9 * up)
        self.create_counter(SamplingCounter, "mca", mode="SINGLE", shape=(4,))
        self.create_counter(SamplingCounter, "word", mode="SINGLE", dtype=str)
        self.create_counter(SamplingCounter, "dead", mode="SINGLE")

    def read_all(self, *counters: SamplingCounter) -> list[object]:
        self.number += 1
        if self.number > 4:
            raise RuntimeError("out of numbers")
        values = {"mca": np.full(4, self.number), "word": "shut", "dead": np.nan}
        return [values.get(counter.name, self.number) for counter in counters]


@pytest.fixture
def box() -> Iterator[Box]:
    with memory_environment():
        yield Box()


def lines(scan: object) -> list[str]:
    return [re.sub(r"in [\d.e-]+ s", "in T s", line) for line in scan.__info__().splitlines()]  # type: ignore[attr-defined]


def test_one_point(box: Box) -> None:
    assert lines(ct(0, box)) == [
        "Scan: ct 0, DONE",
        "1 point in T s, not saved",
        "         value  N  std     min     max  unit",
        "up           1                          V",
        "down    -1e-09  1  nan  -1e-09  -1e-09",
        "mca   4, sum 4",
        "word      shut",
        "dead       nan",
    ]


def test_several_points(box: Box) -> None:
    assert lines(loopscan(3, 0, box)) == [
        "Scan 1: loopscan 3 0, DONE",
        "3 points in T s, eh1:tmp:scans:1_loopscan",
        "         min     max       last  unit",
        "up         1       3          3  V",
        "down  -3e-09  -1e-09     -3e-09",
        "mca                   4, sum 12",
        "word                       shut",
        "dead                        nan",
    ]


def test_one_that_has_not_begun_and_one_that_failed(box: Box) -> None:
    scan = loopscan(9, 0, box.counters["up"], run=False)
    assert lines(scan) == ["Scan: loopscan 9 0, IDLE, run() starts it"]
    with pytest.raises(RuntimeError):
        scan.run()
    assert lines(scan) == [
        "Scan 1: loopscan 9 0, KILLED",
        "ended by RuntimeError: out of numbers",
        "4 of 9 points in T s, eh1:tmp:scans:1_loopscan",
        "    min  max  last  unit",
        "up    1    4     4  V",
    ]


def test_a_group(box: Box) -> None:
    group = Group(loopscan(2, 0, box), sct(0, box), title="both")
    expected = ["2 scans in T s, eh1:tmp:scans:3_both", "scan  state  title"]
    assert lines(group)[1:3] == expected and lines(group)[4:] == ["1     DONE   loopscan 2 0", "2     DONE   ct 0"]


def test_one_that_is_saved_says_where_as_commands_take_it(box: Box) -> None:
    scan = loopscan(1, 0, box.counters["up"])
    tell_saved(environment.require_tree().store, SavedScan(scan.path, "FAILED", "/data/a.h5"), 100)
    assert lines(scan)[1] == f"1 point in T s, {scan.path}"
    tell_saved(environment.require_tree().store, SavedScan(scan.path, "SAVED", "/data/a.h5", ("/1.1", "/1.2")), 100)
    assert lines(scan)[1] == "1 point in T s, /data/a.h5::1.1"
    assert scan.node.__info__().splitlines()[1] == "1 point, /data/a.h5::1.1"


def test_columns_of_the_last_scans_stand_below_each_other(box: Box) -> None:
    scans = environment.scans = LastScans(maxlen=9)
    loopscan(1, 0, box.counters["up"])
    with pytest.raises(RuntimeError):
        loopscan(10_000, 0, box.counters["up"])
    first, *lines = scans.__info__().splitlines()
    assert [line.index("loopscan") for line in lines] == [first.index("title")] * 2


def test_the_last_scans(box: Box) -> None:
    scans = environment.scans = LastScans(maxlen=2)
    assert scans.__info__() == "No scan was run yet."
    for _ in range(2):
        ct(0, box)
    sct(0, box)
    first, *lines = scans.__info__().splitlines()
    assert first.split() == ["scan", "state", "points", "title"]
    told = ["DONE 1 point ct 0", "DONE 1 point ct 0", "1 DONE 1 point ct 0"]  # the first is not kept, but in the tree
    assert [line.split() for line in lines] == [line.split() for line in told]
