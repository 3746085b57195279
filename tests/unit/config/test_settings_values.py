"""Every value comes back as what it was; what cannot be stored is refused with its name and place."""

from __future__ import annotations

import enum
import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bliss_like.config.settings import HashSetting, OrderedHashSetting, QueueSetting, SimpleSetting
from bliss_like.data.store import MemoryStore
from bliss_like.errors import DataError
from tests.unit.config.values import KEYS, VALUES, came_back


def simple(**options: Any) -> SimpleSetting:
    return SimpleSetting("s", MemoryStore().keys, **options)


@given(VALUES)
def test_a_value(value: Any) -> None:
    setting = simple()
    setting.set(value)
    assert came_back(value, setting.get())
    assert came_back(value, simple(default_value=value).get())


@given(st.dictionaries(KEYS, VALUES, max_size=4))
def test_values_of_a_dict(values: dict[str, Any]) -> None:
    for kind in (HashSetting, OrderedHashSetting):
        setting = kind("h", MemoryStore().keys)
        setting.set(values)
        assert came_back(values, setting.get_all())
        assert came_back(values, kind("h", MemoryStore().keys, default_values=values).get_all())


@given(st.lists(VALUES, max_size=4))
def test_values_of_a_list(values: list[Any]) -> None:
    setting = QueueSetting("q", MemoryStore().keys)
    setting.set(values)
    assert came_back(values, setting.get())


@pytest.mark.parametrize("value", ["0001", "None", "True", "1.5", True, 1, 1.0, None, -0.0, 2**80, "ä\ud800"])
def test_nothing_is_guessed(value: Any) -> None:
    setting = simple(default_value="default")
    setting.set(value)
    assert type(setting.get()) is type(value) and repr(setting.get()) == repr(value)


@pytest.mark.parametrize(
    ("sent", "received"),
    [
        ((1, (2, 3)), [1, [2, 3]]),
        (np.float32(0.1), 0.10000000149011612),
        (np.int64(3), 3),
        (np.bool_(True), True),
        (np.str_("a"), "a"),
        (np.complex64(1 + 2j), 1 + 2j),
        (bytearray(b"a"), b"a"),
    ],
)
def test_what_comes_back_as_its_plain_relative(sent: Any, received: Any) -> None:
    setting = simple()
    setting.set(sent)
    assert setting.get() == received and type(setting.get()) is type(received)


def test_a_time_of_numpy_is_an_array_without_dimensions() -> None:
    setting = simple()
    setting.set(np.datetime64("2026-11-20", "D"))
    assert setting.get() == np.datetime64("2026-11-20", "D")


def test_what_is_read_belongs_to_the_reader() -> None:
    setting = simple(default_value=[1, np.zeros(2)])
    setting.get().append(2)
    setting.get()[1][:] = 1
    assert len(setting.get()) == 2 and setting.get()[1].tolist() == [0, 0]


class Colour(enum.Enum):
    RED = 1


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({1, 2}, r"^setting 's': cannot store a set, \{1, 2\}; expected None, bool"),
        ([0, {"a": object()}], r"^setting 's'\[1\]\['a'\]: cannot store a object"),
        ({1: 2}, r"^setting 's': cannot store a dict with the key 1; expected keys that are str"),
        (np.array([None]), r"^setting 's': cannot store a numpy array of object"),
        (Colour.RED, r"^setting 's': cannot store a Colour"),
        (print, r"^setting 's': cannot store a builtin_function_or_method"),
    ],
)
def test_what_cannot_be_stored(value: Any, message: str) -> None:
    setting = simple()
    setting.set("before")
    with pytest.raises(TypeError, match=message):
        setting.set(value)
    with pytest.raises(TypeError, match="^default of setting 's'"):
        simple(default_value=value)
    assert setting.get() == "before"


def test_a_value_that_contains_itself() -> None:
    value: list[Any] = []
    value.append(value)
    with pytest.raises(TypeError, match="'s'.*contains itself"):
        simple().set(value)


@pytest.mark.parametrize("text", [b"hello", b"\xff", b'{"$unknown": 1}', b'{"$array": 3}', b'{"$bytes": "?"}', b""])
def test_what_another_program_has_written(text: bytes) -> None:
    setting = simple()
    setting._run(("SET", setting._key, text))
    with pytest.raises(DataError, match="^setting 's': expected a value in JSON, found b.*clear"):
        setting.get()


def test_any_language_reads_it() -> None:
    store = MemoryStore().keys
    HashSetting("h", store)["x"] = {"a": [1, None, "0001"]}
    stored = store.read("bl1:setting:{h}")
    assert isinstance(stored, dict) and json.loads(stored[b"x"]) == {"a": [1, None, "0001"]}
