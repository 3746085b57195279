"""What people set of a camera: regions by name, groups of attributes, and what is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from bliss_like.controllers.camera.rois import ArcRoi, Roi, RoiProfile
from bliss_like.controllers.simulated.camera import SimulatedCamera
from bliss_like.errors import UsageError
from tests.unit.devices.making import make


@pytest.fixture
def cam() -> SimulatedCamera:
    return make(SimulatedCamera, "cam", width=40, height=30, seed=1)


def test_regions_are_a_dict(cam: SimulatedCamera) -> None:
    rois = cam.roi_counters
    rois["a"] = 1, 2, 3, 4
    rois["b"] = Roi(5, 6, 7, 8)
    rois["c"] = 20, 15, 2, 6, 0, 90
    rois["d", "e"] = (0, 0, 1, 1), (0, 0, 2, 2)
    assert list(rois) == ["a", "b", "c", "d", "e"] and len(rois) == 5 and "a" in rois
    assert rois["a"] == Roi(1, 2, 3, 4) and rois["a"].name == "a" and rois["c"] == ArcRoi(20, 15, 2, 6, 0, 90)
    assert [roi.name for roi in rois.get_rois()] == list(rois.keys())
    assert dict(rois.items())["b"] == rois.get("b") and rois.get("z") is None
    rois.remove("a")
    del rois["d", "e"]
    assert list(rois) == ["b", "c"]
    with pytest.raises(KeyError, match="cam:roi_counters has no region 'a'; there are: b, c"):
        rois.remove("a")
    assert "b" in rois.__info__() and "<5,6> <7 x 8>" in rois.__info__()
    rois.clear()
    assert not len(rois) and list(rois.counters) == [] and "['name'] = x, y, width, height" in rois.__info__()


def test_names_of_counters(cam: SimulatedCamera) -> None:
    cam.roi_counters["r"] = 1, 2, 3, 4
    cam.roi_profiles["p"] = 0, 0, 10, 5
    cam.roi_collection["x1"] = 0, 0, 1, 1
    names = [counter.fullname for counter in cam.counter_groups["default"]]
    statistics = [f"cam:roi_counters:r_{stat}" for stat in ("sum", "avg", "std", "min", "max")]
    assert names == ["cam:image", *statistics, "cam:roi_profiles:p", "cam:roi_collection:roi_collection"]
    assert [counter.name for counter in cam.counters][-6:] == ["acq_time", "intensity", "x", "y", "fwhm_x", "fwhm_y"]
    assert [counter.name for counter in cam.counter_groups["r"]] == ["r_sum", "r_avg", "r_std", "r_min", "r_max"]
    assert cam.counters["r_sum"] is cam.roi_counters.counters.r_sum
    assert cam.roi_profiles.counters.p.shape == (10,)
    cam.roi_profiles.set_roi_mode("vertical", "p")
    assert cam.roi_profiles.counters.p.shape == (5,) and cam.roi_profiles.get_roi_mode("p") == "vertical"
    cam.roi_collection["x2"] = 1, 1, 2, 2
    assert cam.roi_collection.counters.roi_collection.shape == (2,)
    cam.roi_counters["r"] = 0, 0, 1, 1
    assert len(cam.roi_counters.counters) == 5


@pytest.mark.parametrize(
    ("container", "name", "roi", "message"),
    [
        ("roi_counters", "r", (30, 20, 20, 5), "'r', <30,20> <20 x 5>, is not inside the image of 40 x 30 pixels"),
        ("roi_counters", "r", (-1, 0, 2, 2), "is not inside the image"),
        ("roi_counters", "r", (5, 5, 2, 9, 0, 360), "is not inside the image"),
        ("roi_counters", "r", (1, 2, 3), "expected x, y, width, height; or cx, cy"),
        ("roi_counters", "r", "1234", "expected x, y, width, height"),
        ("roi_counters", "r", RoiProfile(1, 2, 3, 4), "expected x, y, width, height"),
        ("roi_counters", "r", (1, 2, 3.5, 4), "width: expected whole pixels, got 3.5"),
        ("roi_counters", "1r", (1, 2, 3, 4), "name of a region: expected letters and digits, got '1r'"),
        ("roi_counters", "known", (1, 2, 3, 4), "cam:roi_profiles has a region 'known' already"),
        ("roi_profiles", "p", (1, 2, 3, 4, "across"), "expected 'horizontal' or 'vertical', got 'across'"),
        ("roi_profiles", "p", (1, 2, 3), "expected x, y, width, height.,"),
        ("roi_collection", "c", (20, 15, 2, 6, 0, 90), "expected x, y, width, height, got"),
    ],
)
def test_wrong_regions_change_nothing(cam: SimulatedCamera, container: str, name: str, roi: Any, message: str) -> None:
    cam.roi_profiles["known"] = 0, 0, 5, 5
    with pytest.raises(UsageError, match=message):
        getattr(cam, container)[name] = roi
    with pytest.raises(UsageError):
        getattr(cam, container).update({"good": (0, 0, 1, 1), name: roi})
    assert list(cam.roi_counters) == list(cam.roi_collection) == [] and list(cam.roi_profiles) == ["known"]


def test_regions_of_the_configuration_are_there_at_first() -> None:
    cam = make(SimulatedCamera, "cam", width=40, height=30, rois={"r": [1, 2, 3, 4], "ring": [20, 15, 2, 6, 0, 90]})
    assert cam.roi_counters["r"] == Roi(1, 2, 3, 4) and cam.roi_counters["ring"] == ArcRoi(20, 15, 2, 6, 0, 90)
    cam.roi_counters.clear()
    assert not len(cam.roi_counters)


def test_regions_follow_the_image(cam: SimulatedCamera) -> None:
    cam.roi_counters["r"] = 30, 4, 8, 6
    cam.roi_profiles["p"] = 30, 4, 8, 6, "horizontal"
    cam.image.flip = True, False
    assert cam.roi_counters["r"] == Roi(2, 4, 8, 6)
    cam.image.rotation = 90
    assert cam.image.shape == (40, 30) and cam.roi_counters["r"] == Roi(20, 2, 6, 8)
    assert cam.roi_profiles["p"] == RoiProfile(20, 2, 6, 8, "vertical")  # type: ignore[arg-type]
    cam.image.binning = 2, 2
    assert cam.image.shape == (20, 15) and cam.roi_counters["r"] == Roi(10, 1, 3, 4)
    cam.image.reset()
    assert cam.image.shape == (30, 40) and cam.roi_counters["r"] == Roi(30, 4, 8, 6)


def test_a_region_that_is_cut_off_comes_back(cam: SimulatedCamera) -> None:
    cam.roi_counters["r"] = 30, 4, 8, 6
    cam.image.roi = 0, 0, 20, 20
    assert list(cam.roi_counters.counters) == [] and "not inside the image" in cam.roi_counters.__info__()
    cam.image.roi = None
    assert len(cam.roi_counters.counters) == 5 and cam.roi_counters["r"] == Roi(30, 4, 8, 6)


@pytest.mark.parametrize(
    ("group", "attribute", "value"),
    [
        ("image", "roi", (0, 0, 41, 10)),
        ("image", "roi", (0, 0, 0, 10)),
        ("image", "roi", (1, 2, 3)),
        ("image", "binning", (0, 1)),
        ("image", "binning", (41, 1)),
        ("image", "binning", 2),
        ("image", "flip", True),
        ("image", "flip", (1, 2)),
        ("image", "rotation", 45),
        ("saving", "mode", "ALWAYS"),
        ("saving", "file_format", "TIFF"),
        ("saving", "frames_per_file", 0),
        ("saving", "frames_per_file", "many"),
        ("saving", "max_file_size_in_MB", -1.0),
        ("acquisition", "expo_time", -0.1),
        ("acquisition", "expo_time", float("nan")),
        ("acquisition", "trigger_mode", "SOFT"),
        ("acquisition", "nb_frames", 0),
        ("accumulation", "max_expo_time", 0.0),
        ("accumulation", "nb_frames", -1),
        ("processing", "background", "/nowhere/dark.edf"),
        ("processing", "use_mask", "yes"),
    ],
)
def test_wrong_values_are_refused(cam: SimulatedCamera, group: str, attribute: str, value: Any) -> None:
    part = getattr(cam, group)
    before = getattr(part, attribute)
    with pytest.raises((UsageError, TypeError), match=rf"cam\.{group}\.{attribute}: expected .*, got "):
        setattr(part, attribute, value)
    assert getattr(part, attribute) == before


def test_what_is_said_of_a_camera(cam: SimulatedCamera) -> None:
    cam.roi_counters["r"] = 1, 2, 3, 4
    info = cam.__info__()
    for words in (
        "SimulatedCamera cam: 40 x 30 pixels of uint16, Ready",
        "cam.saving",
        "ONE_FILE_PER_SCAN",
        "<1,2> <3 x 4>",
    ):
        assert words in info
    assert "cam:image" in cam.image.__info__() and "rotation" in cam.image.__info__()
    assert cam.saving.available_saving_formats == ["HDF5", "EDF"]


def test_accumulation_splits() -> None:
    cam = make(SimulatedCamera, "cam")
    assert cam.accumulation.split(2.5) == (3, pytest.approx(2.5 / 3))
    assert cam.accumulation.split(0.5) == (1, 0.5)
    cam.accumulation.nb_frames = 5
    assert cam.accumulation.split(1.0) == (5, 0.2)


def test_the_image_is_what_is_set(cam: SimulatedCamera) -> None:
    cam.image.roi = 4, 6, 20, 10
    assert cam.image.raw_read.shape == cam.image.shape == (10, 20) and cam.image.roi == (4, 6, 20, 10)
    cam.image.binning = 2, 2
    image = cam.take_image(0.001)
    assert image.shape == (5, 10) and image.dtype == cam.image.dtype == np.uint32
    assert (cam.image.width, cam.image.height, cam.image.depth, cam.image.fullsize) == (10, 5, 4, (40, 30))


# -- what YAML says of groups and regions ------------------------------------------------------------------------------------


def test_groups_are_at_first_what_yaml_says() -> None:
    cam = make(
        SimulatedCamera,
        "cam",
        width=40,
        height=30,
        image={"binning": [2, 1], "rotation": 90},
        saving={"mode": "ONE_FILE_PER_N_FRAMES", "frames_per_file": 7},
        acquisition={"trigger_mode": "INTERNAL_TRIGGER", "expo_time": 0.5},
        accumulation={"max_expo_time": 0.2},
        processing={"use_mask": False},
    )
    assert (cam.image.binning, cam.image.rotation, cam.image.flip) == ([2, 1], 90, [False, False])
    assert cam.image.shape == (20, 30)
    assert (cam.saving.mode, cam.saving.frames_per_file, cam.saving.file_format) == ("ONE_FILE_PER_N_FRAMES", 7, "HDF5")
    assert (cam.acquisition.trigger_mode, cam.acquisition.expo_time) == ("INTERNAL_TRIGGER", 0.5)
    assert cam.accumulation.max_expo_time == 0.2 and cam.acquisition.nb_frames == 1
    cam.saving.frames_per_file = 3
    assert cam.saving.frames_per_file == 3
    cam.saving.reset()
    assert cam.saving.frames_per_file == 7


@pytest.mark.parametrize(
    ("keys", "sentence"),
    [
        ({"image": {"binning": [0, 1]}}, "image.binning.0"),
        ({"image": {"roi": [1, 2, 3]}}, r"expected \[x, y, width, height\] in pixels, got \[1, 2, 3\]"),
        ({"image": {"rotation": 45}}, "image.rotation"),
        ({"saving": {"mode": "ONE_FILE"}}, "saving.mode"),
        ({"saving": {"max_file_size_in_MB": float("inf")}}, "saving.max_file_size_in_MB"),
        ({"acquisition": {"expo_time": -1}}, "acquisition.expo_time"),
        ({"rois": {"a": [1, 2, 3]}}, "roi 'a': expected x, y, width, height; or .* got 3 numbers"),
        ({"rois": {"a": [1, 2, 0, 3]}}, "roi 'a': expected width and height of at least 1 pixel, got 0 x 3"),
        ({"rois": {"a": [1, 2, 3, 3, 0, 90]}}, "roi 'a': expected two different radii"),
    ],
)
def test_what_yaml_says_is_refused_before_the_camera_is_made(keys: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        SimulatedCamera.Config.model_validate({"name": "cam", **keys})
