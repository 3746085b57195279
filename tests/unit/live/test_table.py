"""Tables of scans, line by line."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import pytest

from bliss_like.live.look import ASCII, cells
from bliss_like.live.table import Kind, Line, LiveTable

from .making import START, Time, Told, feed

ROBX = {"unit": "mm", "start": 0.0, "stop": 1.0, "axis_points": 11, "axis_id": 0, "decimals": 4}
STEP: dict[str, dict[str, Any]] = {
    "axis:robx": ROBX,
    "timer:elapsed_time": {"unit": "s"},
    "timer:epoch": {"unit": "s"},
    "diodes:diode": {},
}


class Printed:
    """A table, and what it has printed."""

    def __init__(self, **options: Any) -> None:
        self.time = Time()
        self.lines: list[Line] = []
        options = {"width": 80, "clock": self.time, **options}
        self.table = LiveTable(options.pop("fields", None), out=self.lines.append, **options)

    def of(self, kind: Kind) -> list[str]:
        return [str(line) for line in self.lines if line.kind is kind]

    def __call__(self, *events: Any) -> Printed:
        for some in events:
            feed(self.table, some)
        return self


def step_scan(**info: Any) -> Told:
    return Told(STEP, **{"npoints": 3, **info})


def test_a_step_scan() -> None:
    told, printed = step_scan(filename="/data/sample/data.h5"), Printed()
    printed(told.begin())
    for n, value in enumerate([1.0, 12.5, 100.25]):
        printed(told.points(robx=[n / 2], elapsed_time=[n * 0.1], epoch=[START + n]), told.points(diode=[value]))
    printed(told.end(after=3.2))
    title, *rest = printed.lines
    assert title.startswith("Scan 1  ascan robx 0 1 10 0.1  ") and len(title) == 80
    assert rest == [
        "/data/sample/data.h5",
        "   #      dt[s]  robx[mm]       diode",
        "   0      0.000    0.0000           1",
        "   1      0.100    0.5000     12.5000",
        "   2      0.200    1.0000    100.2500",
        "Scan 1 done: 3 points in 3.2 s",
    ]
    assert not printed.table.tables


def test_a_row_comes_when_all_its_channels_have_the_point() -> None:
    told, printed = step_scan(), Printed()
    printed(told.begin(), told.points(robx=[0.0], elapsed_time=[0.0]))
    assert not printed.of(Kind.ROW)
    printed(told.points(diode=[1.0, 2.0]))
    assert printed.of(Kind.ROW) == ["   0      0.000    0.0000           1"]


def test_nobody_waits_for_a_channel_that_is_far_behind() -> None:
    told = Told({**STEP, "slow:slow": {}})
    printed = Printed()(told.begin())
    for n in range(4):
        printed(told.points(robx=[n], elapsed_time=[n], diode=[n + 0.5]))
        printed.time.now += 1.5
    assert [row.split() for row in printed.of(Kind.ROW)] == [["0", "0.000", "0.0000", "0.50000"]] + [
        [str(n), f"{n}.000", f"{n}.0000", f"{n}.50000"] for n in (1, 2, 3)
    ]
    printed(told.points(slow=[7.0]), told.end())
    assert printed.of(Kind.END) == ["Scan 1 done: 4 points in 1.0 s"]


def test_what_did_not_come_is_empty_and_nan_is_nan() -> None:
    told, printed = step_scan(), Printed()
    printed(told.begin(), told.points(robx=[0.0, 0.5, 1.0], elapsed_time=[0.0, 1.0, 2.0]))
    printed([told.block("diodes:diode", [np.nan]), told.block("diodes:diode", [5.0], first_index=2)], told.end())
    assert [row.split()[3:] for row in printed.of(Kind.ROW)] == [["nan"], [], ["5"]]


def test_an_aborted_scan_tells_how_far_it_came() -> None:
    told, printed = step_scan(), Printed()
    printed(told.begin(), told.points(robx=[0.0, 0.5], elapsed_time=[0.0, 0.1], diode=[1.0]))
    printed(told.end("USER_ABORTED", error={"type": "UserAbort", "message": "Ctrl-C"}))
    assert len(printed.of(Kind.ROW)) == 1, "a point without counts is none"
    assert printed.of(Kind.END) == ["Scan 1 aborted: 1 of 3 points in 1.0 s"]


def test_who_aborts_a_scan_says_why_but_a_key_does_not() -> None:
    for message, told_of in ("the beam is gone", ["the beam is gone"]), ("Ctrl-C", []), ("", []):
        told, printed = step_scan(), Printed()
        printed(told.begin(), told.end("USER_ABORTED", error={"type": "UserAbort", "message": message}))
        assert printed.of(Kind.END)[1:] == told_of


def test_a_failed_scan_without_points_tells_why() -> None:
    told, printed = step_scan(), Printed()
    printed(told.begin()[:1], told.end("KILLED", error={"type": "AxisFault", "message": "robx:\n it is off"}))
    assert [str(line) for line in printed.lines[1:]] == [
        "Scan 1 failed: 0 of 3 points in 1.0 s",
        "AxisFault: robx: it is off",
    ]


def test_a_count_is_told_by_values() -> None:
    channels = {"timer:elapsed_time": {"unit": "s"}, "diodes:diode": {"unit": "V"}, "ct:counts": {"device": "ct"}}
    told = Told({**channels, "cam:image": {"shape": (2, 3)}}, npoints=1, count_time=0.5, save=False, title="ct 0.5")
    printed = Printed()
    begin = told.begin()
    begin[-1].info["devices"] = {"ct": {"type": "IntegratingCounterAcquisitionSlave"}}  # type: ignore[index, union-attr]
    printed(begin, told.points(elapsed_time=[0.0], diode=[1.25], counts=[100], image=np.arange(6)), told.end())
    assert [str(line) for line in printed.lines[1:]] == [
        " diode = 1.25000 V",
        "counts = 100  (200/s)",
        "cam:image  2x3  sum 15  max 5",
    ]


@pytest.mark.parametrize(("width", "shown"), [(60, 2), (80, 4), (250, 18)])
def test_as_many_counters_as_fit(width: int, shown: int) -> None:
    told = Told({**STEP, **{f"box:c{n}": {} for n in range(30)}})
    printed = Printed(width=width)(told.begin())
    (note,), (header,) = printed.of(Kind.NOTE), printed.of(Kind.HEADER)
    assert header.split()[:4] == ["#", "dt[s]", "robx[mm]", "diode"]
    assert len(header.split()) == 3 + shown and len(header) <= width
    assert note.startswith(f"{31 - shown} more: c") and len(note) <= width


def test_chosen_counters_alone_are_shown() -> None:
    told = Told({**STEP, "box:a": {}, "box:b": {}}, display_extra={"plotselect": ["box:*"]})
    printed = Printed()(told.begin())
    assert printed.of(Kind.HEADER) == ["   #      dt[s]  robx[mm]           a           b"]
    assert printed.of(Kind.NOTE) == ["1 more: diode"]


@pytest.mark.parametrize(
    ("wanted", "shown"),
    [
        (["roi*", "diode"], "roi1 roi2 diode"),
        (["*"], "diode roi1 roi2"),
        (["roi1_std", "roi2"], "roi1_std roi2"),
        (["*_std"], "roi1_std"),
        (["mca*"], "roi2"),
        ([], "roi2"),
    ],
)
def test_tables_have_a_choice_of_their_own(wanted: list[str], shown: str) -> None:
    told = Told(
        {**STEP, "box:roi1": {}, "box:roi2": {}, "box:roi1_std": {}},
        display_extra={"plotselect": ["roi2"], "table": wanted},
    )
    printed = Printed()(told.begin())
    assert printed.of(Kind.HEADER)[0].split()[3:] == shown.split()
    left_out = {"diode", "roi1", "roi2"} - set(shown.split())
    assert {name for note in printed.of(Kind.NOTE) for name in note.partition(": ")[2].split(", ")} == left_out


def test_fields_may_be_names_patterns_or_counters() -> None:
    class Diode:
        name, fullname = "diode", "diodes:diode"

    told = Told({**STEP, "box:a": {}, "box:b": {}, "box:a_std": {}})
    printed = Printed(fields=[Diode(), "b", "a_*", "nothing"])(told.begin())
    assert printed.of(Kind.HEADER)[0].split() == ["#", "dt[s]", "robx[mm]", "diode", "b", "a_std"]
    assert printed.of(Kind.NOTE) == ["scan 1 has no nothing"]


def test_statistics_are_not_shown_and_equal_names_are_shown_whole() -> None:
    told = Told({"box:a": {}, "box:a_std": {}, "box:a_N": {}, "other:a": {}})
    assert Printed()(told.begin()).of(Kind.HEADER) == ["   #       box:a     other:a"]


def test_texts_and_wide_numbers_do_not_tear_the_table() -> None:
    told = Told({"box:text": {"dtype": "U20"}, "box:n": {}, "box:i": {"dtype": "i8"}, "box:ok": {"dtype": "?"}})
    printed = Printed()(told.begin())
    for row in [("a b", 1.5, 7, True), ("a longer text than fits", -1.5e-12, 2**62, False), ("", 1e300, -1, True)]:
        printed(told.points(**dict(zip(("text", "n", "i", "ok"), ([v] for v in row), strict=True))))
    rows = printed.of(Kind.ROW)
    header = printed.of(Kind.HEADER)[0]
    assert [len(row.rstrip()) <= len(header) for row in rows] == [True] * 3
    assert rows[1] == "   1     0.00000   4.612e+18  False  a longer …"


def table_of(values: Iterable[float], **options: Any) -> list[str]:
    told = Told({"box:n": {}})
    printed = Printed(rows_per_second=None, repeated=0, **options)
    printed(told.begin(), *(told.points(n=[value]) for value in values))
    return [
        "#" if line.kind is Kind.HEADER else line[6:] for line in printed.lines if line.kind in (Kind.HEADER, Kind.ROW)
    ]


@pytest.mark.parametrize(
    ("values", "shown"),
    [
        ([99.95, 100.05, 1000.5, 0.001], ["   99.9500", "  100.0500", " 1000.5000", "    0.0010"]),
        ([0.00373, 13.5335, 1000.0], ["   0.00373", "  13.53350", "1000.00000"]),
        ([0.5, -1.5, 1e4, 2.5], ["   0.50000", "  -1.50000", "#", "   10000.0", "       2.5"]),
        ([0.5, 2e6, 2.5], ["   0.50000", "#", " 2.000e+06", " 2.500e+00"]),
        ([3e-9, -2.5e-9, 0.0, 1e-7], [" 3.000e-09", "-2.500e-09", " 0.000e+00", " 1.000e-07"]),
        ([0.0, 12.0, 2**40, 0.0], ["         0", "        12", "#", " 1.100e+12", " 0.000e+00"]),
        ([0.0, 7.0, 7.25, 8.0], ["         0", "         7", "   7.25000", "   8.00000"]),
        ([1e5 + 0.5, 3e-3, 2e-3, 1e-3], ["  100000.5", "       0.0", "       0.0", "#", " 1.000e-03"]),
        ([1e5 + 0.5, 3e-3, 4.0, 2e-3], ["  100000.5", "       0.0", "       4.0", "       0.0"]),
        ([1000.5, 1e-14, 1e-15, 1e-16, 1e-17], ["   1000.50", *["      0.00"] * 4]),
        ([np.nan, 1.5, np.inf, 2.5], ["       nan", "   1.50000", "       inf", "   2.50000"]),
    ],
)
def test_the_points_of_a_column_are_below_each_other(values: list[float], shown: list[str]) -> None:
    assert table_of(values) == ["#", *shown]


@pytest.mark.parametrize("seed", range(30))
def test_under_one_header_all_numbers_of_a_column_are_written_alike(seed: int) -> None:
    random = np.random.default_rng(seed)
    size, sign = 10.0 ** random.uniform(-8, 8), random.choice([-1, 1], 200) if seed % 3 == 0 else 1
    lines = table_of(sign * size * np.exp(np.cumsum(random.normal(scale=random.choice([0.1, 0.5]), size=200))))
    assert lines.count("#") <= 6
    for block in "\n".join(lines).split("#\n"):
        rows = block.split("\n")[: -1 if block.endswith("\n") else None]
        assert len({row.find(".") for row in rows if row}) <= 1, rows
        assert len({"e" in row for row in rows if row}) <= 1, rows


def test_points_of_noise_around_zero_have_no_exponents() -> None:
    noise = np.random.default_rng(1).normal(size=500)
    assert "e" not in "".join(table_of([*noise[:200], 1e5 + 0.5, *noise[200:] * 1e3]))


def test_rows_are_thinned_out_when_they_come_too_fast_and_that_is_said() -> None:
    told, printed = Told({"box:n": {}}), Printed()
    printed(told.begin())
    for n in range(1000):
        printed.time.now += 0.002
        printed(told.points(n=[n]))
    fast = len(printed.of(Kind.ROW))
    assert 60 <= fast <= 40 + 2 * 20 + 1
    assert any(note.startswith("one of ") for note in printed.of(Kind.NOTE))
    assert len(printed.of(Kind.NOTE)) <= 3
    for n in range(5):
        printed.time.now += 1.0
        printed(told.points(n=[1000 + n]))
    assert printed.of(Kind.NOTE)[-1] == "every row is shown again"
    assert [row.split()[0] for row in printed.of(Kind.ROW)[-3:]] == ["1002", "1003", "1004"]
    printed(told.end())
    assert printed.of(Kind.NOTE)[-1].endswith("of 1005 rows shown; the data have all of them")


def test_who_joins_in_the_middle_of_a_slow_scan_gets_the_last_rows_and_then_each() -> None:
    told, printed = Told({"timer:elapsed_time": {"unit": "s"}, "box:n": {}}), Printed()
    times = np.arange(300) * 0.1
    printed(told.begin(), told.points(elapsed_time=times, n=np.arange(300)))
    assert printed.of(Kind.NOTE) == ["280 rows before these"]
    assert [row.split()[0] for row in printed.of(Kind.ROW)] == [str(n) for n in range(280, 300)]
    for n in range(300, 320):
        printed.time.now += 0.1
        printed(told.points(elapsed_time=[n * 0.1], n=[n]))
    printed(told.end())
    assert [row.split()[0] for row in printed.of(Kind.ROW)[20:]] == [str(n) for n in range(300, 320)]
    assert printed.of(Kind.NOTE)[1:] == ["40 of 320 rows shown; the data have all of them"]


def test_the_last_row_is_shown_also_when_it_came_before_the_end() -> None:
    told, printed = Told({"box:n": {}}), Printed()
    printed(told.begin())
    for n in range(0, 1000, 100):
        printed.time.now += 0.01
        printed(told.points(n=np.arange(n, n + 100)))
    printed.time.now += 5
    printed(told.end())
    assert printed.of(Kind.ROW)[-1].split()[0] == "999"


def test_who_joins_late_gets_an_overview_and_then_each_row() -> None:
    told, printed = Told({"box:n": {}, "box:m": {}}), Printed()
    printed(told.begin())
    for _ in range(10):
        printed([told.block("box:n", np.zeros(10_000))])
    for _ in range(10):
        printed([told.block("box:m", np.zeros(10_000))])
    assert 0 < len(printed.of(Kind.ROW)) <= 40
    for n in range(10):
        printed.time.now += 1.0
        printed(told.points(n=[n], m=[n]))
    assert [row.split()[1] for row in printed.of(Kind.ROW)[-5:]] == ["5", "6", "7", "8", "9"]


def test_all_rows_of_a_past_scan_are_shown_if_that_is_wanted() -> None:
    told = Told({"box:n": {}})
    printed = Printed(rows_per_second=None, repeated=0)(told.begin(), told.points(n=np.arange(3000)), told.end())
    assert len(printed.of(Kind.ROW)) == 3000
    assert len(printed.of(Kind.HEADER)) == 1


def test_the_header_comes_again() -> None:
    told = Told({"box:n": {}})
    printed = Printed(rows_per_second=None, repeated=10)(told.begin(), told.points(n=np.arange(25)))
    assert [line.kind for line in printed.lines].count(Kind.HEADER) == 3


def test_a_terminal_that_changes_its_size_gets_a_new_header() -> None:
    width = [60]
    told = Told({f"box:c{n}": {} for n in range(8)})
    printed = Printed(width=lambda: width[0])(told.begin())
    printed(told.points(**{f"c{n}": [1.0] for n in range(8)}))
    width[0] = 120
    for value in (2.0, 3.0):  # the new columns begin with the next point
        printed(told.points(**{f"c{n}": [value] for n in range(8)}))
    assert [len(header.split()) for header in printed.of(Kind.HEADER)] == [5, 9]
    assert printed.of(Kind.ROW)[-1].split() == ["2", *["3"] * 8]


def test_two_scans_at_the_same_time_are_told_apart() -> None:
    one, two, printed = Told({"box:n": {}}, number=1), Told({"box:n": {}}, number=2), Printed()
    printed(one.begin(), one.points(n=[1]), two.begin(), two.points(n=[2]), one.points(n=[3]), one.end(), two.end())
    assert "Scan 1, continued" in printed.of(Kind.NOTE)
    assert printed.of(Kind.END) == ["Scan 1 done: 2 points in 1.0 s", "Scan 2 done: 1 point in 1.0 s"]


def test_a_master_of_another_rate_has_empty_cells() -> None:
    channels = {"timer:elapsed_time": {}, "diodes:diode": {}, "temp:t": {"below": "eh1:scans:1_scan:timer_5s:temp"}}
    told, printed = Told(channels), Printed()
    printed(told.begin(), told.points(t=[20.5]))
    for n in range(3):
        printed(told.points(elapsed_time=[n], diode=[n]))
    assert [row.split() for row in printed.of(Kind.ROW)] == [
        ["0", "0.000", "0", "20.5000"],
        ["1", "1.000", "1"],
        ["2", "2.000", "2"],
    ]


def test_a_faster_master_below_has_the_rows() -> None:
    top = "eh1:scans:1_scan:axis"
    channels = {
        "axis:roby": {"device": "axis"},
        "line:robx": {"below": f"{top}:line", "device": "line"},
        "mca:roi": {"below": f"{top}:line:mca", "device": "mca"},
    }
    told, printed = Told(channels, npoints=2), Printed()
    begin = told.begin()
    begin[-1].info["devices"] = {  # type: ignore[index, union-attr]
        "axis": {"npoints": 2, "triggered_devices": ["line"]},
        "line": {"npoints": 3, "triggered_devices": ["mca"]},
        "mca": {"triggered_devices": []},
    }
    printed(begin)
    for n in range(2):
        printed(told.points(roby=[n]), told.points(robx=[0, 1, 2], roi=[5, 6, 7]))
    assert len(printed.of(Kind.ROW)) == 6


def test_sequences_and_monitoring() -> None:
    sequence = Told({}, number=4, is_scan_sequence=True, title="align")
    inside = Told({"box:n": {}}, number=5, group=sequence.path)
    watched = Told({"box:n": {}}, number=6, monitoring="ring")
    printed = Printed()(sequence.begin(), inside.begin(), watched.begin(), inside.points(n=[1]), watched.points(n=[1]))
    printed(inside.end(), sequence.end())
    assert [line.split("  ")[0] for line in printed.of(Kind.TITLE)] == ["Sequence 4", "Scan 5"]
    assert printed.of(Kind.END) == ["Scan 5 done: 1 point in 1.0 s", "Sequence 4 done: 0 scans in 1.0 s"]


def test_references_to_images_are_counted() -> None:
    told = Told({"box:n": {}, "cam:image": {"shape": (4, 4), "kind": "lima", "dtype": "U30"}}, npoints=2)
    begin = told.begin()
    printed = Printed()(begin, told.points(n=[1, 2]))
    table = next(iter(printed.table.tables.values()))
    table.scan.channel("image").extend(0, np.array(["file:0", "file:1"]))  # type: ignore[union-attr]
    printed(told.end())
    assert printed.of(Kind.VALUE) == ["cam:image  2 images"]


def test_images_alone_have_rows_of_times() -> None:
    told = Told({"timer:elapsed_time": {"unit": "s"}, "cam:image": {"shape": (4, 4)}}, npoints=2)
    printed = Printed()(told.begin(), told.points(elapsed_time=[0.0, 0.5]), told.end())
    assert printed.of(Kind.HEADER) + printed.of(Kind.ROW) == ["   #      dt[s]", "   0      0.000", "   1      0.500"]


def test_long_names_that_begin_alike_are_told_apart() -> None:
    names = [f"mono_crystal_temperature_{n}" for n in (1, 2)]
    (header,) = Printed(width=40)(Told({f"box:{n}": {} for n in names}).begin()).of(Kind.HEADER)
    assert header == "   #  mono_cr…rature_1  mono_cr…rature_2"


def test_numbers_of_points_that_grow_do_not_tear_the_table() -> None:
    told = Told({"box:n": {}})
    printed = Printed(rows_per_second=None, repeated=0)(told.begin(), told.points(n=np.zeros(10_001)))
    assert [len(header) for header in printed.of(Kind.HEADER)] == [16, 17]
    assert printed.of(Kind.ROW)[-1] == "10000           0"


VALUES: dict[str, list[Any]] = {
    "f8": [0.0, -1.5, 1e-300, -1e300, np.nan, np.inf, -np.inf, 123456.789, 1e7],
    "i8": [0, -1, 2**62, -(2**62)],
    "?": [True, False],
    "U30": ["", "text", "é漢字" * 5, "two\nlines\x1b[31m"],
}


@pytest.mark.parametrize("seed", range(12))
def test_whatever_comes_in_whatever_order_the_table_is_whole(seed: int) -> None:
    random = np.random.default_rng(seed)
    kinds = [str(random.choice(list(VALUES))) for _ in range(random.integers(1, 12))]
    names = {
        f"box{n % 3}:{'longer_' * int(random.integers(0, 4))}c{n}": {"dtype": kind} for n, kind in enumerate(kinds)
    }
    told, width = Told(names, npoints=int(random.choice([0, 300]))), int(random.integers(20, 250))
    printed = Printed(width=width, rows_per_second=random.choice([None, 20.0]))(told.begin())
    npoints = int(random.integers(2, 100))
    while left := [name for name, length in told.lengths.items() if length < npoints]:
        name = str(random.choice(left))
        first = told.lengths[name] + int(random.choice([0, 0, 0, 3]))
        count = min(int(random.choice([1, 1, 7, 100])), npoints - min(first, npoints - 1))
        points = random.choice(VALUES[names[name]["dtype"]], count)
        printed.time.now += float(random.exponential(0.05))
        printed([told.block(name, points, min(first, npoints - 1))])
    printed(told.end())
    rows = printed.of(Kind.ROW)
    indexes = [int(row.split()[0]) for row in rows]
    assert indexes == sorted(set(indexes)) and (not indexes or indexes[-1] <= npoints)
    assert all(
        cells(line) <= width for line in printed.lines if line.kind is not Kind.HEADER and line.kind is not Kind.ROW
    )
    widest = max((cells(header) for header in printed.of(Kind.HEADER)), default=0)
    assert all(cells(row) <= widest for row in rows) and "\x1b" not in "".join(printed.lines)
    announced = " of 300" if told.info["npoints"] else ""
    assert printed.of(Kind.END) == [f"Scan 1 done: {npoints}{announced} points in 1.0 s"]


def test_a_terminal_without_unicode_gets_none() -> None:
    told = Told({f"box:a_very_long_name_of_a_counter_{n}": {} for n in range(20)}, title="t" * 100)
    printed = Printed(glyphs=ASCII)(told.begin(), told.end())
    assert "".join(printed.lines).isascii() and all(len(line) <= 80 for line in printed.lines)


@pytest.mark.parametrize(
    ("keys", "shown"),
    [
        ({"decimals": 4, "start": 0, "stop": 1, "axis_points": 11}, "0.1000"),
        ({"decimals": 4, "start": 0, "stop": 1e-6, "axis_points": 11}, "0.00000010"),
        ({"start": 0, "stop": 1, "axis_points": 11}, "0.100"),
        ({"start": 0, "stop": 1, "points": 1}, "0.10"),
        ({"start": 2, "stop": 2, "points": 11}, "0.10000"),
        ({}, "0.10000"),
    ],
)
def test_decimals_tell_the_steps_of_an_axis_apart(keys: dict[str, Any], shown: str) -> None:
    told = Told({"axis:robx": keys, "box:n": {}})
    value = 1e-7 if keys.get("stop") == 1e-6 else 0.1
    printed = Printed()(told.begin(), told.points(robx=[value], n=[1]))
    assert printed.of(Kind.ROW)[0].split()[1] == shown
