"""Whatever fails, and whenever the user stops it: devices are stopped, the first error is kept, the end is published."""

from __future__ import annotations

import contextlib
import random
import threading
from collections.abc import Callable
from time import perf_counter
from typing import Any

import gevent
import pytest
from gevent.event import Event

from bliss_like.data.events import EndScan, WireEvent
from bliss_like.data.lifecycle import ScanState
from bliss_like.data.store import MemoryStore
from bliss_like.data.tree import Tree
from bliss_like.errors import ChainError, ChannelValueError, PublishError, ScanError, ScanUsageError, UserAbort
from bliss_like.scanning import branch, supervision
from bliss_like.scanning.acquisition import MetaTiming
from bliss_like.scanning.chain import AcquisitionChain
from bliss_like.scanning.environment import environment
from bliss_like.scanning.presets import ChainPreset, ScanPreset, WatchdogCallback
from bliss_like.scanning.scan import Scan
from bliss_like.scanning.scan_meta import ScanMeta
from bliss_like.session.data_tree import GREENLETS
from tests.unit.scanning.making import (
    Device,
    Log,
    Master,
    Reader,
    chain_of,
    end_of,
    in_background,
    published,
    raising,
    states_published,
    timer_scan,
)
from tests.waiting import wait_until_cooperative as wait_for

NAMES = ("top", "sub", "a", "b", "c")


def whole_chain(log: Log, culprit: str, verb: str, does: Callable[[], object], npoints: int = 3) -> AcquisitionChain:
    """top > sub > (a, b: a reader), and top > c."""
    keys = {name: {verb: does} if name == culprit else {} for name in NAMES}
    top, sub = Master("top", log, npoints=npoints, **keys["top"]), Master("sub", log, **keys["sub"])
    chain = AcquisitionChain()
    chain.add(top, sub)
    chain.add(sub, Device("a", log, **keys["a"]))
    chain.add(sub, Reader("b", log, npoints=npoints, start_once=True, **keys["b"]))
    chain.add(top, Device("c", log, **keys["c"]))
    return chain


@pytest.mark.parametrize("verb", ["prepare", "start", "trigger", "wait_ready", "stop", "reading"])
@pytest.mark.parametrize("culprit", NAMES)
def test_a_failure_of_any_device_in_any_verb(culprit: str, verb: str) -> None:
    if verb == "reading" and culprit != "b":
        return
    log, error = Log(), OSError(f"{culprit} does not answer")
    scan = Scan(whole_chain(log, culprit, verb, raising(error)))
    with pytest.raises(OSError) as raised:
        scan.run()
    assert raised.value is error is scan.error
    assert error.__notes__ == [f"(scan 1 scan, in {culprit})"]
    assert error.__notes__[0] in end_of(scan).error["traceback"]
    assert sorted(log.of("stop")) == sorted(NAMES)
    assert log.of("stop").index("top") == 0
    end = end_of(scan)
    assert (scan.state, end.state) == (ScanState.KILLED, "KILLED")
    assert (end.error["type"], end.error["message"]) == ("OSError", f"{culprit} does not answer")
    assert "raise error" in end.error["traceback"]
    assert end.lengths == {channel.path: channel.length for channel in scan.channels}
    assert states_published(scan)[-2:] == ["STOPPING", "KILLED"]
    assert not any(reader.is_reading for reader in scan.acq_chain.nodes_list if isinstance(reader, Reader))


def test_a_failure_after_some_points_keeps_them() -> None:
    log, calls = Log(), []

    def third_fails() -> None:
        calls.append(1)
        if len(calls) == 3:
            raise OSError("no beam")

    scan = timer_scan(Device("d", log, trigger=third_fails), npoints=10)
    with pytest.raises(OSError, match="no beam"):
        scan.run()
    assert list(scan.get_data("value")) == [0.0, 1.0]
    assert end_of(scan).lengths[f"{scan.path}:timer:d:value"] == 2


def test_values_that_do_not_fit_end_the_scan() -> None:
    class Wrong(Device):
        def trigger(self) -> None:
            self.channels[0].emit("not a number")

    with pytest.raises(ChannelValueError, match="wrong:value"):
        timer_scan(Wrong("wrong", Log())).run()


def test_a_reading_that_dies_is_heard_while_the_scan_waits_for_something_else() -> None:
    log = Log()
    reader = Reader("reader", log, npoints=5, reading=raising(OSError("connection lost")))
    scan = timer_scan(Device("patient", log, trigger=lambda: gevent.sleep(60)), reader)
    began = perf_counter()
    with pytest.raises(OSError, match="connection lost"):
        scan.run()
    assert perf_counter() - began < 5
    assert set(log.of("stop")) == {"patient", "reader"}


def test_a_stop_that_fails_does_not_hide_the_first_error_nor_keep_others_from_stopping() -> None:
    log = Log()
    slaves = [
        Device("a", log, trigger=raising(OSError("first")), stop=raising(OSError("second"))),
        Device("b", log, stop=raising(OSError("third"))),
        Device("c", log),
    ]
    scan = timer_scan(*slaves)
    with pytest.raises(OSError, match="first"):
        scan.run()
    assert log.of("stop") == ["a", "b", "c"]


def test_a_stop_that_hangs_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(branch, "STOP_TIMEOUT", 0.05)
    log = Log()
    scan = Scan(chain_of(Master("top", log, stop=Event().wait), Device("d", log)))
    with pytest.raises(Exception, match="<Master top>: stop did not return within 0.05 s"):
        scan.run()
    assert log.of("stop") == ["top", "d"]
    assert (scan.state, end_of(scan).state) == (ScanState.KILLED, "KILLED")


def test_a_reading_that_does_not_end_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(branch, "GRACE", 0.05)
    log = Log()
    reader = Reader("reader", log, npoints=5, reading=Event().wait)
    scan = timer_scan(reader, Device("d", log, trigger=raising(OSError("broken"))))
    with pytest.raises(OSError, match="broken"):
        scan.run()
    assert log.about("reader")[-1] == "stop"
    reader.wait_reading(5)
    assert not reader.is_reading


@pytest.mark.parametrize("verb", ["prepare", "start"])
@pytest.mark.parametrize("culprit", ["top", "d"])
def test_a_device_that_does_not_let_go_keeps_no_other_from_being_stopped(
    culprit: str, verb: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervision, "GRACE", 0.05)
    log, inside, release = Log(), Event(), Event()

    def hold_on() -> None:
        inside.set()
        while not release.is_set():
            with contextlib.suppress(gevent.GreenletExit):
                release.wait()

    top = Master("top", log, **({verb: hold_on} if culprit == "top" else {}))
    scan = Scan(chain_of(top, Device("d", log, **({verb: hold_on} if culprit == "d" else {})), Device("e", log)))
    task = in_background(scan)
    assert inside.wait(5)
    task.kill(UserAbort, block=False)
    gevent.spawn_later(0.2, release.set)
    assert isinstance(task.get(timeout=5), UserAbort)
    assert sorted(log.of("stop")) == ["d", "e", "top"]
    assert (scan.state, end_of(scan).state) == (ScanState.USER_ABORTED, "USER_ABORTED")


def test_metadata_that_cannot_be_stored_do_not_take_the_end_with_them(caplog: pytest.LogCaptureFixture) -> None:
    class Odd(Device):
        def get_acquisition_metadata(self, timing: MetaTiming | None = None) -> dict[str, Any] | None:
            return {"handle": object()} if timing is MetaTiming.END else None

    scan = timer_scan(Odd("odd", Log()))
    scan.run()
    assert (scan.state, end_of(scan).state) == (ScanState.DONE, "DONE")
    assert "metadata instrument.odd are missing" in caplog.text and "handle: expected JSON types" in caplog.text


def test_readings_that_do_not_end_are_given_up_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(branch, "GRACE", 0.2)
    log = Log()
    readers = [Reader(f"reader{number}", log, npoints=5, reading=Event().wait) for number in range(10)]
    scan = timer_scan(*readers, Device("d", log, trigger=raising(OSError("broken"))))
    began = perf_counter()
    with pytest.raises(OSError, match="broken"):
        scan.run()
    assert perf_counter() - began < 1
    for reader in readers:
        assert reader.wait_reading(5)


def test_what_a_preset_puts_into_scan_info_does_not_take_the_end_with_it(caplog: pytest.LogCaptureFixture) -> None:
    class Odd(Device):
        def get_acquisition_metadata(self, timing: MetaTiming | None = None) -> dict[str, Any] | None:
            return {"gain": 3} if timing is MetaTiming.END else None

    class Careless(ScanPreset):
        def start(self, scan: Scan) -> None:
            more: dict[str, Any] = {}
            scan.scan_info["instrument"] = more
            more["handle"] = object()

    scan = timer_scan(Odd("odd", Log()))
    scan.add_preset(Careless())
    scan.run()
    assert (scan.state, end_of(scan).state) == (ScanState.DONE, "DONE")
    assert "its metadata at the end are missing" in caplog.text and "instrument.handle" in caplog.text


# -- the user ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("thrown", "state"),
    [
        (UserAbort, ScanState.USER_ABORTED),
        (KeyboardInterrupt, ScanState.USER_ABORTED),
        (gevent.GreenletExit, ScanState.KILLED),
        (gevent.Timeout, ScanState.KILLED),
    ],
)
def test_what_is_thrown_into_the_run(thrown: type[BaseException], state: ScanState) -> None:
    log = Log()
    scan = timer_scan(Device("d", log, trigger=lambda: gevent.sleep(60)))
    task = in_background(scan)
    scan.wait_state(ScanState.STARTING, timeout=5)
    gevent.sleep(0.01)
    task.kill(thrown, block=False)
    assert isinstance(task.get(timeout=5), thrown)
    assert (scan.state, end_of(scan).state, end_of(scan).error["type"]) == (state, state.name, thrown.__name__)
    assert log.of("stop") == ["d"]


@pytest.mark.parametrize("seed", range(20))
def test_an_abort_at_any_moment(seed: int) -> None:
    """Every verb of every device waits a little: the abort falls into any of them."""
    dice, log = random.Random(seed), Log()

    def wait() -> None:
        gevent.sleep(dice.choice([0, 0, 0.0005, 0.002]))

    top, sub = (
        Master("top", log, npoints=6, prepare=wait, trigger=wait),
        Master("sub", log, start=wait, wait_ready=wait),
    )
    chain = AcquisitionChain(parallel_prepare=bool(seed % 2))
    chain.add(top, sub)
    chain.add(sub, Device("a", log, prepare=wait, start=wait, trigger=wait, stop=wait))
    chain.add(sub, Reader("b", log, npoints=6, start_once=True, prepare_once=True, trigger=wait, stop=wait))
    scan = Scan(chain)
    task = in_background(scan)
    gevent.sleep(dice.uniform(0, 0.04))
    task.kill(UserAbort, block=False)
    error = task.get(timeout=5)
    if scan.state is ScanState.IDLE:  # before it began
        assert isinstance(error, UserAbort)
        return
    if error is None:
        assert scan.state is ScanState.DONE
    else:  # DONE when the abort has come while the end was published
        assert isinstance(error, UserAbort) and scan.state in (ScanState.USER_ABORTED, ScanState.DONE)
    if scan.path:
        # One that is aborted while it is announced has its end without anybody waiting for it.
        wait_for(lambda: any(isinstance(event, EndScan) for event in published(scan)))
        assert end_of(scan).state == scan.state.name
        assert end_of(scan).lengths == {channel.path: channel.length for channel in scan.channels if channel.path}
        for channel, values in scan.get_data().items():
            assert len(values) == end_of(scan).lengths[next(c.path for c in scan.channels if c.fullname == channel)]
    if "prepare" in [verb for _, verb in log]:
        assert sorted(log.of("stop")) == ["a", "b", "sub", "top"]


def test_an_abort_before_it_is_announced() -> None:
    """It has nothing in the tree of data, and does not say so."""
    environment.scan_meta = ScanMeta()
    gathering = Event()

    def gather(scan: Scan) -> None:
        gathering.set()
        gevent.sleep(10)

    environment.scan_meta.sample.set("slow", gather)
    scan = timer_scan()
    task = in_background(scan)
    assert gathering.wait(5)
    task.kill(UserAbort, block=False)
    assert isinstance(task.get(timeout=5), UserAbort)
    assert (scan.state, scan.path) == (ScanState.USER_ABORTED, "")
    with pytest.raises(ScanError, match="was over before it was announced, it has no node"):
        scan.node  # noqa: B018


def test_presses_of_ctrl_c() -> None:
    """The first ends the scan, the second waits for the clean-up, the third gives up on it."""
    for presses, gave_up in ((1, False), (2, False), (3, True)):
        log, go = Log(), Event()
        scan = timer_scan(Device("d", log, trigger=lambda: gevent.sleep(60), stop=go.wait))  # noqa: B023
        task = in_background(scan)
        scan.wait_state(ScanState.STARTING, timeout=5)
        for _ in range(presses):
            gevent.sleep(0.01)
            task.kill(UserAbort, block=False)
        gevent.sleep(0.01)
        assert task.ready() is gave_up
        go.set()
        assert isinstance(task.get(timeout=5), UserAbort)
        assert (scan.state, end_of(scan).state) == (ScanState.USER_ABORTED, "USER_ABORTED")


def test_who_gives_up_on_the_last_points_has_not_done_the_scan() -> None:
    """Nobody knows then whether they could be stored."""
    log, go = Log(), Event()
    go.set()

    class Slow(MemoryStore):
        def append(self, *args: Any, **keys: Any) -> Any:
            go.wait()
            return super().append(*args, **keys)

    environment.tree = Tree(Slow(), tasks=GREENLETS)
    scan = timer_scan(Device("d", log, wait_ready=go.clear))
    task = in_background(scan)
    wait_for(lambda: "stop" in log.about("d"))
    gevent.sleep(0.1)
    for _ in range(3):
        task.kill(UserAbort, block=False)
        gevent.sleep(0.01)
    assert isinstance(task.get(timeout=5), UserAbort)
    go.set()
    wait_for(lambda: any(isinstance(event, EndScan) for event in published(scan)))
    assert (scan.state, end_of(scan).state) == (ScanState.USER_ABORTED, "USER_ABORTED")


@pytest.mark.parametrize("turns", range(4))
def test_presses_that_come_after_giving_up(turns: int) -> None:
    """However many there are, and whenever they come, the end is published, and once."""
    log, go = Log(), Event()
    scan = timer_scan(Device("d", log, trigger=lambda: gevent.sleep(60), stop=go.wait))
    task = in_background(scan)
    scan.wait_state(ScanState.STARTING, timeout=5)
    for _ in range(8):
        for _ in range(turns):
            gevent.sleep(0)
        task.kill(UserAbort, block=False)
    assert isinstance(task.get(timeout=5), UserAbort)
    wait_for(lambda: any(isinstance(event, EndScan) for event in published(scan)))  # nobody waits until it is stored
    assert (scan.state, end_of(scan).state) == (ScanState.USER_ABORTED, "USER_ABORTED")
    wait_for(lambda: log.about("d")[-1] == "stop")  # it was told, though nobody waits for it
    go.set()


@pytest.mark.parametrize("npresses", range(1, 9))
def test_presses_while_subscribers_are_told_of_the_end(npresses: int) -> None:
    told: list[WireEvent] = []
    scan = timer_scan(Device("d", Log(), trigger=lambda: gevent.sleep(60)))
    scan.subscribe(told.append, lossless=True)
    task = in_background(scan)
    scan.wait_state(ScanState.STARTING, timeout=5)
    for _ in range(npresses):
        task.kill(UserAbort, block=False)
    assert isinstance(task.get(timeout=5), UserAbort)
    wait_for(lambda: any(isinstance(event, EndScan) for event in published(scan)))  # nobody waits until it is stored
    assert (scan.state, end_of(scan).state) == (ScanState.USER_ABORTED, "USER_ABORTED")
    wait_for(lambda: isinstance(told[-1], EndScan))


def test_a_value_that_cannot_be_stored_is_refused_when_it_is_set() -> None:
    class Careless(ScanPreset):
        def start(self, scan: Scan) -> None:
            scan.scan_info["instrument"] = {"slits": {"handle": object()}}

    scan = timer_scan(Device("d", Log()))
    scan.add_preset(Careless())
    with pytest.raises(ScanUsageError, match="scan_info: instrument.slits.handle: expected JSON types"):
        scan.run()
    with pytest.raises(ScanUsageError, match="scan_info: npoints: expected a whole number, got 'many'"):
        scan.update_info(npoints="many")


def test_what_is_put_into_scan_info_on_the_way_is_published() -> None:
    class Note(ScanPreset):
        def start(self, scan: Scan) -> None:
            scan.scan_info["beam"] = {"current": 200.0}

    scan = timer_scan(Device("d", Log()))
    scan.add_preset(Note())
    scan.run()
    assert scan.node.info["beam"] == {"current": 200.0}


def test_giving_up_on_metadata_still_publishes_the_end() -> None:
    class Stuck:
        name = "stuck"
        reads = 0

        @property
        def position(self) -> float:
            self.reads += 1
            if self.reads > 1:
                gevent.sleep(60)
            return 0.0

    stuck = Stuck()
    environment.axes = lambda: [stuck]
    scan = timer_scan(Device("d", Log()), npoints=1)
    task = in_background(scan)
    scan.wait_state(ScanState.STOPPING, timeout=5)
    for _ in range(3):
        gevent.sleep(0.01)
        assert not task.ready()
        task.kill(UserAbort, block=False)
    assert isinstance(task.get(timeout=5), UserAbort)
    assert (scan.state, end_of(scan).state) == (ScanState.USER_ABORTED, "USER_ABORTED")


def test_ctrl_c_while_the_scan_ends_well_waits_for_the_clean_up() -> None:
    log, stopping, go = Log(), Event(), Event()
    scan = timer_scan(Device("d", log, stop=lambda: stopping.set() or go.wait()))
    task = in_background(scan)
    stopping.wait(5)
    task.kill(UserAbort, block=False)
    gevent.sleep(0.01)
    assert not task.ready()
    go.set()
    assert isinstance(task.get(timeout=5), UserAbort)
    assert scan.state is ScanState.USER_ABORTED


def test_abort_from_another_greenlet() -> None:
    log = Log()
    scan = timer_scan(Device("d", log, trigger=lambda: gevent.sleep(60)))
    task = in_background(scan)
    scan.wait_state(ScanState.STARTING, timeout=5)
    scan.abort()
    assert scan.state is ScanState.USER_ABORTED
    assert isinstance(task.get(timeout=5), UserAbort)


def test_an_abort_reaches_slow_preparation() -> None:
    scan = timer_scan(Device("d", Log(), prepare=lambda: gevent.sleep(60)))
    task = in_background(scan)
    gevent.sleep(0.01)
    assert scan.state is ScanState.PREPARING
    scan.abort()
    assert isinstance(task.get(timeout=5), UserAbort)
    assert states_published(scan) == ["PREPARING", "STOPPING", "USER_ABORTED"]


# -- presets and the store -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("verb", ["prepare", "start", "stop"])
def test_a_failure_of_a_scan_preset(verb: str) -> None:
    log = Log()

    class Preset(ScanPreset):
        def __getattribute__(self, name: str) -> Any:
            if name in ("prepare", "start", "stop"):
                log.append(("preset", name))
            return super().__getattribute__(name)

    preset = Preset()
    setattr(preset, verb, lambda scan: raising(OSError("no shutter"))())
    scan = timer_scan(Device("d", log))
    scan.add_preset(preset)
    with pytest.raises(OSError, match="no shutter"):
        scan.run()
    assert (scan.state, end_of(scan).state) == (ScanState.KILLED, "KILLED")
    assert "stop" in log.about("preset")
    assert (log.of("stop") == ["preset"]) if verb == "prepare" else ("d" in log.of("stop"))


@pytest.mark.parametrize("verb", ["prepare", "start", "before_stop", "stop"])
def test_a_failure_of_a_chain_preset(verb: str) -> None:
    log, preset = Log(), ChainPreset()
    setattr(preset, verb, lambda chain: raising(OSError("no shutter"))())
    scan = timer_scan(Device("d", log))
    scan.acq_chain.add_preset(preset)
    with pytest.raises(OSError, match="no shutter"):
        scan.run()
    assert scan.state is ScanState.KILLED
    assert log.of("stop") == ["d"]


class FailingPublisher:
    """Hands on to another publisher until it is told to fail."""

    def __init__(self, publisher: Any) -> None:
        self._publisher = publisher
        self.on_failure: Callable[[Exception], None] | None = None
        self.error: Exception | None = None

    def publish(self, event: WireEvent) -> None:
        if self.error is not None:
            raise self.error
        self._publisher.publish(event)

    def fail(self, error: Exception) -> None:
        self.error = error
        assert self.on_failure is not None
        self.on_failure(error)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._publisher, name)


@pytest.mark.real_time
@pytest.mark.parametrize("from_thread", [False, True])
def test_a_store_that_is_lost_ends_a_scan_that_waits_for_hardware(from_thread: bool) -> None:
    tree = environment.require_tree()
    made: list[FailingPublisher] = []

    class LosingTree:
        store = tree.store

        def next_scan_number(self, container: str, *, saved: bool = True, above: int = 0) -> int:
            return tree.next_scan_number(container, saved=saved)

        def open_scan(self, *args: Any) -> FailingPublisher:
            made.append(FailingPublisher(tree.open_scan(*args)))
            return made[0]

    environment.tree = LosingTree()  # type: ignore[assignment]
    log = Log()
    scan = timer_scan(Device("d", log, trigger=lambda: gevent.sleep(60)))
    task = in_background(scan)
    scan.wait_state(ScanState.STARTING, timeout=30)
    gevent.sleep(0.01)
    fail = made[0].fail
    if from_thread:
        thread = threading.Thread(target=fail, args=[PublishError("no Redis server for 60 s")])
        thread.start()
    else:
        fail(PublishError("no Redis server for 60 s"))
    assert isinstance(task.get(timeout=30), PublishError)
    assert scan.state is ScanState.KILLED
    assert log.of("stop") == ["d"]


def test_a_store_that_is_not_there_at_the_start() -> None:
    class NoTree:
        def next_scan_number(self, container: str, *, saved: bool = True, above: int = 0) -> int:
            raise ConnectionError("no server; start one with ...")

    environment.tree = NoTree()  # type: ignore[assignment]
    log = Log()
    scan = timer_scan(Device("d", log))
    with pytest.raises(ConnectionError, match="start one with"):
        scan.run()
    assert scan.state is ScanState.KILLED
    assert log == []


@pytest.mark.parametrize("verb", ["prepare", "start", "trigger", "wait_ready"])
@pytest.mark.parametrize("others", [0, 1])
@pytest.mark.parametrize("waits", [False, True])
def test_a_call_that_somebody_kills_is_no_call_that_is_done(verb: str, others: int, waits: bool) -> None:
    def killed() -> None:
        if waits:
            gevent.sleep(0.001)
        raise gevent.GreenletExit

    log = Log()
    devices = [Device("a", log, **{verb: killed}), *(Device(f"b{n}", log) for n in range(others))]
    scan = timer_scan(*devices, npoints=3)
    with gevent.Timeout(5), pytest.raises(ChainError, match="killed from outside, before it was done") as raised:
        scan.run()
    assert raised.value.__notes__ == ["(scan 1 loopscan, in a)"]
    assert end_of(scan).state == "KILLED"
    assert sorted(log.of("stop")) == sorted(device.name for device in devices)


@pytest.mark.parametrize("kind", [ScanPreset, ChainPreset])
@pytest.mark.parametrize("verb", ["prepare", "start", "stop"])
def test_a_preset_that_somebody_kills_does_not_keep_the_scan_from_its_end(kind: Any, verb: str) -> None:
    log = Log()
    preset = type("Killed", (kind,), {verb: lambda self, _: gevent.getcurrent().throw()})()
    scan = timer_scan(Device("a", log))
    (scan if kind is ScanPreset else scan.acq_chain).add_preset(preset)
    with gevent.Timeout(5), pytest.raises((ChainError, gevent.GreenletExit)):
        scan.run()
    assert end_of(scan).state == "KILLED" and log.about("a")[-1:] in ([], ["stop"])


def test_a_stop_that_somebody_kills_is_told() -> None:
    scan = timer_scan(Device("a", Log(), stop=raising(gevent.GreenletExit())))
    with pytest.raises(ChainError, match="killed from outside") as raised:
        scan.run()
    assert raised.value.__notes__ == ["(scan 1 loopscan, in a)"] and end_of(scan).state == "KILLED"


def test_a_watchdog_that_fails_at_the_end_does_not_hide_what_failed_before() -> None:
    class Dog(WatchdogCallback):
        def on_scan_end(self, *_: Any) -> None:
            raise ValueError("bark")

    scan = timer_scan(Device("a", Log(), trigger=raising(OSError("gone"))), watchdog_callback=Dog(5))
    with pytest.raises(OSError, match="gone"):
        scan.run()
