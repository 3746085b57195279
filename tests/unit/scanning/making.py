"""Devices for tests of the engine: they note what is called, and fail, wait or hang where they are told to."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import gevent
from gevent.event import Event

from bliss_like.data import paths
from bliss_like.data.codec import decode_event
from bliss_like.data.events import EndScan, NewNode, PreparedScan, ScanInfoUpdate, WireEvent
from bliss_like.data.store import MemoryStore
from bliss_like.data.tree import Tree
from bliss_like.devices.counter import SamplingCounter, SamplingCounterController
from bliss_like.scanning.acquisition.timer import SoftwareTimerMaster
from bliss_like.scanning.chain import AcquisitionChain, AcquisitionChannel, AcquisitionMaster, AcquisitionSlave
from bliss_like.scanning.environment import Environment, environment
from bliss_like.scanning.scan import Scan
from bliss_like.session.data_tree import GREENLETS

VERBS = ("prepare", "start", "trigger", "wait_ready", "stop", "reading")


@contextmanager
def memory_environment() -> Iterator[None]:
    before = dict(vars(environment))
    tree = Tree(MemoryStore(), tasks=GREENLETS)
    vars(environment).update(vars(Environment(session_name="eh1", container=lambda: "eh1:tmp:scans", tree=tree)))
    try:
        yield
    finally:
        vars(environment).update(before)


def published(scan: Scan) -> list[WireEvent]:
    """All that a scan published, but its points, in order."""
    store: MemoryStore = environment.tree.store  # type: ignore[union-attr]
    return [decode_event(fields) for _, fields in store.range(paths.scan(scan.path))]


def end_of(scan: Scan) -> EndScan:
    events = published(scan)
    assert sum(isinstance(event, EndScan) for event in events) == 1
    assert isinstance(events[-1], EndScan)
    return events[-1]


def states_published(scan: Scan) -> list[str]:
    states = []
    for event in published(scan):
        if isinstance(event, NewNode | PreparedScan | ScanInfoUpdate) and event.path == scan.path:
            states += [event.info["state"]] if "state" in event.info else []
    return [*states, end_of(scan).state]


class Log(list[tuple[str, str]]):
    """(device, verb) in the order of the calls."""

    def of(self, verb: str) -> list[str]:
        return [device for device, called in self if called == verb]

    def about(self, device: str) -> list[str]:
        return [verb for name, verb in self if name == device]


class Behaviour:
    """What a device does besides noting that it was called: `{"trigger": raise_error}`."""

    def __init__(self, name: str, log: Log, does: dict[str, Callable[[], object]]) -> None:
        self.name, self.log, self.does = name, log, does

    def __call__(self, verb: str) -> None:
        self.log.append((self.name, verb))
        self.does.get(verb, lambda: None)()


class Device(AcquisitionSlave):
    """A slave that emits 0.0, 1.0, ... with its triggers."""

    def __init__(self, name: str, log: Log, *, waits: bool = True, **keys: Any) -> None:
        does = {verb: keys.pop(verb) for verb in VERBS if verb in keys}
        super().__init__(name=name, **keys)
        self.behave = Behaviour(name, log, does)
        self.channels.append(AcquisitionChannel(f"{name}:value", float, ()))

    def prepare(self) -> None:
        self.behave("prepare")

    def start(self) -> None:
        self.behave("start")

    def trigger(self) -> None:
        self.behave("trigger")
        self.channels[0].emit(float(self.channels[0].length))

    def wait_ready(self) -> None:
        self.behave("wait_ready")

    def stop(self) -> None:
        self.behave("stop")


class Reader(Device):
    """A device whose data are fetched by `reading`, in blocks that come late."""

    def __init__(self, name: str, log: Log, block: int = 3, delay: float = 0.001, **keys: Any) -> None:
        super().__init__(name, log, **keys)
        self.block, self.delay = block, delay
        self.stopped = Event()

    def trigger(self) -> None:
        self.behave("trigger")

    def stop(self) -> None:
        super().stop()
        self.stopped.set()

    def reading(self) -> None:
        self.behave("reading")
        sent = 0
        while sent < self.npoints and not self.stopped.is_set():
            gevent.sleep(self.delay)
            block = [float(n) for n in range(sent, min(sent + self.block, self.npoints))]
            self.channels[0].emit(block)
            sent += len(block)


class Master(AcquisitionMaster):
    """A master that triggers its slaves once in each iteration."""

    def __init__(self, name: str, log: Log, **keys: Any) -> None:
        does = {verb: keys.pop(verb) for verb in VERBS if verb in keys}
        super().__init__(name=name, **keys)
        self.behave = Behaviour(name, log, does)
        self.channels.append(AcquisitionChannel(f"{name}:n", int, ()))

    def __iter__(self) -> Iterator[int]:
        for index in range(self.npoints):
            self.index = index
            yield index

    def prepare(self) -> None:
        self.behave("prepare")

    def start(self) -> None:
        self.behave("start")
        if self.parent is None:
            self.trigger()

    def trigger(self) -> None:
        self.behave("trigger")
        self.trigger_slaves()
        self.channels[0].emit(self.index)
        self.wait_slaves()

    def wait_ready(self) -> None:
        self.behave("wait_ready")

    def stop(self) -> None:
        self.behave("stop")


class Values(SamplingCounterController):
    """Gives what a function says, for each reading."""

    def __init__(self, name: str, read: Callable[[], Sequence[Any]]) -> None:
        super().__init__(name)
        self._read = read
        self.nreadings = 0

    def read_all(self, *counters: SamplingCounter) -> Sequence[Any]:
        self.nreadings += 1
        return list(self._read())[: len(counters)]


def chain_of(master: AcquisitionMaster, *slaves: AcquisitionSlave | AcquisitionMaster) -> AcquisitionChain:
    chain = AcquisitionChain()
    chain.add(master)
    for slave in slaves:
        chain.add(master, slave)
    return chain


def timer_scan(*slaves: AcquisitionSlave, npoints: int = 3, count_time: float = 0.0, **options: Any) -> Scan:
    return Scan(chain_of(SoftwareTimerMaster(count_time, npoints=npoints), *slaves), "loopscan", **options)


def raising(error: BaseException) -> Callable[[], object]:
    def fail() -> None:
        raise error

    return fail


def in_background(scan: Scan) -> gevent.Greenlet[..., BaseException | None]:
    """Run a scan in a greenlet; its value is what the scan raised."""

    def run() -> BaseException | None:
        try:
            scan.run()
        except BaseException as error:
            return error
        return None

    return gevent.spawn(run)
