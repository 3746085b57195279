"""The page for people from BLISS: what it says to import is there."""

from __future__ import annotations

import re

import pytest

from tests.docs.blocks import PROJECT

IMPORTS = re.findall(r"\| `(from bliss_like[^`]*)` \|$", (PROJECT / "docs/coming-from-bliss.md").read_text(), re.MULTILINE)


def test_the_table_was_found() -> None:
    assert len(IMPORTS) >= 15


@pytest.mark.parametrize("line", IMPORTS)
def test_the_import_works(line: str) -> None:
    exec(line, {})
