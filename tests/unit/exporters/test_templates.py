"""Names of files: what can stand in a template, what is refused, and that nothing leads out of the directory."""

from __future__ import annotations

from typing import Any

import pytest

from bliss_like.data.events import NewNode, NodeKind
from bliss_like.errors import ExportError
from bliss_like.exporters.fold import ScanFold
from bliss_like.exporters.templates import Template
from tests.exporting import ScanOf, all_kinds


def name(template: str, scan: ScanOf | None = None, *additions: str, point: dict[str, Any] | None = None) -> str:
    scan = scan or all_kinds()
    fold = ScanFold(NewNode(scan.path, NodeKind.SCAN, scan.scan_info()))
    return Template(template, ".x").name(fold, *additions, point=point)


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("{session}_{scan_nb}_{name}", "eh1_12_ascan.x"),
        ("{scan_nb:05d}.dat", "00012.dat"),
        ("{start.scan_id}-{start.sample_name}-{start.user}-{start.plan_name}", "12-Fe_foil-opid01-ascan.x"),
        ("{start.uid:.8}", "01234567.x"),
        ("{start.count_time}", "0.1.x"),
        ("{start.technique.x.energy:.1f}", "7.1.x"),
        ("{info.technique.x.energy}keV", "7.112keV.x"),
        ("{info[technique][x][energy]}", "7.112.x"),
        ("{sample}/{user}/{title}", "Fe_foil/opid01/ascan_robx_0_1_3_0.1.x"),
        ("plain", "plain.x"),
        ("{{{scan_nb}}}", "{12}.x"),
        ("v1.2_{scan_nb}", "v1.2_12.x"),
    ],
)
def test_what_stands_in_a_template(template: str, expected: str) -> None:
    assert name(template) == expected


def test_what_is_known_of_an_image() -> None:
    point = {"channel": "cam", "seq_num": 3, "i": 1, "data": {"temperature": 300.15, "axis:robx": 0.5}}
    assert name("{channel}_{event.seq_num:03d}_{i}_{event.data.temperature}", point=point) == "cam_003_1_300.15.x"
    assert name("{event.data[axis:robx]}", point=point) == "0.5.x"
    with pytest.raises(
        ExportError, match=r"'event.data.pressure' stands for nothing here; .* {event.data.temperature}"
    ):
        name("{event.data.pressure}", point=point)


def test_additions_go_before_the_suffix() -> None:
    assert name("{scan_nb}.csv", None, "2", "mca/x") == "12.2.mca_x.csv"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("../../etc/passwd", "_._.._etc_passwd"),
        (".hidden", "_hidden"),
        ("a b:c*?", "a_b_c__"),
        ("é µ", "é_µ"),
        ("", ""),
    ],
)
def test_values_stay_in_their_directory(value: str, expected: str) -> None:
    assert name("x/{title}", ScanOf({}, info={"title": value})) == f"x/{expected}.x"


@pytest.mark.parametrize(
    "template", ["{nothing}", "{start.nothing}", "{info.nothing.x}", "{}", "{0}", "{event.seq_num}", "{i}"]
)
def test_an_unknown_name_lists_what_there_is(template: str) -> None:
    with pytest.raises(ExportError, match=r"stands for nothing here; there are {scan_nb} {name} .* with name, scan_nb"):
        name(template)


@pytest.mark.parametrize(
    ("template", "message"),
    [
        ("{scan_nb", "expected '}'"),
        ("{info.technique}", "technique is no single value; name one of x"),
        ("{name:d}", "'ascan' cannot be written as 'd'"),
    ],
)
def test_a_template_that_is_none(template: str, message: str) -> None:
    with pytest.raises(ExportError, match=message):
        name(template)


def test_stand_ins_for_what_old_scans_do_not_say() -> None:
    scan = ScanOf({})
    fold = ScanFold(NewNode(scan.path, NodeKind.SCAN, {"scan_nb": 3, "dataset": {"sample": "gold"}}))
    assert Template("{session}_{sample}", "").name(fold) == "eh1_gold"
