"""Plots that follow scans."""

from __future__ import annotations

import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bliss_like.data.events import WireEvent
from bliss_like.live.ending import ending
from bliss_like.live.look import ASCII, Look
from bliss_like.live.picture import Wish, draw_scan, left_out, plot_of
from bliss_like.live.plot import LivePlot
from bliss_like.live.plots import plots_of
from bliss_like.live.scan import LiveScan, LiveScans
from bliss_like.live.stats import LiveStats

from .making import Told, feed

ROBX = {"axis_id": 0, "start": 0.0, "stop": 10.0, "unit": "mm"}
X = np.linspace(0, 10, 11)
PEAK = 100 * np.exp(-((X - 4) ** 2) / 2)


def ascan(number: int = 1, **info: Any) -> Told:
    return Told({"axis:robx": ROBX, "diodes:diode": {}}, number=number, type="ascan", npoints=11, **info)


def after(*events: list[WireEvent], **keys: Any) -> LivePlot:
    plot = LivePlot(**keys)
    for some in events:
        feed(plot, some)
    return plot


def scan_of(plot: LivePlot) -> LiveScan:
    assert plot.scan is not None
    return plot.scan


def text(plot: LivePlot, width: int = 60, height: int = 12) -> str:
    return "\n".join(plot.lines(width, height))


def test_nothing_is_drawn_before_a_scan_begins() -> None:
    assert LivePlot().lines(80, 20) == []
    assert LivePlot().spark(80) == ""


def test_a_scan_that_runs() -> None:
    told = ascan()
    plot = after(told.begin(), told.points(robx=X[:5], diode=PEAK[:5]))
    expected = """
     • diode                   scan 1: ascan robx 0 1 10 0.1
100 ┤                    ⡠⠔⠛
    │                 ⢀⡠⠊
    │               ⢀⠜⠃
 50 ┤             ⢀⠔⠁
    │           ⣀⠔⠁
  0 ┤⣤⣀⣀⣀⣀⣠⡤⠤⠔⠒⠊⠉
    └┬──────────┬──────────┬─────────┬──────────┬──────────┬
     0          2          4         6          8         10
                            robx [mm]
"""
    assert "\n".join(["", *plot.lines(60, 10), ""]) == expected


def test_the_scan_before_is_seen_behind_if_it_was_of_the_same_kind() -> None:
    first, second = ascan(1), ascan(2)
    plot = after(first.begin(), first.points(robx=X, diode=PEAK), first.end(), second.begin())
    assert "× scan 1" in text(plot)
    other = Told({"axis:roby": ROBX, "diodes:diode": {}}, number=3, type="ascan")
    feed(plot, [*second.end(), *other.begin()])
    assert "× scan" not in text(plot)


def test_when_it_is_over_the_peak_is_marked() -> None:
    told = ascan()
    lines = after(told.begin(), told.points(robx=X, diode=PEAK), told.end()).lines(70, 12)
    assert lines[-1].strip().startswith("robx [mm]")
    assert "▲ peak 4.00" in lines[-1] and "◆ cen 4.00" in lines[-1] and "━ fwhm 2.5" in lines[-1]
    assert "━━━▲━━━" in lines[-3]
    assert lines[0].endswith("scan 1: ascan robx 0 1 10 0.1")


def test_how_a_scan_ended_is_told_if_not_well() -> None:
    told = ascan()
    plot = after(told.begin(), told.points(robx=X[:3], diode=PEAK[:3]), told.end("USER_ABORTED"))
    assert text(plot, 79).splitlines()[0].endswith("USER_ABORTED")


@pytest.mark.parametrize(("state", "lines"), [("DONE", 1), ("USER_ABORTED", 0)])
def test_half_a_peak_is_no_edge(state: str, lines: int) -> None:
    told, stats = ascan(), LiveStats()
    half = np.linspace(X[0], X[3], 8)
    points = told.points(robx=half, diode=np.interp(half, X, PEAK))
    feed(stats, [*told.begin(), *points, *told.end(state)])
    assert stats.kind == "edge"
    assert len(ending(stats)) == lines


def test_noise_has_no_marks() -> None:
    told = ascan()
    noise = np.random.default_rng(1).normal(size=11)
    assert "peak" not in text(after(told.begin(), told.points(robx=X, diode=noise), told.end()))


def test_counters_of_different_ranges_have_panels_of_their_own() -> None:
    told = Told({"axis:robx": ROBX, "d:diode": {}, "d:other": {}, "t:heat": {"unit": "K"}, "d:ring": {}}, npoints=11)
    values = {"diode": PEAK, "other": PEAK + 50, "heat": X + 290, "ring": X * 1e6}
    plot = after(told.begin(), told.points(robx=X, **values), told.end())
    heads = [line.split()[1::2] for line in plot.lines(70, 16) if "•" in line and "┤" not in line and "│" not in line]
    assert [line.strip() for line in plot.lines(70, 16) if "•" in line.partition("d")[0]][0].startswith(
        "• diode  × other"
    )
    assert len(heads) == 3
    scan = scan_of(plot)
    assert [channel.name for channel in left_out(scan, 8, plots_of(scan)[0])] == ["heat", "ring"]
    assert len(plot.lines(70, 8)) == 8


def test_what_plotselect_has_chosen_is_drawn_alone() -> None:
    told = Told({"axis:robx": ROBX, "d:diode": {}, "d:other": {}}, display_extra={"plotselect": ["other"]})
    drawn = text(after(told.begin(), told.points(robx=X, diode=PEAK, other=PEAK), told.end()))
    assert "other" in drawn and "diode" not in drawn


def test_counters_that_are_named() -> None:
    told = Told({"axis:robx": ROBX, "d:diode": {}, "d:other": {}})
    events = [*told.begin(), *told.points(robx=X, diode=PEAK, other=X), *told.end()]
    assert "diode" not in text(after(events, y=["other"]))
    assert text(after(events, y="diode", x="other")).splitlines()[-1].split()[0] == "other"


def test_without_an_axis_it_is_the_time() -> None:
    told = Told({"timer:elapsed_time": {"unit": "s"}, "d:diode": {}}, type="timescan")
    drawn = text(after(told.begin(), told.points(elapsed_time=X, diode=PEAK)))
    assert "elapsed_time [s]" in drawn


def test_a_mesh_is_a_map() -> None:
    fast = {"axis_id": 0, "start": 0.0, "stop": 2.0, "axis_points": 3, "axis_kind": "forth", "unit": "mm"}
    slow = {"axis_id": 1, "start": 0.0, "stop": 1.0, "axis_points": 2, "axis_kind": "forth"}
    told = Told({"axis:robx": fast, "axis:roby": slow, "d:diode": {}}, data_dim=2, npoints=6, type="amesh")
    plot = after(told.begin(), told.points(robx=[0, 1, 2, 0], roby=[0, 0, 0, 1], diode=[0, 5, 10, 5]))
    assert plot.lines(30, 7)[1:] == [
        "1 ┤▓▓▓▓▓▓▓▓▓",
        "  │░░░░░░░░░▓▓▓▓▓▓▓▓▓█████████",
        "0 ┤░░░░░░░░░▓▓▓▓▓▓▓▓▓█████████",
        "  └────┬────────┬────────┬────",
        "       0        1        2",
        "       robx [mm], up roby",
    ]


def test_a_scan_of_spectra_shows_the_last_one() -> None:
    told = Told({"mca:spectrum": {"shape": (4,), "unit": "counts"}}, npoints=2)
    plot = after(told.begin(), told.points(spectrum=[[1, 2, 3, 4], [9, 5, 9, 9]]))
    lines = plot.lines(60, 9)
    assert "• spectrum [counts]" in lines[0]
    assert "point 2 of scan 1" in lines[0]
    assert [line.partition("┤")[0] for line in lines if "┤" in line] == ["8 ", "6 "]
    assert lines[-1].strip() == "index"


def test_a_scan_of_images_shows_the_last_one() -> None:
    told = Told({"camera:image": {"shape": (2, 2), "dtype": "u2", "kind": "lima"}})
    plot = after(told.begin(), told.points(image=[[[0, 9], [9, 0]]]))
    lines = plot.lines(40, 8)
    assert lines[-1].strip() == "2 x 2 pixels"
    assert any("░░░███" in line for line in lines)


def test_an_image_whose_file_is_gone_is_told_of(tmp_path: Path) -> None:
    told = Told({"camera:image": {"dtype": "U99", "kind": "lima", "image_shape": [2, 2], "reference": True}})
    missing = f"file://{tmp_path}/no.h5?path=/data&index=0"
    lines = after(told.begin(), told.points(image=[missing])).lines(60, 8)
    assert len(lines) == 1
    assert lines[0].startswith("image: ")
    assert len(lines[0]) <= 60


def test_a_group_of_scans_has_no_plot_of_its_own() -> None:
    group, inner = Told({}, is_scan_sequence=True), ascan(2)
    plot = after(group.begin(), inner.begin(), inner.points(robx=X, diode=PEAK), inner.end(), group.end())
    assert scan_of(plot).path == inner.path


def test_a_scan_that_has_nothing_to_draw() -> None:
    told = Told({"d:name": {"dtype": "U8"}})
    assert after(told.begin(), told.end()).lines(80, 20) == []
    assert plot_of(LiveScan.of(told.begin()[0])) is None  # type: ignore[arg-type]


def test_points_that_were_lost_are_a_gap_not_a_zero() -> None:
    told = Told({"axis:robx": ROBX, "d:diode": {"dtype": "i8"}})
    blocks = [told.block(name, values[:3]) for name, values in (("axis:robx", X), ("d:diode", X + 1000))]
    later = [told.block(name, values[8:], 8) for name, values in (("axis:robx", X), ("d:diode", X + 1000))]
    plot = after(told.begin(), [*blocks, *later])
    lowest = [line.partition("┤")[0] for line in plot.lines(60, 12) if "┤" in line][-1]
    assert float(lowest) >= 1000


def test_a_sparkline_is_as_long_as_the_scan_is_far() -> None:
    told = ascan()
    plot = after(told.begin(), told.points(robx=X[:5], diode=PEAK[:5]))
    assert plot.spark(60) == "diode ▁▁▂▅█ 100"
    assert plot.spark(17) == "diode ▁▂█ 100"
    assert plot.spark(60, Look(ASCII)) == "diode __.+# 100"
    assert plot.spark(10) == ""


def test_a_plot_of_a_scan_in_ascii_is_ascii() -> None:
    told = ascan()
    plot = after(told.begin(), told.points(robx=X, diode=PEAK), told.end())
    assert "\n".join(plot.lines(79, 20, Look(ASCII))).isascii()
    assert draw_scan(scan_of(plot), 79, 20, Look(ASCII), Wish(log=True))


def test_a_picture_of_very_many_points_copies_none_of_them() -> None:
    """It would take most of the time of a display, and more with each point."""
    names, npoints = [f"diode{number}" for number in range(8)], 100_000
    told = Told(dict.fromkeys(["timer:elapsed_time", *(f"diodes:{name}" for name in names)], {}), npoints=npoints)
    rng, shown = np.random.default_rng(1), LiveScans()
    plot = LivePlot()
    values = {"elapsed_time": np.arange(npoints) / 1e5, **{name: rng.normal(size=npoints) for name in names}}
    for event in [*told.begin(), *told.points(**values)]:
        if (scan := shown.accept(event)) is not None:
            plot.told(scan, event)
    text(plot)  # loads what it needs
    tracemalloc.start()
    try:
        assert "diode7" in text(plot, width=120)
        assert tracemalloc.get_traced_memory()[1] < npoints * 8 / 2
    finally:
        tracemalloc.stop()
