"""Calculated counters as people write them for BLISS: a factor looked up in YAML, tags by the names of counters."""

import numpy

from bliss_like.common.counter import CalcCounter
from bliss_like.controllers.counter import CalcCounterController


class Transmission(CalcCounterController):
    """What a sample lets through, in percent, and its absorption."""

    def __init__(self, name, config):
        self.percent = config.get("percent", 100)
        self.names = [output["name"] for output in config["outputs"]]
        super().__init__(name, config)

    def calc_function(self, input_dict):
        before, behind = (input_dict[self.tags[counter.name]] for counter in self.inputs)
        ratio = behind / before
        outputs = {"ratio": self.percent * ratio, "absorption": -numpy.log(ratio)}
        return {self.tags[counter.name]: outputs[self.tags[counter.name]] for counter in self.outputs}


class RunningSum(CalcCounterController):
    """Builds its counters by itself, and remembers what came before: one output for each input."""

    def build_counters(self, config):
        for item in config.get("inputs"):
            counter = item.get("counter")
            self._input_counters.append(counter)
            self._tags[counter.name] = item.get("tags", counter.name)
            name = f"{self.name}_{counter.name}"
            CalcCounter(name, self, unit=config.get("unit"))
            self._tags[name] = counter.name
        self.sums = dict.fromkeys((counter.name for counter in self._input_counters), 0.0)

    def get_default_chain_parameters(self, scan_params, acq_params):
        self.sums = dict.fromkeys(self.sums, 0.0)
        return super().get_default_chain_parameters(scan_params, acq_params)

    def calc_function(self, input_dict):
        found = {}
        for counter in self.inputs:
            sums = self.sums[counter.name] + numpy.cumsum(input_dict[self.tags[counter.name]])
            self.sums[counter.name] = sums[-1]
            found[counter.name] = sums
        return found
