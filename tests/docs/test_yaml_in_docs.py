"""The YAML in the documentation, checked as the configuration of a beamline that has the shipped objects too."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from bliss_like.config import Config
from tests.docs.blocks import PROJECT, blocks_of, write_files

PAGES = sorted(
    str(page.relative_to(PROJECT))
    for page in [PROJECT / "README.md", PROJECT / "config" / "README.md", *(PROJECT / "docs").rglob("*.md")]
    if blocks_of(page, "yaml")
)


def test_there_are_pages() -> None:
    assert {"docs/devices.md", "docs/how-to/new-device.md", "docs/how-to/new-session.md"} <= set(PAGES)


@pytest.mark.parametrize("page", PAGES)
def test_the_yaml_of_a_page_is_right(page: str, home: Path) -> None:
    written = {str(path.resolve()) for path in write_files(page, home)}
    shutil.copytree(PROJECT / "config", home / "config" / "zz_shipped")  # read last: the page may define a name anew
    errors = Config("config").check()
    assert [str(error) for error in errors if error.place and error.place[0] in written] == []
