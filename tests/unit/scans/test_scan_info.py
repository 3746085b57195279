"""What every standard scan says of itself is what the schema says."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import jsonschema
import pytest

from bliss_like.data.codec import to_json
from bliss_like.data.events import PreparedScan
from bliss_like.data.scan_info import merged
from bliss_like.data.scan_info_schema import scan_info_schema
from bliss_like.devices.counter import SamplingCounter
from bliss_like.errors import ScanUsageError
from bliss_like.scanning.environment import environment
from bliss_like.scanning.group import Group, Sequence
from bliss_like.scanning.scan import Scan
from bliss_like.scanning.scan_meta import ScanMeta
from bliss_like.scans import amesh, anscan, ascan, ct, dmesh, dscan, lookupscan, loopscan, pointscan, sct, timescan
from tests.unit.devices.making import make_axis
from tests.unit.scanning.making import Values, end_of, published, raising

VALIDATORS = {
    when: jsonschema.Draft202012Validator(scan_info_schema(when, strict=True)) for when in ("start", "prepared", "end")
}


def validate(when: str, info: Any) -> None:
    VALIDATORS[when].validate(json.loads(to_json(info)))


def validate_all(scan: Scan) -> None:
    """Validate what readers know when the scan appears, when it is prepared, and at its end."""
    new, *others = published(scan)
    info = dict(new.info)
    validate("start", info)
    for event in others:
        if event.path == scan.path:
            info = merged(info, event.info)
            if isinstance(event, PreparedScan):
                validate("prepared", info)
    validate("end", info)
    assert info == scan.node.info


Make = Callable[[Any, Any, Any], Any]
COMMANDS: dict[str, Make] = {
    "ct": lambda x, y, c: ct(0, c),
    "sct": lambda x, y, c: sct(0, c),
    "loopscan": lambda x, y, c: loopscan(2, 0, c),
    "timescan": lambda x, y, c: timescan(0, c, npoints=2),
    "ascan": lambda x, y, c: ascan(x, 0, 1, 2, 0, c, stab_time=0.0, sleep_time=0.0),
    "dscan": lambda x, y, c: dscan(x, 0, 1, 2, 0, c, save=False),
    "anscan": lambda x, y, c: anscan([(x, 0, 1), (y, 0, 1)], 2, 0, c),
    "amesh": lambda x, y, c: amesh(x, 0, 1, 2, y, 0, 1, 1, 0, c, backnforth=True),
    "dmesh": lambda x, y, c: dmesh(x, 0, 1, 2, y, 0, 1, 1, 0, c),
    "lookupscan": lambda x, y, c: lookupscan([(x, [0, 1, 5])], 0, c),
    "pointscan": lambda x, y, c: pointscan(x, [0, 1, 5], 0, c),
}


@pytest.mark.parametrize("command", COMMANDS)
def test_standard_scans(command: str) -> None:
    robx, roby = make_axis("robx", unit="mm"), make_axis("roby")
    environment.axes = lambda: [robx, roby]
    environment.scan_meta = ScanMeta()
    environment.scan_meta.sample.set("ruby", {"name": "ruby", "size": 3})
    environment.scan_meta.instrument.set("slits", lambda scan: {"slits": {"gap": 0.1}})
    environment.scan_meta.instrument.set("dead", lambda scan: raising(OSError("no answer"))())
    diode = SamplingCounter("diode", Values("diodes", lambda: [1.0]), unit="A")
    scan = COMMANDS[command](robx, roby, diode)
    scan.scan_info["comments"] = scan.comments
    validate_all(scan)
    assert scan.node.info["end_reason"] == "SUCCESS"


def test_scans_of_scans() -> None:
    diode = SamplingCounter("diode", Values("diodes", lambda: [1.0]))
    sequence = Sequence(scan_info={"sequence_info": {"scan_count": 2}}, title="night")
    with sequence.sequence_context() as context:
        scans = [loopscan(1, 0, diode, run=False), loopscan(1, 0, diode, run=False)]
        for scan in scans:
            context.add_and_run(scan)
    validate_all(sequence.scan)
    for number, scan in enumerate(scans):
        validate_all(scan)
        assert (scan.node.info["group"], scan.node.info["index_in_sequence"]) == (sequence.scan.path, number)
    validate_all(Group(*scans).scan)


def test_how_it_ended() -> None:
    reads = [1.0]
    diode = SamplingCounter("diode", Values("diodes", lambda: reads))
    reads.clear()
    scan = loopscan(1, 0, diode, run=False)
    with pytest.raises(Exception):  # noqa: B017, PT011 - whatever it is, it is published
        scan.run()
    assert (end_of(scan).state, scan.node.info["end_reason"]) == ("KILLED", "FAILURE")
    validate_all(scan)


def test_the_end_tells_only_what_is_news() -> None:
    robx = make_axis("robx", unit="mm")
    environment.axes = lambda: [robx]
    scan = ascan(robx, 0, 1, 1, 0, SamplingCounter("diode", Values("diodes", lambda: [1.0])))
    assert set(end_of(scan).info) == {"positioners", "end_time", "end_timestamp", "end_reason", "state"}
    assert end_of(scan).info["positioners"] == {"positioners_end": {"robx": 1.0}, "positioners_dial_end": {"robx": 1.0}}
    assert scan.node.info["positioners"]["positioners_start"] == {"robx": 0.0}


@pytest.mark.parametrize(
    ("info", "problem"),
    [
        ({"instrument": {"slits": {"handle": object()}}}, "instrument.slits.handle: expected JSON types"),
        ({"positioners": 3}, "positioners: expected a dict, got 3"),
        ({"plots": "all"}, "plots: expected a list, got 'all'"),
        ({"sample": 3}, "sample: expected a dict, got 3"),
    ],
)
def test_what_cannot_be_written_is_refused_before_anything_moves(info: dict[str, Any], problem: str) -> None:
    robx = make_axis("robx")
    with pytest.raises(ScanUsageError, match=f"ascan: scan_info: {problem}.*\nusage: ascan"):
        ascan(robx, 1, 2, 1, 0, SamplingCounter("diode", Values("diodes", lambda: [1.0])), scan_info=info)
    assert robx.position == 0
