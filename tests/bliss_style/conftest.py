"""Configurations with drivers in the style of BLISS."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bliss_like.config import Config, get_config
from tests.bliss_style.stage_server import StageBox, stage_box

Configure = Callable[[str], Config]


@pytest.fixture
def configure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Configure]:
    """A function that makes YAML the configuration of the process."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))

    def write(text: str) -> Config:
        directory = tmp_path / "config"
        directory.mkdir()
        (directory / "motors.yml").write_text(textwrap.dedent(text))
        return get_config(directory)

    yield write
    get_config().close()


@pytest.fixture
def box() -> Iterator[tuple[StageBox, int]]:
    with stage_box() as found:
        yield found
