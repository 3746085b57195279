"""An environment to scan in, without a session and without a server."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.clock import Clock
from tests.unit.scanning.making import memory_environment


@pytest.fixture(autouse=True)
def memory() -> Iterator[None]:
    with memory_environment():
        yield


@pytest.fixture(autouse=True)
def _time_of_the_test(clock: Clock | None) -> None:
    """Each test has a clock of its own."""
