"""Whatever ends a scan, and wherever: devices stop, the axis goes home, the end is told, nothing is left behind."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Any

import gevent
import pytest

from bliss_like.controllers.simulated.motors import SimulatedMotors
from bliss_like.data.events import EndScan, PreparedScan, ScanInfoUpdate, WireEvent
from bliss_like.data.lifecycle import ScanState
from bliss_like.devices.axis import Axis
from bliss_like.devices.counter import (
    Counter,
    IntegratingCounter,
    IntegratingCounterController,
    SamplingCounter,
    SamplingCounterController,
)
from bliss_like.devices.interlock import use_interlock
from bliss_like.errors import AxisFault, PublishError, UserAbort
from bliss_like.scanning.acquisition import MetaTiming
from bliss_like.scanning.acquisition.integrating import IntegratingCounterAcquisitionSlave
from bliss_like.scanning.acquisition.sampling import SamplingCounterAcquisitionSlave
from bliss_like.scanning.acquisition.step import VariableStepTriggerMaster
from bliss_like.scanning.acquisition.timer import SoftwareTimerMaster
from bliss_like.scanning.chain import AcquisitionChain, ChainIterationPreset, ChainPreset, TriggerType
from bliss_like.scanning.environment import environment
from bliss_like.scanning.home_preset import HomePreset
from bliss_like.scanning.presets import ScanPreset
from bliss_like.scanning.scan import Scan
from tests.unit.devices.making import make
from tests.unit.scanning.making import Device, Log, Reader, end_of, in_background
from tests.waiting import wait_until_cooperative

NPOINTS = 4
HOME = 0.25


class Injector:
    """Does what it is told to, once, when a scan comes to some phase for the n-th time."""

    def __init__(self, phase: str = "", kind: str = "", nth: int = 1) -> None:
        self.phase, self.kind, self.nth = phase, kind, nth
        self.has_fired = False
        self.phases: list[str] = []
        self.task: Any = None
        self.scan: Any = None

    def at(self, phase: str) -> None:
        self.phases.append(phase)
        if phase == self.phase and self.phases.count(phase) == self.nth:
            self.has_fired = True
            self.fire()

    def fire(self) -> None:
        match self.kind:
            case "error":
                raise OSError("injected")
            case "timeout":
                raise gevent.Timeout(1)
            case "Ctrl-C":
                self.task.kill(UserAbort, block=False)
            case "kill":
                self.task.kill(gevent.GreenletExit, block=False)
            case "abort":
                self.scan.abort(wait=False)
            case "store":
                if self.scan.publisher is not None:
                    self.scan.publisher.on_failure(PublishError("injected"))
        gevent.sleep(0.002)

    @property
    def expected(self) -> tuple[type[BaseException], ScanState]:
        """What the scan raises, and how it ends."""
        return {
            "error": (OSError, ScanState.KILLED),
            "timeout": (gevent.Timeout, ScanState.KILLED),
            "Ctrl-C": (UserAbort, ScanState.USER_ABORTED),
            "kill": (gevent.GreenletExit, ScanState.KILLED),
            "abort": (UserAbort, ScanState.USER_ABORTED),
            "store": (PublishError, ScanState.KILLED),
        }[self.kind]


class Claims:
    """Counts what is claimed."""

    def __init__(self, injector: Injector) -> None:
        self.count, self._injector = 0, injector

    def claim(self, devices: Sequence[Any], purpose: str) -> Claims:
        self._injector.at("claim")
        self.count += 1
        return self

    def release(self) -> None:
        self.count -= 1


class Tree:
    """Hands on to another one."""

    def __init__(self, tree: Any, injector: Injector) -> None:
        self.store, self._tree, self._injector = tree.store, tree, injector

    def next_scan_number(self, container: str, *, saved: bool = True, above: int = 0) -> int:
        self._injector.at("number")
        return self._tree.next_scan_number(container, saved=saved)  # type: ignore[no-any-return]

    def open_scan(self, *args: Any) -> Publisher:
        self._injector.at("announce")
        return Publisher(self._tree.open_scan(*args), self._injector)

    def renew(self, scan: str) -> None:
        self._tree.renew(scan)


class Publisher:
    """Hands on to another one."""

    def __init__(self, publisher: Any, injector: Injector) -> None:
        self._publisher, self._injector = publisher, injector
        self.on_failure: Any = None

    def publish(self, event: WireEvent) -> None:
        if isinstance(event, PreparedScan | ScanInfoUpdate):
            self._injector.at(f"publish {type(event).__name__}")
        if isinstance(event, EndScan):
            self._publisher.publish(event)  # it is on its way when something happens
            self._injector.at("publish EndScan")
            return
        self._publisher.publish(event)

    def close(self) -> None:
        try:
            self._injector.at("close")
        finally:
            self._publisher.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._publisher, name)


class Diodes(SamplingCounterController):
    def __init__(self, injector: Injector) -> None:
        super().__init__("diodes")
        self.injector = injector
        self.diode = self.create_counter(SamplingCounter, "diode")

    def read_all(self, *counters: SamplingCounter) -> Sequence[float]:
        self.injector.at("read_all")
        return [1.0] * len(counters)


class Scaler(IntegratingCounterController):
    def __init__(self, injector: Injector) -> None:
        super().__init__("scaler")
        self.injector = injector
        self.monitor = self.create_counter(IntegratingCounter, "monitor")
        self.nready = 0

    def get_values(self, from_index: int, *counters: Counter) -> list[list[float]]:
        self.injector.at("get_values")
        return [[1.0] * (self.nready - from_index)] * len(counters)


class ScalerSlave(IntegratingCounterAcquisitionSlave):
    def prepare_device(self) -> None:
        self.device.nready = 0
        self.device.injector.at("prepare_device")

    def start_device(self) -> None:
        self.device.injector.at("start_device")

    def trigger(self) -> None:
        super().trigger()
        self.device.nready += 1

    def stop_device(self) -> None:
        self.device.injector.at("stop_device")


class Motors(SimulatedMotors):
    injector = Injector()

    def read_positions(self, *axes: Axis) -> Sequence[float]:
        self.injector.at("read_positions")
        return super().read_positions(*axes)

    def states(self, *axes: Axis) -> Any:
        self.injector.at("states")
        return super().states(*axes)

    def prepare_all(self, *motions: Any) -> None:
        self.injector.at("prepare_all")
        super().prepare_all(*motions)

    def start_all(self, *motions: Any) -> None:
        super().start_all(*motions)
        self.injector.at("start_all")  # they move by now


class Presets(ScanPreset):
    def __init__(self, injector: Injector) -> None:
        self._injector = injector

    def prepare(self, scan: Scan) -> None:
        self._injector.at("scan preset prepare")

    def start(self, scan: Scan) -> None:
        self._injector.at("scan preset start")

    def stop(self, scan: Scan) -> None:
        self._injector.at("scan preset stop")


class AroundPoints(ChainPreset):
    def __init__(self, injector: Injector) -> None:
        self.injector = injector

    def get_iterator(self, chain: AcquisitionChain) -> Iterator[ChainIterationPreset]:
        for _ in range(NPOINTS + 1):
            yield AroundPoint(self.injector)

    def prepare(self, chain: AcquisitionChain) -> None:
        self.injector.at("chain preset prepare")

    def start(self, chain: AcquisitionChain) -> None:
        self.injector.at("chain preset start")

    def before_stop(self, chain: AcquisitionChain) -> None:
        self.injector.at("chain preset before_stop")

    def stop(self, chain: AcquisitionChain) -> None:
        self.injector.at("chain preset stop")


class AroundPoint(ChainIterationPreset):
    def __init__(self, injector: Injector) -> None:
        self.injector = injector

    def prepare(self) -> None:
        self.injector.at("point prepare")

    def start(self) -> None:
        self.injector.at("point start")

    def stop(self) -> None:
        self.injector.at("point stop")


class Odd(Device):
    """A device that takes part in all phases."""

    def __init__(self, injector: Injector, log: Log) -> None:
        verbs = ("prepare", "start", "trigger", "wait_ready", "stop")
        super().__init__("odd", log, **{verb: lambda verb=verb: injector.at(f"odd {verb}") for verb in verbs})
        self.injector = injector

    def apply_parameters(self) -> None:
        self.injector.at("apply_parameters")

    def get_acquisition_metadata(self, timing: MetaTiming | None = None) -> dict[str, Any] | None:
        self.injector.at(f"metadata {timing.name if timing else ''}")
        return None


class Bench:
    """A step scan that brings its axis home, with devices of all kinds."""

    def __init__(self, velocity: float = 1000.0) -> None:
        self.log = Log()
        self.motors = make(Motors, "motors", axes=[{"name": "x", "velocity": velocity, "acceleration": 1e6}])
        self.axis = self.motors.axes["x"]
        self.axis.move(HOME)
        self.tree = environment.tree
        self.spawned: list[Any] = []
        gevent.Greenlet.add_spawn_callback(self.spawned.append)

    def scan(self, injector: Injector) -> Scan:
        axis, log = self.axis, self.log
        log.clear()
        self.claims = Claims(injector)
        use_interlock(self.claims)
        environment.tree = Tree(self.tree, injector)  # type: ignore[assignment]
        diodes, scaler = Diodes(injector), Scaler(injector)
        self.motors.injector = injector
        step = VariableStepTriggerMaster(axis, [HOME + n for n in range(1, NPOINTS + 1)])
        timer = SoftwareTimerMaster(0.0, npoints=NPOINTS)
        chain = AcquisitionChain(parallel_prepare=True)
        chain.add(step, timer)
        chain.add(timer, Odd(injector, log))
        once = {"npoints": NPOINTS, "prepare_once": True, "start_once": True, "trigger_type": TriggerType.HARDWARE}
        chain.add(timer, Reader("reader", log, reading=lambda: injector.at("reading"), **once))
        chain.add(timer, SamplingCounterAcquisitionSlave(diodes.diode, npoints=NPOINTS))
        chain.add(timer, ScalerSlave(scaler.monitor, npoints=NPOINTS))
        chain.add_preset(AroundPoints(injector))
        scan = Scan(chain, "dscan")
        scan.add_preset(HomePreset([axis]))
        scan.add_preset(Presets(injector))
        injector.scan = scan
        return scan

    def check_peace(self, scan: Scan) -> None:
        """Assert what holds after every scan, whatever became of it."""
        assert scan.state.is_final
        assert self.claims.count == 0
        assert "MOVING" not in self.axis.state
        prepared = {name for name, verb in self.log if verb == "prepare"}
        for name in prepared:
            assert self.log.of("stop").count(name) == 1, name
        if scan.publisher is not None:
            assert end_of(scan).state == scan.state.name
            told = end_of(scan).lengths
            assert told == {channel.path: channel.length for channel in scan.channels if channel.path}
            for channel, values in scan.get_data().items():
                assert len(values) == next(told[c.path] for c in scan.channels if c.fullname == channel)
        wait_until_cooperative(lambda: not self.left_behind(), timeout=5)

    def left_behind(self) -> list[Any]:
        return [each for each in self.spawned if not each.ready()]

    def begin(self, injector: Injector) -> Scan:
        self.spawned.clear()
        scan = self.scan(injector)
        injector.task = in_background(scan)
        return scan

    def run(self, injector: Injector) -> tuple[Scan, BaseException | None]:
        scan = self.begin(injector)
        return scan, injector.task.get(timeout=10)

    def close(self) -> None:
        gevent.Greenlet.remove_spawn_callback(self.spawned.append)
        use_interlock(None)

    def check_next_scan(self) -> None:
        scan, error = self.run(Injector())
        assert error is None and scan.state is ScanState.DONE, error
        assert {len(values) for values in scan.get_data().values()} == {NPOINTS}
        self.check_peace(scan)
        assert self.axis.position == pytest.approx(HOME)


@pytest.fixture
def bench() -> Iterator[Bench]:
    bench = Bench()
    yield bench
    bench.close()


def phases() -> list[tuple[str, int]]:
    """Return the phases of a scan, and the time that each of them is to be interrupted at."""
    at_first = [
        *("claim", "number", "announce", "scan preset prepare", "apply_parameters", "chain preset prepare"),
        *("point prepare", "prepare_device", "odd prepare", "metadata PREPARED", "publish PreparedScan"),
        *("scan preset start", "chain preset start", "point start", "start_device", "odd start", "reading"),
        *("prepare_all", "start_all", "read_positions", "states", "odd trigger", "read_all", "get_values"),
        *("odd wait_ready", "point stop"),
    ]
    again = [
        *("prepare_all", "start_all", "read_positions", "states", "odd prepare", "odd start", "odd trigger"),
        *("read_all", "get_values", "odd wait_ready", "point prepare", "point start", "point stop"),
        "publish ScanInfoUpdate",
    ]
    return [(phase, 1) for phase in at_first] + [
        (phase, 3 if phase != "publish ScanInfoUpdate" else 1) for phase in again
    ]


ENDING = [
    "chain preset before_stop",
    "odd stop",
    "stop_device",
    "chain preset stop",
    "scan preset stop",
    "metadata END",
]
KINDS = [
    *("error", "Ctrl-C", "store"),
    *(pytest.param(kind, marks=pytest.mark.slow) for kind in ("timeout", "kill", "abort")),
]


def test_the_phases_are_those_of_a_scan(bench: Bench) -> None:
    injector = Injector()
    bench.run(injector)
    assert {phase for phase, _ in phases()} | {*ENDING, "publish EndScan", "close"} <= set(injector.phases)
    assert all(injector.phases.count(phase) >= nth for phase, nth in phases())


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("phase", "nth"), phases())
def test_an_interruption_at_any_phase(bench: Bench, phase: str, nth: int, kind: str) -> None:
    injector = Injector(phase, kind, nth)
    scan, error = bench.run(injector)
    assert injector.has_fired
    expected, state = injector.expected
    if phase == "metadata PREPARED" and kind in ("error", "timeout"):
        assert error is None and scan.state is ScanState.DONE  # what is missing is logged
    elif kind == "store" and phase in ("claim", "number", "announce"):
        assert error is None and scan.state is ScanState.DONE  # there is nothing to lose yet
    else:
        assert isinstance(error, expected) or (isinstance(error, AxisFault) and phase in _OF_MOTION), error
        assert scan.state is state
        assert scan.error is error
    bench.check_peace(scan)
    assert bench.axis.position == pytest.approx(HOME)
    bench.check_next_scan()


_OF_MOTION = ("prepare_all", "start_all", "read_positions", "states")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("phase", ENDING)
def test_an_interruption_while_the_scan_ends(bench: Bench, phase: str, kind: str) -> None:
    injector = Injector(phase, kind)
    scan, error = bench.run(injector)
    assert injector.has_fired
    if error is not None:
        assert isinstance(error, injector.expected[0]) and scan.state is injector.expected[1]
    else:
        is_tolerated = kind in ("abort", "store", "error") or (phase, kind) == ("metadata END", "timeout")
        assert scan.state is ScanState.DONE and is_tolerated
    bench.check_peace(scan)
    assert bench.axis.position == pytest.approx(HOME)
    bench.check_next_scan()


@pytest.mark.parametrize("kind", ["Ctrl-C", "kill", "abort"])
@pytest.mark.parametrize("phase", ["publish EndScan", "close"])
def test_an_interruption_when_the_end_is_being_told(bench: Bench, phase: str, kind: str) -> None:
    injector = Injector(phase, kind)
    scan, error = bench.run(injector)
    assert injector.has_fired
    assert scan.state is ScanState.DONE  # that was told already
    assert error is None or isinstance(error, injector.expected[0])
    bench.check_peace(scan)
    bench.check_next_scan()


@pytest.mark.parametrize("seed", [*range(8), *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(8, 60))])
def test_interruptions_at_random_moments(seed: int) -> None:
    dice = random.Random(seed)
    bench = Bench(velocity=dice.choice([20.0, 200.0, 5000.0]))
    try:
        for _ in range(3):
            injector = Injector(kind=dice.choice(["Ctrl-C", "kill", "abort", "store"]))
            scan, task = bench.begin(injector), injector.task
            gevent.sleep(dice.uniform(0, 0.06))
            if not task.ready():
                with suppress(UserAbort, gevent.GreenletExit):
                    injector.fire()
            error = task.get(timeout=10)
            if scan.state is ScanState.IDLE:  # not even begun
                continue
            assert scan.state is (ScanState.DONE if error is None else scan.state)
            bench.check_peace(scan)
            assert bench.axis.position == pytest.approx(HOME)
        bench.check_next_scan()
    finally:
        bench.close()
