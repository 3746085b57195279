"""What people do wrong when they write a controller of counters: each mistake is told, with the name of the device."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from bliss_like.controllers.counter import CalcCounterController
from bliss_like.devices.counter import CounterController, SamplingCounter, SamplingCounterController
from bliss_like.devices.counter_controller import CounterControllerConfig
from bliss_like.errors import ChainError, DeviceError
from bliss_like.scanning.acquisition.counter import SamplingCounterAcquisitionSlave
from bliss_like.scans import loopscan


class Box(SamplingCounterController):
    def __init__(self) -> None:
        super().__init__("box")
        self.create_counter(SamplingCounter, "a")

    def read_all(self, *counters: SamplingCounter) -> list[Any]:
        return [1.0 for _ in counters]


def told_by(mistaken: CounterController) -> str:
    with pytest.raises(Exception) as raised:
        loopscan(2, 0.001, mistaken)
    return "\n".join([str(raised.value), *getattr(raised.value, "__notes__", ())])


# -- super().__init__ --------------------------------------------------------------------------------------------------


class Forgetful(SamplingCounterController):
    def __init__(self, name: str) -> None:
        self.name = name


class ForgetfulCalculation(CalcCounterController):
    def __init__(self, name: str) -> None:
        self.name = name


class ForgetfulSlave(SamplingCounterAcquisitionSlave):
    def __init__(self, controller: CounterController, **_: Any) -> None:
        self.controller = controller


@pytest.mark.parametrize("kind", [Forgetful, ForgetfulCalculation])
def test_a_controller_that_forgets_its_base(kind: type[Any]) -> None:
    sentence = rf"{kind.__name__}: its __init__ has to call super\(\).__init__\(name"
    for use in (lambda made: made.counters, lambda made: made.create_counter(SamplingCounter, "a"), loop_of):
        with pytest.raises(DeviceError, match=sentence):
            use(kind("box"))
    assert "no counters" in repr(kind("box"))


def loop_of(made: CounterController) -> None:
    loopscan(1, 0, made)


def test_it_is_told_when_its_yaml_makes_it() -> None:
    keys = CounterControllerConfig(name="box")  # type: ignore[call-arg]
    with pytest.raises(DeviceError, match="Forgetful: its __init__"):
        keys.apply_to(Forgetful("box"))
    keys.apply_to(Box())


def test_an_acquisition_object_that_forgets_its_base() -> None:
    class Mistaken(Box):
        def get_acquisition_object(self, acq_params: Any, ctrl_params: Any, parent_acq_params: Any) -> Any:
            return ForgetfulSlave(self, **acq_params)

    assert "ForgetfulSlave: its __init__ has to call super().__init__(" in told_by(Mistaken())


# -- what it says of its counters, and its readings ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("keys", "sentence"),
    [
        ({"dtype": "flaot"}, "counter 'b': expected a dtype of numpy, such as float or 'uint16', got 'flaot'"),
        ({"shape": 10}, r"counter 'b': expected the shape of one reading, such as \(1024,\), .* got 10"),
        ({"shape": "10"}, "counter 'b': expected the shape of one reading.* got '10'"),
        ({"shape": (10, -2)}, r"counter 'b': expected the shape of one reading.* got \(10, -2\)"),
    ],
)
def test_a_counter_of_a_wrong_kind(keys: Mapping[str, Any], sentence: str) -> None:
    box = Box()
    with pytest.raises(DeviceError, match=sentence):
        box.create_counter(SamplingCounter, "b", **keys)
    assert list(box.counters.keys()) == ["a"]


@pytest.mark.parametrize("value", ["1.0", b"1.0", None])
def test_a_reading_that_is_no_number(value: Any) -> None:
    class Mistaken(Box):
        def read_all(self, *counters: SamplingCounter) -> list[Any]:
            return [value]

    assert f"channel 'box:a': expected a number, got {type(value).__name__} {value!r}" in told_by(Mistaken())


# -- what fails before the scan ------------------------------------------------------------------------------------------


def no_answer(*_: Any) -> Any:
    raise OSError("no answer")


@pytest.mark.parametrize(
    "method",
    ["counters", "counter_groups", "get_current_parameters", "get_default_chain_parameters", "create_chain_node"],
)
def test_what_fails_while_the_scan_is_built_names_the_device(method: str) -> None:
    fails: Callable[..., Any] | property = property(no_answer) if method.startswith("counter") else no_answer
    told = told_by(type("Mistaken", (Box,), {method: fails})())
    assert told.startswith("no answer") and "(in box)" in told


def test_parameters_that_are_none() -> None:
    class Mistaken(Box):
        def get_default_chain_parameters(self, scan_params: Any, acq_params: Any) -> Any:
            return None

    with pytest.raises(
        ChainError, match="'box': expected a dict of parameters from get_default_chain_parameters, got None"
    ):
        loopscan(2, 0.001, Mistaken())


# -- what is only logged -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("error", "has_traceback"), [(DeviceError("box: off"), False), (OSError("off"), True)])
def test_what_fails_at_the_end_is_one_line_where_that_says_all(
    error: Exception, has_traceback: bool, caplog: pytest.LogCaptureFixture
) -> None:
    class Slave(SamplingCounterAcquisitionSlave):
        def stop_device(self) -> None:
            raise error

    class Failing(Box):
        def read_all(self, *counters: SamplingCounter) -> list[Any]:
            raise ValueError("first")

        def get_acquisition_object(self, acq_params: Any, ctrl_params: Any, parent_acq_params: Any) -> Any:
            return Slave(self, **acq_params)

    with caplog.at_level(logging.ERROR):
        assert told_by(Failing()).startswith("first")
    (record,) = [record for record in caplog.records if "failed at its end" in record.message]
    assert "in box" in record.message and (record.exc_info is not None) == has_traceback
    assert has_traceback or record.message.endswith("box: off")
