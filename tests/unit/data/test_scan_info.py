"""The schema of scan_info: what it says, and what single infos have wrong."""

from __future__ import annotations

import json
import math
import runpy
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest

from bliss_like.data.codec import from_json, to_json
from bliss_like.data.scan_info import SCHEMA_VERSION, WHEN, ScanInfoKeys, merged
from bliss_like.data.scan_info_schema import keys_of, misfit, scan_info_schema

DOCS = Path(__file__).parents[3] / "docs"
START = {
    "schema_version": 1, "name": "loopscan", "title": "loopscan 1 0", "scan_nb": 1, "save": True, "state": "PREPARING", "uid": "0" * 32,
    "session_name": "eh1", "user_name": "ada", "host": "h", "pid": 1, "publisher": "bliss_like",
    "publisher_version": "0", "start_time": "2026-11-20T19:44:10+00:00", "start_timestamp": 1.0, "plots": [],
}  # fmt: skip


def test_it_is_json_schema() -> None:
    for when in ("start", "prepared", "end"):
        jsonschema.Draft202012Validator.check_schema(scan_info_schema(when, strict=True))


def test_what_is_published_is_this_version() -> None:
    """If this fails: `PYTHONPATH=. python scripts/scan_info_docs.py` writes both."""
    made = runpy.run_path(str(DOCS.parent / "scripts" / "scan_info_docs.py"))
    assert (DOCS / "scan-info.schema.json").read_text() == made["schema"]()
    page = (DOCS / "scan-info.md").read_text()
    assert made["tables"]() in page and f"This is version {SCHEMA_VERSION} of its schema" in page


def test_every_key_is_described() -> None:
    keys = keys_of(ScanInfoKeys)
    assert set(keys) == set(ScanInfoKeys.__annotations__)
    assert all(key.about and key.when in WHEN for _, key in keys.values())


def test_what_is_required_depends_on_the_time() -> None:
    jsonschema.validate(START, scan_info_schema("start", strict=True))
    with pytest.raises(jsonschema.ValidationError, match="'channels' is a required property"):
        jsonschema.validate(START, scan_info_schema("prepared"))


def test_users_add_keys_where_they_may() -> None:
    own = {**START, "my_key": 1, "sample": {"name": "gold", "thickness": 3}, "instrument": {"slits": {"gap": 0.1}}}
    jsonschema.validate(own, scan_info_schema("start"))
    with pytest.raises(jsonschema.ValidationError, match="'my_key' was unexpected"):
        jsonschema.validate(own, scan_info_schema("start", strict=True))
    with pytest.raises(jsonschema.ValidationError, match="'axis-id' was unexpected"):
        jsonschema.validate({**START, "channels": {"axis:robx": {"axis-id": 0}}}, scan_info_schema("start"))


def test_numbers_that_json_has_not() -> None:
    info = {**START, "positioners": {"positioners_start": {"robx": math.nan}}}
    on_the_wire = json.loads(to_json(info))
    assert on_the_wire["positioners"]["positioners_start"]["robx"] == {"$float": "nan"}
    jsonschema.validate(on_the_wire, scan_info_schema("start", strict=True))
    assert misfit(from_json(to_json(info))) == ""


@pytest.mark.parametrize(
    ("info", "problem"),
    [
        ({"npoints": "many"}, "npoints: expected a whole number, got 'many'"),
        ({"npoints": True}, "npoints: expected a whole number, got True"),
        ({"count_time": "1"}, "count_time: expected a number, got '1'"),
        ({"save": 1}, "save: expected True or False, got 1"),
        ({"title": 3}, "title: expected a text, got 3"),
        ({"sleep_time": "x"}, "sleep_time: expected a number, got 'x'"),
        ({"start": 3}, "start: expected a list, got 3"),
        ({"start": [0, "a"]}, "start[1]: expected a number, got 'a'"),
        ({"channels": []}, "channels: expected a dict, got []"),
        ({"channels": {"a": 3}}, "channels.a: expected a dict, got 3"),
        ({"channels": {"a": {"axis_kind": "up"}}}, "channels.a.axis_kind: expected 'forth' or 'backnforth' or 'step', got 'up'"),
        ({"positioners": {"positioners_start": {"x": "far"}}}, "positioners.positioners_start.x: expected a number, got 'far'"),
        ({"plots": [{"kind": 3}]}, "plots[0].kind: expected a text, got 3"),
        ({"sequence_info": {"count": 3}}, "sequence_info: expected the keys scan_count, scans, got 'count'"),
    ],
)  # fmt: skip
def test_what_is_wrong(info: dict[str, Any], problem: str) -> None:
    assert misfit(info) == problem
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**START, **info}, scan_info_schema("start"))


def test_what_is_right() -> None:
    info = {
        "npoints": np.int64(3),
        "count_time": np.float32(0.1),
        "start": np.array([0.0]),
        "stop": (1, 2),
        "mine": object,
    }
    assert misfit({**info, "positioners": {"positioners_start": {"x": None}}, "save": np.bool_(True)}) == ""


def test_news_are_merged_into_dicts_and_take_the_place_of_all_else() -> None:
    info = {"a": {"b": 1, "c": {"d": 1}}, "list": [1, 2], "x": 1}
    news = {"a": {"c": {"e": 2}}, "list": [3], "x": {"y": 1}}
    assert merged(info, news) == {"a": {"b": 1, "c": {"d": 1, "e": 2}}, "list": [3], "x": {"y": 1}}
    assert info == {"a": {"b": 1, "c": {"d": 1}}, "list": [1, 2], "x": 1}
