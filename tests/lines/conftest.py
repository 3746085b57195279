"""A device that does not answer is left alone for less long than usual."""

from __future__ import annotations

import pytest

REST = 0.3


@pytest.fixture(autouse=True)
def _short_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bliss_like.backends.outage.REST", REST)
