"""Controllers of counters as people write them for BLISS; only their imports say bliss_like."""

import gevent
import numpy as np

from bliss_like.comm.util import get_comm
from bliss_like.common.counter import Counter, IntegratingCounter, SamplingCounter, SamplingMode
from bliss_like.common.utils import autocomplete_property
from bliss_like.controllers.counter import (
    CounterController,
    IntegratingCounterController,
    SamplingCounterController,
    counter_namespace,
)
from bliss_like.scanning.acquisition.counter import (
    IntegratingCounterAcquisitionSlave,
    SamplingCounterAcquisitionSlave,
)
from bliss_like.scanning.chain import AcquisitionChannel, AcquisitionMaster, AcquisitionSlave, ChainNode

# -- a picoammeter over TCP: all its channels in one read-out, a gain that a scan may change -------------------------------


class ElectrometerSlave(SamplingCounterAcquisitionSlave):
    def __init__(self, *devices, range=None, **keys):
        super().__init__(*devices, **keys)
        self.range = range

    @staticmethod
    def get_param_validation_schema():
        return {
            "acq_params": {
                "type": "dict",
                "schema": {
                    "count_time": {"type": "numeric"},
                    "npoints": {"type": "int"},
                    "range": {"type": "int", "default": 2, "allowed": [1, 2, 3]},
                },
            }
        }

    def prepare_device(self):
        self.device.ask(f"RANGE {self.range}")

    def stop_device(self):
        self.device.ask("IDLE")


class CurrentCounter(SamplingCounter):
    def __init__(self, name, controller, channel=0, **keys):
        super().__init__(name, controller, unit="A", **keys)
        self.channel = channel

    def scan_metadata(self):
        return {f"{self.name}_channel": self.channel}


class Electrometer(SamplingCounterController):
    def __init__(self, name, config):
        super().__init__(name)
        self.max_sampling_frequency = config.get("max_sampling_frequency", None)
        self._comm = get_comm(config, eol="\n")
        for item in config["counters"]:
            mode = SamplingMode[item.get("mode", "MEAN")]
            self.create_counter(CurrentCounter, item["counter_name"], channel=item["channel"], mode=mode)

    def ask(self, request):
        return self._comm.write_readline(f"{request}\n".encode()).decode()

    def read_all(self, *counters):
        values = np.array([float(word) for word in self.ask("READ?").split()])
        return [values[counter.channel - 1] for counter in counters]

    def get_acquisition_object(self, acq_params, ctrl_params, parent_acq_params):
        return ElectrometerSlave(self, ctrl_params=ctrl_params, **ElectrometerSlave.validate_params(acq_params))

    def get_default_chain_parameters(self, scan_params, acq_params):
        params = super().get_default_chain_parameters(scan_params, acq_params)
        params.setdefault("range", 1 if scan_params["count_time"] < 0.1 else 3)
        return params

    def get_current_parameters(self):
        return {"filter": self.ask("FILTER?")}

    def apply_parameters(self, parameters):
        self.ask(f"FILTER {parameters['filter']}")

    def __close__(self):
        self._comm.close()


# -- a counting card: the card is a master that counts by itself, its counters hang below it -------------------------------


class CardMaster(AcquisitionMaster):
    def __init__(self, card, count_time=None, npoints=1, ctrl_params=None):
        self.count_time = count_time
        super().__init__(
            card, name=card.name, npoints=npoints, prepare_once=True, start_once=True, ctrl_params=ctrl_params
        )
        self.channels.append(AcquisitionChannel(f"{card.name}:live_time", float, (), unit="s"))

    def prepare(self):
        self.device.arm(self.npoints, self.count_time)

    def start(self):
        pass

    def trigger(self):
        self.trigger_slaves()
        self.device.count()
        self.channels[0].emit(self.count_time)

    def wait_ready(self):
        self.wait_slaves()

    def stop(self):
        self.device.disarm()


class CardValues(IntegratingCounterController):
    def __init__(self, card):
        super().__init__("values", master_controller=card, register_counters=False)

    def get_values(self, from_index, *counters):
        rows = np.array(self._master_controller.memory[from_index:], dtype=float).reshape(-1, 4)
        return [rows[:, counter.channel] for counter in counters]

    def get_acquisition_object(self, acq_params, ctrl_params, parent_acq_params):
        acq_params.setdefault("count_time", parent_acq_params["count_time"])
        return super().get_acquisition_object(acq_params, ctrl_params, parent_acq_params)


class CardCounter(IntegratingCounter):
    def __init__(self, name, controller, channel, **keys):
        super().__init__(name, controller, **keys)
        self.channel = channel


class CountingCard(CounterController):
    def __init__(self, name, config):
        super().__init__(name, register_counters=False)
        self.memory, self.armed = [], None
        self._values = CardValues(self)
        for channel, label in enumerate(config["channels"]):
            self._values.create_counter(CardCounter, label, channel=channel)

    @autocomplete_property
    def counters(self):
        return self._values.counters

    @property
    def counter_groups(self):
        groups = {"monitors": counter_namespace([c for c in self.counters if c.name.startswith("mon")])}
        groups["default"] = counter_namespace([c for c in self.counters if not c.name.startswith("spare")])
        return counter_namespace(groups)

    def arm(self, npoints, count_time):
        self.memory, self.armed = [], (npoints, count_time)

    def count(self):
        gevent.sleep(self.armed[1])
        self.memory.append([100.0 * len(self.memory) + channel for channel in range(4)])

    def disarm(self):
        self.armed = None

    def get_acquisition_object(self, acq_params, ctrl_params, parent_acq_params):
        return CardMaster(self, ctrl_params=ctrl_params, **acq_params)

    def get_default_chain_parameters(self, scan_params, acq_params):
        count_time = acq_params.get("count_time", scan_params["count_time"])
        return {"count_time": count_time, "npoints": acq_params.get("npoints", scan_params["npoints"])}


# -- a card that is read in blocks, late: the counts of many points at once ------------------------------------------------


class BufferedSlave(IntegratingCounterAcquisitionSlave):
    def prepare_device(self):
        self.device.log.append(f"armed for {self.npoints} x {self.count_time}")

    def start_device(self):
        self.device.log.append("started")

    def stop_device(self):
        self.device.log.append("stopped")


class BufferedCard(IntegratingCounterController):
    def __init__(self, name, config):
        super().__init__(name=name)
        self.log, self.asked = [], 0
        self.create_counter(IntegratingCounter, f"{name}_a")
        self.create_counter(IntegratingCounter, f"{name}_b", unit="counts", conversion_function=lambda raw: raw * 10)

    def get_values(self, from_index, *counters):
        self.asked += 1
        there = min(2 * self.asked, 10)  # two more at each look
        return [[float(n) for n in range(from_index, max(from_index, there))] for _ in counters]

    def get_acquisition_object(self, acq_params, ctrl_params, parent_acq_params):
        keys = {**acq_params, "trigger_type": AcquisitionSlave.HARDWARE}
        return BufferedSlave(*self.counters, ctrl_params=ctrl_params, **keys)


# -- a counter of no known kind: its own slave, its own chain node ---------------------------------------------------------


class LabelSlave(AcquisitionSlave):
    def __init__(self, controller, npoints=1, prefix="", ctrl_params=None):
        super().__init__(controller, npoints=npoints, ctrl_params=ctrl_params, prepare_once=True, start_once=True)
        self.prefix, self.index = prefix, 0

    def prepare(self):
        self.index = 0

    def start(self):
        pass

    def stop(self):
        pass

    def trigger(self):
        self.channels.update({counter.name: self.prefix and len(self.prefix) + self.index for counter in self.counters})
        self.index += 1


class LabelNode(ChainNode):
    made = 0

    def create_acquisition_object(self, force=False):
        LabelNode.made += 1
        return super().create_acquisition_object(force)


class Labels(CounterController):
    def __init__(self, name, config):
        self._prefix = config.get("prefix", "x")
        super().__init__(name)
        self.create_counter(Counter, "label", dtype=int)

    def create_chain_node(self):
        return LabelNode(self)

    def get_acquisition_object(self, acq_params, ctrl_params, parent_acq_params):
        return LabelSlave(self, ctrl_params=ctrl_params, **acq_params)

    def get_default_chain_parameters(self, scan_params, acq_params):
        return {"npoints": scan_params["npoints"], "prefix": acq_params.get("prefix", self._prefix)}
