"""The order of a run: what is called, what is published, for all shapes of chains."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import gevent
import numpy as np
import pytest
from gevent.event import Event

from bliss_like.data.events import EndScan, NewNode, NodeKind, PreparedScan, ScanInfoUpdate
from bliss_like.data.lifecycle import ScanState
from bliss_like.errors import ChainError, ScanError
from bliss_like.scanning.chain import (
    AcquisitionChain,
    AcquisitionChannel,
    AcquisitionMaster,
    AcquisitionSlave,
    TriggerType,
)
from bliss_like.scanning.environment import environment
from bliss_like.scanning.scan import Scan
from tests.unit.scanning.making import (
    Device,
    Log,
    Master,
    Reader,
    chain_of,
    end_of,
    in_background,
    published,
    states_published,
    timer_scan,
)


def nested(log: Log, **keys: Any) -> tuple[AcquisitionChain, Master, Master]:
    """top > sub > (a, b), and top > c."""
    top, sub = Master("top", log, npoints=2), Master("sub", log, npoints=5)
    chain = AcquisitionChain(**keys)
    chain.add(top, sub)
    chain.add(sub, Device("a", log))
    chain.add(sub, Device("b", log))
    chain.add(top, Device("c", log))
    return chain, top, sub


def test_verbs_of_nested_masters() -> None:
    log = Log()
    chain, *_ = nested(log)
    Scan(chain).run()
    iteration = [
        *[(name, "prepare") for name in ("a", "b", "sub", "c", "top")],
        *[(name, "start") for name in ("a", "b", "sub", "c", "top")],
        *[(name, "trigger") for name in ("top", "sub", "a", "b", "c")],
        *[(name, "wait_ready") for name in ("top", "sub", "c", "a", "b")],
    ]
    stops = [(name, "stop") for name in ("top", "sub", "c", "a", "b")]
    assert log == iteration + iteration + stops


def test_parallel_preparation_lets_a_master_wait_for_its_slaves() -> None:
    log = Log()
    chain, top, _ = nested(log, parallel_prepare=True)
    prepared = Event()

    def wait_for_slaves() -> None:
        prepared.set()
        top.wait_slaves_prepare()
        log.append(("top", "slaves are prepared"))

    def slow() -> None:
        prepared.wait(5)
        log.append(("c", "prepared"))

    top.behave.does["prepare"] = wait_for_slaves
    chain.nodes_list[-1].behave.does["prepare"] = slow  # type: ignore[attr-defined]
    Scan(chain).run()
    assert log.index(("c", "prepared")) < log.index(("top", "slaves are prepared"))
    assert prepared.is_set()


def test_events() -> None:
    log = Log()
    chain, *_ = nested(log)
    scan = Scan(chain, "nested", {"sample": "ruby"})
    scan.run()
    assert scan.path == "eh1:tmp:scans:1_nested"
    events = published(scan)
    nodes = [event for event in events if isinstance(event, NewNode)]
    assert [(node.path.removeprefix(scan.path), node.kind) for node in nodes] == [
        ("", NodeKind.SCAN),
        (":top", NodeKind.CONTAINER),
        (":top:n", NodeKind.CHANNEL),
        (":top:sub", NodeKind.CONTAINER),
        (":top:sub:n", NodeKind.CHANNEL),
        (":top:sub:a", NodeKind.CONTAINER),
        (":top:sub:a:value", NodeKind.CHANNEL),
        (":top:sub:b", NodeKind.CONTAINER),
        (":top:sub:b:value", NodeKind.CHANNEL),
        (":top:c", NodeKind.CONTAINER),
        (":top:c:value", NodeKind.CHANNEL),
    ]
    assert {node.scan for node in nodes[1:]} == {scan.path}
    assert [type(event) for event in events[len(nodes) :]] == [PreparedScan, ScanInfoUpdate, ScanInfoUpdate, EndScan]
    assert nodes[0].info["sample"] == {"name": "ruby"}
    assert nodes[2].info | {"shape": []} == {
        "fullname": "top:n", "dtype": "<i8", "shape": [], "unit": None, "reference": False,
    }  # fmt: skip
    assert end_of(scan).lengths == {
        f"{scan.path}:{channel}": 2
        for channel in ("top:n", "top:sub:n", "top:sub:a:value", "top:sub:b:value", "top:c:value")
    }
    assert states_published(scan) == ["PREPARING", "STARTING", "STOPPING", "DONE"]


def test_prepared_is_published_when_the_devices_are() -> None:
    log, go = Log(), Event()
    scan = timer_scan(Device("d", log, prepare=go.wait))
    task = in_background(scan)
    gevent.sleep(0.01)
    assert scan.state is ScanState.PREPARING
    assert not any(isinstance(event, PreparedScan) for event in published(scan))
    go.set()
    assert task.get(timeout=5) is None
    assert any(isinstance(event, PreparedScan) for event in published(scan))


def test_info_describes_the_chain() -> None:
    chain, *_ = nested(Log())
    scan = Scan(chain)
    scan.run()
    info = scan.node.info
    assert info["acquisition_chain"] == {
        "top": {
            "top_master": "top",
            "devices": ["top", "sub", "a", "b", "c"],
            "master": {"scalars": ["top:n", "sub:n"], "spectra": [], "images": []},
            "scalars": ["a:value", "b:value", "c:value"],
            "spectra": [],
            "images": [],
        }
    }
    assert info["devices"]["sub"] == {
        "name": "sub",
        "type": "Master",
        "npoints": 5,
        "channels": ["sub:n"],
        "triggered_devices": ["a", "b"],
    }
    assert info["channels"]["a:value"] == {
        "display_name": "value", "unit": None, "dim": 0, "dtype": "float64", "device": "a",
    }  # fmt: skip
    assert (info["state"], info["scan_nb"], info["session_name"]) == ("DONE", 1, "eh1")
    assert info["end_timestamp"] >= info["start_timestamp"]


def test_channels_of_one_name_stay_apart() -> None:
    log = Log()
    first, second = Device("d", log), Device("d", log)
    scan = timer_scan(first, second, npoints=2)
    scan.run()
    assert [channel.path.removeprefix(scan.path) for channel in scan.channels[2:]] == [
        ":timer:d:value",
        ":timer:d_2:value",
    ]
    assert len({channel.fullname for channel in scan.channels}) == 4
    assert [len(values) for values in scan.get_data().values()] == [2, 2, 2, 2]


def test_prepare_once_and_start_once() -> None:
    log = Log()
    timer_scan(Device("often", log), Device("once", log, prepare_once=True, start_once=True), npoints=3).run()
    assert log.about("often").count("prepare") == log.about("often").count("start") == 3
    assert log.about("once").count("prepare") == log.about("once").count("start") == 1
    assert log.about("once").count("trigger") == 3


def test_blocks_that_come_late_are_waited_for() -> None:
    log = Log()
    reader = Reader("reader", log, npoints=10, delay=0.005, prepare_once=True, start_once=True)
    scan = timer_scan(reader, npoints=10)
    scan.run()
    assert list(scan.get_data("value")) == list(range(10))
    assert log.about("reader")[-1] == "stop"
    assert not reader.is_reading


def test_a_hardware_triggered_device() -> None:
    log = Log()
    keys: dict[str, Any] = {"trigger_type": TriggerType.HARDWARE, "prepare_once": True, "start_once": True}
    reader = Reader("reader", log, npoints=9, block=4, **keys)
    scan = timer_scan(reader, npoints=3)
    scan.run()
    assert [verb for verb in log.about("reader") if verb != "wait_ready"] == ["prepare", "start", "reading", "stop"]
    assert list(scan.get_data("value")) == list(range(9))


def test_a_reading_for_each_trigger() -> None:
    log = Log()
    scan = timer_scan(Reader("reader", log, npoints=1), npoints=3)
    scan.run()
    assert log.of("reading") == ["reader"] * 3
    assert list(scan.get_data("value")) == [0, 0, 0]


def test_a_reading_that_is_over_is_ready() -> None:
    log = Log()
    never = Event()
    reader = Reader("reader", log, npoints=2, start_once=True, wait_ready=never.wait)
    timer_scan(reader, npoints=3).run()
    assert not never.is_set()
    assert "wait_ready" in log.about("reader")


def test_top_masters_run_side_by_side_until_the_terminator_ends() -> None:
    log = Log()
    short, endless = Master("short", log, npoints=3), Master("endless", log, npoints=10**9)
    endless.terminator = False
    chain = AcquisitionChain()
    chain.add(short, Device("a", log))
    chain.add(endless, Device("b", log, trigger=lambda: gevent.sleep(0.001)))
    scan = Scan(chain)
    scan.run()
    assert scan.state is ScanState.DONE
    assert len(scan.get_data("a:value")) == 3
    assert set(log.of("stop")) == {"short", "endless", "a", "b"}


def test_without_a_terminator_all_top_masters_come_to_their_end() -> None:
    log = Log()
    tops = [Master("short", log, npoints=1), Master("long", log, npoints=4, trigger=lambda: gevent.sleep(0.001))]
    chain = AcquisitionChain()
    for top in tops:
        top.terminator = False
        chain.add(top)
    scan = Scan(chain)
    scan.run()
    assert [len(values) for values in scan.get_data().values()] == [1, 4]


def test_a_top_master_with_nothing_to_do() -> None:
    log = Log()
    scan = Scan(chain_of(Master("top", log, npoints=0), Device("d", log)))
    scan.run()
    assert scan.state is ScanState.DONE
    assert log.of("prepare") == []
    assert set(log.of("stop")) == {"top", "d"}


def test_a_master_that_does_not_iterate_makes_one_point() -> None:
    class Once(AcquisitionMaster):
        def start(self) -> None:
            self.trigger_slaves()
            self.wait_slaves()

    log = Log()
    Scan(chain_of(Once(name="once"), Device("d", log))).run()
    assert log.of("trigger") == ["d"]


def test_slow_devices_are_read_side_by_side() -> None:
    log = Log()
    everybody, waiting = Event(), []

    def read() -> None:
        waiting.append(None)
        if len(waiting) % 8 == 0:
            everybody.set()
        assert everybody.wait(10)  # returns only if all eight are read at the same time

    devices = [Device(f"d{n}", log, trigger=read) for n in range(8)]
    timer_scan(*devices, npoints=1).run()
    assert len(waiting) == 8


def test_a_trigger_before_the_last_one_is_done() -> None:
    class Hasty(Master):
        def trigger(self) -> None:
            self.trigger_slaves()
            self.trigger_slaves()

    slow = Device("slow", Log(), trigger=lambda: gevent.sleep(60))
    with pytest.raises(ChainError, match="'hasty' cannot trigger slow: previous trigger is not done"):
        Scan(chain_of(Hasty("hasty", Log()), Device("quick", Log()), slow)).run()


def test_a_trigger_that_the_device_is_not_ready_for() -> None:
    class Busy(Device):
        def trigger_ready(self) -> bool:
            return self.channels[0].length < 1

    scan = timer_scan(Busy("busy", Log()), npoints=3)
    with pytest.raises(ChainError, match="busy: previous trigger is not done"):
        scan.run()
    assert scan.state is ScanState.KILLED


def test_wait_slaves_ready_and_stop_all_slaves() -> None:
    log = Log()
    chain, top, _ = nested(log)
    top.behave.does["start"] = top.wait_slaves_ready
    top.behave.does["stop"] = top.stop_all_slaves
    top._npoints = 1  # type: ignore[attr-defined]
    Scan(chain).run()
    assert log.index(("a", "wait_ready")) < log.index(("top", "trigger"))
    assert log.about("a").count("stop") == log.about("sub").count("stop") == 2


def test_pause_and_resume() -> None:
    reached, points = Event(), Log()
    scan = timer_scan(Device("d", points, trigger=lambda: reached.set() or gevent.sleep(0.001)), npoints=20)
    task = in_background(scan)
    reached.wait(5)
    scan.pause()
    gevent.sleep(0.02)
    taken = len(points.of("trigger"))
    gevent.sleep(0.02)
    assert len(points.of("trigger")) == taken < 20
    assert scan.state is ScanState.STARTING
    scan.resume()
    assert task.get(timeout=5) is None
    assert len(points.of("trigger")) == 20


def test_stop_ends_well_after_the_point() -> None:
    log = Log()
    scan = timer_scan(Device("d", log, trigger=lambda: gevent.sleep(0.001)), npoints=0)
    task = in_background(scan)
    scan.wait_state(ScanState.STARTING, timeout=5)
    scan.stop()
    assert task.get(timeout=5) is None
    assert scan.state is ScanState.DONE
    assert scan.channels[0].length == scan.channels[2].length > 0


def test_stop_while_paused() -> None:
    scan = timer_scan(Device("d", Log()), npoints=0)
    scan.pause()
    task = in_background(scan)
    scan.wait_state(ScanState.STARTING, timeout=5)
    scan.stop()
    assert task.get(timeout=5) is None


def test_wait_state() -> None:
    go = Event()
    scan = timer_scan(Device("d", Log(), trigger=go.wait), npoints=1)
    with pytest.raises(TimeoutError, match="IDLE after 0.001 s, not yet STARTING"):
        scan.wait_state(ScanState.STARTING, timeout=0.001)
    task = in_background(scan)
    assert scan.wait_state(ScanState.PREPARING, timeout=5) >= ScanState.PREPARING
    assert scan.wait_state(ScanState.STARTING, timeout=5) is ScanState.STARTING
    go.set()
    assert scan.wait_state(ScanState.DONE, timeout=5) is ScanState.DONE
    assert list(scan.get_data("value")) == [0.0]  # all is stored when the end is heard
    task.get(timeout=5)


def test_a_scan_runs_once() -> None:
    scan = timer_scan(Device("d", Log()))
    scan.run()
    with pytest.raises(ScanError, match="can only be run once"):
        scan.run()


def test_a_scan_needs_a_session() -> None:
    environment.tree = None
    scan = timer_scan(Device("d", Log()))
    with pytest.raises(ScanError, match="load_session"):
        scan.run()
    assert scan.state is ScanState.IDLE


def test_an_empty_chain() -> None:
    with pytest.raises(ChainError, match="empty"):
        Scan(AcquisitionChain()).run()


def test_numbers_names_and_memory_of_scans() -> None:
    saved, unsaved = timer_scan(Device("d", Log())), timer_scan(Device("d", Log()), save=False)
    again = timer_scan(Device("d", Log()))
    for scan in (saved, unsaved, again):
        scan.run()
    assert [scan.path.rpartition(":")[2] for scan in (saved, unsaved, again)] == [
        "1_loopscan",
        "_1_loopscan",
        "2_loopscan",
    ]
    assert list(environment.scans) == [saved, unsaved, again]
    assert repr(again) == "Scan(number=2, name=loopscan, path='eh1:tmp:scans:2_loopscan')"
    assert repr(unsaved) == "Scan(name=loopscan, path='not saved')"


def test_a_chain_can_be_run_again_by_another_scan() -> None:
    chain = chain_of(Master("top", Log(), npoints=2), Device("d", Log()))
    scans = [Scan(chain), Scan(chain)]
    for scan in scans:
        scan.run()
    assert [list(scan.get_data("top:n")) for scan in scans] == [[0, 1], [0, 1]]
    assert scans[1].get_data("d:value").tolist() == [0.0, 1.0]


def test_a_chain_runs_in_one_scan_at_a_time() -> None:
    log, reached, go_on = Log(), Event(), Event()

    def hold() -> None:
        reached.set()
        go_on.wait()

    scan = timer_scan(Device("a", log, trigger=hold), npoints=2)
    running = in_background(scan)
    reached.wait(5)
    other = Scan(scan.acq_chain, "other")
    with pytest.raises(ChainError, match="its chain is running in Scan.*loopscan.*make one for each scan"):
        other.run()
    assert "stop" not in log.about("a")
    go_on.set()
    assert running.get(timeout=5) is None and len(scan.get_data("value")) == 2
    other.run()
    assert len(other.get_data("value")) == 2


def test_arrays() -> None:
    class Camera(AcquisitionSlave):
        def __init__(self) -> None:
            super().__init__(name="cam")
            self.channels.append(AcquisitionChannel("cam:image", np.uint16, (2, 3)))
            self.channels.append(AcquisitionChannel("cam:peaks", float, (-1,)))

        def trigger(self) -> None:
            n = self.channels[0].length
            self.channels.update({"image": np.full((2, 3), n, np.uint16), "peaks": [float(n)] * n})

    scan = timer_scan(Camera(), npoints=3)
    scan.run()
    images = scan.get_data("image")
    assert images.shape == (3, 2, 3) and images.dtype == np.dtype("<u2")
    assert images[2].tolist() == [[2, 2, 2], [2, 2, 2]]
    assert end_of(scan).lengths[f"{scan.path}:timer:cam:peaks"] == 3


def test_data_by_name_and_pattern() -> None:
    scan = timer_scan(Device("a", Log()), Device("b", Log()), npoints=2)
    scan.run()
    data = scan.get_data()
    assert list(data) == ["timer:elapsed_time", "timer:epoch", "a:value", "b:value"]
    assert list(data["a:value"]) == list(scan.get_data("a:*")) == [0.0, 1.0]
    assert len(scan.get_data("epoch")) == 2
    for key, said in (
        ("value", "a:value, b:value"),
        ("none", "there are timer:elapsed_time"),
        (3, "a counter, an axis"),
    ):
        with pytest.raises(KeyError, match=said):
            scan.get_data(key)
    with pytest.raises(ScanError, match="not run yet"):
        timer_scan(Device("a", Log())).get_data()


def test_iterations_of_a_nested_master_begin_again() -> None:
    class Counting(Master):
        def __iter__(self) -> Iterator[int]:
            for index in range(2):
                self.index = index
                yield index

    top, sub = Master("top", Log(), npoints=5), Counting("sub", Log())
    scan = Scan(chain_of(top, sub))
    scan.run()
    assert list(scan.get_data("sub:n")) == [0, 1, 0, 1, 0]


def test_who_waits_for_the_end_finds_it_published(monkeypatch: pytest.MonkeyPatch) -> None:
    scan = timer_scan(Device("d", Log()))
    store = environment.require_tree().store
    append, ending, release = store.append, Event(), Event()

    def slow_at_the_end(entries: Any, **options: Any) -> None:
        if any(b"END_SCAN" in entry.fields.get(b"j", b"") for entry in entries):
            ending.set()
            release.wait()
        append(entries, **options)

    monkeypatch.setattr(store, "append", slow_at_the_end)
    task = in_background(scan)
    assert ending.wait(5)
    with pytest.raises(TimeoutError, match="is STOPPING after 0.02 s, not yet DONE"):
        scan.wait_state(ScanState.DONE, timeout=0.02)
    release.set()
    assert scan.wait_state(ScanState.DONE, timeout=5) is ScanState.DONE
    assert end_of(scan).state == "DONE"
    task.get()
