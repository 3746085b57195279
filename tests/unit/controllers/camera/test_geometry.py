"""Binning, flips, rotation and region: of images, and of regions and arcs in them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bliss_like.controllers.camera.geometry import ROTATIONS, Geometry, clipped
from bliss_like.controllers.camera.roi_counters import _moved_arc
from bliss_like.controllers.camera.rois import ArcRoi

SIZE = (24, 12)
"""Divisible by every binning that is tried."""
geometries = st.builds(
    Geometry,
    size=st.just(SIZE),
    binning=st.sampled_from([(1, 1), (2, 1), (1, 3), (2, 2), (4, 3)]),
    flip=st.tuples(st.booleans(), st.booleans()),
    rotation=st.sampled_from(ROTATIONS),
)

unbinned = geometries.map(lambda each: replace(each, binning=(1, 1)))


@st.composite
def boxes(draw: st.DrawFn, size: tuple[int, int]) -> tuple[int, int, int, int]:
    width, height = draw(st.integers(1, size[0])), draw(st.integers(1, size[1]))
    return draw(st.integers(0, size[0] - width)), draw(st.integers(0, size[1] - height)), width, height


def frames(n: int = 2) -> np.ndarray:
    return np.arange(n * SIZE[0] * SIZE[1], dtype=np.uint16).reshape(n, SIZE[1], SIZE[0])


def test_nothing_to_do_gives_the_frames() -> None:
    assert np.array_equal(Geometry(SIZE).apply(frames()), frames())


@pytest.mark.parametrize(("rotation", "corner"), [(0, 0), (90, 24 * 11), (180, 24 * 12 - 1), (270, 23)])
def test_rotation_is_clockwise(rotation: int, corner: int) -> None:
    assert Geometry(SIZE, rotation=rotation).apply(frames(1))[0, 0, 0] == corner


def test_flips() -> None:
    assert Geometry(SIZE, flip=(True, False)).apply(frames(1))[0, 0, 0] == 23
    assert Geometry(SIZE, flip=(False, True)).apply(frames(1))[0, 0, 0] == 24 * 11


def test_binned_pixels_are_added_without_overflow() -> None:
    bright = np.full((1, 12, 24), 65535, np.uint16)
    image = Geometry(SIZE, binning=(4, 3)).apply(bright)
    assert image.shape == (1, 4, 6) and (image == 12 * 65535).all()
    assert Geometry((25, 14), binning=(4, 3)).apply(np.ones((1, 14, 25), np.uint16)).shape == (1, 4, 6)


@given(geometries, st.data())
def test_a_region_is_cut_out_of_the_whole_image(geometry: Geometry, data: st.DataObject) -> None:
    whole = geometry.apply(frames())
    assert whole.shape[1:] == geometry.shape
    x, y, width, height = box = data.draw(boxes(geometry.full_size))
    cut = Geometry(geometry.size, geometry.binning, geometry.flip, geometry.rotation, box)
    assert np.array_equal(cut.apply(frames()), whole[:, y : y + height, x : x + width])
    assert cut.shape == (height, width)


@given(geometries, st.data())
def test_a_region_of_the_image_are_those_pixels_of_the_sensor(geometry: Geometry, data: st.DataObject) -> None:
    x, y, width, height = box = data.draw(boxes(geometry.full_size))
    left, top, columns, rows = geometry.to_sensor(box)
    there = frames()[:, top : top + rows, left : left + columns].sum(axis=(1, 2))
    assert (geometry.apply(frames())[:, y : y + height, x : x + width].sum(axis=(1, 2)) == there).all()
    assert geometry.from_sensor((left, top, columns, rows)) == box


@given(geometries, geometries, st.data())
def test_a_region_stays_on_its_pixels(old: Geometry, new: Geometry, data: st.DataObject) -> None:
    box = data.draw(boxes(old.full_size))
    old = Geometry(old.size, old.binning, old.flip, old.rotation, box)
    changed = old.changed(new.binning, new.flip, new.rotation)
    left, top, width, height = old.to_sensor(box, in_roi=False)
    now = changed.to_sensor((0, 0, *changed.image_size))
    assert now[0] <= left and now[1] <= top
    assert now[0] + now[2] >= left + width and now[1] + now[3] >= top + height
    assert changed.image_size == clipped((0, 0, *changed.image_size), changed.full_size)[2:]


@given(
    unbinned,
    unbinned,
    st.floats(2, 8),
    st.floats(2, 8),
    st.floats(-720, 720),
    st.floats(5, 360),
)
def test_an_arc_stays_on_its_pixels(
    old: Geometry, new: Geometry, cx: float, cy: float, a1: float, aperture: float
) -> None:
    arc = ArcRoi(cx, cy, 0.3, 3.1, a1, a1 + aperture)
    rows, columns = np.mgrid[0 : old.shape[0], 0 : old.shape[1]]
    mask = arc.contains(columns, rows)
    moved = _moved_arc(arc, old, new)
    rows, columns = np.mgrid[0 : new.shape[0], 0 : new.shape[1]]
    marked = np.zeros((1, *SIZE[::-1]), int)
    back = old.changed((1, 1), (False, False), 0)
    assert back.shape == SIZE[::-1]
    for y, x in zip(*np.nonzero(mask), strict=True):
        left, top, _, _ = old.to_sensor((int(x), int(y), 1, 1))
        marked[0, top, left] = 1
    there, found = new.apply(marked)[0].astype(bool), moved.contains(columns, rows)
    assert (there != found).sum() <= 2  # those on the very edge may fall on either side of it


def test_the_angles_of_an_arc_follow_binning_and_region() -> None:
    arc = ArcRoi(9.5, 5.5, 1, 4, 10, 50)
    moved = _moved_arc(arc, Geometry(SIZE), Geometry(SIZE, binning=(2, 2), roi=(1, 1, 6, 4)))
    assert (moved.cx, moved.cy, moved.r1, moved.r2) == pytest.approx((3.5, 1.5, 0.5, 2))
    assert (moved.a1, moved.a2) == (10, 50)
