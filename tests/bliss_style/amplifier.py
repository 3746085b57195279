"""A device of no kind that is known, as people write them for BLISS: its counters are those of a controller behind it."""

from bliss_like import global_map
from bliss_like.comm.exceptions import CommunicationError
from bliss_like.comm.util import get_comm
from bliss_like.common.counter import SamplingCounter, SamplingMode
from bliss_like.common.logtools import log_debug, log_warning
from bliss_like.common.protocols import CounterContainer, counter_namespace
from bliss_like.controllers.counter import SamplingCounterController


class AmplifierCC(SamplingCounterController):
    def __init__(self, name, amplifier):
        super().__init__(name)
        self.amplifier = amplifier

    def read_all(self, *counters):
        values = self.amplifier.read_all()
        return [values[counter.index] for counter in counters]


class AmplifierCounter(SamplingCounter):
    def __init__(self, name, config, controller):
        super().__init__(name, controller, mode=SamplingMode[config.get("mode", "MEAN")], unit=config.get("unit"))
        self.index = config["channel"] - 1


class Amplifier(CounterContainer):
    def __init__(self, name, config):
        self.name = name
        self.comm = get_comm(config, eol="\n")
        global_map.register(self, children_list=[self.comm], tag=f"Amplifier:{name}")
        self.counters_controller = AmplifierCC(name, self)
        for item in config["counters"]:
            AmplifierCounter(item["counter_name"], item, self.counters_controller)

    @property
    def counters(self):
        return counter_namespace(self.counters_controller.counters)

    def read_all(self):
        log_debug(self, "reads")
        try:
            return [float(word) for word in self.comm.write_readline(b"READ?\n").split()]
        except CommunicationError:
            log_warning(self, "is gone")
            raise
