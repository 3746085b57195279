"""Calculated counters to begin with, and to copy."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bliss_like.devices.calc_counter import CalcCounterController, Inputs


class MeanCalcCounterController(CalcCounterController):
    """One output: the mean of all inputs, point by point."""

    def calc_function(self, input_dict: Inputs) -> Mapping[str, Any]:
        mean = sum(input_dict.values()) / len(input_dict)
        return {self.tag_of(self.outputs[0]): mean}


class Times2CalcCounterController(CalcCounterController):
    """One output: twice the first input."""

    def calc_function(self, input_dict: Inputs) -> Mapping[str, Any]:
        return {self.tag_of(self.outputs[0]): 2 * input_dict[self.tag_of(self.input_counters[0])]}
