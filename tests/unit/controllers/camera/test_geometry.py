"""Regions stay on the same pixels of the sensor, whatever is done to images: compared with numpy, pixel by pixel."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bliss_like.controllers.camera.geometry import Geometry
from bliss_like.controllers.camera.rois import ArcRoi
from bliss_like.controllers.simulated.camera import SimulatedCamera
from bliss_like.errors import UsageError
from tests.unit.devices.making import make

few = settings(max_examples=40, deadline=None)
SIZE = (12, 9)
FRAME = np.random.default_rng(5).integers(0, 60000, (1, 9, 12), np.uint16)

binnings = st.tuples(st.integers(1, 4), st.integers(1, 4))
flips = st.tuples(st.booleans(), st.booleans())
rotations = st.sampled_from([0, 90, 180, 270])


def brute_force(binning: tuple[int, int], flip: tuple[bool, bool], rotation: int) -> np.ndarray:
    """The image of FRAME, made one pixel after the other."""
    frame = FRAME[0].astype(int)
    width, height = SIZE[0] // binning[0], SIZE[1] // binning[1]
    image = np.zeros((height, width), int)
    for y in range(height * binning[1]):
        for x in range(width * binning[0]):
            image[y // binning[1], x // binning[0]] += frame[y, x]
    image = np.array([[image[y, width - 1 - x if flip[0] else x] for x in range(width)] for y in range(height)])
    image = np.array([[image[height - 1 - y if flip[1] else y, x] for x in range(width)] for y in range(height)])
    for _ in range(rotation // 90):  # clockwise: the left column becomes the top row, from its bottom on
        height, width = image.shape
        image = np.array([[image[height - 1 - x, y] for x in range(height)] for y in range(width)])
    return image


@few
@given(binnings, flips, rotations)
def test_images(binning: tuple[int, int], flip: tuple[bool, bool], rotation: int) -> None:
    found = Geometry(SIZE, binning, flip, rotation).apply(FRAME)[0]
    assert np.array_equal(found, brute_force(binning, flip, rotation))


def camera(**keys: Any) -> SimulatedCamera:
    return make(SimulatedCamera, "cam", width=SIZE[0], height=SIZE[1], **keys)


def counted(device: SimulatedCamera, container: Any, name: str = "") -> Any:
    """What a scan of FRAME would give for one region, or for the collection."""
    images = device.pipeline()(FRAME)
    group = container.groups()
    if not group:
        return None
    counters = group[name or "roi_collection"]
    return [values[0] for values in container.calculation(tuple(counters), 1.0)(images)]


changes = st.lists(
    st.one_of(
        st.tuples(st.just("flip"), flips),
        st.tuples(st.just("rotation"), rotations),
        st.tuples(st.just("roi"), st.one_of(st.none(), st.tuples(*[st.integers(0, 5)] * 2, *[st.integers(2, 6)] * 2))),
    ),
    max_size=5,
)
boxes = st.tuples(st.integers(0, 7), st.integers(0, 5), st.integers(1, 5), st.integers(1, 4))


@few
@given(changes, boxes)
def test_regions_follow_flips_rotations_and_the_region_of_the_image(
    changes: list[tuple[str, Any]], box: tuple[int, int, int, int]
) -> None:
    device = camera()
    x, y, width, height = box
    device.roi_counters["r"] = box
    device.roi_profiles["p"] = *box, "horizontal"
    device.roi_profiles["q"] = *box, "vertical"
    device.roi_collection["c"] = box
    pixels = FRAME[0, y : y + height, x : x + width].astype(float)
    for attribute, value in changes:
        try:
            setattr(device.image, attribute, value)
        except UsageError:
            continue
    stats = counted(device, device.roi_counters, "r")
    if stats is None:  # cut off: only by a region of the image
        assert any(attribute == "roi" for attribute, _ in changes)
        assert counted(device, device.roi_collection) is None
        return
    assert stats == pytest.approx([pixels.sum(), pixels.mean(), pixels.std(), pixels.min(), pixels.max()])
    assert counted(device, device.roi_collection)[0].tolist() == [pixels.sum()]
    for name, axis in (("p", 0), ("q", 1)):
        profile, expected = counted(device, device.roi_profiles, name)[0], pixels.sum(axis=axis)
        assert profile.tolist() in (expected.tolist(), expected[::-1].tolist())


@few
@given(flips, rotations, flips, rotations, st.floats(2, 9), st.floats(2, 6), st.floats(0, 360), st.floats(20, 360))
def test_arcs_follow_flips_and_rotations(
    flip: tuple[bool, bool],
    rotation: int,
    flip_again: tuple[bool, bool],
    rotation_again: int,
    cx: float,
    cy: float,
    a1: float,
    aperture: float,
) -> None:
    device = camera()
    device.image.flip, device.image.rotation = flip, rotation
    cx, cy = (cx, cy) if rotation % 180 == 0 else (cy, cx)
    # No pixel is on the edge, where it may be lost to rounding.
    roi = ArcRoi(cx + 0.123, cy + 0.0456, 0.1, 1.77, a1, a1 + aperture)
    try:
        device.roi_counters["r"] = roi
    except UsageError:
        return
    before = counted(device, device.roi_counters, "r")
    device.image.flip, device.image.rotation = flip_again, rotation_again
    assert counted(device, device.roi_counters, "r") == pytest.approx(before)


@few
@given(binnings, flips, rotations, boxes)
def test_binned_regions_have_all_the_pixels_that_they_had(
    binning: tuple[int, int], flip: tuple[bool, bool], rotation: int, box: tuple[int, int, int, int]
) -> None:
    device = camera()
    x, y, width, height = box
    device.roi_counters["r"] = box
    device.image.flip, device.image.binning, device.image.rotation = flip, binning, rotation
    found = counted(device, device.roi_counters, "r")
    bin_x, bin_y = binning
    right, bottom = -(-(x + width) // bin_x) * bin_x, -(-(y + height) // bin_y) * bin_y
    if flip == (False, False):
        left, top = x // bin_x * bin_x, y // bin_y * bin_y
        if right > SIZE[0] // bin_x * bin_x or bottom > SIZE[1] // bin_y * bin_y:
            assert found is None  # on the pixels that make no full cell
        else:
            assert found[0] == FRAME[0, top:bottom, left:right].sum(dtype=float)
    elif found is not None:
        assert found[0] >= FRAME[0, y : y + height, x : x + width].sum(dtype=float)
