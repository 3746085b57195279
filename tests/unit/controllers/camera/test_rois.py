"""Regions of interest calculate what numpy does, pixel by pixel."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from bliss_like.controllers.camera.rois import STATISTICS, ArcRoi, ProfileMode, Roi, RoiProfile, statistics
from bliss_like.errors import UsageError

blocks = arrays(np.uint16, st.tuples(st.integers(1, 3), st.just(9), st.just(12)))
rectangles = st.tuples(st.integers(0, 6), st.integers(0, 4), st.integers(1, 6), st.integers(1, 5))


@given(blocks, rectangles)
def test_rectangles(frames: np.ndarray, box: tuple[int, int, int, int]) -> None:
    x, y, width, height = box
    found = statistics(Roi(*box), STATISTICS)(frames)
    for n, frame in enumerate(frames):
        pixels = frame[y : y + height, x : x + width].astype(float)
        expected = [pixels.sum(), pixels.mean(), pixels.std(), pixels.min(), pixels.max()]
        assert [values[n] for values in found] == pytest.approx(expected)


@given(
    blocks,
    st.floats(3, 8),
    st.floats(3, 5),
    st.floats(0, 1),
    st.floats(1.5, 2.9),
    st.floats(-720, 720),
    st.floats(60, 360),
)
def test_arcs(frames: np.ndarray, cx: float, cy: float, r1: float, r2: float, a1: float, aperture: float) -> None:
    roi = ArcRoi(cx, cy, r1, r2, a1, a1 + aperture)
    inside = np.zeros((9, 12), bool)
    for y in range(9):
        for x in range(12):
            radius = math.hypot(x - roi.cx, y - roi.cy)
            angle = math.degrees(math.atan2(y - roi.cy, x - roi.cx))
            in_ring = roi.r1 - 1e-7 <= radius <= roi.r2 + 1e-7
            inside[y, x] = in_ring and (angle - roi.a1 + 1e-7) % 360 <= roi.a2 - roi.a1 + 2e-7
    x, y, width, height = roi.bounding_box()
    assert inside.sum() == inside[y : y + height, x : x + width].sum()
    if inside.any():
        found = statistics(roi, STATISTICS)(frames)
        for n, frame in enumerate(frames):
            pixels = frame[inside].astype(float)
            expected = [pixels.sum(), pixels.mean(), pixels.std(), pixels.min(), pixels.max()]
            assert [values[n] for values in found] == pytest.approx(expected)


@given(blocks, rectangles)
def test_profiles(frames: np.ndarray, box: tuple[int, int, int, int]) -> None:
    x, y, width, height = box
    for mode, axis in (("horizontal", 1), ("vertical", 2)):
        roi = RoiProfile(*box, mode)  # type: ignore[arg-type]
        expected = frames[:, y : y + height, x : x + width].astype(float).sum(axis=axis)
        assert np.array_equal(roi.profile(frames), expected)
        assert expected.shape == (len(frames), roi.length)


def test_sums_do_not_overflow() -> None:
    bright = np.full((1, 2000, 2000), 65535, np.uint16)
    total, average = statistics(Roi(0, 0, 2000, 2000), ("sum", "avg"))(bright)
    assert total[0] == 4e6 * 65535 and average[0] == 65535


@pytest.mark.parametrize(
    ("given", "mode"), [("h", "horizontal"), (0, "horizontal"), ("V", "vertical"), (1, "vertical")]
)
def test_names_of_modes(given: Any, mode: str) -> None:
    assert ProfileMode.of(given) == mode


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Roi(0, 0, 0, 3), "at least 1 pixel, got 0 x 3"),
        (lambda: Roi(0.5, 0, 2, 3), "x: expected whole pixels, got 0.5"),  # type: ignore[arg-type]
        (lambda: ArcRoi(5, 5, 2, 2, 0, 90), "two different radii, at least 0, got 2 and 2"),
        (lambda: ArcRoi(5, 5, 1, 2, 90, 0), r"a1 < a2 <= a1 \+ 360 degrees, got 90 and 0"),
        (lambda: ArcRoi(5, 5, 1, math.nan, 0, 9), "r2: expected a number, got nan"),
        (lambda: RoiProfile(0, 0, 1, 1, "diagonal"), "expected 'horizontal' or 'vertical', got 'diagonal'"),  # type: ignore[arg-type]
    ],
)
def test_wrong_regions(make: Any, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        make()


def test_radii_in_any_order_and_what_a_region_says_of_itself() -> None:
    assert ArcRoi(5, 5, 4, 1, 0, 90) == ArcRoi(5, 5, 1, 4, 0, 90)
    roi = Roi(1, 2, 3, 4, name="r")
    assert (roi.p0, roi.p1, roi.get_params()) == ((1, 2), (4, 6), [1, 2, 3, 4])
    assert roi == Roi(1, 2, 3, 4) and roi.to_dict()["kind"] == "rect"


@given(
    st.floats(-3, 12), st.floats(-3, 12), st.floats(0, 3), st.floats(3.1, 8), st.floats(-720, 720), st.floats(1, 360)
)
def test_the_outline_of_an_arc_has_all_its_pixels(
    cx: float, cy: float, r1: float, r2: float, a1: float, aperture: float
) -> None:
    roi = ArcRoi(cx, cy, r1, r2, a1, a1 + aperture)
    rows, columns = np.mgrid[-15:25, -15:25]
    inside = roi.contains(columns, rows)
    x, y, width, height = roi.outline()
    around = (columns >= x) & (columns < x + width) & (rows >= y) & (rows < y + height)
    assert not (inside & ~around).any()
    left, top, across, down = roi.bounding_box()
    assert (across, down) == (0, 0) if not inside.any() else (left, top) == (columns[inside].min(), rows[inside].min())


def test_a_large_arc_costs_nothing() -> None:
    roi = ArcRoi(0, 0, 1e6, 2e6, 0, 360)
    assert roi.outline() == (-2000000, -2000000, 4000001, 4000001)


def test_a_full_ring_that_was_turned() -> None:
    assert ArcRoi(5, 5, 1, 2, 151.0, 511.00000000000006).a2 == 511.0
