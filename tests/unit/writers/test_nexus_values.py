"""Every kind of value comes out of a file as it went in."""

from __future__ import annotations

import json
import math
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bliss_like.data.node import ScanNode, get_node
from bliss_like.data.saved import open_saved
from bliss_like.writers.checker import check as problems
from tests.unit.writers.making import Story, fed, note, opened, save, text

VALUES: dict[str, list[Any]] = {
    "<f8": [0.1, math.nan, math.inf, -math.inf, -0.0, 5e-324],
    "<f4": [0.1, math.nan, -math.inf],
    "<f2": [0.5, math.inf],
    "<i8": [-(2**63), 2**63 - 1, 0],
    "<u8": [2**64 - 1, 0],
    "|i1": [-128, 127],
    "<u2": [65535, 0],
    "|b1": [True, False, True],
    "<c16": [1 + 2j, complex(math.nan, math.inf)],
    "<c8": [1 - 2j],
    "<U0": ["", "a", "ångström µ", "two\nlines", "日本"],
}


@pytest.mark.parametrize("flush_each", [False, True])
@pytest.mark.parametrize("dtype", VALUES)
def test_points_are_what_they_were(dtype: str, flush_each: bool, tmp_path: Path) -> None:
    story = Story(tmp_path / "a.h5", {"value": (dtype, ())})
    values = np.array(VALUES[dtype], None if "U" in dtype else dtype)
    blocks = [story.points("value", values[:1]), story.points("value", values[1:])]
    saved = save([*story.begin(), *blocks, story.end()], flush_each)
    assert (saved.state, saved.entries, saved.error) == ("SAVED", ("/12.1",), "")
    with opened(tmp_path / "a.h5") as h5:
        dataset = h5["12.1/instrument/value/data"]
        assert dataset == h5["12.1/measurement/value"]
        if "U" in dtype:
            assert dataset.asstr()[:].tolist() == VALUES[dtype]
        else:
            assert dataset.dtype == np.dtype(dtype)
            np.testing.assert_array_equal(dataset[:], values)
            assert dataset[:].tobytes() == values.tobytes()


def test_text_that_hdf5_cannot_hold_is_written_out(tmp_path: Path) -> None:
    story = Story(tmp_path / "a.h5", {"value": ("<U0", ())}, title="half \ud800 and nul \x00.", sample={"name": "\x00"})
    save([*story.begin(), story.points("value", ["a\x00b", "\ud800"]), story.end()])
    with opened(tmp_path / "a.h5") as h5:
        assert text(h5["12.1/title"]) == "half \\ud800 and nul \\x00."
        assert h5["12.1/measurement/value"].asstr()[:].tolist() == ["a\\x00b", "\\ud800"]
        assert note(h5, "scan_info")["title"] == "half \\ud800 and nul \x00."


@pytest.mark.parametrize("shape", [(4,), (2, 3), (2, 2, 2)])
def test_arrays(shape: tuple[int, ...], tmp_path: Path) -> None:
    story = Story(tmp_path / "a.h5", {"array": ("<u4", shape)})
    values = np.arange(3 * math.prod(shape), dtype="<u4").reshape(3, *shape)
    save([*story.begin(), story.points("array", values[:2]), story.points("array", values[2:]), story.end()])
    with opened(tmp_path / "a.h5") as h5:
        np.testing.assert_array_equal(h5["12.1/measurement/array"][:], values)


def test_points_of_different_lengths(tmp_path: Path) -> None:
    story = Story(tmp_path / "a.h5", {"ragged": ("<f8", (-1,))})
    blocks = [[[1.0, 2.0], [3.0, 4.0]], [[]], [[5.0, 6.0, math.nan]]]
    save([*story.begin(), *(story.points("ragged", block) for block in blocks), story.end()])
    with opened(tmp_path / "a.h5") as h5:
        points = h5["12.1/measurement/ragged"][:]
    assert [point.tolist() for point in points][:3] == [[1, 2], [3, 4], []]
    np.testing.assert_array_equal(points[3], [5, 6, math.nan])


def test_points_of_different_shapes(tmp_path: Path) -> None:
    story = Story(tmp_path / "a.h5", {"ragged": ("<i4", (-1, -1))})
    blocks = [np.arange(4).reshape(1, 2, 2), np.arange(6).reshape(2, 3, 1), np.zeros((1, 0, 5))]
    save([*story.begin(), *(story.points("ragged", block) for block in blocks), story.end()])
    with opened(tmp_path / "a.h5") as h5:
        (channel,) = note(h5, "channels")
        shapes = h5[channel["shapes"]][:]
        points = [values.reshape(shape) for values, shape in zip(h5[channel["path"]][:], shapes, strict=True)]
    assert [point.tolist() for point in points] == [[[0, 1], [2, 3]], [[0], [1], [2]], [[3], [4], [5]], []]
    assert shapes.tolist() == [[2, 2], [3, 1], [3, 1], [0, 5]]


def test_channels_of_different_lengths_keep_their_own(tmp_path: Path) -> None:
    story = Story(tmp_path / "a.h5", {"robx": ("<f8", ()), "diode": ("<f8", ()), "late": ("<f8", (2,))})
    points = [story.points("robx", [1, 2, 3]), story.points("diode", [1, 2]), story.points("late", [[1, 2]])]
    saved = save([*story.begin(), *points, story.end("USER_ABORTED", end_reason="USER_ABORT")])
    assert saved.state == "SAVED"
    with opened(tmp_path / "a.h5") as h5:
        measured = h5["12.1/measurement"]
        assert {name: len(measured[name]) for name in measured} == {"robx": 3, "diode": 2, "late": 1}
        assert {name: len(h5["12.1/plotselect"][name]) for name in ("robx", "diode")} == {"robx": 2, "diode": 2}
        assert text(h5["12.1/end_reason"]) == "USER_ABORT"
        assert sorted(note(h5, "end")["lengths"].values()) == [1, 2, 3]
        (remark,) = h5["12.1/writer/remarks"].asstr()[:]
    assert remark == "channels differ in length: robx 3, diode 2, late 1"


def test_metadata_of_every_kind(tmp_path: Path) -> None:
    things = {
        "text": "x",
        "number": 3,
        "huge": 2**70,
        "float": math.nan,
        "yes": True,
        "none": None,
        "list": [1, 2.5],
        "texts": ["a", "b"],
        "mixed": [1, "a", None],
        "uneven": [[1], [1, 2]],
        "empty": [],
        "slash/es": {"..": 1, "": 2},
        "gap": 0.1,
        "gap@units": "mm",
        "@NX_class": "NXslit",
    }
    story = Story(tmp_path / "a.h5", {"diode": ("<f8", ())}, instrument={"slits": things, "temperature": 4})
    save([*story.begin(), story.end()])
    with opened(tmp_path / "a.h5") as h5:
        slits = h5["12.1/instrument/slits"]
        assert slits.attrs["NX_class"] == "NXslit"
        assert (slits["gap"][()], slits["gap"].attrs["units"]) == (0.1, "mm")
        assert (text(slits["text"]), slits["number"][()], text(slits["huge"])) == ("x", 3, str(2**70))
        assert math.isnan(slits["float"][()])
        assert slits["yes"][()] == np.True_
        assert slits["list"][:].tolist() == [1, 2.5]
        assert slits["texts"].asstr()[:].tolist() == ["a", "b"]
        assert [json.loads(text(slits[name])) for name in ("mixed", "uneven", "empty")] == [
            things["mixed"],
            things["uneven"],
            [],
        ]
        assert {name: slits["slash_es"][name][()] for name in slits["slash_es"]} == {"__": 1, "_": 2}
        assert h5["12.1/instrument/temperature"][()] == 4
        assert "none" not in slits
        assert note(h5, "scan_info")["instrument"]["slits"]["mixed"] == [1, "a", None]


def test_odd_names(tmp_path: Path) -> None:
    names = ["a/b", "a_b", "..", "détecteur", "x.y", "new line", "name", "positioners_end", "writer"]
    specs: dict[str, tuple[str, tuple[int, ...]]] = dict.fromkeys(names, ("<i8", ()))
    story = Story(tmp_path / "a.h5", specs, positioners={"positioners_end": {"robx": None}})
    save([*story.begin(), *(story.points(name, [n]) for n, name in enumerate(names)), story.end()])
    assert problems(tmp_path / "a.h5") == []
    with opened(tmp_path / "a.h5") as h5:
        measured = h5["12.1/measurement"]
        found = {measured[name].attrs["fullname"]: measured[name][0] for name in measured}
        assert set(measured) == {"a_b", "a_b_2", "__", "détecteur", "x.y", "new line", *names[-3:]}
        assert {channel["name"]: h5[channel["path"]][0] for channel in note(h5, "channels")} == {
            f"axis:{name}": n for n, name in enumerate(names)
        }
    assert found == {f"simulation:{name}": n for n, name in enumerate(names)}


def test_points_without_values_and_arrays_of_texts(tmp_path: Path) -> None:
    specs = {"none": ("<f8", (0,)), "flat": ("<i4", (3, 0)), "names": ("<U0", (2,)), "ragged": ("<U0", (-1,))}
    story = Story(tmp_path / "a.h5", specs)
    texts = [["a", "\ud800\0."], ["é", ""]]
    save(
        [
            *story.begin(),
            story.points("none", np.zeros((2, 0))),
            story.points("flat", np.zeros((1, 3, 0))),
            story.points("names", texts),
            story.points("ragged", [["long"]]),
            story.points("ragged", np.zeros((1, 0), "U1")),
            story.end(),
        ]
    )
    store = open_saved(str(tmp_path / "a.h5"))
    scan = get_node(store.scan, store)
    assert isinstance(scan, ScanNode)
    read = {channel.short_name: list(channel[:]) for channel in scan.channels()}
    assert [point.shape for point in read["none"]] == [(0,), (0,)]
    assert [(point.shape, point.dtype) for point in read["flat"]] == [((3, 0), np.int32)]
    assert [point.tolist() for point in read["names"]] == [["a", "\\ud800\0."], ["é", ""]]
    assert [point.tolist() for point in read["ragged"]] == [["long"], []]


def test_metadata_of_a_device_under_the_names_of_its_channels(tmp_path: Path) -> None:
    odd = {"diode": {"data": 7, "gain": 2}, "robx": 5}
    story = Story(tmp_path / "a.h5", {"diode": ("<f8", ()), "robx": ("<f8", ())}, instrument=odd, npoints=-1)
    begun = fed(story.begin()[:1])
    begun.flush()
    begun.abandon()  # its writer has died before the channels were known
    save([*story.begin(), story.points("diode", [1.5]), story.points("robx", [2.5]), story.end()], flush_each=True)
    with opened(tmp_path / "a.h5") as h5:
        assert h5["12.1/instrument/diode/data"][:].tolist() == [1.5]
        assert h5["12.1/instrument/diode/gain"][()] == 2
        assert h5["12.1/instrument/robx/value"][:].tolist() == [2.5]


def test_a_scan_of_very_many_channels_is_written_in_a_moment(tmp_path: Path) -> None:
    story = Story(tmp_path / "a.h5", {f"c{n}": ("<f8", ()) for n in range(600)})
    began = time.process_time()
    save([*story.begin(), *(story.points(f"c{n}", [n]) for n in range(600)), story.end()])
    assert time.process_time() - began < 3
