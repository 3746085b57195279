"""Parameters of acquisition objects against schemas in the words of BLISS."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from bliss_like.errors import ChainError
from bliss_like.scanning.chain import AcquisitionObject
from bliss_like.scanning.parameters import ParameterError

SCHEMA = {
    "gain": {"type": "int", "default": 1, "allowed": [1, 10, 100]},
    "time": {"type": "numeric", "required": True, "min": 0, "max": 10},
    "mode": {"type": "string", "nullable": True},
    "name": {"type": ["string", "int"], "default_setter": lambda params: f"gain {params['gain']}"},
    "rois": {"type": "list", "schema": {"type": "int", "min": 0}},
    "ramp": {"type": "dict", "schema": {"rate": {"type": "numeric", "default": 2}, "up": {"type": "boolean"}}},
    "forced": {"type": "boolean", "forbidden": [False]},
}


def acquisition(schema: Any) -> type[AcquisitionObject]:
    class Acquisition(AcquisitionObject):
        @staticmethod
        def get_param_validation_schema() -> Any:
            return schema

    return Acquisition


def validated(parameters: dict[str, Any], schema: Any = SCHEMA) -> dict[str, Any]:
    return acquisition(schema).validate_params(parameters)


def test_defaults_are_filled_in() -> None:
    assert validated({"time": 1}) == {"gain": 1, "time": 1, "name": "gain 1"}
    full = {"gain": 10, "time": np.float32(2), "mode": None, "name": 5, "rois": [1, 2], "forced": True}
    assert validated({**full, "ramp": {"up": True}}) == {**full, "ramp": {"up": True, "rate": 2}}


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({}, "missing parameter 'time': expected a number, at least 0, at most 10"),
        ({"time": "1"}, "parameter 'time': expected a number, at least 0, at most 10, got '1'"),
        ({"time": True}, "parameter 'time': expected a number.*, got True"),
        ({"time": -1}, "parameter 'time': .* at least 0, .* got -1"),
        ({"time": 11}, "parameter 'time': .* at most 10, got 11"),
        ({"time": None}, "parameter 'time': .* got None"),
        ({"time": 1, "gain": 2}, "parameter 'gain': expected an integer, one of 1, 10, 100, got 2"),
        ({"time": 1, "gain": 1.0}, "parameter 'gain': expected an integer.*, got 1.0"),
        ({"time": 1, "name": 1.5}, "parameter 'name': expected a text or an integer, got 1.5"),
        ({"time": 1, "gian": 1}, "unknown parameter 'gian', did you mean 'gain'"),
        ({"time": 1, "zzz": 1}, "unknown parameter 'zzz'; there are: gain, time, mode"),
        ({"time": 1, "rois": [1, -1]}, "parameter 'rois': parameter '1': expected an integer, at least 0, got -1"),
        ({"time": 1, "rois": "12"}, "parameter 'rois': expected a list, got '12'"),
        ({"time": 1, "ramp": {"rat": 1}}, "parameter 'ramp': unknown parameter 'rat', did you mean 'rate'"),
        ({"time": 1, "forced": False}, "parameter 'forced': expected true or false, none of False, got False"),
    ],
)
def test_what_is_wrong_is_named(wrong: dict[str, Any], said: str) -> None:
    with pytest.raises(ParameterError, match=said):
        validated(wrong)
    with pytest.raises(RuntimeError, match=said):  # what BLISS raises
        validated(wrong, {"acq_params": {"type": "dict", "schema": SCHEMA}})


def test_parameters_of_the_controller_are_checked_too() -> None:
    kind = acquisition(
        {
            "acq_params": {"type": "dict", "schema": SCHEMA},
            "ctrl_params": {"type": "dict", "schema": {"hv": {"type": "int"}}},
        }
    )
    assert kind.validate_params({"time": 1}, {"hv": 5})["gain"] == 1
    with pytest.raises(ParameterError, match="parameter 'hv': expected an integer, got 'high'"):
        kind.validate_params({"time": 1}, {"hv": "high"})


def test_no_schema_lets_everything_pass() -> None:
    assert AcquisitionObject.validate_params({"any": "thing"}) == {"any": "thing"}
    assert acquisition({"a": {"default": 3}}).get_default_acq_params() == {"a": 3}


def test_a_schema_that_is_wrong() -> None:
    with pytest.raises(ChainError, match="schema of 'a': no rule 'defualt'; there are: type, required"):
        validated({}, {"a": {"defualt": 1}})
    with pytest.raises(ChainError, match="schema of 'a': no type 'number of apples'; there are: numeric"):
        validated({}, {"a": {"type": "number of apples"}})
