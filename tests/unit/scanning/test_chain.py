"""Building chains, and the wiring between acquisition objects."""

from __future__ import annotations

import pytest

from bliss_like.devices.counter import SamplingCounter
from bliss_like.errors import ChainError
from bliss_like.scanning.acquisition.sampling import SamplingCounterAcquisitionSlave
from bliss_like.scanning.chain import AcquisitionChain, AcquisitionMaster, AcquisitionSlave, TriggerType
from bliss_like.scanning.presets import ChainPreset
from bliss_like.scanning.scan import Scan
from tests.unit.scanning.making import Device, Log, Master, Values, chain_of, end_of


def test_a_tree() -> None:
    log = Log()
    top, sub = Master("top", log), Master("sub", log)
    a, b = Device("a", log), Device("b", log)
    chain = AcquisitionChain()
    chain.add(top, sub)
    chain.add(sub, a)
    chain.add(top, b)
    assert chain.top_masters == [top]
    assert chain.nodes_list == [top, sub, a, b]
    assert chain.tree == {top: {sub: {a: {}}, b: {}}}
    assert (sub.parent, top.slaves) == (top, [sub, b])
    assert chain.__info__().splitlines()[1] == "  sub (Master): n"


def test_built_from_below() -> None:
    log = Log()
    top, sub, a = Master("top", log), Master("sub", log), Device("a", log)
    chain = AcquisitionChain()
    chain.add(sub, a)
    chain.add(top, sub)
    assert chain.tree == {top: {sub: {a: {}}}}


def test_adding_twice_changes_nothing() -> None:
    log = Log()
    top, a = Master("top", log), Device("a", log)
    chain = chain_of(top, a)
    chain.add(top, a)
    chain.add(top)
    assert chain.nodes_list == [top, a]


def test_what_is_no_tree_is_refused() -> None:
    log = Log()
    top, sub, a = Master("top", log), Master("sub", log), Device("a", log)
    chain = chain_of(top, sub, a)
    with pytest.raises(ChainError, match="expected an AcquisitionMaster"):
        chain.add(a)  # type: ignore[arg-type]
    with pytest.raises(ChainError, match="expected an acquisition object.*'diode'"):
        chain.add(top, "diode")  # type: ignore[arg-type]
    with pytest.raises(ChainError, match="cannot add 'a' to master 'sub': its master is 'top' already"):
        chain.add(sub, a)
    with pytest.raises(ChainError, match="above"):
        chain.add(sub, top)
    with pytest.raises(ChainError, match="top master of that name"):
        chain.add(Master("top", log))


def test_presets_belong_to_top_masters() -> None:
    log = Log()
    top, other, sub = Master("top", log), Master("other", log), Master("sub", log)
    chain = chain_of(top, sub)
    chain.add(other)
    first, second = ChainPreset(), ChainPreset()
    chain.add_preset(first)
    chain.add_preset(second, other)
    assert (chain.presets_of(top), chain.presets_of(other)) == ([first], [second])
    with pytest.raises(ChainError, match="no top master"):
        chain.add_preset(ChainPreset(), sub)
    with pytest.raises(ChainError, match="ChainPreset"):
        chain.add_preset("shutter")  # type: ignore[arg-type]


def test_nodes_by_their_devices() -> None:
    controller = Values("ctl", lambda: [1.0])
    diode = SamplingCounter("diode", controller)
    slave = SamplingCounterAcquisitionSlave(diode)
    chain = chain_of(Master("top", Log()), slave)
    assert chain.get_node_from_devices(diode, controller, "stranger") == [slave, slave, None]


def test_devices_of_one_acquisition_object() -> None:
    first, second = Values("first", lambda: [1.0]), Values("second", lambda: [1.0])
    a, b, c = SamplingCounter("a", first), SamplingCounter("b", first), SamplingCounter("c", second)
    node = AcquisitionSlave(a, b)
    assert (node.device, node.name, node.counters) == (first, "first", [a, b])
    assert [channel.fullname for channel in node.channels] == ["first:a", "first:b"]
    with pytest.raises(ChainError, match="'second:c' is of controller 'second', expected one of 'first'"):
        node.add_counter(c)
    with pytest.raises(ChainError, match="expected counters of one controller"):
        AcquisitionSlave(a, "stranger")
    assert AcquisitionSlave("anything", name="n").device == "anything"


def test_two_views_of_a_device_are_prepared_alike() -> None:
    controller = Values("ctl", lambda: [1.0])
    master = AcquisitionMaster(controller, prepare_once=True, start_once=True)
    slave = AcquisitionSlave(controller)
    chain_of(master, slave)
    assert (slave.prepare_once, slave.start_once) == (True, True)


def test_an_external_channel_repeats_another_device() -> None:
    log = Log()
    top, device = Master("top", log, npoints=3), Device("device", log)
    top.add_external_channel(
        device, "value", rename="top:twice", conversion=lambda block: (2 * block).astype(int), dtype=int
    )
    scan = Scan(chain_of(top, device))
    scan.run()
    assert list(scan.get_data("twice")) == [0, 2, 4]
    with pytest.raises(ChainError, match="'device' has no channel 'valu'; there are: value"):
        top.add_external_channel(device, "valu")


def test_channels_of_a_slow_master_attached_to_a_fast_one() -> None:
    log = Log()
    slow, fast = Slow("slow", log, npoints=2), Fast("fast", log, npoints=3)
    fast.attach_channels_of(slow)
    chain = chain_of(slow, fast)
    scan = Scan(chain)
    scan.run()
    assert list(scan.get_data("slow:n")) == [0, 0, 0, 1, 1, 1]
    assert list(scan.get_data("fast:n")) == [0, 1, 2, 0, 1, 2]
    assert end_of(scan).lengths == {f"{scan.path}:slow:n": 6, f"{scan.path}:slow:fast:n": 6}
    with pytest.raises(ChainError, match="'fast' is not above 'slow'"):
        slow.attach_channels(fast, "n")


class Slow(Master):
    """A master that emits before it triggers."""

    def trigger(self) -> None:
        self.channels[0].emit(self.index)
        self.trigger_slaves()
        self.wait_slaves()


class Fast(Master):
    """A master that makes all its points with one trigger of the slow one above it."""

    def attach_channels_of(self, master: Master) -> None:
        self._slow = master

    def __iter__(self):  # type: ignore[no-untyped-def]
        yield self

    def prepare(self) -> None:
        if self.channels[0].length == 0:
            self.attach_channels(self._slow, "n")

    def trigger(self) -> None:
        self.channels[0].emit(list(range(self.npoints)))


def test_trigger_types_decide_who_is_triggered() -> None:
    log = Log()
    top = Master("top", log)
    soft, hard = Device("soft", log), Device("hard", log, trigger_type=TriggerType.HARDWARE)
    Scan(chain_of(top, soft, hard)).run()
    assert log.of("trigger") == ["top", "soft"]
    assert log.of("start") == ["soft", "hard", "top"]


def test_appending_a_chain() -> None:
    log = Log()
    a, b = Master("a", log), Master("b", log)
    chain, other = chain_of(a), chain_of(b, Device("d", log))
    other.add_preset(ChainPreset())
    chain.append(other, add_presets=True)
    assert chain.top_masters == [a, b]
    assert len(chain.presets_of(a)) == 1
