"""The page for people from BLISS: what it says to import is there."""

from __future__ import annotations

import re

import pytest

from tests.docs.blocks import PROJECT

ROW = re.compile(r"^\| `bliss[^`]*` \| `(bliss_like[^`]*)` \| `([^`]*)`", re.MULTILINE)
IMPORTS = ROW.findall((PROJECT / "docs" / "coming-from-bliss.md").read_text())


def test_the_table_was_found() -> None:
    assert len(IMPORTS) >= 15


@pytest.mark.parametrize(("module", "names"), IMPORTS, ids=[module for module, _ in IMPORTS])
def test_the_import_works(module: str, names: str) -> None:
    exec(f"from {module} import {names}", {})
