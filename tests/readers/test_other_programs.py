"""What people open files with finds the scans and shows the right plot: silx, nexusformat (NeXpy), h5grove (h5web's server)."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import silx.io
from fastapi import FastAPI
from fastapi.testclient import TestClient
from h5grove.fastapi_utils import router, settings
from nexusformat.nexus import nxload
from silx.io.nxdata import get_default

from bliss_like.controllers.simulated.camera import SimulatedCamera
from bliss_like.devices.counter import SamplingCounter
from bliss_like.scanning.environment import environment
from bliss_like.scanning.scan import Scan
from bliss_like.scanning.scan_meta import ScanMeta
from bliss_like.scans import amesh, ascan, loopscan, sct
from bliss_like.session.saving import ScanSaving, ScanSavingConfig
from bliss_like.writers.checker import check as problems
from bliss_like.writers.checker import default_plot
from bliss_like.writers.nexus import open_scan
from tests.unit.controllers.mca.making import make_mca
from tests.unit.devices.making import make, make_axis
from tests.unit.writers.making import FileSaver, events_of, save

WHOLE = ("ascan", "amesh", "snake", "spectra", "images", "count")
"""Names of the scans in the file; their numbers are 1, 2, ..."""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A file of scans of all kinds."""
    path = tmp_path / "data" / "a.h5"
    environment.saver = FileSaver(path, master_files=[str(tmp_path / "master.h5")])
    environment.scan_saving = ScanSaving("eh1", ScanSavingConfig(base_path=str(tmp_path), template="images"))
    environment.scan_meta = ScanMeta()
    robx, roby = make_axis("robx", unit="mm"), make_axis("roby", unit="mm")
    environment.axes = lambda: [robx, roby]
    values = Values(robx, roby)
    mca = make_mca(elements=[0], rois={"Fe": [620, 660]})
    camera = make(SimulatedCamera, "cam", seed=1, width=40, height=30, intensity=1e6, sigma=4, dark=1e4)
    scans = [
        ascan(robx, 0, 1, 10, 0, *values, scan_info={"sample": "ruby"}),
        amesh(robx, 0, 1, 3, roby, 0, 2, 2, 0, *values),
        amesh(robx, 0, 1, 3, roby, 0, 2, 2, 0, *values, backnforth=True),
        loopscan(3, 0.01, mca.counters.spectrum_det0, values[0]),
        loopscan(3, 0.001, camera.image),
        sct(0, *values),
    ]
    for scan in scans:
        assert isinstance(scan, Scan)
        assert save(events_of(scan)).state == "SAVED"
    return path


def Values(robx: Any, roby: Any) -> list[SamplingCounter]:  # noqa: N802
    from tests.unit.scanning.making import Values as Controller

    controller = Controller("diodes", lambda: [math.exp(-(robx.position**2)) + roby.position, robx.position])
    return [SamplingCounter("diode", controller, unit="A"), SamplingCounter("monitor", controller)]


def test_our_own_checker(file: Path, tmp_path: Path) -> None:
    assert problems(file) == []
    assert problems(tmp_path / "master.h5") == []
    assert default_plot(file) == "/6.1/plotselect"


# -- silx


def plots(file: Path) -> Iterator[Any]:
    with silx.io.open(str(file)) as h5:
        for number in range(1, len(WHOLE) + 1):
            yield get_default(h5[f"{number}.1"])


def test_silx_finds_the_default_plot_of_each_scan(file: Path) -> None:
    found = []
    for plot in plots(file):
        assert plot.is_valid, plot.issues
        found.append((plot.signal_dataset_name, tuple(plot.signal.shape), plot.axes_dataset_names))
    assert found == [
        ("diode", (11,), ["robx"]),
        ("diode", (12,), ["robx", "roby"]),
        ("diode", (12,), ["robx", "roby"]),
        ("diode", (3,), ["elapsed_time"]),
        ("cam", (3, 30, 40), [None, None, None]),
        ("diode", (1,), ["elapsed_time"]),
    ]


def test_silx_shows_scatter_grid_spectra_and_images(file: Path) -> None:
    with silx.io.open(str(file)) as h5:
        scatter = get_default(h5["2.1"])
        assert scatter.is_scatter
        assert [len(axis) for axis in scatter.axes] == [12, 12]
        for entry in ("2.1", "3.1"):
            grid = get_default(h5[f"{entry}/grid"])
            assert (grid.is_valid, grid.axes_dataset_names) == (True, ["roby", "robx"])
            x, y = np.meshgrid(grid.axes[1], grid.axes[0])
            np.testing.assert_allclose(grid.signal, np.exp(-(x**2)) + y)
        spectra = get_default(h5["4.1/plot_spectrum_det0"])
        assert (spectra.is_valid, spectra.interpretation, spectra.signal.shape) == (True, "spectrum", (3, 2048))
        assert spectra.axes_dataset_names == ["elapsed_time", None]
        images = get_default(h5["5.1"])
        assert (images.is_image, images.interpretation, images.is_valid) == (True, "image", True)
        assert images.signal[2].sum() > 0


def test_silx_opens_the_master_file(file: Path, tmp_path: Path) -> None:
    with silx.io.open(str(tmp_path / "master.h5")) as h5:
        assert list(h5) == [f"a_{number}.1" for number in range(1, len(WHOLE) + 1)]
        assert get_default(h5).signal_dataset_name == "diode"
        assert get_default(h5["a_1.1"]).title == h5["a_1.1/title"].asstr()[()]


def test_silx_follows_a_running_scan(tmp_path: Path) -> None:
    environment.saver = FileSaver(tmp_path / "a.h5")
    robx = make_axis("robx", unit="mm")
    scan = ascan(robx, 0, 1, 10, 0, *Values(robx, robx))
    assert isinstance(scan, Scan)
    first, *others = events_of(scan)
    running = open_scan(first)  # type: ignore[arg-type]
    seen = set()
    for event in (first, *others):
        running.accept(event)
        running.flush()
        if (plot := next(_opened_by_silx(tmp_path / "a.h5"), None)) is not None:
            assert plot.is_valid, plot.issues
            seen.add(len(plot.signal))
    running.close()
    assert 11 in seen


def _opened_by_silx(file: Path) -> Iterator[Any]:
    with silx.io.open(str(file)) as h5:
        yield get_default(h5)


# -- nexusformat


def test_nexusformat_reads_the_tree_and_plots(file: Path) -> None:
    root = nxload(str(file))
    assert "a.h5" in root.nxfilename
    assert root.get_default().nxpath == "/6.1/plotselect"
    entry = root["1.1"]
    assert (entry.nxclass, str(entry.title), str(entry.sample.name)) == ("NXentry", "ascan robx 0 1 10 0", "ruby")
    plot = entry.get_default()
    assert plot.is_plottable()
    assert (plot.nxsignal.shape, [axis.nxname for axis in plot.nxaxes]) == ((11,), ["robx"])
    assert entry["measurement/diode"].attrs["units"] == "A"
    assert root["2.1/grid"].nxsignal.shape == (3, 4)
    assert [axis.nxname for axis in root["2.1/grid"].nxaxes] == ["roby", "robx"]
    assert root["4.1/plot_spectrum_det0"].nxsignal.shape == (3, 2048)
    assert root["5.1"].get_default().nxsignal.shape == (3, 30, 40)
    assert "robx" in root["3.1"].tree


# -- h5grove, which answers the browser's h5web


@pytest.fixture
def browser(file: Path) -> TestClient:
    app = FastAPI()
    app.include_router(router)
    settings.base_dir = str(file.parent)
    return TestClient(app)


def test_h5grove_serves_metadata_and_values(browser: TestClient) -> None:
    def ask(question: str, path: str, **more: str) -> Any:
        answer = browser.get(f"/{question}/", params={"file": "a.h5", "path": path, **more})
        assert answer.status_code == 200, answer.text
        return json.loads(answer.content)

    assert ask("attr", "/")["default"] == "6.1"
    assert ask("attr", "/1.1") == {"NX_class": "NXentry", "default": "plotselect"}
    attributes = ask("attr", "/1.1/plotselect")
    assert (attributes["NX_class"], attributes["signal"], attributes["axes"]) == ("NXdata", "diode", ["robx"])
    assert {child["name"] for child in ask("meta", "/1.1/plotselect")["children"]} == {"diode", "robx", "title"}
    np.testing.assert_allclose(ask("data", "/1.1/plotselect/robx"), np.linspace(0, 1, 11))
    assert ask("data", "/1.1/title") == "ascan robx 0 1 10 0"
    assert ask("meta", "/5.1/measurement/cam")["kind"] in ("external_link", "dataset")
    assert np.shape(ask("data", "/4.1/plot_spectrum_det0/spectrum_det0", selection="1")) == (2048,)


# -- plain h5py


def test_a_directory_can_be_moved(file: Path, tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    for name in ("data", "images", "master.h5"):
        (tmp_path / name).rename(tmp_path / "home" / name)
    with h5py.File(tmp_path / "home" / "master.h5") as h5:
        assert h5["a_1.1/measurement/diode"].shape == (11,)
        assert h5["a_5.1/measurement/cam"].shape == (3, 30, 40)
