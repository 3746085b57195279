"""An environment to scan in, without a session and without a server."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.unit.scanning.making import memory_environment


@pytest.fixture(autouse=True)
def memory() -> Iterator[None]:
    with memory_environment():
        yield
