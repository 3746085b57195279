"""What only Channel Access has: enumerations, character arrays, strings of a limited length."""

from __future__ import annotations

import numpy as np
import pytest

from bliss_like.devices.signal import open_signal
from bliss_like.errors import DeviceError
from tests.iocs import Ioc


@pytest.fixture(autouse=True)
def _variables(scalars_and_arrays: Ioc) -> None:
    return


def test_an_enumeration_takes_its_words_and_gives_its_numbers() -> None:
    enum = open_signal("ca://arr:enum")
    assert enum.description.choices == ("no", "yes")
    enum.put("yes")
    assert enum.get() == 1
    enum.put(0)
    assert enum.get() == 0
    with pytest.raises(DeviceError, match="arr:enum cannot be set: expected one of no, yes, got 'perhaps'"):
        enum.put("perhaps")


def test_strings_have_a_limit_and_come_in_arrays() -> None:
    string = open_signal("ca://arr:scalar_string")
    string.put("x" * 39)
    assert string.get() == "x" * 39
    with pytest.raises(DeviceError, match="holds strings of at most 39 bytes"):
        string.put("x" * 40)
    strings = open_signal("ca://arr:array_string")
    strings.put(["one", "two", "three"])
    assert strings.get()[:3] == ["one", "two", "three"]


def test_characters_are_numbers_and_take_a_text() -> None:
    characters = open_signal("ca://arr:char")
    characters.put("hello")
    assert bytes(characters.get()).partition(b"\0")[0] == b"hello"
    assert characters.dtype == np.uint8


def test_a_shorter_array_is_welcome() -> None:
    array = open_signal("ca://arr:array_float")
    array.put([1.0, 2.0])
    assert array.get().tolist() == [1, 2]
