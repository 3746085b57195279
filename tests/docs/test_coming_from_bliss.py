"""The page for people from BLISS: what it says to import is there."""

from __future__ import annotations

import re

import pytest

from tests.docs.blocks import PROJECT

PAGE = (PROJECT / "docs" / "coming-from-bliss.md").read_text()
ROW = re.compile(r"^\| `bliss[^`]*` \| `(bliss_like[^`]*)` \| `([^`]*)`", re.MULTILINE)
IMPORTS = ROW.findall(PAGE)
LIST = re.compile(r"^    (bliss(?:\.\w+)?) +([a-z_.]+(?: [a-z_.]+)*)$", re.MULTILINE)
UNCHANGED = [
    f"{package.replace('bliss', 'bliss_like')}.{name}"
    for package, names in LIST.findall(PAGE)
    for name in names.split()
]


def test_the_table_was_found() -> None:
    assert len(IMPORTS) >= 4 and len(UNCHANGED) >= 20


@pytest.mark.parametrize(("module", "names"), IMPORTS, ids=[module for module, _ in IMPORTS])
def test_the_import_works(module: str, names: str) -> None:
    exec(f"from {module} import {names}", {})


@pytest.mark.parametrize("module", UNCHANGED)
def test_what_is_where_it_was(module: str) -> None:
    package, _, name = module.rpartition(".")
    exec(f"from {package} import {name}", {})


def test_every_module_of_common_is_told() -> None:
    there = {path.stem for path in (PROJECT / "bliss_like" / "common").glob("[a-z]*.py")}
    assert {f"bliss_like.common.{name}" for name in there} <= set(UNCHANGED)
