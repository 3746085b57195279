"""What every standard scan says of itself is what the schema says."""

from __future__ import annotations

import inspect
import json
import math
from collections.abc import Callable
from typing import Any

import jsonschema
import pytest

from bliss_like import scans
from bliss_like.controllers.simulated.camera import SimulatedCamera
from bliss_like.controllers.simulation_calc_counter import MeanCalcCounterController
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
from bliss_like.scans import amesh, ascan, limatake, loopscan, start_monitoring
from tests.unit.controllers.mca.making import make_mca
from tests.unit.devices.making import make, make_axis
from tests.unit.scanning.making import Values, end_of, published, raising
from tests.waiting import wait_until_cooperative

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


ARGUMENTS: dict[str, Callable[[Any, Any, Any], tuple[Any, ...]]] = {
    "ct": lambda x, y, z: (0,),
    "sct": lambda x, y, z: (0,),
    "loopscan": lambda x, y, z: (2, 0),
    "timescan": lambda x, y, z: (0,),
    "ascan": lambda x, y, z: (x, 0, 1, 2, 0),
    "a2scan": lambda x, y, z: (x, 0, 1, y, 0, 1, 2, 0),
    "a3scan": lambda x, y, z: (x, 0, 1, y, 0, 1, z, 0, 1, 2, 0),
    "anscan": lambda x, y, z: ([(x, 0, 1), (y, 0, 1)], 2, 0),
    "amesh": lambda x, y, z: (x, 0, 1, 2, y, 0, 1, 1, 0),
    "a3mesh": lambda x, y, z: (x, 0, 1, 2, y, 0, 1, 1, z, 0, 1, 1, 0),
    "anmesh": lambda x, y, z: ([(x, 0, 1, 1), (y, 0, 1, 1)], 0),
    "lookupscan": lambda x, y, z: ([(x, [0, 1, 5])], 0),
    "pointscan": lambda x, y, z: (x, [0, 1, 5], 0),
    "aspiral": lambda x, y, z: (x, 0, 1, y, 0, 1, 0.5, 0),
    "aspiral_fermat": lambda x, y, z: (x, 0, 1, y, 0, 1, 0.5, 0),
    "aspiral_square": lambda x, y, z: (x, 0, 1, 2, y, 0, 1, 2, 0),
    "lineup": lambda x, y, z: (x, -2, 2, 8, 0),
    "adaptive_ascan": lambda x, y, z: (x, -2, 2, 0.2, 1, 0.5, 0),
    "dspiral": lambda x, y, z: (x, 1, y, 1, 0.5, 0),
    "dspiral_fermat": lambda x, y, z: (x, 1, y, 1, 0.5, 0),
    "dspiral_square": lambda x, y, z: (x, 1, 2, y, 1, 2, 0),
}
LIKE = {
    "d2scan": "a2scan",
    "dscan": "ascan",
    "dnscan": "anscan",
    "dmesh": "amesh",
    "d3mesh": "a3mesh",
    "d3scan": "a3scan",
}
LIKE |= {"dnmesh": "anmesh", "adaptive_dscan": "adaptive_ascan"}
LONGER = {"a4scan", "a5scan", "d4scan", "d5scan"}
"""As the shorter ones, by the same function."""
KEYWORDS: dict[str, dict[str, Any]] = {
    "timescan": {"npoints": 2},
    "ascan": {"stab_time": 0.0, "sleep_time": 0.0},
    "amesh": {"backnforth": True},
    "dscan": {"save": False},
}


def test_every_scan_is_looked_at() -> None:
    standard = {name for name in scans.__all__ if "return_scan" in inspect.signature(getattr(scans, name)).parameters}
    assert {*ARGUMENTS, *LIKE, *LONGER} == standard


@pytest.mark.parametrize("command", [*ARGUMENTS, *LIKE])
def test_standard_scans(command: str) -> None:
    robx, roby, robz = make_axis("robx", unit="mm"), make_axis("roby"), make_axis("robz")
    environment.axes = lambda: [robx, roby]
    environment.scan_meta = ScanMeta()
    environment.scan_meta.sample.set("ruby", {"name": "ruby", "size": 3})
    environment.scan_meta.instrument.set("slits", lambda scan: {"slits": {"gap": 0.1}})
    environment.scan_meta.instrument.set("dead", lambda scan: raising(OSError("no answer"))())
    diode = SamplingCounter("diode", Values("diodes", lambda: [math.exp(-(robx.position**2))]), unit="A")
    arguments = ARGUMENTS[LIKE.get(command, command)](robx, roby, robz)
    scan = getattr(scans, command)(*arguments, diode, **KEYWORDS.get(command, {}))
    scan.scan_info["comments"] = scan.comments
    validate_all(scan)
    assert scan.node.info["end_reason"] == "SUCCESS"


def test_scans_of_every_kind_of_device() -> None:
    robx = make_axis("robx")
    values = Values("diodes", lambda: [1.0, 2.0])
    stats, samples = SamplingCounter("a", values, mode="STATS"), SamplingCounter("b", values, mode="SAMPLES")
    mean = MeanCalcCounterController(
        "mean", {"inputs": [{"counter": stats}, {"counter": samples}], "outputs": [{"name": "mean"}]}
    )
    camera = make(SimulatedCamera, "cam", width=40, height=30)
    camera.roi_counters["whole"] = (0, 0, 40, 30)
    camera.roi_profiles["profile"] = (0, 0, 40, 30)
    camera.roi_collection["parts"] = (0, 0, 20, 30)
    mca = make_mca(elements=[0, 1], rois={"Fe": [620, 660]})
    mesh = amesh(robx, 0, 1, 1, make_axis("roby"), 0, 1, 1, 0.001, stats, samples, mean, camera, *camera.counters, mca)
    assert isinstance(mesh, Scan)
    assert {channel["dim"] for channel in mesh.node.info["channels"].values()} == {0, 1, 2}
    rated = loopscan(2, 0.001, stats, camera, chain_settings=[{"device": stats, "every": 0.001}])
    assert isinstance(rated, Scan)
    for scan in (mesh, rated, limatake(0.001, 2, camera)):
        validate_all(scan)


def test_scans_in_the_background() -> None:
    watched = start_monitoring(
        "ring", 0, SamplingCounter("diode", Values("diodes", lambda: [1.0])), sleep_time=0.001, npoints=1
    )
    wait_until_cooperative(lambda: watched.state == "ENDED")
    assert watched.scan is not None and watched.scan.scan_info["monitoring"] == "ring"
    validate_all(watched.scan)


def test_scans_of_scans() -> None:
    diode = SamplingCounter("diode", Values("diodes", lambda: [1.0]))
    sequence = Sequence(scan_info={"sequence_info": {"scan_count": 2}}, title="night")
    with sequence.sequence_context() as context:
        members = [loopscan(1, 0, diode, run=False), loopscan(1, 0, diode, run=False)]
        for scan in members:
            context.add_and_run(scan)
    validate_all(sequence.scan)
    for number, scan in enumerate(members):
        validate_all(scan)
        assert (scan.node.info["group"], scan.node.info["index_in_sequence"]) == (sequence.scan.path, number)
    validate_all(Group(*members).scan)


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
    assert set(end_of(scan).info) == {
        *("positioners", "time_profile", "end_time", "end_timestamp", "end_reason", "state")
    }
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
