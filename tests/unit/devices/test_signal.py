"""Signals by their address."""

from __future__ import annotations

import pytest

from bliss_like.devices import signal
from bliss_like.devices.signal import open_signal
from bliss_like.errors import ConfigError


def test_the_address_picks_the_backend() -> None:
    one, other = open_signal("soft://unit:x", name="x"), open_signal("soft://unit:x")
    one.put(2)
    assert (other.get(), one.name, other.name) == (2, "x", "soft://unit:x")
    assert "soft://unit:x" in repr(one)


@pytest.mark.parametrize("address", ["XF:01:m1", "nonsense://x", "://x"])
def test_an_address_without_a_known_scheme_is_refused(address: str) -> None:
    with pytest.raises(ConfigError, match="expected one that begins with ca://, soft://"):
        open_signal(address)


def test_a_control_system_that_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(signal.BACKENDS, "dream", "a_control_system_of_dreams.Backend")
    with pytest.raises(
        ConfigError, match="dream://x' needs a package that is not installed: a_control_system_of_dreams"
    ):
        open_signal("dream://x")
