"""Scans with a camera: what is published and what is saved, interruptions, drivers that fail."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gevent
import numpy as np
import pytest

from bliss_like.controllers.camera.camera import Camera
from bliss_like.controllers.camera.exposure import AcquisitionSettings, CameraStatus
from bliss_like.controllers.camera_bpm import CameraBpm
from bliss_like.controllers.simulated.camera import SimulatedCamera
from bliss_like.data.image_node import ImageNode
from bliss_like.errors import ChainError, DeviceError, PointExpired, ScanUsageError, UserAbort
from bliss_like.scanning.acquisition.camera import CameraAcquisitionMaster
from bliss_like.scanning.acquisition.timer import SoftwareTimerMaster
from bliss_like.scanning.chain import AcquisitionChain
from bliss_like.scanning.environment import environment
from bliss_like.scanning.scan import Scan, ScanState
from bliss_like.scans import ascan, ct, loopscan, sct, timescan
from bliss_like.scans.auto_filter import AutoFilter
from bliss_like.scans.images import limatake
from bliss_like.session.saving import ScanSaving, ScanSavingConfig
from tests.unit.devices.making import make, make_axis
from tests.unit.scanning.making import in_background, memory_environment
from tests.unit.scans.test_auto_filter import filter_set
from tests.waiting import wait_until_cooperative


@pytest.fixture(autouse=True)
def saving(tmp_path: Path) -> Iterator[Path]:
    with memory_environment():
        environment.scan_saving = ScanSaving("eh1", ScanSavingConfig(base_path=str(tmp_path), template=""))
        yield tmp_path


def camera(**keys: Any) -> SimulatedCamera:
    given = {"seed": 1, "width": 40, "height": 30, "intensity": 1e6, "sigma": 4, "dark": 1e4, **keys}
    return make(SimulatedCamera, "cam", **given)


def files(directory: Path) -> list[str]:
    return sorted(str(path.relative_to(directory)) for path in directory.rglob("*") if path.is_file())


def image_node(scan: Scan) -> ImageNode:
    (node,) = [node for node in scan.node.channels() if isinstance(node, ImageNode)]
    return node


class Recorder(Camera):
    """A driver whose frames are full of their own numbers; it does what it is told to in between."""

    def __init__(self, **does: Any) -> None:
        super().__init__("rec", Camera.Config(name="rec"))
        self.does, self.calls = does, []
        self.timeout, self.poll_period = 0.2, 0.001
        self.acquired = 0
        self.settings = AcquisitionSettings(1, 0, 0, "", 1)

    fullsize = (4, 3)  # type: ignore[assignment]

    def _do(self, verb: str) -> Any:
        self.calls.append(verb)
        return self.does.get(verb, lambda: None)()

    def prepare_acquisition(self, settings: AcquisitionSettings) -> None:
        self.settings, self.acquired = settings, 0
        self._do("prepare")

    def start_acquisition(self) -> None:
        self._do("start")

    def trigger(self) -> None:
        self._do("trigger")
        self.acquired += self.settings.frames_per_trigger

    def stop_acquisition(self) -> None:
        self._do("stop")

    def status(self) -> CameraStatus:
        return self.does.get("status", lambda: CameraStatus(self.acquired, self.acquired))()

    def read_frames(self, first: int, nb_frames: int) -> np.ndarray:
        frames = self._do("read")
        return (
            np.stack([np.full((3, 4), n, np.uint16) for n in range(first, first + nb_frames)])
            if frames is None
            else frames
        )


# -- what is acquired ------------------------------------------------------------------------------------------------------


def test_a_camera_is_prepared_once_and_triggered_for_each_point() -> None:
    recorder = Recorder()
    scan = loopscan(4, 0, recorder, save=False)
    assert [call for call in recorder.calls if call != "read"] == ["prepare", "start", *["trigger"] * 4, "stop"]
    assert recorder.settings.nb_frames == 4 and recorder.settings.trigger_mode == "INTERNAL_TRIGGER_MULTI"
    assert scan.get_data("rec:image")[:, 0, 0].tolist() == [0, 1, 2, 3]


def test_several_frames_a_point() -> None:
    recorder = Recorder()
    settings = [
        {"device": recorder, "acquisition_settings": {"acq_trigger_mode": "INTERNAL_TRIGGER", "acq_nb_frames": 3}}
    ]
    scan = loopscan(2, 0, recorder, save=False, chain_settings=settings)
    assert [call for call in recorder.calls if call != "read"] == [*["prepare", "start", "trigger"] * 2, "stop"]
    assert scan.get_data("rec:image")[:, 0, 0].tolist() == [0, 1, 2, 0, 1, 2]


def test_regions_and_images_are_of_the_same_frames() -> None:
    device = camera()
    device.roi_counters["r"] = 10, 5, 20, 15
    device.roi_profiles["p"] = 10, 5, 20, 15, "vertical"
    device.roi_collection.update({"a": (0, 0, 3, 3), "b": (17, 12, 6, 6)})
    scan = loopscan(5, 0.001, device, save=False)
    images = scan.get_data("cam:image").astype(float)
    box = images[:, 5:20, 10:30]
    assert images.shape == (5, 30, 40)
    assert np.array_equal(scan.get_data("cam:roi_counters:r_sum"), box.sum(axis=(1, 2)))
    assert scan.get_data("r_std") == pytest.approx(box.std(axis=(1, 2)))
    assert np.array_equal(scan.get_data("p"), box.sum(axis=2))
    sums = [images[:, 0:3, 0:3].sum(axis=(1, 2)), images[:, 12:18, 17:23].sum(axis=(1, 2))]
    assert np.array_equal(scan.get_data("roi_collection"), np.stack(sums, axis=1))
    tree = scan.acq_chain.tree
    (timer,) = tree
    (master,) = tree[timer]
    assert [slave.name for slave in tree[timer][master]] == ["roi_counters", "roi_profiles", "roi_collection"]


def test_the_position_of_the_beam() -> None:
    x = make_axis("x")
    device = camera(axis_x=x, dark=0, intensity=1e7)
    scan = ascan(x, -1, 1, 2, 0.001, device.bpm, save=False)
    assert scan.get_data("cam:bpm:x") == pytest.approx([9.5, 19.5, 29.5], abs=0.1)
    assert scan.get_data("fwhm_y") == pytest.approx([9.42] * 3, rel=0.03)
    assert scan.get_data("acq_time").tolist() == [0.001] * 3


def test_a_region_alone_publishes_no_image_and_saves_none(saving: Path) -> None:
    device = camera()
    device.roi_counters["r"] = 0, 0, 4, 4
    scan = loopscan(3, 0, device.roi_counters)
    assert "cam:image" not in scan.get_data() and files(saving) == []
    assert not [node for node in scan.node.channels() if isinstance(node, ImageNode)]
    loopscan(3, 0, device.roi_counters, save_images=True)
    assert files(saving) == ["scan0002/cam_0000.h5"]


def test_accumulation_adds_short_exposures() -> None:
    recorder = Recorder()
    recorder.accumulation.max_expo_time = 0.01
    settings = [{"device": recorder, "acquisition_settings": {"acq_mode": "ACCUMULATION"}}]
    scan = loopscan(2, 0.025, recorder, save=False, chain_settings=settings)
    assert recorder.settings.nb_frames == 6 and recorder.settings.frames_per_trigger == 3
    assert recorder.settings.expo_time == pytest.approx(0.025 / 3)
    images = scan.get_data("rec:image")
    assert images[:, 0, 0].tolist() == [0 + 1 + 2, 3 + 4 + 5] and images.dtype == np.uint32


def test_a_cable_triggers() -> None:
    device = camera()
    chain = AcquisitionChain()
    timer = SoftwareTimerMaster(0.001, npoints=4)
    master = CameraAcquisitionMaster(
        device,
        acq_expo_time=0.0,
        acq_nb_frames=4,
        acq_trigger_mode="EXTERNAL_TRIGGER_MULTI",
        prepare_once=True,
        start_once=True,
    )
    master.add_counter(device.image)
    chain.add(timer, master)
    original = timer.trigger_slaves
    timer.trigger_slaves = lambda: (original(), device.external_trigger())  # type: ignore[method-assign,assignment,func-returns-value]
    scan = Scan(chain, save=False)
    scan.run()
    assert scan.get_data("cam:image").shape == (4, 30, 40)


def test_limatake() -> None:
    device = camera()
    scan = limatake(0.001, 5, device)
    assert scan.get_data("cam:image").shape == (5, 30, 40) and scan.scan_info["type"] == "limatake"
    assert device.take(0.001, 2).get_data("image").shape == (2, 30, 40)
    with pytest.raises(ScanUsageError, match="^limatake: expected cameras"):
        limatake(0.1, 1, make_diode())
    with pytest.raises(ScanUsageError, match="nbframes: expected a whole number, at least 1, got 0\nusage"):
        limatake(0.1, 0, device)


def make_diode() -> Any:
    from bliss_like.controllers.simulated.diode import SimulatedDiodes

    return make(SimulatedDiodes, "diodes", counters=[{"name": "diode"}])


def test_frames_take_their_time() -> None:
    device = camera(readout_time=0.02)
    scan = limatake(0.01, 4, device)
    info = scan.scan_info
    assert info["end_timestamp"] - info["start_timestamp"] > 4 * 0.01 + 3 * 0.02


@pytest.mark.parametrize("save", [True, False])
def test_what_is_calculated_from_images(save: bool) -> None:
    x = make_axis("x")
    device = camera(axis_x=x, dark=0, intensity=1e7)
    bpm = make(CameraBpm, "bpm", image=device.image)
    scan = ascan(x, -1, 1, 2, 0.001, bpm, device.bpm, save=save)
    assert scan.get_data("bpm_x") == pytest.approx([9.5, 19.5, 29.5], abs=0.1)
    assert np.array_equal(scan.get_data("bpm_x"), scan.get_data("cam:bpm:x"))
    assert image_node(scan).is_saved is save and len(image_node(scan)) == 3


def test_a_camera_triggers_what_is_below_it() -> None:
    device, diode = camera(), make_diode()
    settings = [{"device": diode, "master": device}]
    scan = loopscan(3, 0.001, device, diode, save=False, chain_settings=settings)
    (timer,) = scan.acq_chain.tree.values()
    assert [[slave.name for slave in below] for below in timer.values()] == [["diodes"]]
    assert len(scan.get_data("diode")) == len(scan.get_data("cam:image")) == 3


def test_an_iteration_may_wait_for_a_frame() -> None:
    recorder = Recorder()
    chain = AcquisitionChain()
    timer = SoftwareTimerMaster(0.001, npoints=2)
    master = CameraAcquisitionMaster(
        recorder,
        acq_expo_time=0.0,
        acq_nb_frames=4,
        acq_trigger_mode="INTERNAL_TRIGGER_MULTI",
        wait_frame_id=[0, 3],
        prepare_once=True,
        start_once=True,
    )
    master.add_counter(recorder.image)
    chain.add(timer, master)
    scan = Scan(chain, save=False)
    recorder.timeout = 0.1
    with gevent.Timeout(5), pytest.raises(DeviceError, match="expected images to come .4 exposed."):
        scan.run()  # only two were triggered
    assert len(image_node(scan)) == 2


@pytest.mark.parametrize("save", [True, False])
def test_points_that_are_taken_again(save: bool) -> None:
    x, filters = make_axis("x"), filter_set()
    device = camera(axis_x=x, dark=0, intensity=1e7, bits=32, through=[filters], rois={"r": [18, 13, 4, 4]})
    keys = {"min_count_rate": 1e4, "max_count_rate": 1e6, "detector_counter": device.counters["r_sum"]}
    auto = make(AutoFilter, "autof", filterset=filters, **keys)
    scan = auto.ascan(x, 0, 1.2, 6, 0.01, device.image, save=save)
    images, sums = image_node(scan), scan.get_data("r_sum")
    assert len(images) == len(sums) == 7 and images.is_saved is save
    assert [int(images[n][13:17, 18:22].sum()) for n in range(7)] == sums.tolist()
    assert sums.max() <= 1e4 and scan.get_data("autof_transm").min() < 0.1
    if save:
        assert [reference.index for reference in images.references()] != list(range(7))  # of what was dropped, too


# -- where images go ---------------------------------------------------------------------------------------------------------


def stored(directory: Path, scan: str) -> list[tuple[str, int]]:
    import h5py

    found = []
    for name in files(directory):
        if name.startswith(scan):
            with h5py.File(directory / name) as h5:
                found.append((name.rpartition("/")[2], len(h5["entry_0000/measurement/data"])))
    return found


@pytest.mark.parametrize(
    ("mode", "expected"),
    [
        ("ONE_FILE_PER_SCAN", [("cam_0000.h5", 7)]),
        ("ONE_FILE_PER_N_FRAMES", [("cam_0000.h5", 3), ("cam_0001.h5", 3), ("cam_0002.h5", 1)]),
        ("ONE_FILE_PER_FRAME", [(f"cam_{n:04d}.h5", 1) for n in range(7)]),
        ("SPECIFY_MAX_FILE_SIZE", [("cam_0000.h5", 4), ("cam_0001.h5", 3)]),
        ("MANUAL", []),
        ("NOSAVING", []),
    ],
)
def test_saving_modes(saving: Path, mode: str, expected: list[tuple[str, int]]) -> None:
    device = camera()
    device.saving.mode = mode
    device.saving.frames_per_file = 3
    device.saving.max_file_size_in_MB = 0.01
    seen: list[np.ndarray] = []
    scan = loopscan(7, 0.001, device, run=False)
    master = scan.acq_chain.get_node_from_devices(device)[0]
    assert isinstance(master, CameraAcquisitionMaster)
    master.image_channels[0].connect(lambda channel, block: seen.append(block))
    scan.run()
    assert stored(saving, "scan0001") == expected
    node = image_node(scan)
    assert node.is_saved is bool(expected) and len(node) == 7
    assert np.array_equal(node.get_images(), np.concatenate(seen))
    assert np.array_equal(node[5], np.concatenate(seen)[5])


def test_edf(saving: Path) -> None:
    device = camera()
    device.saving.file_format = "EDF"
    scan = loopscan(3, 0.001, device)
    assert files(saving) == ["scan0001/cam_0000.edf"]
    images = image_node(scan).get_images()
    assert images.shape == (3, 30, 40) and images.dtype == np.uint16 and images.max() > 100
    text = (saving / "scan0001/cam_0000.edf").read_bytes()
    assert len(text) == 3 * (512 + 2400) and text.startswith(b"{\nHeaderID") and b"Dim_1 = 40 ;" in text


@pytest.mark.parametrize("kwargs", [{"save": False}, {"save_images": False}, {"save": False, "save_images": True}])
def test_scans_without_files(saving: Path, kwargs: dict[str, Any]) -> None:
    scan = sct(0.001, camera(), **kwargs)
    assert files(saving) == []
    assert image_node(scan).get_image(0).shape == (30, 40) and not image_node(scan).is_saved


def test_a_file_is_never_overwritten(saving: Path) -> None:
    (saving / "scan0001").mkdir()
    precious = saving / "scan0001" / "cam_0000.h5"
    precious.write_text("precious")
    scan = sct(0.001, camera())
    assert precious.read_text() == "precious"
    assert image_node(scan).references()[0].file == str(saving / "scan0001/cam_0001.h5")


def test_a_directory_that_cannot_be_written(saving: Path) -> None:
    (saving / "scan0001").write_text("")
    with pytest.raises(DeviceError, match="camera cam: images cannot be saved in .*scan0001"):
        sct(0.001, camera())


def test_references_say_where_images_are(saving: Path) -> None:
    scan = loopscan(3, 0.001, camera())
    node = image_node(scan)
    assert node.type == "lima" and node.image_shape == (30, 40) and node.image_dtype == np.uint16
    second = node.references()[1]
    assert (second.file, second.index) == (str(saving / "scan0001/cam_0000.h5"), 1)
    assert second.uri == f"file://{second.file}?path=/entry_0000/measurement/data&index=1"
    assert np.array_equal(second.read(), node[1]) and np.array_equal(node[-1], node.get(2))
    assert scan.get_data("cam:image").shape == (3, 30, 40)


def test_only_the_last_images_of_a_scan_without_files_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    from bliss_like.data.publisher import Limits
    from bliss_like.data.store import MemoryStore
    from bliss_like.data.tree import Tree
    from bliss_like.session.data_tree import GREENLETS

    environment.tree = Tree(MemoryStore(), tasks=GREENLETS, limits=Limits(images=10 * 40 * 30 * 2))
    monkeypatch.setattr("bliss_like.data.channel_buffer.ENTRY_BYTES", 3 * 40 * 30 * 2)
    node = image_node(loopscan(40, 0.0002, camera(), save=False))
    assert len(node) == 40 and 28 <= node.first_available <= 30
    assert node.get_image(-1).shape == (30, 40)
    with pytest.raises(PointExpired):
        node.get_image(0)
    assert len(list(node)) == 40 - node.first_available


def test_manual_saving(saving: Path) -> None:
    device = camera()
    device.saving.mode = "MANUAL"
    scan = sct(0.001, device)
    name = device.saving.write_image(str(saving / "mine"))
    assert name == str(saving / "mine/cam_0000.h5") and stored(saving, "mine") == [("cam_0000.h5", 1)]
    import h5py

    with h5py.File(name) as h5:
        assert np.array_equal(h5["entry_0000/measurement/data"][0], image_node(scan)[0])


def test_background_flatfield_and_mask(saving: Path) -> None:
    device = camera(dark=1e5, intensity=0)
    raw = device.take_image(0.01).astype(float).mean()
    name = device.take_dark(0.01, str(saving))
    assert device.processing.use_background and device.processing.background == name
    image = device.take_image(0.01)
    assert image.dtype == np.int32 and abs(image.mean()) < 0.01 * raw
    mask, flat = np.ones((30, 40), np.uint8), np.full((30, 40), 2.0)
    mask[:, :20] = 0
    np.save(saving / "mask.npy", mask)
    np.save(saving / "flat.npy", flat)
    device.processing.use_background = False
    device.processing.mask, device.processing.use_mask = str(saving / "mask.npy"), True
    device.processing.flatfield, device.processing.use_flatfield = str(saving / "flat.npy"), True
    image = device.take_image(0.01)
    assert image.dtype == np.float32 and not image[:, :20].any()
    assert image[:, 20:].mean() == pytest.approx(raw / 2, rel=0.02)
    device.image.binning = 2, 2
    with pytest.raises(
        DeviceError, match=r"flatfield .*flat.npy has the shape \(30, 40\), expected that of the image, \(15, 20\)"
    ):
        ct(0.001, device)


# -- what goes wrong -----------------------------------------------------------------------------------------------------------


def test_an_abort_leaves_readable_files_and_a_camera_at_rest(saving: Path) -> None:
    device = camera()
    scan = loopscan(1000, 0.005, device, run=False)
    task = gevent.spawn(scan.run)
    scan.wait_state(ScanState.STARTING)
    with gevent.Timeout(5):
        while len(scan.channels[2:3]) == 0 or scan.channels[2].length < 3:
            gevent.sleep(0.002)
    scan.abort()
    with pytest.raises(UserAbort):
        task.get(timeout=5)
    node = image_node(scan)
    assert 3 <= len(node) < 1000 and node.get_images().shape == (len(node), 30, 40)
    assert stored(saving, "scan0001") == [("cam_0000.h5", len(node))]
    assert device.status().state == "Ready" and device._task is None


def refuse() -> None:
    raise DeviceError("the link is down")


@pytest.mark.parametrize("verb", ["prepare", "start", "trigger", "read", "stop"])
def test_a_driver_that_fails_ends_the_scan(verb: str) -> None:
    recorder = Recorder(**{verb: refuse})
    scan = loopscan(3, 0.001, recorder, save=False, run=False)
    with gevent.Timeout(5), pytest.raises(DeviceError, match="the link is down"):
        scan.run()
    assert scan.state is ScanState.KILLED
    assert "stop" in recorder.calls or verb in ("prepare", "start")


@pytest.mark.parametrize(
    ("does", "message"),
    [
        (
            {"status": lambda: CameraStatus(0, 0)},
            "camera rec: expected images to come .1 exposed., none came for 0.2 s",
        ),
        ({"status": lambda: CameraStatus(1, 0)}, "camera rec: expected images to come .1 read., none came for 0.2 s"),
        ({"status": lambda: CameraStatus(0, 0, "Fault", "too hot")}, "camera rec: too hot"),
        (
            {"read": lambda: np.zeros((1, 5, 5))},
            r"expected 1 frames of 3 x 4 pixels .* got an array of shape \(1, 5, 5\)",
        ),
    ],
)
def test_a_driver_that_hangs_or_lies_is_told_of(does: dict[str, Any], message: str) -> None:
    with gevent.Timeout(5), pytest.raises(DeviceError, match=message):
        loopscan(1, 0.001, Recorder(**does), save=False)


def test_a_scan_without_end_that_is_stopped_has_all_its_images(saving: Path) -> None:
    device = camera(rois={"r": [0, 0, 5, 5]})
    scan = timescan(0.002, device, run=False)
    task = gevent.spawn(scan.run)
    scan.wait_state(ScanState.STARTING)
    with gevent.Timeout(5):
        while scan.channels[0].length < 5:
            gevent.sleep(0.002)
    scan.stop()
    task.get(timeout=5)
    assert len({len(values) for values in scan.get_data().values()}) == 1 and scan.state is ScanState.DONE
    assert stored(saving, "scan0001") == [("cam_0000.h5", len(image_node(scan)))]


class SlowReader(SimulatedCamera):
    """Its images are read later than they are exposed."""

    def read_frames(self, first: int, number: int) -> np.ndarray:
        gevent.sleep(0.05)
        return super().read_frames(first, number)


@pytest.mark.parametrize("how", ["stop", "abort"])
def test_images_that_are_read_while_the_camera_stops_are_saved(saving: Path, how: str) -> None:
    device = make(SlowReader, "cam", width=40, height=30, rois={"r": [0, 0, 5, 5]})
    scan = timescan(0.002, device, run=False)
    task = in_background(scan)
    scan.wait_state(ScanState.STARTING)
    wait_until_cooperative(lambda: scan.channels[0].length >= 5)
    getattr(scan, how)()
    task.get(timeout=5)
    nimages = len(image_node(scan))
    assert {len(values) for name, values in scan.get_data().items() if name.startswith("cam")} == {nimages}
    assert nimages > 2 and stored(saving, "scan0001") == [("cam_0000.h5", nimages)]


def test_a_driver_that_hangs_in_stop_does_not_hold_the_scan(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bliss_like.scanning.branch.STOP_TIMEOUT", 0.1)
    recorder = Recorder(stop=lambda: gevent.sleep(60))
    with gevent.Timeout(5), pytest.raises(ChainError, match="did not return within 0.1 s"):
        loopscan(1, 0, recorder, save=False)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"acq_expo_time": -1}, "camera cam: acq_expo_time: expected seconds, at least 0, got -1"),
        ({"acq_expo_time": "1"}, "acq_expo_time: expected seconds"),
        ({"acq_nb_frames": 1.5}, "acq_nb_frames: expected a whole number, at least 0, got 1.5"),
        ({"acq_trigger_mode": "SOFT"}, "acq_trigger_mode: expected one of INTERNAL_TRIGGER, .*, got 'SOFT'"),
        ({"acq_mode": "FAST"}, "acq_mode: expected one of SINGLE, ACCUMULATION, got 'FAST'"),
        ({"latency_time": None}, "latency_time: expected seconds"),
        ({"saving_mode": "ALWAYS"}, "saving_mode: expected one of ONE_FILE_PER_SCAN, .*, got 'ALWAYS'"),
        ({"saving_format": "TIFF"}, "saving_format: expected one of HDF5, EDF, got 'TIFF'"),
        ({"saving_frame_per_file": 0}, "saving_frame_per_file: expected at least 1, got 0"),
        ({"acq_expotime": 1}, "camera cam: no acquisition parameter acq_expotime; there are: acq_expo_time, "),
    ],
)
def test_wrong_parameters_are_refused_before_anything_moves(wrong: dict[str, Any], message: str) -> None:
    x, device = make_axis("x"), camera()
    with pytest.raises(ChainError, match=message):
        ascan(x, 0, 1, 3, 0.1, device, chain_settings=[{"device": device, "acquisition_settings": wrong}])
    assert x.position == 0
