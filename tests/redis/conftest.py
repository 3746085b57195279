"""Two sessions on one beamline: `eh1` here and, in another process, `eh2`; both of the `TREE` of the module."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bliss_like.config import Config, get_config
from bliss_like.data.server import EmbeddedServer
from bliss_like.session import load_session
from tests.killing import beamline, dice
from tests.redis.others import SESSION, Other, another

__all__ = ["beamline", "dice"]

PROJECT = Path(__file__).parents[2]


@pytest.fixture
def config(request: pytest.FixtureRequest, short_directory: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Config]:
    (short_directory / "config").mkdir()
    (short_directory / "config" / "all.yml").write_text(request.module.TREE)
    monkeypatch.setenv("BLISS_LIKE_HOME", str(short_directory))
    monkeypatch.setenv("BLISS_LIKE_CONFIG", str(short_directory / "config"))
    monkeypatch.setenv("PYTHONPATH", str(PROJECT))
    config = get_config(short_directory / "config")
    yield config
    config.close()


@pytest.fixture
def names(config: Config, redis_server: EmbeddedServer) -> Iterator[dict[str, Any]]:
    """What session eh1 has."""
    session = load_session("eh1")
    assert session.setup(), session.error_report
    yield session.env_dict
    session.close()


@pytest.fixture
def eh2(names: dict[str, Any]) -> Iterator[Other]:
    with another(SESSION) as other:
        yield other
