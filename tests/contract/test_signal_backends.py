"""What every signal backend must do, tried on values in memory and on a real Channel Access server."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import gevent
import numpy as np
import pytest

from bliss_like.backends.soft import VARIABLES, SoftVariable
from bliss_like.devices.signal import Reading, Signal, open_signal
from bliss_like.errors import DeviceError
from tests.iocs import scalars_and_arrays  # noqa: F401 - a fixture

FIRST_VALUES = {"scalar_float": 1.01, "scalar_int": 1, "scalar_string": "string1", "array_float": np.zeros(5)}

Opener = Callable[[str], Signal]


@pytest.fixture(params=["soft", "ca"])
def variable(request: pytest.FixtureRequest) -> Iterator[Opener]:
    """Opens a signal of one of FIRST_VALUES."""
    opened: list[Signal] = []
    if request.param == "ca":
        request.getfixturevalue("scalars_and_arrays")
    else:
        VARIABLES.update({f"soft://arr:{name}": SoftVariable(value) for name, value in FIRST_VALUES.items()})

    def open_it(name: str) -> Signal:
        opened.append(open_signal(f"{request.param}://arr:{name}"))
        return opened[-1]

    yield open_it
    for one in opened:
        one.close()


def eventually(condition: Callable[[], object]) -> None:
    """Let other greenlets run until it is true."""
    with gevent.Timeout(30):
        while not condition():
            gevent.sleep(0.005)


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("scalar_float", [3.25, -1, 1e300, np.float32(0.5)]),
        ("scalar_int", [7, -7, np.int8(3), True, 2.0]),
        ("scalar_string", ["hello", "", "ü"]),
        ("array_float", [[1, 2, 3, 4, 5], np.arange(5.0)]),
    ],
)
def test_what_is_put_is_got(variable: Opener, name: str, values: list[object]) -> None:
    one, other = variable(name), variable(name)
    for value in values:
        one.put(value)
        assert np.array_equal(other.get(), value)  # type: ignore[arg-type]


def test_a_reading_has_the_time_of_its_source(variable: Opener) -> None:
    one = variable("scalar_float")
    before = time.time()
    one.put(5.0)
    after = time.time()
    first = one.read()
    assert before - 0.01 <= first.timestamp <= after + 0.01
    assert first.alarm == ""
    gevent.sleep(0.02)
    assert one.read() == first


def test_the_kind_of_value_is_described(variable: Opener) -> None:
    assert variable("scalar_float").dtype == np.float64
    assert variable("scalar_float").shape == ()
    assert variable("scalar_int").dtype.kind == "i"
    assert variable("scalar_string").dtype.kind == "U"
    assert variable("array_float").shape == (5,)
    assert variable("array_float").description.writable


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("scalar_float", "three"),
        ("scalar_float", None),
        ("scalar_int", 1.5),
        ("scalar_int", 1e20),
        ("scalar_int", float("nan")),
        ("scalar_float", [1, 2]),
        ("array_float", np.zeros((2, 2))),
        ("array_float", np.zeros(6)),
    ],
)
def test_what_does_not_fit_is_refused_and_changes_nothing(variable: Opener, name: str, value: object) -> None:
    one = variable(name)
    former = one.get()
    with pytest.raises(DeviceError, match=f"arr:{name} cannot be set: expected"):
        one.put(value)
    assert np.array_equal(one.get(), former)


def test_listeners_get_the_present_value_and_each_later_one_in_order(variable: Opener) -> None:
    one = variable("scalar_float")
    one.put(0.0)
    seen: list[Reading] = []
    late: list[Reading] = []
    unsubscribe = one.subscribe(seen.append)
    eventually(lambda: seen)
    for number in range(1, 11):
        one.put(float(number))
    eventually(lambda: seen[-1].value == 10)
    assert [reading.value for reading in seen] == list(range(11))
    assert [reading.timestamp for reading in seen] == sorted(reading.timestamp for reading in seen)
    one.subscribe(late.append)
    eventually(lambda: late)
    assert late[0].value == 10
    unsubscribe()
    unsubscribe()
    one.put(11.0)
    eventually(lambda: late[-1].value == 11)
    assert seen[-1].value == 10


def test_close_ends_the_subscriptions_of_this_signal_only(variable: Opener) -> None:
    one, other = variable("scalar_float"), variable("scalar_float")
    mine: list[Reading] = []
    others: list[Reading] = []
    one.subscribe(mine.append)
    other.subscribe(others.append)
    eventually(lambda: mine and others)
    one.close()
    number = len(mine)
    other.put(99.0)
    eventually(lambda: others[-1].value == 99)
    assert len(mine) == number
    assert one.get() == 99


def test_a_listener_that_fails_does_not_silence_the_others(variable: Opener, caplog: pytest.LogCaptureFixture) -> None:
    one = variable("scalar_float")
    seen: list[Reading] = []

    def fails(reading: Reading) -> None:
        raise RuntimeError("out of paper")

    one.subscribe(fails)
    one.subscribe(seen.append)
    one.put(4.0)
    eventually(lambda: seen and seen[-1].value == 4)
    assert "out of paper" in caplog.text


def test_a_put_without_waiting_arrives(variable: Opener) -> None:
    one = variable("scalar_float")
    one.put(8.0, wait=False)
    eventually(lambda: one.get() == 8)
    assert one.connected
