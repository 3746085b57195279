"""What the tests of the documentation share."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture
def home(short_directory: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A directory of one's own: the working directory, on Python's path, with nothing that other tests have left."""
    _forget_my_beamline()
    monkeypatch.setenv("BLISS_LIKE_HOME", str(short_directory))
    monkeypatch.setenv("XDG_CACHE_HOME", str(short_directory / "cache"))
    monkeypatch.syspath_prepend(str(short_directory))
    monkeypatch.chdir(short_directory)
    yield short_directory
    _forget_my_beamline()


def _forget_my_beamline() -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] == "my_beamline"]:
        del sys.modules[name]
