"""Configurations with drivers in the style of BLISS."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bliss_like.config import Config, get_config
from bliss_like.config.settings import use_store
from bliss_like.config.sharing import Sharing, use_sharing
from bliss_like.data.store import MemoryStore
from bliss_like.devices import motion_line
from tests.bliss_style.stage_server import StageBox, stage_box

Configure = Callable[[str], Config]


@pytest.fixture
def configure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Configure]:
    """A function that makes YAML the configuration of the process; axes keep their settings in a store of the test."""
    store = MemoryStore()
    before = use_store(store.keys)
    use_sharing(Sharing(store))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))

    def write(text: str) -> Config:
        directory = tmp_path / "config"
        directory.mkdir()
        (directory / "motors.yml").write_text(textwrap.dedent(text))
        return get_config(directory)

    yield write
    get_config().close()
    motion_line.flush()
    use_sharing(None)
    use_store(before)


@pytest.fixture
def box() -> Iterator[tuple[StageBox, int]]:
    with stage_box() as found:
        yield found
