"""Configurations in temporary directories, spoken of by relative paths."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bliss_like.config import Config, get_config

from .beamline import devices

Configure = Callable[..., Config]


@pytest.fixture(autouse=True)
def _clean_lists() -> None:
    devices.closed.clear()
    devices.made.clear()


@pytest.fixture
def configure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Configure]:
    """A function that writes files below ./config and loads them: `configure(**{"motors.yml": text})` or one text.

    The directory has an `__init__.yml` that names the package of the test devices.
    """
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("BLISS_LIKE_CONFIG", raising=False)
    loaded: list[Config] = []

    def write_and_load(text: str = "", **files: str) -> Config:
        files = {"__init__.yml": "package: tests.unit.config.beamline\nmodule: devices", **files}
        if text:
            files["lamps.yml"] = text
        for name, content in files.items():
            path = tmp_path / "config" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(textwrap.dedent(content))
        config = get_config("config")
        loaded.append(config)
        return config

    yield write_and_load
    for config in loaded:
        config.close()
