"""What goes over the wire, byte by byte: other languages and later versions rely on it."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from bliss_like.data import codec, paths
from bliss_like.data.events import EndScan, NewNode, NodeKind, PreparedScan, SavedScan, ScanInfoUpdate
from bliss_like.errors import DataError


def test_golden_bytes() -> None:
    channel = NewNode("s:1_a:timer:x", NodeKind.CHANNEL, {"dtype": "<f8", "shape": (), "unit": "mm"}, "s:1_a")
    assert codec.encode_event(channel) == {
        b"j": b'{"event":"NEW_NODE","path":"s:1_a:timer:x","info":{"dtype":"<f8","shape":[],"unit":"mm"},'
        b'"kind":"channel","scan":"s:1_a"}'
    }
    end = EndScan(
        "s:1_a", "KILLED", {"s:1_a:timer:x": 3}, {"end": 1.5}, {"type": "E", "message": "m", "traceback": "t"}
    )
    assert codec.encode_event(end) == {
        b"j": b'{"event":"END_SCAN","path":"s:1_a","info":{"end":1.5},"state":"KILLED","lengths":{"s:1_a:timer:x":3},'
        b'"error":{"type":"E","message":"m","traceback":"t"}}'
    }
    assert codec.encode_points([np.array([1], ">u2"), np.array([258], ">u2")], ()) == {b"d": b"\x01\x00\x02\x01"}
    assert codec.encode_points([np.zeros((1, 2), "u1")], (-1,)) == {b"d": b"\0\0", b"s": b"[2]"}
    assert codec.encode_points([np.array(["s:1_a"])], ()) == {b"j": b'["s:1_a"]'}


def test_keys_share_the_hash_tag_of_their_scan() -> None:
    scan = "eh1:tmp:12_ascan"
    assert paths.scan(scan) == "bl1:scan:{eh1:tmp:12_ascan}"
    assert paths.data(scan + ":axis:roby", scan) == "bl1:data:{eh1:tmp:12_ascan}:axis:roby"
    assert paths.children("eh1:tmp") == "bl1:children:{eh1:tmp}" and paths.children("") == "bl1:sessions"
    with pytest.raises(ValueError, match="not below scan"):
        paths.data("eh1:other", scan)
    assert paths.scan_candidates("eh1:2024_x:12_ascan:axis") == ["eh1:2024_x", "eh1:2024_x:12_ascan"]


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.text(), json_values, max_size=4))
def test_info_survives(info: dict[str, object]) -> None:
    for event in (
        ScanInfoUpdate("s:1_a", info),
        PreparedScan("s:1_a", info),
        SavedScan("s:1_a", "SAVED", "/data/a.h5", ("/1.1",), "", "nexus", info),
    ):
        assert codec.decode_event(codec.encode_event(event)) == event


def test_what_json_cannot_hold_survives_too() -> None:
    info = {"a": math.inf, "b": [float("nan"), -math.inf], "c": np.float32(2.5), "d": np.arange(3), "e": {2, 1}}
    text = codec.to_json(info)
    json.loads(text, parse_constant=lambda name: pytest.fail(f"{name} is not JSON"))
    back = codec.from_json(text)
    assert back["a"] == math.inf and math.isnan(back["b"][0]) and back["b"][1] == -math.inf
    assert (back["c"], back["d"], back["e"]) == (2.5, [0, 1, 2], [1, 2])
    with pytest.raises(TypeError, match=r"^info\.slits\.1\.gap: expected JSON types.*got object"):
        codec.to_json({"info": {"fine": 1, "slits": [{}, {"gap": object()}]}})


@given(hnp.arrays(st.sampled_from(["f8", ">f4", "i2", "u8", "?", "c8"]), hnp.array_shapes(min_dims=1, max_dims=3)))
def test_points_survive(values: np.ndarray) -> None:
    little = values.dtype.newbyteorder("<")
    for shape in (values.shape[1:], (-1,) * (values.ndim - 1)):
        back = codec.decode_points(codec.encode_points([values], shape), len(values), little, shape)
        np.testing.assert_array_equal(back, values)
        assert back.dtype == little


@given(st.lists(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])), min_size=1))
def test_strings_survive(strings: list[str]) -> None:
    back = codec.decode_points(codec.encode_points([np.array(strings)], ()), len(strings), np.dtype("U"), ())
    assert back.tolist() == strings


def test_half_a_character_is_written_out() -> None:
    """As in the name of a file that is no UTF-8: no file, no catalogue and no terminal would take it."""
    told = {"file\udc80": ["\ud83d\ude00 \ud83d", "😀", "\\ud800", math.inf]}
    assert codec.from_json(codec.to_json(told)) == {"file\\udc80": ["😀 \\ud83d", "😀", "\\ud800", math.inf]}
    text = codec.encode_points([np.array(["\udc80"])], ())
    assert codec.decode_points(text, 1, np.dtype("U"), ()).tolist() == ["\\udc80"]


def test_a_foreign_entry_is_an_error_that_shows_it() -> None:
    with pytest.raises(DataError, match="expected an event of a scan, got an entry with fields"):
        codec.decode_event({b"x": b"1"})
    with pytest.raises(DataError, match="unknown event 'NEW_KIND': written by a newer version"):
        codec.decode_event({b"j": b'{"event":"NEW_KIND","path":"","info":{}}'})
