"""Each fault of a NeXus file is told, and a sound one has none."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from bliss_like.writers.checker import check, default_plot


def sound(path: Path) -> Path:
    """Make a file that has everything that is looked at."""
    with h5py.File(path, "w") as h5:
        h5.attrs.update(NX_class="NXroot", default="1.1")
        entry = h5.create_group("1.1")
        entry.attrs.update(NX_class="NXentry", default="plot")
        entry["title"], entry["start_time"], entry["end_time"] = (
            "a scan",
            "2026-11-20T10:00:00+01:00",
            "2026-11-20T10:01:00+01:00",
        )
        instrument = entry.create_group("instrument")
        instrument.attrs["NX_class"] = "NXinstrument"
        for name, nx_class in (("robx", "NXpositioner"), ("diode", "NXdetector")):
            device = instrument.create_group(name)
            device.attrs["NX_class"] = nx_class
            device["data"] = np.arange(5.0)
            device["data"].attrs["units"] = "mm"
        measurement = entry.create_group("measurement")
        measurement.attrs["NX_class"] = "NXcollection"
        measurement["robx"] = h5py.SoftLink("/1.1/instrument/robx/data")
        plot = entry.create_group("plot")
        plot.attrs.update(NX_class="NXdata", signal="diode", axes=["robx"], robx_indices=0, auxiliary_signals=["again"])
        for name in ("diode", "again", "robx"):
            plot[name] = instrument["robx" if name == "robx" else "diode"]["data"]
        note = entry.create_group("writer")
        note.attrs["NX_class"] = "NXcollection"
        note["status"] = "SUCCEEDED"
        note["channels"] = json.dumps([{"name": "axis:diode", "path": "/1.1/instrument/diode/data"}])
        note["end"] = json.dumps({"lengths": {"axis:diode": 5}})
    return path


def test_a_sound_file_has_no_faults(tmp_path: Path) -> None:
    path = sound(tmp_path / "a.h5")
    assert check(path) == check(path, "/1.1") == []
    assert default_plot(path) == default_plot(path, "1.1") == "/1.1/plot"


def replaced(path: str, value: Any) -> Callable[[Any], None]:
    def change(h5: Any) -> None:
        del h5[path]
        if value is not None:
            h5[path] = value

    return change


def attribute(path: str, name: str, value: Any) -> Callable[[Any], None]:
    def change(h5: Any) -> None:
        if value is None:
            del h5[path].attrs[name]
        else:
            h5[path].attrs[name] = value

    return change


def virtual(h5: Any) -> None:
    layout = h5py.VirtualLayout((5,), float)
    layout[:] = h5py.VirtualSource("gone.h5", "data", (5,))
    h5["1.1/instrument"].create_virtual_dataset("images", layout)


FAULTS: dict[str, tuple[Callable[[Any], None], str]] = {
    "root": (attribute("/", "NX_class", None), "/: expected the class NXroot, got None"),
    "no entry": (attribute("1.1", "NX_class", "NXcollection"), "/: expected an NXentry"),
    "chain, root": (
        attribute("/", "default", "2.1"),
        "/: its default plot is not found: / names '2.1', which is no group",
    ),
    "chain, entry": (attribute("1.1", "default", "measurement"), "/1.1/measurement names none, and is no NXdata"),
    "title": (replaced("1.1/title", None), "/1.1: expected a title"),
    "start": (replaced("1.1/start_time", "yesterday"), "expected a start_time in ISO 8601, got 'yesterday'"),
    "end": (replaced("1.1/end_time", 3), "expected an end_time in ISO 8601"),
    "order": (replaced("1.1/end_time", "2026-11-20T09:59:00+01:00"), "before it starts"),
    "class": (attribute("1.1/measurement", "NX_class", "NXthing"), "expected a class of NeXus, got 'NXthing'"),
    "signal": (replaced("1.1/plot/diode", None), "/1.1/plot: expected a field as its signal, got 'diode'"),
    "auxiliary": (replaced("1.1/plot/again", np.zeros(4)), "auxiliary signal 'again' of shape (5,) as diode, got (4,)"),
    "axis gone": (replaced("1.1/plot/robx", None), "its axis 'robx' is not there"),
    "axis": (
        replaced("1.1/plot/robx", np.zeros(3)),
        "axis 'robx' of shape (3,) does not fit dimension [0] of diode, (5,)",
    ),
    "indices": (attribute("1.1/plot", "robx_indices", 1), "does not fit dimension [1]"),
    "axes": (replaced("1.1/plot/diode", np.zeros((5, 2))), "expected an axis for each of the 2 dimensions of diode"),
    "soft": (
        replaced("1.1/measurement/robx", h5py.SoftLink("/1.1/nil")),
        "/1.1/measurement/robx: it is a link to /1.1/nil",
    ),
    "external": (
        replaced("1.1/measurement/robx", h5py.ExternalLink("b.h5", "/x")),
        "a link to b.h5::/x, which is not there",
    ),
    "virtual": (virtual, "/1.1/instrument/images: it is made of gone.h5, which is not there"),
    "units": (attribute("1.1/instrument/robx/data", "units", 3), "expected its units to be a text, got 3"),
    "channel": (
        replaced("1.1/instrument/diode/data", None),
        "expected the points of channel axis:diode, there are none",
    ),
    "points": (
        replaced("1.1/writer/end", '{"lengths": {"axis:diode": 6}}'),
        "expected 6 points of channel axis:diode, got 5",
    ),
    "json": (replaced("1.1/writer/channels", "{"), "expected JSON of channels"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_told(tmp_path: Path, fault: str) -> None:
    change, message = FAULTS[fault]
    path = sound(tmp_path / "a.h5")
    with h5py.File(path, "r+") as h5:
        change(h5)
    found = check(path)
    assert any(message in one for one in found), found


def test_what_cannot_be_looked_at(tmp_path: Path) -> None:
    (tmp_path / "a.h5").write_text("no HDF5")
    assert "expected an HDF5 file that can be opened" in check(tmp_path / "a.h5")[0]
    assert "can be opened" in check(tmp_path / "none.h5")[0]
    assert check(sound(tmp_path / "b.h5"), "/7.1") == ["/7.1: expected an entry, there is none"]


def test_edges_of_bins_and_scattered_points_are_axes_too(tmp_path: Path) -> None:
    path = sound(tmp_path / "a.h5")
    with h5py.File(path, "r+") as h5:
        plot = h5["1.1/plot"]
        replaced("1.1/plot/robx", np.zeros(6))(h5)
        plot["roby"] = np.zeros(5)
        plot.attrs.update(axes=["roby", "robx"], roby_indices=0)
    assert check(path) == []


def test_links_that_lead_back_end_somewhere(tmp_path: Path) -> None:
    path = sound(tmp_path / "a.h5")
    with h5py.File(path, "r+") as h5:
        h5["1.1/instrument/entry"] = h5["1.1"]
        h5["1.1"].attrs["default"] = "instrument"
        h5["1.1/instrument"].attrs["default"] = "entry"
    assert check(path) == [f"{name}: its default plot is not found: the chain has no end" for name in ("/", "/1.1")]
