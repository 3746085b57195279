"""Every exporter, on scans of every kind: what a library that is not ours reads back is what was published."""

from __future__ import annotations

import io
import json
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from bliss_like.data.events import NewData, NodeKind, WireEvent
from bliss_like.errors import ExportError, ExportWarning
from bliss_like.exporters import FORMATS, Exporter, exporter_class, feed, format_names, make_exporter, target_of
from bliss_like.exporters.target import Memory
from tests.contract.exported_files import (
    documents_of,
    points_of,
    read_csv,
    read_parquet,
    read_spec,
    read_tiff,
)
from tests.exporting import ChannelOf, ScanOf, all_kinds, empty, odd_names, sequence, some_masters

KINDS = {
    "all kinds": all_kinds(),
    "several masters": some_masters(),
    "sequence": sequence(),
    "odd names": odd_names(),
    "empty": empty(),
    "no channels": ScanOf({}, number=17, name="bare"),
}
OF_TABLES = ["csv", "parquet", "spec"]
WITHOUT_FILES = [name for name in FORMATS if name != "nexus"]


def exported(format: str, *scans: ScanOf, events: Sequence[WireEvent] = (), **options: Any) -> dict[str, bytes]:
    """Return what a format makes of scans; what it cannot hold is told on the way."""
    target = Memory()
    template = options.pop("template", "")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ExportWarning)
        feed(
            make_exporter(format, target, template, options),
            target,
            events or [event for scan in scans for event in scan.events()],
        )
    return target.contents


def told(format: str, scan: ScanOf, **options: Any) -> str:
    """Return what is said not to be held."""
    target = Memory()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        feed(make_exporter(format, target, "", options), target, scan.events())
    return "\n".join(str(warning.message) for warning in caught)


def plain(value: Any) -> Any:
    return value.tolist() if isinstance(value, np.ndarray | np.generic) else value


def same(found: Any, expected: Any) -> bool:
    """Whether two points are the same, NaN included; of a single precision, to its digits."""
    if isinstance(expected, np.ndarray) and expected.ndim:
        return len(found) == len(expected) and all(map(same, found, expected))
    if isinstance(expected, str | np.str_):
        return str(found) == str(expected)
    return bool(found == expected or (found != found and expected != expected))


@pytest.fixture(params=sorted(KINDS))
def scan(request: pytest.FixtureRequest) -> Iterator[ScanOf]:
    yield KINDS[request.param]


# -- every format ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("format", WITHOUT_FILES)
def test_every_format_takes_every_scan_and_loses_nothing_in_silence(format: str, scan: ScanOf) -> None:
    assert isinstance(make_exporter(format, Memory()), Exporter)
    contents = exported(format, scan)
    text = told(format, scan)
    names = {channel.fullname or ":".join(below.split(":")[-2:]) for below, channel in scan.channels.items()}
    if not contents:
        assert "no file to write" in text or "no table to write" in text
    if format == "csv":
        assert ("map" in text) == ("timer:map" in names)
    if format == "spec":
        assert ("timer:comment" in text) == ("timer:comment" in names)


@pytest.mark.parametrize("format", WITHOUT_FILES)
def test_the_size_of_blocks_does_not_matter(format: str) -> None:
    for kind in (all_kinds(), some_masters()):
        one, three, all_at_once = (exported(format, events=kind.events(block)) for block in (1, 3, 100))
        if format in ("jsonl", "msgpack"):
            assert points_equal(points_of(documents_of(one)), points_of(documents_of(all_at_once)))
        else:
            assert one == three == all_at_once


def points_equal(some: dict[str, list[Any]], others: dict[str, list[Any]]) -> bool:
    return some.keys() == others.keys() and all(
        len(some[name]) == len(others[name]) and all(map(same, some[name], others[name])) for name in some
    )


@pytest.mark.parametrize("format", WITHOUT_FILES)
def test_a_scan_that_has_not_ended_is_written_so_far(format: str) -> None:
    events = all_kinds().events(end=False)
    target = Memory()
    exporter = make_exporter(format, target)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        feed(exporter, target, events)
    assert target.contents
    if format not in ("jsonl", "msgpack"):  # they have no END_SCAN, as there was none
        assert "it has not ended" in "\n".join(str(warning.message) for warning in caught)


@pytest.mark.parametrize("format", OF_TABLES)
def test_points_that_expired_are_told(format: str) -> None:
    scan = ScanOf({"axis:robx": ChannelOf(np.arange(6.0)), "axis:diode": ChannelOf(np.arange(6.0))})
    events = [
        e for e in scan.events() if not (isinstance(e, NewData) and e.path.endswith("diode") and not e.first_index)
    ]
    target = Memory()
    with pytest.warns(ExportWarning, match=r"no more in the store are missing: axis:diode \(3\)"):
        feed(make_exporter(format, target), target, events)
    if format == "csv":
        assert read_csv(target.contents)["eh1_12_ascan", "axis:diode"] == [None, None, None, "3.0", "4.0", "5.0"]
    if format == "parquet":
        assert read_parquet(target.contents)["eh1_12_ascan", "axis:diode"] == [None, None, None, 3, 4, 5]


@pytest.mark.parametrize("format", WITHOUT_FILES)
def test_an_unknown_option_is_refused(format: str) -> None:
    with pytest.raises(ExportError, match=f"format {format}: .*'?colour"):
        make_exporter(format, Memory(), "", {"colour": 3})


def test_an_unknown_format_is_refused() -> None:
    with pytest.raises(ExportError, match="'xls': there is none of that name; there are csv, jsonl, msgpack, nexus"):
        exporter_class("xls")
    assert set(FORMATS) <= set(format_names())


# -- events ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("format", ["jsonl", "msgpack"])
def test_events_are_lossless(format: str, scan: ScanOf) -> None:
    documents = documents_of(exported(format, scan))
    assert documents[0] == {"event": "FORMAT", "name": "bliss_like.events", "version": 1}
    start, end = documents[1], documents[-1]
    assert (start["event"], start["path"], start["info"]["scan_nb"]) == ("NEW_NODE", scan.path, scan.number)
    assert (end["event"], end["state"], end["error"]) == ("END_SCAN", scan.state, scan.error)
    points = points_of(documents)
    for below, channel in scan.channels.items():
        found = points.get(f"{scan.path}:{below}", [])
        assert len(found) == len(channel.points)
        assert all(map(same, found, channel.points)), below
        if channel.dtype.kind != "U" and len(found):
            assert np.asarray(found[0]).dtype == channel.dtype


@pytest.mark.parametrize("format", ["jsonl", "msgpack"])
def test_our_own_reader_gives_the_same_events(format: str, scan: ScanOf) -> None:
    from bliss_like.exporters import json_lines, msgpack

    (content,) = exported(format, scan).values()
    read = json_lines.read_events if format == "jsonl" else msgpack.read_events
    assert [type(event).__name__.replace("Points", "NewData") for event in read(io.BytesIO(content))] == [
        type(event).__name__ for event in scan.events()
    ]
    for found, expected in zip(read(io.BytesIO(content)), scan.events(), strict=True):
        if isinstance(expected, NewData) and isinstance(found, NewData):
            assert (found.path, found.first_index) == (expected.path, expected.first_index)
            assert points_equal({"": list(found.values)}, {"": list(expected.values)})
        else:
            assert (found.path, found.info) == (expected.path, expected.info)  # type: ignore[union-attr]


def test_numbers_that_people_can_read() -> None:
    documents = documents_of(exported("jsonl", all_kinds(), arrays="list"))
    values = {
        document["path"].rpartition(":")[2]: document["values"]
        for document in reversed(documents)
        if "dtype" in document
    }
    assert values["diode"] == [0.1, {"$float": "nan"}, {"$float": "inf"}]
    assert values["phase"] == [[1, 2], [0, -0.5], [0, 0]]
    with pytest.raises(ExportError, match="expected one of base64, list, got 'xml'"):
        exported("jsonl", all_kinds(), arrays="xml")


def test_an_integer_beyond_64_bits() -> None:
    scan = ScanOf({}, info={"huge": 2**70})
    from bliss_like.exporters.msgpack import read_events

    (content,) = exported("msgpack", scan).values()
    assert next(read_events(io.BytesIO(content))).info["huge"] == 2**70  # type: ignore[union-attr]


# -- tables ------------------------------------------------------------------------------------------------------------


def test_csv_of_all_kinds() -> None:
    scan = all_kinds()
    contents = exported("csv", scan)
    assert sorted(contents) == ["eh1_12_ascan.csv", "eh1_12_ascan.mca.csv", "eh1_12_ascan.ragged.csv"]
    read = read_csv(contents)
    for below, channel in scan.channels.items():
        name = ":".join(below.split(":")[-2:])
        if channel.dtype.kind in "fc" and isinstance(channel.points, np.ndarray) and channel.points.ndim == 1:
            found = [
                channel.dtype.type(complex(text) if channel.dtype.kind == "c" else text)
                for text in read["eh1_12_ascan", name]
            ]
            assert all(map(same, found, channel.points)), name
        elif channel.dtype.kind in "iu" and isinstance(channel.points, np.ndarray) and channel.points.ndim == 1:
            assert [int(text) for text in read["eh1_12_ascan", name]] == channel.points.tolist()
    assert read["eh1_12_ascan", "timer:shutter"] == ["True", "False", "True", "True"]
    assert read["eh1_12_ascan", "timer:comment"] == [None, 'a "quoted", one', "two\nlines", "é µ 中"]
    assert read["eh1_12_ascan.mca", "mca"] == scan.channels["axis:timer:mca"].points.tolist()  # type: ignore[union-attr]
    assert [len(row) for row in read["eh1_12_ascan.ragged", "ragged"]] == [1, 3, 2, 5]


def test_csv_in_pandas() -> None:
    table = pd.read_csv(io.BytesIO(exported("csv", all_kinds())["eh1_12_ascan.csv"]), keep_default_na=True)
    assert table["timer:diode"].dtype == np.float64
    assert np.array_equal(table["timer:diode"], [0.1, np.nan, np.inf, -np.inf], equal_nan=True)
    assert table["timer:shutter"].dtype == np.bool_
    assert table["timer:large"].tolist() == [0, 2**64 - 1, 1, 2]


def test_csv_with_units_and_another_separator() -> None:
    content = exported("csv", some_masters(), separator=";", units=True)["eh1_13_ascan.csv"]
    assert content.decode().splitlines()[:3] == ['"axis:robx";"timer:diode"', '"mm";""', "0.0;0.0"]
    with pytest.raises(ExportError, match="separator: expected one character"):
        exported("csv", some_masters(), separator=", ")


def test_tables_of_several_masters() -> None:
    first = {"axis:robx": [0, 1, 2, 3, 4], "timer:diode": [0, 2, 4, 6, None]}
    csv, parquet = read_csv(exported("csv", some_masters())), read_parquet(exported("parquet", some_masters()))
    for name, points in first.items():
        assert parquet["eh1_13_ascan", name] == points
        assert csv["eh1_13_ascan", name] == [None if point is None else f"{point}.0" for point in points]
    assert parquet["eh1_13_ascan.2", "slow:thermo"] == [300.5, 301.5]
    assert csv["eh1_13_ascan.2", "slow:thermo"] == ["300.5", "301.5"]
    assert "empty cells at its end: timer:diode (1)" in told("csv", some_masters())


def test_parquet_of_all_kinds() -> None:
    scan = all_kinds()
    read = read_parquet(exported("parquet", scan))
    for below, channel in scan.channels.items():
        found = read["eh1_12_ascan", ":".join(below.split(":")[-2:])]
        if channel.dtype.kind == "c":
            found = [complex(point["re"], point["im"]) for point in found]
        if channel.dtype == np.float32:
            found = [np.float32(point) for point in found]
        assert all(map(same, found, [np.asarray(point) for point in channel.points])), below
    assert not told("parquet", scan)


def test_parquet_says_what_columns_are() -> None:
    import pyarrow.parquet as pq

    for compression in ("zstd", "none"):
        file = pq.ParquetFile(
            io.BytesIO(exported("parquet", all_kinds(), compression=compression)["eh1_12_ascan.parquet"])
        )
        field = file.schema_arrow.field("axis:robx")
        assert (field.metadata[b"unit"], field.metadata[b"dtype"], str(field.type)) == (b"mm", b"<f8", "double")
        info = json.loads(file.metadata.metadata[b"bliss_like.scan_info"])
        assert (info["state"], info["end_reason"], info["title"]) == ("DONE", "SUCCESS", "ascan robx 0 1 3 0.1")
    with pytest.raises(ExportError, match="compression: expected zstd"):
        exported("parquet", all_kinds(), compression="zip")


def test_references_to_nodes_and_images_are_texts() -> None:
    references = [f"file:///data/cam_0000.h5?path=/entry/data&index={index}" for index in range(2)]
    scan = ScanOf(
        {
            "timer:cam": ChannelOf(np.array(references), kind=NodeKind.IMAGE, info={"reference": True}),
            **sequence().channels,
        }
    )
    assert read_csv(exported("csv", scan))["eh1_12_ascan", "timer:cam"] == references
    assert read_parquet(exported("parquet", scan))["eh1_12_ascan", "timer:cam"] == references
    assert read_parquet(exported("parquet", sequence()))["eh1_14_sequence_of_scans", "GroupingMaster:scans"] == [
        "eh1:tmp:scans:12_ascan",
        "eh1:tmp:scans:13_ascan",
    ]


def test_odd_names_in_tables() -> None:
    parquet = read_parquet(exported("parquet", odd_names()))
    assert parquet["eh1_15_odd", "dev:a,b"] == [0, 1, 2]
    assert parquet["eh1_15_odd", "eh1:tmp:scans:15_odd:axis:two:same"] == [5, 6, 7]
    csv = read_csv(exported("csv", odd_names()))
    assert csv["eh1_15_odd", 'dev:"q"'] == ["1.0", "2.0", "3.0"]
    assert csv["eh1_15_odd", "same:same'"] == ["5.0", "6.0", "7.0"]
    assert sorted(exported("csv", odd_names())) == [
        "eh1_15_odd.axis_one_mca.csv",
        "eh1_15_odd.axis_two_mca.csv",
        "eh1_15_odd.csv",
    ]


# -- SPEC --------------------------------------------------------------------------------------------------------------


def test_spec_in_silx() -> None:
    file = read_spec(exported("spec", all_kinds(), some_masters(), sequence(), empty(), odd_names()))
    assert file.keys() == ["12.1", "13.1", "13.2", "14.1", "16.1", "15.1"]
    scan = file["12.1"]
    assert scan.motor_names == ["robx", "roby"] and scan.motor_position_by_name("roby") == -1
    assert scan.scan_header_dict["S"] == "12 ascan ascan robx 0 1 3 0.1".replace("ascan ascan", "ascan")
    assert scan.scan_header_dict["T"] == "0.1  (Seconds)" and scan.scan_header_dict["D"] == "Fri Nov 20 10:00:00 2026"
    assert "User = opid01" in "\n".join(scan.file_header)
    data = {name: scan.data_column_by_name(name).tolist() for name in scan.labels}
    assert data["axis:robx"] == np.linspace(0, 1, 4).tolist()
    assert data["timer:diode"] == [0.1, np.inf, np.inf, -np.inf]
    assert data["timer:count"] == [0, -5, float(2**62 + 1), 7] and data["timer:shutter"] == [1, 0, 1, 1]
    assert data["timer:phase.re"] == [1, 0, 0, 3] and data["timer:phase.im"] == [2, -0.5, 0, 0]
    assert np.array_equal(np.array(data["timer:single"], "<f4"), np.array([0.1, 1e-30, 3e38, -7], "<f4"))
    assert file["13.1"].data_column_by_name("timer:diode").tolist() == [0, 2, 4, 6, np.inf]
    assert file["13.2"].data_column_by_name("slow:thermo").tolist() == [300.5, 301.5]
    assert file["14.1"].data_column_by_name("GroupingMaster:scan_numbers").tolist() == [12, 13]
    assert file["16.1"].labels == ["axis:robx"] and not len(file["16.1"].data)
    assert file["15.1"].labels[:4] == ["dev:a,b", 'dev:"q"', "two spaces", "dev:é/../x"]
    assert file["15.1"].data_column_by_name("two spaces").tolist() == [2, 3, 4]


def test_spectra_in_spec() -> None:
    expected = all_kinds().channels
    scan = read_spec(exported("spec", all_kinds()))["12.1"]
    spectra = [scan.mca[index].tolist() for index in range(len(scan.mca))]
    assert spectra[::2] == expected["axis:timer:mca"].points.tolist()  # type: ignore[union-attr]
    assert spectra[1::2] == [point.tolist() for point in expected["axis:timer:ragged"].points]
    assert "#@DET_0 timer:mca" in scan.scan_header


def test_what_spec_does_not_know_is_told() -> None:
    text = told("spec", all_kinds())
    assert "timer:comment: SPEC has no texts" in text and "timer:map: SPEC has no images" in text
    assert "timer:diode: SPEC has no NaN: 1 points" in text
    (content,) = exported("spec", all_kinds()).values()
    assert "#C 1e999 stands for NaN or nothing: timer:diode: points 1\n" in content.decode()


def test_other_motors_begin_a_new_header() -> None:
    other = ScanOf(
        {"axis:a": ChannelOf(np.arange(2.0))}, number=20, info={"positioners": {"positioners_start": {"tz": 3.0}}}
    )
    file = read_spec(exported("spec", all_kinds(), other))
    assert file["12.1"].motor_names == ["robx", "roby"]
    assert (file["20.1"].motor_names, file["20.1"].motor_positions) == (["tz"], [3.0])


def test_a_channel_that_never_has_a_point_keeps_no_other_from_being_written() -> None:
    dead = ChannelOf(np.empty(0))
    scan = ScanOf(
        {"axis:robx": ChannelOf(np.arange(3.0)), "axis:timer:dead": dead, "axis:timer:i0": ChannelOf(np.arange(3))}
    )
    read = read_parquet(exported("parquet", events=scan.events(block=1)))
    assert read["eh1_12_ascan", "axis:robx"] == [0, 1, 2] and read["eh1_12_ascan", "timer:dead"] == [None] * 3
    assert "empty cells at its end: timer:dead (3)" in told("csv", scan)


def test_a_channel_that_is_announced_late_is_a_table_of_its_own() -> None:
    scan = ScanOf({"axis:robx": ChannelOf(np.arange(3.0)), "axis:late": ChannelOf(np.arange(2.0))})
    events = scan.events(block=1)
    late = next(event for event in events if event.path.endswith("late") and not isinstance(event, NewData))
    events.remove(late)
    first = next(index for index, event in enumerate(events) if isinstance(event, NewData)) + 1
    read = read_parquet(exported("parquet", events=[*events[:first], late, *events[first:]]))
    assert read == {("eh1_12_ascan", "axis:robx"): [0, 1, 2], ("eh1_12_ascan.2", "axis:late"): [0, 1]}


# -- images ------------------------------------------------------------------------------------------------------------


def test_images_inside_the_scan() -> None:
    images = all_kinds().channels["axis:timer:map"].points
    files = read_tiff(exported("tiff", all_kinds()))
    assert sorted(files) == [f"eh1_12_ascan/map_{number:05d}.tif" for number in (1, 2, 3, 4)]
    for index, name in enumerate(sorted(files)):
        ((pixels, about),) = files[name]
        assert np.array_equal(pixels, images[index]) and pixels.dtype == np.uint16
        assert (about["scan_nb"], about["index"], about["channel"]) == (12, index, "timer:map")
        assert about["data"]["axis:robx"] == index / 3 or abs(about["data"]["axis:robx"] - index / 3) < 1e-15
        assert about["units"]["axis:robx"] == "mm"
    assert "timer:mca" in told("tiff", all_kinds())


def test_a_stack_of_images() -> None:
    images = all_kinds().channels["axis:timer:map"].points
    files = read_tiff(exported("tiff", all_kinds(), stack=True))
    (pages,) = files.values()
    assert list(files) == ["eh1_12_ascan_map.tif"]
    assert all(np.array_equal(pixels, image) for (pixels, _), image in zip(pages, images, strict=True))
    assert [about["index"] for _, about in pages] == [0, 1, 2, 3]


@pytest.mark.parametrize("dtype", ["?", "u1", "<i2", "<u4", "<f4", "<f8", "<c16"])
def test_types_of_pixels(dtype: str) -> None:
    images = np.arange(2 * 4 * 3).reshape(2, 4, 3).astype(dtype)
    files = read_tiff(exported("tiff", ScanOf({"timer:cam": ChannelOf(images)})))
    assert all(np.array_equal(files[name][0][0], image) for name, image in zip(sorted(files), images, strict=True))


def test_values_beside_an_image_that_json_does_not_have() -> None:
    channels = {"timer:cam": ChannelOf(np.zeros((1, 2, 3))), "timer:tag": ChannelOf(np.array([b"a\xff"]))}
    assert r"a\\xff" in str(read_tiff(exported("tiff", ScanOf(channels))))


def test_images_without_pixels_are_told() -> None:
    scan = ScanOf({"timer:cam": ChannelOf([np.zeros((0, 2)), np.ones((1, 2))], shape=(-1, -1))})
    assert "timer:cam: not written: image 1, it has no pixels" in told("tiff", scan)
    assert len(read_tiff(exported("tiff", scan))) == 1


def test_points_of_several_planes() -> None:
    stacks = np.arange(2 * 3 * 4 * 5, dtype="<u2").reshape(2, 3, 4, 5)
    scan = ScanOf({"timer:cam": ChannelOf(stacks)})
    files = read_tiff(exported("tiff", scan, template="{scan_nb}_{event.seq_num}_{i}"))
    assert sorted(files) == [f"12_{point}_{plane}.tif" for point in (1, 2) for plane in (0, 1, 2)]
    assert np.array_equal(files["12_2_1.tif"][0][0], stacks[1, 1])
    pages = read_tiff(exported("tiff", scan))
    assert [len(planes) for planes in pages.values()] == [3, 3]
    with pytest.raises(ExportError, match="two files would have this name"):
        exported("tiff", scan, template="{scan_nb}_{i}")


def test_images_in_files_of_a_detector(tmp_path: Path) -> None:
    from bliss_like.data.images import ImageReference
    from bliss_like.image_files.edf import EdfFile

    images = np.arange(3 * 4 * 5, dtype="<u2").reshape(3, 4, 5)
    source = tmp_path / "cam_0000.edf"
    file = EdfFile(str(source), (4, 5), np.dtype("<u2"), {"name": "cam"})
    file.write(images)
    file.close()
    references = np.array([ImageReference(str(source), "", index).uri for index in range(3)])
    info = {"reference": True, "image_shape": [4, 5], "image_dtype": "<u2"}
    scan = ScanOf({"timer:cam": ChannelOf(references, kind=NodeKind.IMAGE, info=info)})
    files = read_tiff(exported("tiff", scan))
    assert all(np.array_equal(files[name][0][0], image) for name, image in zip(sorted(files), images, strict=True))
    source.unlink()
    with pytest.raises(Exception, match="there is no such file here"):
        exported("tiff", scan)


def test_names_of_images() -> None:
    names = exported("tiff", all_kinds(), template="{start.sample_name}/{event.data.robx:.2f}_{event.seq_num}.tiff")
    assert list(names) == ["Fe_foil/0.00_1.tiff", "Fe_foil/0.33_2.tiff", "Fe_foil/0.67_3.tiff", "Fe_foil/1.00_4.tiff"]
    assert list(exported("tiff", all_kinds(), template="{event.data[timer:diode]}"))[1:] == [
        "nan.tif",
        "inf.tif",
        "-inf.tif",
    ]


def test_no_two_images_to_one_name() -> None:
    with pytest.raises(ExportError, match="Fe_foil.tif: two files would have this name; add .*event.seq_num"):
        exported("tiff", all_kinds(), template="{start.sample_name}")


# -- where to ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("format", WITHOUT_FILES)
def test_the_same_in_memory_in_a_directory_and_planned(format: str, tmp_path: Path) -> None:
    scan = all_kinds()
    contents = exported(format, scan)
    sizes = {}
    for dry_run in (True, False):
        target, template = target_of(tmp_path, dry_run=dry_run)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ExportWarning)
            feed(make_exporter(format, target, template), target, scan.events())
        sizes[dry_run] = dict(target.sizes)
        assert bool(list(tmp_path.iterdir())) is not dry_run
    written = {str(path.relative_to(tmp_path)): path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    assert written == contents
    assert sizes[True] == sizes[False] == {str(tmp_path / name): len(content) for name, content in contents.items()}


@pytest.mark.parametrize("format", WITHOUT_FILES)
def test_nothing_is_overwritten_and_nothing_half_done_is_left(format: str, tmp_path: Path) -> None:
    scan = all_kinds()
    names = list(exported(format, scan))
    (tmp_path / names[-1]).parent.mkdir(exist_ok=True)
    (tmp_path / names[-1]).write_text("precious")
    for overwrite in (False, True):
        target, template = target_of(tmp_path, overwrite=overwrite)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ExportWarning)
            if overwrite:
                feed(make_exporter(format, target, template), target, scan.events())
                assert len([path for path in tmp_path.rglob("*") if path.is_file()]) == len(names)
            else:
                with pytest.raises(ExportError, match="is there already; choose another name .*--overwrite"):
                    feed(make_exporter(format, target, template), target, scan.events())
                assert [path.read_text() for path in tmp_path.rglob("*") if path.is_file()] == ["precious"]


@pytest.mark.parametrize("format", ["jsonl", "msgpack", "csv", "parquet", "spec"])
def test_to_an_open_file(format: str) -> None:
    scan = ScanOf({"axis:robx": ChannelOf(np.arange(4.0))})
    file = io.BytesIO()
    target, template = target_of(file)
    feed(make_exporter(format, target, template), target, scan.events())
    (content,) = exported(format, scan).values()
    assert file.getvalue() == content


@pytest.mark.parametrize("format", ["jsonl", "msgpack", "spec"])
def test_several_scans_in_one_file(format: str) -> None:
    file = io.BytesIO()
    target, template = target_of(file)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ExportWarning)
        feed(make_exporter(format, target, template), target, [*all_kinds().events(), *some_masters().events()])
    assert exported(format, all_kinds(), some_masters(), template="all").popitem()[1] == file.getvalue().replace(
        b"#F eh1.spec", b"#F all.spec"
    )


@pytest.mark.parametrize("stack", [False, True])
def test_images_to_an_open_file(stack: bool) -> None:
    images = np.arange(24, dtype="<u2").reshape(2, 3, 4)[: 1 + stack]
    file = io.BytesIO()
    target, template = target_of(file)
    scan = ScanOf({"timer:cam": ChannelOf(images)})
    feed(make_exporter("tiff", target, template, {"stack": stack}), target, scan.events())
    pages = read_tiff({"cam.tif": file.getvalue()})["cam.tif"]
    assert [pixels.tolist() for pixels, _ in pages] == images.tolist()


def test_an_open_file_has_room_for_one_table() -> None:
    target, template = target_of(io.BytesIO())
    with pytest.warns(ExportWarning, match="not written: slow:thermo: the output has room for one table"):
        feed(make_exporter("csv", target, template), target, some_masters().events())
    target, template = target_of(io.BytesIO())
    with pytest.raises(ExportError, match="room for one file, .* is another; name a directory"):
        feed(make_exporter("parquet", target, template), target, some_masters().events())


# -- NeXus -------------------------------------------------------------------------------------------------------------


def test_nexus_in_h5py(scan: ScanOf, tmp_path: Path) -> None:
    import h5py

    target, template = target_of(tmp_path)
    feed(make_exporter("nexus", target, template), target, scan.events())
    (path,) = tmp_path.iterdir()
    with h5py.File(path, locking=False) as file:
        assert file.attrs["file_name"] == path.name == f"eh1_{scan.number}_{scan.name}.h5"
        entry = file[f"{scan.number}.1"]
        info = json.loads(entry["writer/scan_info"].asstr()[()])
        assert (info["title"], info["filename"]) == (scan.scan_info()["title"], "")
        by_path = {each["name"]: each["path"] for each in json.loads(entry["writer/channels"].asstr()[()])}
        assert by_path.keys() == scan.channels.keys()
        for below, channel in scan.channels.items():
            if isinstance(channel.points, np.ndarray):
                found = file[by_path[below]]
                values = found.asstr()[()] if channel.dtype.kind == "U" else found[()]
                assert all(map(same, values, channel.points)) and len(values) == len(channel.points), below


def test_nexus_of_a_scan_that_has_not_ended(tmp_path: Path) -> None:
    target, template = target_of(tmp_path)
    with pytest.warns(ExportWarning, match="it has not ended: what was published so far is saved"):
        feed(make_exporter("nexus", target, template), target, all_kinds().events(end=False))
    assert list(target.sizes) == [str(tmp_path / "eh1_12_ascan.h5")]


def test_nexus_in_memory_and_to_an_open_file() -> None:
    import h5py

    file = io.BytesIO()
    for target, template in (target_of(None), target_of(file)):
        feed(make_exporter("nexus", target, template), target, some_masters().events())
        content = target.contents["eh1_13_ascan.h5"] if isinstance(target, Memory) else file.getvalue()
        with h5py.File(io.BytesIO(content)) as read:
            assert list(read) == ["13.1", "13.2"]


def test_an_unknown_writer() -> None:
    with pytest.raises(ExportError, match="writer 'hdf3': there is none of that name; there are nexus"):
        make_exporter("nexus", Memory(), "", {"writer": "hdf3"})
