"""What must not happen with a camera: wrong pixels, frames of another point, two who take images at once, lost files."""

from __future__ import annotations

import resource
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import gevent
import numpy as np
import pytest

from bliss_like.controllers.camera.camera import Camera, CameraConfig
from bliss_like.controllers.camera.exposure import CameraStatus, FramePipeline
from bliss_like.controllers.camera.geometry import Geometry
from bliss_like.errors import DataError, DeviceError, UsageError
from bliss_like.scanning.environment import environment
from bliss_like.scans import ascan, ct, loopscan, sct
from bliss_like.scans.images import limatake
from bliss_like.session.saving import ScanSaving, ScanSavingConfig
from tests.unit.controllers.camera.test_camera_scans import Recorder, camera, files, image_node
from tests.unit.devices.making import make_axis
from tests.unit.scanning.making import in_background, memory_environment
from tests.waiting import wait_until_cooperative


@pytest.fixture(autouse=True)
def saving(tmp_path: Path) -> Iterator[Path]:
    with memory_environment():
        environment.scan_saving = ScanSaving("eh1", ScanSavingConfig(base_path=str(tmp_path), template=""))
        yield tmp_path


def settings(device: Camera, **acquisition: Any) -> list[dict[str, Any]]:
    return [{"device": device, "acquisition_settings": acquisition}]


# -- pixels ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["u1", "u2", "u4", "i2", "i4", "f4"])
@pytest.mark.parametrize(("parts", "binning"), [(3, (1, 1)), (1, (2, 2)), (5, (4, 2))])
def test_sums_of_frames_and_pixels_do_not_overflow(dtype: str, parts: int, binning: tuple[int, int]) -> None:
    top = np.iinfo(dtype).max if dtype[0] != "f" else 1e6
    pipeline = FramePipeline(Geometry((8, 4), binning), np.dtype(dtype), parts)
    images = pipeline(np.full((parts * 2, 4, 8), top, dtype))
    assert images.shape == (2, 4 // binning[1], 8 // binning[0]) and images.dtype == pipeline.dtype
    assert (images.astype(float) == float(top) * parts * binning[0] * binning[1]).all()


def test_sums_of_very_many_do_not_overflow() -> None:
    pipeline = FramePipeline(Geometry((512, 512), (512, 512)), np.dtype(np.uint16))
    assert pipeline(np.full((1, 512, 512), 65535, np.uint16)).item() == 512 * 512 * 65535


@pytest.mark.parametrize("dtype", ["u1", "u2", "u4", "i2", "i4"])
def test_a_background_may_be_brighter_or_darker(dtype: str) -> None:
    low, high = np.iinfo(dtype).min, np.iinfo(dtype).max
    for image, background in ((high, low), (low, high), (high, high)):
        pipeline = FramePipeline(Geometry((2, 2)), np.dtype(dtype), background=np.full((2, 2), background, dtype))
        assert pipeline(np.full((1, 2, 2), image, dtype))[0, 0, 0] == int(image) - int(background)


def test_a_background_that_was_averaged() -> None:
    pipeline = FramePipeline(Geometry((2, 2)), np.dtype(np.uint16), background=np.full((2, 2), 7.75))
    assert pipeline(np.full((1, 2, 2), 10, np.uint16))[0, 0, 0] == pytest.approx(2.25)


def test_frames_that_are_not_what_the_driver_has_declared() -> None:
    for values in (70000, -1, 1.5):
        recorder = Recorder(read=lambda values=values: np.full((1, 3, 4), values))
        with (
            gevent.Timeout(5),
            pytest.raises(DeviceError, match="rec: expected frames of uint16 .*sensor_dtype.*, got "),
        ):
            loopscan(1, 0, recorder, save=False)
    recorder = Recorder(read=lambda: np.full((1, 3, 4), 65535, np.int64))
    assert loopscan(1, 0, recorder, save=False).get_data("rec:image").max() == 65535


def test_a_dark_image_is_taken_as_the_sensor_gives_it(saving: Path) -> None:
    device = camera(dark=1e5, intensity=0)
    np.save(saving / "flat.npy", np.full((30, 40), 2.0))
    np.save(saving / "mask.npy", np.zeros((30, 40), np.uint8))
    device.processing.flatfield, device.processing.use_flatfield = str(saving / "flat.npy"), True
    device.processing.mask, device.processing.use_mask = str(saving / "mask.npy"), True
    device.take_dark(0.01, str(saving))
    device.processing.use_mask = False
    assert abs(device.take_image(0.01).mean()) < 10  # of 1000


def test_a_dark_image_that_fails_leaves_the_one_before(saving: Path) -> None:
    device = camera()
    device.take_dark(0.001, str(saving))
    with pytest.raises(DeviceError):
        device.take_dark(0.001, "/proc/none")
    assert device.processing.use_background


def test_a_correction_that_was_written_anew(saving: Path) -> None:
    device = camera(dark=0, intensity=0, offset=100)
    file = saving / "dark.npy"
    np.save(file, np.full((30, 40), 10))
    device.processing.background, device.processing.use_background = str(file), True
    assert device.take_image(0).mean() == 90
    np.save(file, np.full((30, 40), 30000))
    assert device.take_image(0).mean() == -29900
    file.unlink()
    with pytest.raises(
        DeviceError, match="camera cam: processing.background: .*dark.npy cannot be read.*use_background = False"
    ):
        device.take_image(0)


# -- frames and points -------------------------------------------------------------------------------------------------------


def test_more_frames_than_triggers_end_the_scan() -> None:
    recorder = Recorder()
    recorder.does["status"] = lambda: CameraStatus(2 * recorder.acquired, 2 * recorder.acquired)
    with gevent.Timeout(5), pytest.raises(DeviceError, match="camera rec: expected 1 frame.* after 1 trigger.*, got 2"):
        loopscan(5, 0.001, recorder, save=False)


def test_a_long_exposure_of_many_parts_may_take_its_time() -> None:
    device = camera()
    device.timeout = 0.1
    device.accumulation.max_expo_time = 0.02
    scan = loopscan(1, 0.3, device, save=False, chain_settings=settings(device, acq_mode="ACCUMULATION"))
    assert len(scan.get_data("cam:image")) == 1


@pytest.mark.parametrize("mode", ["INTERNAL_TRIGGER", "INTERNAL_TRIGGER_MULTI"])
def test_what_is_changed_while_a_scan_runs_is_for_the_next(mode: str) -> None:
    device = camera(intensity=0, dark=0, hot_pixels=[[0, 0]], rois={"r": [0, 0, 1, 1]})
    scan = loopscan(6, 0, device, run=False, chain_settings=settings(device, acq_trigger_mode=mode))
    (channel,) = [channel for channel in scan.channels if channel.short_name == "r_sum"]

    def change(*_: Any) -> None:
        if channel.length == 2:
            device.image.flip = True, False
            device.roi_counters["r"] = 5, 5, 2, 2
            device.accumulation.nb_frames = 3

    channel.connect(change)
    scan.run()
    assert scan.get_data("r_sum").tolist() == [65535] * 6
    assert (scan.get_data("cam:image")[:, 0, 0] == 65535).all()
    assert ct(0, device).get_data("cam:image")[0, 0, 39] == 65535


def test_only_one_takes_images_at_a_time() -> None:
    device = camera()
    task = in_background(scan := loopscan(1, 30, device, save=False, run=False))
    wait_until_cooperative(lambda: device.status().state == "Running")
    for other in (lambda: device.take_image(0.001), lambda: ct(0.001, device), lambda: device.image.raw_read):
        with pytest.raises(DeviceError, match="camera cam is taking images already"):
            other()
    assert device.status().state == "Running"
    scan.abort()
    task.get(timeout=1)
    assert device.take_image(0.001).shape == (30, 40)
    assert limatake(0.001, 3, device).state.name == "DONE"


def test_no_frames_are_asked_for() -> None:
    device = camera()
    with pytest.raises(Exception, match="acq_nb_frames: expected .*at least 1.*got 0"):
        loopscan(1, 0, device, chain_settings=settings(device, acq_trigger_mode="INTERNAL_TRIGGER", acq_nb_frames=0))


# -- regions -------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", ["image", "images", "bpm", "default", "roi_counters", "roi_profiles", "roi_collection"]
)
def test_names_that_others_have(name: str) -> None:
    device = camera()
    for container in (device.roi_counters, device.roi_profiles, device.roi_collection):
        with pytest.raises(UsageError, match=f"{name}.*take another name"):
            container[name] = 0, 0, 5, 5
    assert len(device.counters) and device.counter_groups.default


@pytest.mark.parametrize(
    "roi",
    [
        (float("nan"), 0, 1, 1),
        (0, float("inf"), 1, 1),
        (0, 0, 0, 1),
        (-1, 0, 3, 3),
        (0, 0, 41, 1),
        (0, 0, 1e6, 2e6, 0, 360),
    ],
)
def test_regions_that_are_none(roi: Any) -> None:
    device = camera()
    with pytest.raises(UsageError):
        device.roi_counters["r"] = roi
    assert len(device.roi_counters) == 0


def test_a_region_of_the_image_of_which_binning_leaves_nothing() -> None:
    device = camera()
    device.image.roi = 39, 29, 1, 1
    with pytest.raises(UsageError, match="cam.image.*nothing.*image.roi = None"):
        device.image.binning = 3, 3
    assert device.image.binning == [1, 1] and device.image.shape == (1, 1)


def test_a_region_of_the_image_of_another_sensor() -> None:
    recorder = Recorder()
    recorder.image.roi = 0, 0, 4, 2
    recorder.fullsize = 3, 3  # type: ignore[assignment]
    with pytest.raises(
        DeviceError, match=r"camera rec: image.roi \(0, 0, 4, 2\) .* 3 x 3 pixels.*set rec.image.roi = None"
    ):
        ct(0.001, recorder)
    recorder.image.roi = None
    assert recorder.image.shape == (3, 3)


# -- files ---------------------------------------------------------------------------------------------------------------------


@contextmanager
def largest_file(nbytes: int) -> Iterator[None]:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (nbytes, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize("file_format", ["HDF5", "EDF"])
def test_a_disk_that_is_full(saving: Path, file_format: str) -> None:
    device = camera(width=200, height=100)
    device.saving.file_format = file_format
    scan = loopscan(20, 0.001, device, run=False)
    with (
        largest_file(210_000),
        pytest.raises(DeviceError, match=f"camera cam: images cannot be saved in {saving}/scan0001"),
    ):
        scan.run()
    node = image_node(scan)
    assert 2 <= len(node) <= 5
    assert node.get_images().shape == (len(node), 100, 200) and node[0].max() > 0
    assert device.status().state == "Ready"
    assert len(loopscan(2, 0.001, device).get_data("cam:image")) == 2


@pytest.mark.parametrize("file_format", ["HDF5", "EDF"])
def test_a_directory_that_is_deleted_in_mid_scan(saving: Path, file_format: str) -> None:
    import shutil

    device = camera()
    device.saving.file_format = file_format
    scan = loopscan(200, 0.001, device, run=False)
    (channel,) = [channel for channel in scan.channels if channel.short_name == "image"]
    channel.connect(lambda *_: shutil.rmtree(saving / "scan0001") if channel.length == 3 else None)
    with pytest.raises(
        DeviceError, match="cam: images cannot be saved in .*: .*(cam_0000.* is gone|no more there.*cam_0000)"
    ):
        scan.run()
    assert len(image_node(scan)) == 3
    with pytest.raises(DataError, match="image 1 of .*cam_0000"):
        image_node(scan)[1]


def test_two_cameras_with_the_same_names_of_files(saving: Path) -> None:
    from bliss_like.controllers.simulated.camera import SimulatedCamera
    from tests.unit.devices.making import make

    one = camera(hot_pixels=[[0, 0]], intensity=0, dark=0)
    two = make(SimulatedCamera, "cam2", width=20, height=10, intensity=0, dark=0, hot_pixels=[[1, 0]])
    environment.scan_saving.images_prefix = "img_"  # type: ignore[union-attr]
    for device in (one, two):
        device.saving.mode = "ONE_FILE_PER_FRAME"
    scan = loopscan(5, 0.001, one, two)
    assert files(saving) == [f"scan0001/img_{n:04d}.h5" for n in range(10)]
    assert scan.get_data("cam:image").shape == (5, 30, 40) and (scan.get_data("cam:image")[:, 0, 0] == 65535).all()
    assert scan.get_data("cam2:image").shape == (5, 10, 20) and (scan.get_data("cam2:image")[:, 0, 1] == 65535).all()


@pytest.mark.parametrize("file_format", ["HDF5", "EDF"])
@pytest.mark.parametrize("name", ["a b", "50%", "w?at#is=this&index=7", "ümläut;{}", "ta\tb", "new\nline"])
def test_directories_of_any_name(saving: Path, name: str, file_format: str) -> None:
    environment.scan_saving = ScanSaving("eh1", ScanSavingConfig(base_path=str(saving / name), template=""))
    device = camera()
    device.saving.file_format = file_format
    scan = loopscan(3, 0.001, device)
    node = image_node(scan)
    assert node.references()[2].file.startswith(str(saving / name)) and node.references()[2].index == 2
    assert node.get_images().shape == (3, 30, 40)


def test_negative_indices_and_slices_are_those_of_an_array() -> None:
    for save in (True, False):
        scan = loopscan(6, 0, Recorder(), save=save)
        node, values = image_node(scan), np.arange(6)
        for key in (slice(-3, None), slice(None, -2), slice(-2, 100), slice(5, 2), slice(0, 6, 4), slice(-100, 2)):
            assert node[key][:, 0, 0].tolist() == values[key].tolist(), (save, key)
        assert node[-6][0, 0] == 0 and node.get(-1)[0, 0] == 5 and node.get()[0, 0] == 0
        assert node.get(1, 3)[:, 0, 0].tolist() == [1, 2, 3] and node.get(4, -1)[:, 0, 0].tolist() == [4, 5]
        assert node.get_images(-2)[:, 0, 0].tolist() == [4, 5]
        with pytest.raises(IndexError):
            node[6]
        with pytest.raises(IndexError):
            node[-7]


def refuse() -> None:
    raise DeviceError("the link is down")


@pytest.mark.parametrize("mode", ["INTERNAL_TRIGGER", "INTERNAL_TRIGGER_MULTI"])
@pytest.mark.parametrize("when", [0, 2])
@pytest.mark.parametrize("verb", ["prepare", "start", "trigger", "read", "stop", "status", "nothing comes"])
def test_a_camera_that_scans_can_do_without(
    saving: Path, verb: str, when: int, mode: str, caplog: pytest.LogCaptureFixture
) -> None:
    recorder = Recorder()
    recorder.is_critical, recorder.timeout = False, 0.05
    recorder.roi_counters["r"] = 0, 0, 1, 1
    recorder.roi_profiles["p"] = 0, 0, 3, 1
    x = make_axis("x")
    options = settings(recorder, acq_trigger_mode=mode)
    scan = ascan(x, 0, 3, 3, 0.001, recorder, run=False, chain_settings=options)

    def fail(*_: Any) -> None:
        if scan.channels[0].length == when:
            if verb == "nothing comes":
                recorder.does["status"] = lambda: CameraStatus(0, 0)
            else:
                recorder.does[verb] = refuse

    scan.channels[0].connect(fail)
    fail()
    with gevent.Timeout(5):
        scan.run()
    assert scan.state.name == "DONE" and x.position == 3
    values = scan.get_data("r_sum")
    came = np.isfinite(values)
    assert len(values) == 4 and scan.get_data("p").shape == (4, 3)
    assert np.array_equal(came, np.isfinite(scan.get_data("p")).all(axis=1)) and not (~came[:-1] & came[1:]).any()
    if mode == "INTERNAL_TRIGGER_MULTI":
        assert values[came].tolist() == list(range(came.sum()))
    images = image_node(scan)
    assert len(images) == came.sum() == len(images.references())
    if verb not in ("prepare", "start", "stop"):
        assert not came.all()
    if not came.all():
        assert "camera 'rec' failed" in caplog.text


def test_yaml_says_that_scans_can_do_without_a_camera() -> None:
    assert CameraConfig.model_validate({"name": "cam", "is_critical": False}).is_critical is False


def test_sct_aborts_at_once(saving: Path) -> None:
    device = camera()
    task = in_background(scan := sct(1000, device, run=False))
    wait_until_cooperative(lambda: device.status().state == "Running")
    with gevent.Timeout(0.5):
        scan.abort()
    task.get(timeout=1)


def test_a_block_of_frames_does_not_stay_longer_than_its_frames(monkeypatch: pytest.MonkeyPatch) -> None:
    from bliss_like.data.publisher import Limits
    from bliss_like.data.store import MemoryStore
    from bliss_like.data.tree import Tree
    from bliss_like.session.data_tree import GREENLETS

    environment.tree = Tree(MemoryStore(), tasks=GREENLETS, limits=Limits(images=10 * 24))
    monkeypatch.setattr("bliss_like.data.channel_buffer.ENTRY_BYTES", 3 * 24)
    node = image_node(limatake(0, 40, Recorder()))
    assert len(node) == 40 and 27 <= node.first_available <= 30
    assert node[node.first_available :][:, 0, 0].tolist() == list(range(node.first_available, 40))


@pytest.mark.parametrize("save", [True, False])
def test_images_that_are_converted_are_so_everywhere(save: bool) -> None:
    device = camera(intensity=0, dark=0, offset=100, rois={"r": [0, 0, 1, 1]})
    device.image.conversion_function = lambda images: images / 8
    scan = loopscan(2, 0.001, device, save=save)
    node = image_node(scan)
    assert node.image_dtype == node[0].dtype == np.float64 and (node[1] == 12.5).all()
    assert scan.get_data("r_sum").tolist() == [100, 100]
    device.image.conversion_function = lambda images: images[:, ::2]
    with pytest.raises(Exception, match=r"channel 'cam:image': expected images of shape \(30, 40\), got \(15, 40\)"):
        loopscan(2, 0.001, device, save=save)


@pytest.mark.parametrize("name", ["a b", "1", "", None, 3, "x.y", "images"])
def test_names_that_cannot_be_those_of_counters(name: Any) -> None:
    device = camera()
    with pytest.raises(UsageError, match=f"{name!r}"):
        device.roi_counters[name] = 0, 0, 3, 3
    if isinstance(name, str):
        with pytest.raises(UsageError, match=f"{name!r}"):
            camera(rois={name: [0, 0, 3, 3]})


def test_files_that_were_moved_or_are_others(saving: Path) -> None:
    node = image_node(loopscan(3, 0.001, camera()))
    file = Path(node.references()[0].file)
    file.rename(saving / "moved.h5")
    for read in (lambda: node[1], lambda: node.get_images(1), lambda: list(node), lambda: node.references()[1].read()):
        with pytest.raises(DataError, match=f"of {file}: there is no such file here"):
            read()
    import h5py

    with h5py.File(file, "x") as other:
        other["entry_0000/measurement/data"] = np.zeros((3, 5, 5))
    with pytest.raises(DataError, match=r"expected the shape \(30, 40\), it has \(5, 5\): this is not the file"):
        node[1]
    file.write_text("something else")
    with pytest.raises(DataError, match=f"image 1 of {file}: it cannot be read"):
        node[1]


def test_the_number_of_the_scan_in_the_names_of_files(saving: Path) -> None:
    environment.scan_saving.images_prefix = "{scan_number}_{img_acq_device}_"  # type: ignore[union-attr]
    loopscan(1, 0.001, camera())
    assert files(saving) == ["scan0001/0001_cam_0000.h5"]


@pytest.mark.parametrize("time", ["1", -1, float("nan"), float("inf"), True])
def test_times_that_are_none(time: Any) -> None:
    device = camera()
    for expose in (device.take_image, device.take, lambda time: device.take_dark(time, "/tmp")):
        with pytest.raises(UsageError, match="camera cam: exposure time: expected seconds, at least 0, got"):
            expose(time)


@pytest.mark.parametrize(
    "roi", [5, "abcd", (0, 0, 41, 1), (0, 0, 0, 5), (0.5, 0, 1, 1), (0, 0, 1), (True, 0, 1, 1), [None] * 4]
)
def test_regions_of_the_image_that_are_none(roi: Any) -> None:
    device = camera()
    with pytest.raises(
        UsageError, match=r"cam.image.roi: expected \(x, y, width, height\) inside 40 x 30 pixels, or None"
    ):
        device.image.roi = roi
    assert device.image.roi == (0, 0, 40, 30)


def test_regions_of_the_image_in_any_form() -> None:
    device = camera()
    for roi in ([1, 2, 3, 4], np.array([1, 2, 3, 4]), (1.0, 2.0, 3.0, 4.0)):
        device.image.roi = roi
        assert device.image.roi == (1, 2, 3, 4) and device.take_image(0).shape == (4, 3)
    for roi in (None, (0, 0, 0, 0), (0, 0, 40, 30)):
        device.image.roi = roi
        assert device.image.shape == (30, 40)


def test_what_a_group_does_not_have() -> None:
    with pytest.raises(AttributeError, match="cam.acquisition has no 'nb_frame', did you mean 'nb_frames'"):
        camera().acquisition.nb_frame = 3  # type: ignore[attr-defined]


@pytest.mark.real_time
def test_an_abort_while_the_disk_is_slow_holds_nobody_up(monkeypatch: pytest.MonkeyPatch) -> None:
    from bliss_like.image_files.hdf5 import Hdf5File

    write = Hdf5File.write

    def slow_write(file: Hdf5File, frames: np.ndarray) -> None:
        time.sleep(3)
        write(file, frames)

    monkeypatch.setattr(Hdf5File, "write", slow_write)
    monkeypatch.setattr("bliss_like.controllers.camera.exposure.GRACE", 0.1)
    device = camera(width=1000, height=1000)
    task = in_background(scan := loopscan(30, 0, device, run=False))
    wait_until_cooperative(lambda: device.last_image is not None)
    looks: list[float] = []

    def look() -> None:
        while True:
            looks.append(time.monotonic())
            gevent.sleep(0.01)

    looking = gevent.spawn(look)
    scan.abort(wait=False)
    assert task.get(timeout=30) is not None
    looking.kill()
    assert np.diff(looks).max() < 2.7  # nobody waits for the disk
    assert len(image_node(scan).references()) == len(image_node(scan))
