"""What is chosen to be shown of scans."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from bliss_like.devices.counter import SamplingCounter
from bliss_like.errors import ScanUsageError, UsageError
from bliss_like.standard import SCAN_DISPLAY
from tests.unit.scanning.making import Values

from .conftest import Known


@pytest.fixture(autouse=True)
def all_counters(known: Known) -> Iterator[None]:
    yield
    SCAN_DISPLAY.counters = []


def test_counters_of_the_table() -> None:
    diode = SamplingCounter("diode", Values("diodes", lambda: [1.0]))
    SCAN_DISPLAY.counters = ["roi*", diode]
    assert SCAN_DISPLAY.counters == ["roi*", "diodes:diode"]
    assert "counters" in SCAN_DISPLAY.__info__() and "roi*" in SCAN_DISPLAY.__info__()
    for one in ("mca", ("mca",), ["mca"]):
        SCAN_DISPLAY.counters = one  # type: ignore[assignment]
        assert SCAN_DISPLAY.counters == ["mca"]
    SCAN_DISPLAY.counters = None  # type: ignore[assignment]
    assert SCAN_DISPLAY.counters == []


def test_what_is_no_counter_is_told() -> None:
    with pytest.raises(
        ScanUsageError, match="SCAN_DISPLAY.counters: argument 2: expected a counter, an axis or a name, got 3"
    ):
        SCAN_DISPLAY.counters = ["diode", 3]  # type: ignore[list-item]
    with pytest.raises(UsageError, match="SCAN_DISPLAY has no 'counter', did you mean 'counters'"):
        SCAN_DISPLAY.counter = []  # type: ignore[attr-defined]
    assert SCAN_DISPLAY.counters == []
