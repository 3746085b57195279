"""`bliss-like export` and `bliss-like verify` on a server, on files, and while a scan runs."""

from __future__ import annotations

import io
import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from bliss_like.data.events import NewData, SavedScan
from bliss_like.data.redis_store import RedisStore
from bliss_like.data.saving import tell_saved
from bliss_like.data.server import EmbeddedServer
from bliss_like.data.tree import Tree
from bliss_like.errors import ExportError, NodeNotFound
from bliss_like.exporters import export, feed, make_exporter, target_of
from bliss_like.shell.main import main
from tests.exporting import ScanOf, all_kinds, odd_names, some_masters
from tests.publishing import PublishedScan
from tests.waiting import wait_until


@pytest.fixture
def store(redis_server: EmbeddedServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[RedisStore]:
    monkeypatch.setenv("BLISS_LIKE_REDIS", redis_server.url)
    monkeypatch.setenv("BLISS_LIKE_CATALOGUE", str(tmp_path / "none"))
    monkeypatch.chdir(tmp_path)
    yield RedisStore(redis_server.url)


def publish(store: RedisStore, scan: ScanOf) -> None:
    events = scan.events()
    publisher = Tree(store).open_scan(scan.path, scan.kind, scan.scan_info())
    for event in events[1:]:
        if not isinstance(event, NewData) and (below := event.path[len(scan.path) + 1 :]) in scan.channels:
            channel = scan.channels[below]
            publisher.publish(event)
            publisher.open_channel(event.path, channel.dtype, tuple(event.info["shape"]), channel.kind)  # type: ignore[union-attr]
        else:
            publisher.publish(event)
    publisher.close()


def save(store: RedisStore, scan: ScanOf, file: Path) -> None:
    target, template = target_of(file)
    feed(make_exporter("nexus", target, template), target, scan.events())
    tell_saved(store, SavedScan(scan.path, "SAVED", str(file), (f"/{scan.number}.1",), writer="nexus"), 100)


def test_scans_by_number_range_name_and_uid(store: RedisStore, capsys: pytest.CaptureFixture[str]) -> None:
    for scan in (all_kinds(), some_masters(), odd_names()):
        publish(store, scan)
    assert main(["export", "12-20", "--to", "spec"]) == 0
    told = capsys.readouterr()
    assert re.fullmatch(r" +[\d,]+ bytes  eh1.spec\n", told.out)
    assert "SPEC has no texts, nor references" in told.err
    assert Path("eh1.spec").read_text().count("\n#S ") == 4
    assert main(["export", "13", "odd", some_masters().path, "--to", "jsonl", "--output", "x/{scan_nb}.jsonl"]) == 0
    assert sorted(os.listdir("x")) == ["13.jsonl", "15.jsonl"]


def test_nothing_is_overwritten_unless_asked(store: RedisStore, capsys: pytest.CaptureFixture[str]) -> None:
    publish(store, all_kinds())
    command = ["export", "12", "--to", "parquet", "--channels", "robx", "diode", "--output", "out/"]
    assert main([*command, "--dry-run"]) == 0
    told = capsys.readouterr()
    planned = told.out
    assert told.err == "1 file would be written\n" and not os.listdir(".")
    assert main(command) == 0
    assert capsys.readouterr().out == planned
    assert main(command) == 1
    assert "out/eh1_12_ascan.parquet: it is there already; choose another name" in capsys.readouterr().err
    assert main([*command, "--overwrite"]) == 0
    assert list(pd.read_parquet("out/eh1_12_ascan.parquet").columns) == ["axis:robx", "timer:diode"]


def test_images_by_templates_and_options(store: RedisStore) -> None:
    publish(store, all_kinds())
    template = "{start.sample_name}/{event.data.robx:.2f}_{event.seq_num}"
    assert main(["export", "ascan", "--to", "tiff", "--template", template, "--output", "images/"]) == 0
    assert sorted(os.listdir("images/Fe_foil")) == ["0.00_1.tif", "0.33_2.tif", "0.67_3.tif", "1.00_4.tif"]
    assert main(["export", "12", "--to", "tiff", "--option", "stack=true"]) == 0
    assert os.listdir("images") and Path("eh1_12_ascan_map.tif").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["99", "--to", "csv"], "no scan '99', neither in the store nor in the catalogue"),
        (["20-30", "--to", "csv"], "scans 20-30: there is none of them"),
        (["30-20", "--to", "csv"], "expected a range that begins with the lower number"),
        (["12", "--to", "xls"], "there are csv, jsonl, msgpack, nexus, parquet, spec, tiff"),
        (["12", "--to", "csv", "--option", "colour=3"], "format csv: .*colour"),
        (["12", "--to", "csv", "--channels", "nobody"], "no channel is, or fits, nobody; there are axis:robx"),
        (["12", "--to", "csv", "--template", "{nobody}"], "'nobody' stands for nothing here; there are {scan_nb}"),
        (["nowhere.h5::12.1", "--to", "csv"], "nowhere.h5: there is no such file"),
    ],
)
def test_what_is_wrong_is_said(
    store: RedisStore, capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    publish(store, all_kinds())
    assert main(["export", *arguments]) == 1
    assert re.search(message, capsys.readouterr().err)
    assert not os.listdir(".")


def test_to_standard_output(store: RedisStore, redis_server: EmbeddedServer) -> None:
    publish(store, some_masters())
    command = [sys.executable, "-m", "bliss_like.shell.main", "export", "13", "--to", "csv", "--output", "-"]
    done = subprocess.run(
        [*command, "--channels", "axis:*"], capture_output=True, cwd=Path(__file__).parents[2], check=True
    )
    assert pd.read_csv(io.BytesIO(done.stdout))["axis:robx"].tolist() == [0, 1, 2, 3, 4]


def test_from_a_file_when_the_server_has_nothing(store: RedisStore, tmp_path: Path) -> None:
    save(store, all_kinds(), tmp_path / "data.h5")
    for name in ("data.h5", "data.h5::12.1"):
        assert main(["export", name, "--to", "parquet", "--overwrite", "--output", "out/"]) == 0
        table = pd.read_parquet("out/eh1_12_ascan.parquet")
        assert table["timer:count"].tolist() == [0, -5, 2**62 + 1, 7]
        assert [len(point) for point in table["timer:ragged"]] == [1, 3, 2, 5]


def test_a_scan_that_runs_is_followed(store: RedisStore) -> None:
    scan = PublishedScan(Tree(store)).prepare().emit([0.0, 1.0])
    told: list[dict[str, object]] = []
    reader, writer = os.pipe()

    def run() -> None:
        with os.fdopen(writer, "wb") as file:
            export(scan.path, file, "jsonl", live=True, arrays="list")

    thread = threading.Thread(target=run)
    thread.start()
    with os.fdopen(reader, "rb") as lines:

        def next_point() -> object:
            while (document := json.loads(lines.readline()))["event"] != "NEW_DATA":
                told.append(document)
            return document["values"]

        assert next_point() == [0, 1]
        scan.emit([2.0])
        assert next_point() == [2]
        scan.end()
        wait_until(lambda: json.loads(lines.readline())["event"] == "END_SCAN")
    thread.join(30)
    assert not thread.is_alive()


def test_export_of_scripts(store: RedisStore, tmp_path: Path) -> None:
    publish(store, some_masters())
    contents = export(some_masters().path, None, "parquet", channels=["axis:*"])
    assert isinstance(contents, dict) and list(contents) == ["eh1_13_ascan.parquet"]
    assert np.array_equal(pd.read_parquet(io.BytesIO(contents["eh1_13_ascan.parquet"]))["axis:robx"], np.arange(5.0))
    assert export(some_masters().path, tmp_path, channels=["robx"]) == [tmp_path / "eh1_13_ascan.csv"]
    assert [*map(list, (export(name, None) for name in (13, "13", "ascan")))] == [
        ["eh1_13_ascan.csv", "eh1_13_ascan.2.csv"]
    ] * 3
    with pytest.raises(NodeNotFound, match="no scan '14', neither in the store nor in the catalogue"):
        export(14, None)
    with pytest.raises(ExportError, match="expected a scan, its node, number, name, uid or file, or several of them"):
        export(3.5)


# -- verify ------------------------------------------------------------------------------------------------------------


def test_verify(store: RedisStore, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "data" / "data.h5"
    publish(store, some_masters())
    publish(store, ScanOf({}, number=1, name="ct", saved=False))
    save(store, some_masters(), file)
    assert main(["verify"]) == main(["verify", "13"]) == 0
    assert capsys.readouterr().out == f"ok    13_ascan in {file}::13.1: 3 channels, 11 points, as on the server\n" * 2
    assert main(["verify", str(file), "--checksums"]) == 0
    assert "checksums of 1 file written to SHA256SUMS" in capsys.readouterr().out
    with file.open("r+b") as raw:
        raw.seek(-1, os.SEEK_END)
        raw.write(b"x")
    assert main(["verify", str(file.parent), "--checksums"]) == 1
    assert "changed: data.h5" in capsys.readouterr().out
    assert main(["verify", str(file.parent), "--checksums", "update"]) == 0
    assert main(["verify", str(file.parent)]) == 2
    publish(store, all_kinds())
    assert main(["verify"]) == 1
    told = capsys.readouterr().out
    assert "WRONG 12_ascan: 1 fault\n      not on disk: no writer has saved it; bliss-like recover eh1" in told


def test_verify_of_nothing(store: RedisStore, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["verify"]) == 1
    assert "no scan is on the server" in capsys.readouterr().err
    publish(store, ScanOf({}, number=1, name="ct", saved=False))
    assert main(["verify"]) == 1
    assert main(["verify", "_1_ct"]) == 0
    assert "ok    _1_ct: not to be saved\n" in capsys.readouterr().out
    assert main(["verify", "99"]) == 1
    assert "no scan '99'" in capsys.readouterr().err
