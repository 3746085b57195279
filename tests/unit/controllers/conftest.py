"""Controllers by a clock of the tests' own."""

from __future__ import annotations

import pytest

from tests.clock import Clock


@pytest.fixture(autouse=True)
def _time_of_the_test(clock: Clock | None) -> None:
    """Each test has a clock of its own."""
