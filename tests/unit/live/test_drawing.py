"""Curves, maps and images as lines of text: whole screens of small ones, and what must hold of all."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from bliss_like.live.drawing import (
    Curve,
    GridAxis,
    Mark,
    draw_curves,
    draw_image,
    draw_map,
    draw_panels,
    gridded,
    sparkline,
)
from bliss_like.live.drawing.maps import COLOURS
from bliss_like.live.look import ASCII, UNICODE, Look, Role, cells

PLAIN, TYPEWRITER = Look(), Look(ASCII)
Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Marked(Look):
    """Colours that one can read: `<curve 1>text</>`, and letters for those of maps, of the upper half of a character."""

    colours: int = 256

    def paint(self, text: str, *roles: Role) -> str:
        return f"<{','.join(roles)}>{text}</>"

    def paint_cell(self, text: str, foreground: int | None = None, background: int | None = None) -> str:
        return "".join("-" if foreground is None else "abcdefghijklmn"[COLOURS.index(foreground)] for _ in text)


def screen(lines: Sequence[str]) -> str:
    return "\n" + "\n".join(lines) + "\n"


def curve(y: Sequence[float] | Array, name: str = "diode") -> Curve:
    return Curve(np.arange(len(y), dtype=float), np.asarray(y), name)


PEAK = curve([0, 0, 1, 4, 9, 10, 9, 4, 1, 0, 0])


def test_a_curve() -> None:
    lines = draw_curves([PEAK], 40, 10, title="scan 1: ascan", x_label="robx [mm]", marks=[Mark("peak", 5.0)])
    expected = """
    • diode                scan 1: ascan
10 ┤             ⢀⠶⠔⠒⠉⠛⠒⠒⠴⡆
   │            ⢀⠎        ⠱⡀
   │           ⢠⠊          ⠘⡄
 5 ┤          ⡰⠇            ⠘⢶
   │        ⡠⠊                ⠑⢄
 0 ┤⣤⣀⣀⣠⡤⠤⠔⠛                    ⠙⠣⠤⢄⣤⣀⣀⣠
   └┬──────┬──────┬───▲──┬──────┬──────┬
    0      2      4      6      8     10
    robx [mm]               ▲ peak 5.000
"""
    assert screen(lines) == expected


def test_a_curve_in_ascii() -> None:
    lines = draw_curves([PEAK], 40, 10, TYPEWRITER, title="scan 1: ascan", x_label="robx [mm]")
    expected = """
    * diode                scan 1: ascan
10 +              *..'*'.*
   |             :       '.
   |           .'          :
 5 +          *'           '*
   |        .'               '..
 0 +*...*.'*                    *''.*..*
   ++------+------+------+------+------+
    0      2      4      6      8     10
                 robx [mm]
"""
    assert screen(lines) == expected


def test_curves_one_behind_the_other_have_signs_of_their_own_without_colours() -> None:
    lines = draw_curves([PEAK, curve([5] * 11, "monitor")], 40, 6)
    expected = """
    • diode  × monitor
10 ┤             ⡠•⠒⠊⠉•⠉⠒•⢄
   │×⠒⠒×⠒⠒⠒×⠒⠒•⠖⠛⠒×⠒⠒⠒×⠒⠒×⠒⠛⠲•⠒⠒×⠒⠒⠒×⠒⠒×
 0 ┤•⣀⣀•⣀⡠⠤•⠒⠉                ⠉⠒•⠤⢄⣀•⣀⣀•
   └┬──────┬──────┬──────┬──────┬──────┬
    0      2      4      6      8     10
"""
    assert screen(lines) == expected


def test_panels_have_scales_of_their_own_and_one_axis() -> None:
    lines = draw_panels([[PEAK], [curve(np.linspace(1e6, 3e6, 11), "ring")]], 40, 12, x_label="robx")
    expected = """
     • diode
 10 ┤             ⡠⠛⠒⠉⠛⠉⠒⠚⢇
    │           ⢀⠜         ⠱⡀
    │        ⢀⡠⠜⠃           ⠈⠻⢄⡀
  0 ┤⣤⣀⣀⣠⡤⠤⠔⠛⠁                 ⠈⠙⠣⠤⢄⣤⣀⣀⣠
     • ring
3e6 ┤                    ⢀⡀⢀⣀⣤⣀⠤⠴⠦⠔⠒⠛⠒⠉⠙
2e6 ┤          ⢀⡀⢀⣀⣤⠤⠔⠛⠒⠉⠉⠉⠁
1e6 ┤⣤⣀⠤⠴⠦⠔⠒⠛⠒⠉⠉⠉⠁
    └┬──────┬──────┬─────┬──────┬──────┬
     0      2      4     6      8     10
                    robx
"""
    assert screen(lines) == expected


def test_a_logarithmic_scale_leaves_out_what_it_does_not_have() -> None:
    lines = draw_curves([curve([1, 10, 0, 100, -5, 1000, 1e4])], 30, 8, log=True)
    expected = """
      • diode
     │                   ⢀⣀⠤⠔⠙
1000 ┤            ⣤      ⠈⠁
     │   ⢀⣤
   1 ┤⣤⠔⠒⠁
     └┬───────┬──────┬───────┬
      0       2      4       6

"""
    assert screen(lines) == expected


def test_a_gap_where_values_are_missing() -> None:
    lines = draw_curves([curve([0, 1, math.nan, 3, 4])], 24, 5)
    expected = """
   • diode
4 ┤               ⢀⣀⡠⠤⠒⠙
2 ┤               ⠈⠁
  │    ⢀⣤
0 ┤⣤⠤⠒⠊⠁
"""
    assert screen(lines) == expected


def test_a_scan_that_runs_has_its_whole_axis() -> None:
    lines = draw_curves([curve([0, 1, 2])], 30, 8, x_range=(0.0, 10.0))
    expected = """
   • diode
2 ┤    ⡠⠚⠃
  │  ⢠⡔⠁
  │ ⡠⠃
0 ┤⣴⠁
  └┬────────────┬────────────┬
   0            5           10

"""
    assert screen(lines) == expected


def test_epochs_have_short_numbers() -> None:
    x = 1.8e9 + np.linspace(0, 4, 9)
    lines = draw_curves([Curve(x, np.arange(9.0))], 40, 8, x_label="epoch [s]")
    expected = """
  └┬────────┬────────┬────────┬────────┬
   0        1        2        3        4
          epoch [s]  +1800000000
"""
    assert screen(lines[-3:]) == expected


@pytest.mark.parametrize(
    ("values", "labels"),
    [
        ([7.0], ["7.2", "7.0", "6.8"]),
        ([0.0, 0.0, 0.0], ["1", "0", "-1"]),
        ([1e-12, 3e-12], ["3e-12", "2e-12", "1e-12"]),
        ([1e200, 3e200], ["3e200", "2e200", "1e200"]),
        ([-1.7e308, 3, 1.7e308], ["3.1", "3.0", "2.9"]),  # as good as infinite
        ([2**62, 2**62 + 2**61], ["6e18", "5e18"]),
        ([100.0, 100.5], ["100.4", "100.2", "100.0"]),
        ([1e9, 1e9 + 0.25], ["0.2", "0.1", "0.0"]),  # and +1000000000 above
        ([-0.001, 0.002], ["0.002", "0.000"]),
    ],
)
def test_numbers_of_any_size_have_sensible_digits(values: list[float], labels: list[str]) -> None:
    lines = draw_curves([curve(values)], 40, 10)
    assert [line.partition("┤")[0].strip() for line in lines if "┤" in line] == labels


@pytest.mark.parametrize("y", [[], [math.nan, math.inf], [-1.0, -2.0]])
def test_nothing_to_draw_is_said(y: list[float]) -> None:
    text = "\n".join(draw_curves([curve(y)], 60, 8, log=True))
    assert ("no points yet" in text) == (not y)
    assert ("above 0" in text) == bool(y)


CURVES_OF_ALL_KINDS = {
    "peak": PEAK,
    "none": curve([]),
    "one": curve([3.0]),
    "gaps": curve([1.0, math.nan, 2.0, math.inf, -math.inf]),
    "numbers that are large": curve(np.array([2**63 - 1, -(2**63)], np.int64)),
    "unsigned": curve(np.array([0, 2**64 - 1], np.uint64)),
    "truths": curve(np.array([True, False])),
    "to and fro": Curve(np.sin(np.arange(5000.0)), np.cos(np.arange(5000.0) * 1.3), "circle"),
    "many": curve(np.random.default_rng(1).normal(size=20_000)),
    "many gaps": curve(np.where(np.arange(20_000) % 2, 1.0, math.nan)),
    "no axis": Curve(np.full(3, math.nan), np.arange(3.0), "lost"),
}


@pytest.mark.parametrize("kind", CURVES_OF_ALL_KINDS)
@pytest.mark.parametrize("look", [PLAIN, TYPEWRITER], ids=["unicode", "ascii"])
def test_every_picture_keeps_within_its_lines_and_columns(kind: str, look: Look) -> None:
    one = CURVES_OF_ALL_KINDS[kind]
    for width, height in [(10, 3), (20, 5), (40, 8), (79, 24), (250, 40)]:
        for log in (False, True):
            lines = draw_curves(
                [one, PEAK], width, height, look, title="scan 1: ascan", marks=[Mark("cen", 5)], log=log
            )
            assert len(lines) == height
            assert all(cells(line) <= width for line in lines)
            assert look is PLAIN or "".join(lines).isascii()


def test_of_many_points_the_highest_and_the_lowest_are_seen() -> None:
    y = np.zeros(1_000_000)
    y[123_456], y[654_321] = 1000, -1000
    lines = draw_curves([curve(y)], 60, 12)
    spikes = [[column for column, sign in enumerate(line) if sign in "⡇⢸"] for line in (lines[2], lines[7])]
    assert [len(each) for each in spikes] == [1, 1]
    assert spikes[0][0] < spikes[1][0]


PLACES_ONE_WAY = {
    "even": np.arange(9000) * 1e-4,
    "falling": -np.arange(9000.0),
    "steps": np.arange(9000) // 37,
    "a pause": np.concatenate([np.arange(4500) * 1e-4, 100 + np.arange(4500)]),
    "in one place": np.full(9000, 2.5),
}


@pytest.mark.parametrize("look", [PLAIN, TYPEWRITER, Marked()], ids=["unicode", "ascii", "colours"])
@pytest.mark.parametrize("places", PLACES_ONE_WAY)
def test_points_that_go_one_way_are_drawn_in_little_time_and_as_all_others(places: str, look: Look) -> None:
    x, rng = PLACES_ONE_WAY[places], np.random.default_rng(3)
    noise, walk = rng.normal(size=len(x)), np.exp(rng.normal(size=len(x)).cumsum() / 10)

    def drawn(first: Sequence[float], log: bool) -> list[str]:
        """:param first: what is before the points; one that is nowhere is not seen, but has each point looked at for itself."""
        curves = [Curve(np.append(first, x), np.append(first, y)) for y in (noise, walk)]
        return draw_panels([curves, curves[1:]], 60, 20, look, log=log)

    for log in (False, True):
        assert drawn([], log) == drawn([math.nan], log)


def test_drawing_takes_no_time() -> None:
    rng = np.random.default_rng(2)
    for npoints, most in ((101, 0.003), (100_000, 0.020)):
        one = curve(rng.normal(size=npoints).cumsum())
        best = math.inf
        for _ in range(5):
            began = time.thread_time()
            draw_curves([one], 80, 20)
            best = min(best, time.thread_time() - began)
        assert best < 5 * most  # machines differ


def test_colours_are_by_curve() -> None:
    lines = draw_curves([curve([0, 1]), curve([1, 0], "monitor")], 60, 4, Marked())
    assert "<curve 1>• diode</>" in lines[0]
    assert "<curve 2>• monitor</>" in lines[0]
    assert any("<curve 2>" in line for line in lines[1:])


# -- sparklines --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "width", "line"),
    [
        ([], 5, ""),
        ([1, 2, 3], 0, ""),
        ([0, 1, 2, 3, 4, 5, 6, 7], 8, "▁▂▃▄▅▆▇█"),
        ([0, 7], 8, "▁█"),
        ([0, 0, 9, 0, 0, 0], 3, "▁█▁"),
        ([1, math.nan, 2], 8, "▁ █"),
        ([5, 5, 5], 8, "▅▅▅"),
        ([math.nan, math.nan], 8, "  "),
        ([-1.7e308, 1, 2], 8, " ▁█"),
        ([0, 5e-324], 8, "▅▅"),
    ],
)
def test_sparkline(values: list[float], width: int, line: str) -> None:
    assert sparkline(values, width, UNICODE) == line


def test_sparkline_in_ascii() -> None:
    assert sparkline(range(7), 7, ASCII) == "_.-=+*#"


# -- maps --------------------------------------------------------------------------------------------------------------


def test_a_map_without_colours_has_shades() -> None:
    values = np.array([[0, 5, 10], [math.nan, 5, 0]])
    lines = draw_map(values, 24, 7, columns=GridAxis(0, 2, 3), rows=GridAxis(0, 1, 2), name="diode", x_label="robx")
    expected = """
   diode  0.0 ░▒▓█ 10.0
1 ┤       ▓▓▓▓▓▓▓░░░░░░░
  │░░░░░░░▓▓▓▓▓▓▓███████
0 ┤░░░░░░░▓▓▓▓▓▓▓███████
  └───┬──────┬──────┬───
      0      1      2
           robx
"""
    assert screen(lines) == expected


def test_a_map_in_colours_has_two_rows_in_a_line() -> None:
    values = np.array([[math.nan, math.nan], [0.0, 1.0]])
    lines = draw_map(values, 50, 2, Marked(), columns=GridAxis(0, 1, 2), rows=GridAxis(0, 1, 2))
    assert lines[1].partition("</>")[2].startswith(24 * "a" + "nnn")


def test_a_map_of_an_axis_that_goes_down_is_not_turned_round() -> None:
    up = draw_map(np.array([[0.0, 9.0]]), 40, 8, columns=GridAxis(0, 1, 2), rows=GridAxis(0, 0, 1))
    down = draw_map(np.array([[9.0, 0.0]]), 40, 8, columns=GridAxis(1, 0, 2), rows=GridAxis(0, 0, 1))
    assert up == down


def test_points_on_a_grid() -> None:
    x, y, values = np.array([0.0, 1.02, 2, 2]), np.array([0.0, 0, 0, 1]), np.array([1.0, 2, 3, 5])
    grid = gridded(x, y, values, GridAxis(0, 2, 3), GridAxis(0, 1, 2))
    assert grid.tolist()[0] == [1, 2, 3]
    assert np.isnan(grid[1, :2]).all() and grid[1, 2] == 5


# -- images ------------------------------------------------------------------------------------------------------------


def test_an_image_keeps_its_shape_and_shows_a_spot_of_one_pixel() -> None:
    image = np.zeros((512, 1024), np.uint16)
    image[100, 900] = 50
    lines = draw_image(image, 60, 20, name="camera")
    assert len(lines) <= 20
    bright = [(row, line.index("█")) for row, line in enumerate(lines[1:]) if "█" in line]
    assert len(bright) == 1
    row, column = bright[0]
    assert (row, column) == (2, 53)


def test_pixels_that_a_detector_has_not_do_not_spoil_the_contrast() -> None:
    image = np.full((64, 64), 10, np.uint32)
    image[20:30, 20:30] = 90
    image[:, 40] = 2**32 - 1
    assert "90" in draw_image(image, 60, 20)[0]


@pytest.mark.parametrize(
    "image",
    [
        np.zeros((1, 1)),
        np.full((3, 1000), 7, np.int32),
        np.full((5, 5), math.nan),
        np.ones((2000, 3), bool),
        np.zeros((4, 4, 3), np.uint8),
        np.zeros((0, 5)),
    ],
    ids=str,
)
@pytest.mark.parametrize("look", [PLAIN, TYPEWRITER, Marked()], ids=["unicode", "ascii", "colours"])
def test_images_of_all_shapes(image: Array, look: Look) -> None:
    for width, height in [(10, 4), (79, 24)]:
        lines = draw_image(image, width, height, look)
        assert 0 < len(lines) <= height
        if not look.colours:
            assert all(cells(line) <= width for line in lines)
