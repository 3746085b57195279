"""What the tests of the documentation share."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from bliss_like.config import get_config
from bliss_like.data.server import EmbeddedServer
from bliss_like.session import Session, load_session
from tests.docs.blocks import PROJECT


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


@pytest.fixture
def opened(
    redis_server: EmbeddedServer, short_directory: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[str], Session]]:
    """What sets up a session of the project's own configuration; it is closed at the end."""
    monkeypatch.setenv("BLISS_LIKE_HOME", str(short_directory))
    with ExitStack() as stack:
        config = stack.enter_context(closing(get_config(PROJECT / "config")))

        def open_session(name: str) -> Session:
            session = stack.enter_context(closing(load_session(name, config)))
            assert session.setup(), session.error_report
            return session

        yield open_session
