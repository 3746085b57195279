"""The format that docs/how-to/own-file-format.md shows, installed as a package is."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

from tests.docs.blocks import PROJECT, write_files

PAGE = "docs/how-to/own-file-format.md"


def install_json_lines(directory: Path) -> None:
    """Write module and metadata of the package into a directory that is on the path of those who are to find it."""
    write_files(PAGE, directory)
    project = re.search(r"```toml\n(.*?)```", (PROJECT / PAGE).read_text(), re.DOTALL)
    assert project is not None
    written = tomllib.loads(project[1])["project"]
    info = directory / f"{written['name'].replace('-', '_')}-{written['version']}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Name: {written['name']}\nVersion: {written['version']}\n")
    lines = [
        line
        for group, points in written["entry-points"].items()
        for line in (f"[{group}]", *(f"{name} = {value}" for name, value in points.items()))
    ]
    (info / "entry_points.txt").write_text("\n".join(lines))
