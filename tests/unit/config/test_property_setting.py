"""Attributes of a device that are kept in its settings."""

from __future__ import annotations

import enum
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from bliss_like.config.settings import HashSetting, ObjectSettings, property_setting, push_settings, use_store
from bliss_like.data.store import MemoryStore


@pytest.fixture(autouse=True)
def _in_memory() -> Iterator[None]:
    before = use_store(MemoryStore().keys)
    yield
    use_store(before)


class Mode(enum.Enum):
    OFF = "off"
    RAMP = "ramp"


class Furnace:
    def __init__(self, name: str, beamline: str = "") -> None:
        self.name = name
        self.settings = ObjectSettings(name, beamline)
        self.sent: list[tuple[str, Any]] = []

    note = property_setting()
    power = property_setting("watts", default=0, type=int, doc="W")

    @property_setting(default=1.0, type=float)
    def ramp(self, value: float) -> float:
        """K/min"""
        if value > 100:
            raise ValueError("too fast")
        self.sent.append(("ramp", value))
        return min(value, 50.0)

    @property_setting(default=Mode.OFF, type=Mode)
    def mode(self, value: Mode) -> None:
        self.sent.append(("mode", value))


def test_values_are_kept_in_the_hash_of_the_device() -> None:
    furnace = Furnace("f1", "id00")
    assert (furnace.ramp, furnace.mode, furnace.note) == (1.0, Mode.OFF, None)
    furnace.ramp, furnace.mode, furnace.note = 3, Mode.RAMP, "0001"
    again = Furnace("f1", "id00")
    assert (again.ramp, again.mode, again.note) == (3.0, Mode.RAMP, "0001") and type(again.ramp) is float
    assert HashSetting("id00:f1") == {"ramp": 3.0, "mode": "ramp", "note": "0001"}
    assert (Furnace("f1").ramp, Furnace("f2", "id00").ramp) == (1.0, 1.0)
    assert (Furnace.ramp.__doc__, Furnace.power.__doc__) == ("K/min", "W")


def test_the_hardware_comes_first() -> None:
    furnace = Furnace("f1")
    with pytest.raises(ValueError, match="too fast"):
        furnace.ramp = 200
    assert furnace.ramp == 1.0
    furnace.ramp = 80
    assert furnace.sent == [("ramp", 80.0)] and furnace.ramp == 50.0


@pytest.mark.parametrize(
    ("attribute", "value", "message"),
    [
        ("ramp", "fast", r"^f1.ramp: expected a value of type float, got 'fast'"),
        ("ramp", True, r"^f1.ramp: expected a value of type float, got True"),
        ("power", 1.5, r"^f1.power: expected a value of type int, got 1.5"),
        ("mode", "on", r"^f1.mode: expected one of 'off', 'ramp', got 'on'"),
    ],
)
def test_a_value_of_another_type(attribute: str, value: object, message: str) -> None:
    furnace = Furnace("f1")
    with pytest.raises(TypeError, match=message):
        setattr(furnace, attribute, value)
    assert not furnace.sent and not furnace.settings


def test_values_that_are_as_good() -> None:
    furnace = Furnace("f1")
    furnace.mode = "ramp"
    furnace.ramp = np.float64(2)
    furnace.power = np.int64(3)
    assert (furnace.mode, furnace.ramp, furnace.power) == (Mode.RAMP, 2.0, 3)
    assert furnace.settings["watts"] == 3


def test_what_is_stored_is_pushed_after_a_restart() -> None:
    Furnace("f1").ramp = 7

    class Better(Furnace):
        mode = property_setting("mode", default=Mode.OFF, type=Mode)

    furnace = Better("f1")
    furnace.mode = Mode.RAMP
    push_settings(furnace)
    assert furnace.sent == [("ramp", 7.0)]
