"""The clock of unit tests with greenlets alone: none of them depends on how fast the machine is."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from bliss_like.data.server import HOME_VARIABLE, EmbeddedServer
from tests.clock import Clock, own_clock


@pytest.fixture(scope="session")
def _server_of_the_home(_home_of_the_run: None) -> None:
    """What asks for a setting starts one, which takes no time by a clock of a test's own."""
    EmbeddedServer(Path(os.environ[HOME_VARIABLE])).ensure()


@pytest.fixture
def clock(request: pytest.FixtureRequest, _server_of_the_home: None) -> Iterator[Clock | None]:
    """The time of this test; None if it is marked `real_time`, as one that waits for threads or processes."""
    if request.node.get_closest_marker("real_time"):
        yield None
        return
    with own_clock() as clock:
        yield clock
