"""The pages on exporting, followed to the letter: in a session, on the command line, and with a format of one's own."""

from __future__ import annotations

import io
import json
import os
import re
import shlex
from pathlib import Path

import numpy as np
import pytest

from bliss_like.config import get_config
from bliss_like.data.server import EmbeddedServer
from bliss_like.exporters import FORMATS, feed, format_names, make_exporter, target_of
from bliss_like.exporters.json_lines import read_events
from bliss_like.exporters.target import Memory
from bliss_like.session import load_session
from bliss_like.shell.main import main
from tests.docs.blocks import PROJECT, blocks_of, write_files
from tests.exporting import all_kinds, empty

PAGE, OWN = "docs/exporting.md", "docs/how-to/own-exporter.md"


def test_in_a_session_and_on_the_command_line(redis_server: EmbeddedServer, home: Path) -> None:
    config = get_config(PROJECT / "config")
    session = load_session("test_session", config)
    assert session.setup(), session.error_report
    try:
        for block in blocks_of(PAGE, "python"):
            exec(block, session.env_dict)
        scan = session.env_dict["scan"]
        number, names = scan.scan_info["scan_nb"], os.listdir("exported")
        assert {f"{number:04d}.csv", "test_session.spec", f"test_session_{number}_ascan.parquet"} <= set(names)
        (content,) = session.env_dict["content"].values()
        assert content.splitlines()[0].startswith(b'"axis:robx","timer:elapsed_time"')
        for line in blocks_of(PAGE, "text")[0].splitlines():
            words = shlex.split(line.partition("|")[0])
            if words[1] == "export" and words[2] in ("12", "12-20", "ascan"):
                assert main(["export", str(number), *words[3:]]) == ("tiff" in words), line
    finally:
        session.close()
        config.close()


def test_every_format_and_every_name_is_in_the_page() -> None:
    page = (PROJECT / PAGE).read_text()
    for name in FORMATS:
        assert f"`{name}`" in page
    from bliss_like.exporters.templates import OWN as names

    assert all(f"`{{{name}}}`" in page for name in names)


def test_the_line_of_points_in_the_page() -> None:
    lines = re.findall(r'^\{"event": "NEW_DATA".*$', (PROJECT / PAGE).read_text(), re.MULTILINE)
    (event,) = read_events(line.encode() for line in lines)
    assert event.values.tolist() == [0, 0.5]  # type: ignore[union-attr]


def test_a_format_of_ones_own(home: Path) -> None:
    write_files(OWN, home)
    page = (PROJECT / OWN).read_text()
    declared = re.search(r'^\[project.entry-points."(.*)"\]\n(\w+) = "(.*)"$', page, re.MULTILINE)
    assert declared is not None
    installed = home / "my_beamline-1.0.dist-info"
    installed.mkdir()
    (installed / "METADATA").write_text("Metadata-Version: 2.1\nName: my_beamline\nVersion: 1.0\n")
    (installed / "entry_points.txt").write_text(f"[{declared[1]}]\n{declared[2]} = {declared[3]}\n")
    (home / "my_beamline" / "__init__.py").write_text("")
    assert "npz" in format_names()
    for compress in (False, True):
        target = Memory()
        with pytest.warns(UserWarning, match="not written: timer:ragged: their points have different shapes"):
            feed(make_exporter("npz", target, "", {"compress": compress}), target, all_kinds().events())
        archive = np.load(io.BytesIO(target.contents["eh1_12_ascan.npz"]))
        for name in ("count", "phase", "comment", "map"):
            expected = all_kinds().channels[f"axis:timer:{name}"].points
            assert np.array_equal(archive[f"timer:{name}"], expected)
        assert json.loads(str(archive["scan_info"]))["state"] == "DONE"
    target, template = target_of(home / "out.npz", dry_run=True)
    feed(make_exporter("npz", target, template), target, empty().events())
    assert list(target.sizes) == [str(home / "out.npz")] and not (home / "out.npz").exists()


def test_the_example_is_as_short_as_the_page_says() -> None:
    (example,) = blocks_of(OWN, "python")
    assert len(example.splitlines()) <= 60
