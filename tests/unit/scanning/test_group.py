"""Groups and sequences: what they publish, in what order, and what they refuse."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import gevent
import numpy as np
import pytest

from bliss_like.data.channel_node import NodeRefChannel
from bliss_like.data.events import EventType
from bliss_like.data.lifecycle import ScanState
from bliss_like.data.node import ScanNode, get_node, get_session_node
from bliss_like.data.store import MemoryStore
from bliss_like.data.tree import Tree
from bliss_like.errors import ChannelValueError, ScanError, ScanSequenceError, StoreUnavailable, UserAbort
from bliss_like.scanning.chain import AcquisitionChain, AcquisitionChannel, AcquisitionMaster
from bliss_like.scanning.environment import Environment, environment
from bliss_like.scanning.group import Group, Sequence
from bliss_like.scanning.scan import Scan, ScanProgress
from bliss_like.session.data_tree import GREENLETS


class Counting(AcquisitionMaster):
    """Emits 0, 1, 2, ...; may be held, or fail at one point."""

    def __init__(self, npoints: int, fail_at: int | None = None, hold: gevent.event.Event | None = None) -> None:
        super().__init__(name="timer", npoints=npoints)
        self.fail_at, self.hold, self.stopped = fail_at, hold, 0
        self.channels.append(AcquisitionChannel("counting:n", float, ()))

    def __iter__(self) -> Iterator[int]:
        for index in range(self.npoints):
            self.index = index
            yield index

    def start(self) -> None:
        if self.hold:
            self.hold.wait()
        if self.index == self.fail_at:
            raise RuntimeError("no beam")
        self.channels[0].emit(float(self.index))

    def stop(self) -> None:
        self.stopped += 1


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> MemoryStore:
    store = MemoryStore()
    fresh = Environment(session_name="eh1", container=lambda: "eh1:tmp:scans", tree=Tree(store, tasks=GREENLETS))
    for name, value in vars(fresh).items():
        monkeypatch.setattr(environment, name, value)
    return store


MakeScan = Callable[..., Scan]


@pytest.fixture
def make_scan(store: MemoryStore) -> MakeScan:
    def make(npoints: int = 3, name: str = "loopscan", save: bool = True, run: bool = False, **options: Any) -> Scan:
        chain = AcquisitionChain()
        chain.add(Counting(npoints, **options))
        scan = Scan(chain, name, save=save)
        if run:
            scan.run()
        return scan

    return make


def ref_channel(sequence: Sequence | Group) -> NodeRefChannel:
    node = get_node(f"{sequence.node.db_name}:GroupingMaster:scans", environment.require_tree().store)
    assert isinstance(node, NodeRefChannel)
    return node


def numbers(sequence: Sequence | Group) -> list[int]:
    return list(sequence.node.get_data("scan_numbers"))


def test_scans_before_during_and_added_later(make_scan: MakeScan) -> None:
    sequence = Sequence(title="my sequence", scan_info={"something": "else"})
    assert sequence.state is ScanState.IDLE
    with sequence.sequence_context() as scan_seq:
        first = make_scan()
        scan_seq.add(first)
        assert first.scan_info["group"] == sequence.node.db_name
        first.run()
        second = make_scan()
        scan_seq.add_and_run(second)
        third = make_scan(run=True)
        scan_seq.add(third)
        assert "group" not in third.scan_info
    assert sequence.state is ScanState.DONE
    node = sequence.node
    assert node.db_name == "eh1:tmp:scans:1_my_sequence" and node.type == "scan_group"
    assert node.info["title"] == "my sequence" and node.info["something"] == "else" and node.info["is_scan_sequence"]
    assert ref_channel(sequence).get(0, -1) == [first.node, second.node, third.node]
    assert all(isinstance(each, ScanNode) for each in ref_channel(sequence).get(0, -1))
    assert numbers(sequence) == [2, 3, 4]
    assert first.node.info["group"] == node.db_name
    assert [child.db_name for child in node.children()] == [f"{node.db_name}:GroupingMaster"]


def test_events_come_in_order(make_scan: MakeScan, store: MemoryStore) -> None:
    sequence = Sequence()
    with sequence.sequence_context() as scan_seq:
        scan_seq.add_and_run(make_scan())
    events = [
        (event.type.name, event.node.db_name.removeprefix("eh1:tmp:scans:"))
        for event in get_session_node("eh1", store).walk_events(wait=False)
    ]
    group, scan = "1_sequence_of_scans", "2_loopscan"
    assert events.index(("NEW_NODE", group)) < events.index(("NEW_NODE", scan))
    assert events.index(("PREPARED_SCAN", group)) < events.index(("NEW_DATA", f"{group}:GroupingMaster:scans"))
    assert [name for name, path in events if path == f"{group}:GroupingMaster:scan_numbers"] == ["NEW_NODE", "NEW_DATA"]
    assert [name for name, path in events if path == group] == ["NEW_NODE", "PREPARED_SCAN", "END_SCAN"]


def test_the_reference_is_published_while_the_sequence_runs(make_scan: MakeScan) -> None:
    hold = gevent.event.Event()
    sequence = Sequence()
    with sequence.sequence_context() as scan_seq:
        scan = make_scan(hold=hold)
        scan_seq.add(scan)
        assert ref_channel(sequence).get(0, -1) == []
        task = gevent.spawn(scan.run)
        scan.wait_state(ScanState.STARTING, 5)
        with gevent.Timeout(5):
            while not len(ref_channel(sequence)):
                gevent.sleep(0.001)
        assert ref_channel(sequence).get(0) == scan.node and not scan.state.is_final
        hold.set()
        task.get()


def test_concurrent_scans_are_waited_for(make_scan: MakeScan) -> None:
    holds = [gevent.event.Event(), gevent.event.Event()]
    sequence = Sequence()
    with sequence.sequence_context() as scan_seq:
        scans = [make_scan(hold=hold) for hold in holds]
        for scan in scans:
            scan_seq.add(scan)
            gevent.spawn(scan.run)
        with pytest.raises(TimeoutError, match="still running after 0.05 s"):
            scan_seq.wait_all_subscans(0.05)
        for hold in holds:
            gevent.spawn_later(0.01, hold.set)
        scan_seq.wait_all_subscans()
        assert sequence.progress == (2, 2)
    assert sorted(numbers(sequence)) == [2, 3]


def test_custom_channels(make_scan: MakeScan, store: MemoryStore) -> None:
    sequence = Sequence()
    sequence.add_custom_channel(AcquisitionChannel("mychannel", float, ()))
    sequence.add_custom_channel(AcquisitionChannel("sum", float, ()))
    with pytest.raises(ScanSequenceError, match="has a custom channel 'sum' already"):
        sequence.add_custom_channel(AcquisitionChannel("sum", float, ()))
    with pytest.raises(ScanError, match="not part of a running scan"):
        sequence.custom_channels["sum"].emit(1.0)
    with sequence.sequence_context() as scan_seq:
        s1, s2 = make_scan(5), make_scan(5)
        scan_seq.add_and_run(s1)
        scan_seq.add_and_run(s2)
        sequence.custom_channels["mychannel"].emit([1.1])
        sequence.custom_channels["mychannel"].emit([2.2, 3.3])
        sequence.custom_channels["mychannel"].emit(4.4)
        sequence.custom_channels["sum"].emit(s1.get_data()["n"] + s2.get_data()["n"])
        with pytest.raises(ChannelValueError, match="sum"):
            sequence.custom_channels["sum"].emit(np.zeros((2, 2)))
    node = get_node(f"{sequence.node.db_name}:GroupingMaster:custom_channels:mychannel", store)
    assert node is not None and node.get(0, -1).tolist() == [1.1, 2.2, 3.3, 4.4]  # type: ignore[attr-defined]
    assert sequence.node.get_data("sum").tolist() == [0.0, 2.0, 4.0, 6.0, 8.0]
    with pytest.raises(ScanSequenceError, match="comes too late"):
        sequence.add_custom_channel(AcquisitionChannel("late", float, ()))


def test_group_by_scan_node_and_number(make_scan: MakeScan) -> None:
    s1, s2, s3 = (make_scan(run=True) for _ in range(3))
    group = Group(s1, s2.node, 3, title="best of", scan_info={"note": "good"})
    assert ref_channel(group).get(0, -1) == [s1.node, s2.node, s3.node]
    assert numbers(group) == [1, 2, 3]
    assert group.node.name == "4_best_of" and group.node.info["note"] == "good" and group.state is ScanState.DONE
    assert Group().state is ScanState.DONE
    assert Group(group.scan.scan_number).state is ScanState.DONE  # of groups, too


def test_what_a_group_refuses(make_scan: MakeScan, store: MemoryStore) -> None:
    scan = make_scan(run=True)
    make_scan(run=True, save=False)  # unsaved scans are numbered apart
    refused: list[tuple[Any, str]] = [
        (make_scan(), "Only scans that have been run before can be added to group: .* is IDLE"),
        (scan.node.parent, "Only scans can be added to group"),
        (99, "Scan number 99 not found in session 'eh1'"),
        ("diode", "Invalid argument: no scan node corresponds to 'diode'"),
        (True, "Invalid argument"),
    ]
    before = environment.require_tree().store.get_fields("bl1:node:{eh1:tmp:scans}")
    for item, message in refused:
        with pytest.raises(ScanSequenceError, match=message):
            Group(scan, item)
    assert environment.require_tree().store.get_fields("bl1:node:{eh1:tmp:scans}") == before
    for number in (1, np.int64(1)):  # as `scan_numbers` gives them
        assert ref_channel(Group(number)).get(0) == scan.node


def test_leaving_too_early_is_an_error(make_scan: MakeScan) -> None:
    for is_running, message in ((False, "is IDLE.*run it, or do not add it"), (True, "is STARTING.*wait_all_subscans")):
        hold = gevent.event.Event()
        sequence, scan = Sequence(), make_scan(hold=hold)
        with pytest.raises(ScanSequenceError, match=message), sequence.sequence_context() as scan_seq:
            scan_seq.add(scan)
            if is_running:
                task = gevent.spawn(scan.run)
                scan.wait_state(ScanState.STARTING)
        assert sequence.state is ScanState.KILLED and sequence.node.state is ScanState.KILLED
        if is_running:
            hold.set()
            task.get()
            assert scan.state is ScanState.DONE


def test_add_and_run_refuses_and_raises(make_scan: MakeScan) -> None:
    sequence = Sequence()
    with sequence.sequence_context() as scan_seq:
        with pytest.raises(ScanSequenceError, match='scan "loopscan" has already been started before!'):
            scan_seq.add_and_run(make_scan(run=True))
        with pytest.raises(ScanSequenceError, match=r"expected a scan to add, got 3; loopscan\(\.\.\., run=False\)"):
            scan_seq.add(3)  # type: ignore[arg-type]
        with pytest.raises(RuntimeError, match="no beam"):
            scan_seq.add_and_run(make_scan(fail_at=1))
        scan_seq.add_and_run(make_scan())
    assert sequence.state is ScanState.KILLED  # the worst of its scans; nothing is raised for what was handled
    assert numbers(sequence) == [3, 4]


def test_an_error_inside_ends_the_sequence_with_it(make_scan: MakeScan) -> None:
    sequence = Sequence()
    with pytest.raises(ZeroDivisionError), sequence.sequence_context() as scan_seq:
        scan_seq.add_and_run(make_scan())
        raise ZeroDivisionError("in a macro")
    assert sequence.node.state is ScanState.KILLED
    store = environment.require_tree().store
    *_, end = get_session_node("eh1", store).walk_events("scan_group", wait=False)
    assert end.type is EventType.END_SCAN and end.data is not None
    assert end.data.description.startswith("ZeroDivisionError: in a macro")


def test_an_error_inside_loses_no_reference_to_a_scan_that_has_run(
    make_scan: MakeScan, monkeypatch: pytest.MonkeyPatch
) -> None:
    tree = environment.require_tree()
    renew = tree.renew
    monkeypatch.setattr(tree, "renew", lambda path: (gevent.sleep(0.02), renew(path)))  # a store that takes its time
    sequence = Sequence()
    with pytest.raises(RuntimeError, match="no beam"), sequence.sequence_context() as scan_seq:
        scan_seq.add_and_run(make_scan())
        scan_seq.add_and_run(make_scan(fail_at=0))
    assert numbers(sequence) == [2, 3]


def test_a_scan_that_fails_before_it_has_a_node_is_not_referenced(
    make_scan: MakeScan, monkeypatch: pytest.MonkeyPatch
) -> None:
    sequence = Sequence()
    with sequence.sequence_context() as scan_seq:
        with monkeypatch.context() as patch:
            patch.setattr(environment.require_tree(), "open_scan", _no_server)
            with pytest.raises(StoreUnavailable):
                scan_seq.add_and_run(make_scan())
        scan_seq.add_and_run(make_scan())
    assert numbers(sequence) == [3] and sequence.state is ScanState.KILLED


def test_a_server_that_is_away_for_a_moment_costs_no_reference(
    make_scan: MakeScan, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(environment.require_tree(), "renew", _no_server)
    sequence = Sequence()
    with sequence.sequence_context() as scan_seq:
        scan_seq.add_and_run(make_scan())
    assert numbers(sequence) == [2] and sequence.state is ScanState.DONE


def _no_server(*_: Any) -> Any:
    raise StoreUnavailable("no server")


def test_an_abort_inside_aborts_the_scans_that_run(make_scan: MakeScan) -> None:
    sequence, scan = Sequence(), make_scan(hold=gevent.event.Event())

    def macro() -> None:
        with sequence.sequence_context() as scan_seq:
            scan_seq.add(scan)
            gevent.spawn(_quiet, scan)
            scan.wait_state(ScanState.STARTING)
            gevent.sleep(60)

    task = gevent.spawn(macro)
    scan.wait_state(ScanState.STARTING, 5)
    gevent.sleep(0)
    task.kill(UserAbort, timeout=10)
    assert isinstance(task.exception, UserAbort)
    assert (scan.state, sequence.state) == (ScanState.USER_ABORTED, ScanState.USER_ABORTED)
    assert scan.acq_chain.top_masters[0].stopped == 1  # type: ignore[attr-defined]
    assert sequence.node.state is ScanState.USER_ABORTED


@pytest.mark.parametrize("thrown", [KeyboardInterrupt, gevent.GreenletExit, gevent.Timeout])
def test_what_is_thrown_into_a_sequence_reaches_nobody_else(
    store: MemoryStore, thrown: type[BaseException], capfd: pytest.CaptureFixture[str]
) -> None:
    sequence = Sequence()

    def macro() -> BaseException | None:
        try:
            with sequence.sequence_context():
                gevent.sleep(60)
        except BaseException as error:
            return error
        return None

    task = gevent.spawn(macro)
    sequence.scan.wait_state(ScanState.STARTING, 5)
    task.kill(thrown, block=False)
    assert isinstance(task.get(timeout=5), thrown)  # a KeyboardInterrupt would have come here instead
    assert sequence.state is (ScanState.USER_ABORTED if thrown is KeyboardInterrupt else ScanState.KILLED)
    assert capfd.readouterr().err == ""


def _quiet(scan: Scan) -> None:
    with pytest.raises(UserAbort):
        scan.run()


def test_an_empty_sequence_is_legal_and_runs_once(store: MemoryStore) -> None:
    sequence = Sequence()
    with sequence.sequence_context():
        pass
    assert sequence.state is ScanState.DONE and numbers(sequence) == []
    with pytest.raises(ScanSequenceError, match="only be run once"), sequence.sequence_context():
        pass


def test_what_a_sequence_refuses() -> None:
    for title in ("", 3, None):
        with pytest.raises(ScanSequenceError, match=f"title of a sequence or group: expected a text, got {title!r}"):
            Sequence(title=title)  # type: ignore[arg-type]
    with pytest.raises(ScanSequenceError, match=r"scan_info: expected a dict, got \[1\]"):
        Sequence(scan_info=[1])  # type: ignore[arg-type]
    with pytest.raises(
        ScanSequenceError, match=r"expected an AcquisitionChannel\(name, dtype, shape\), got 'mychannel'"
    ):
        Sequence().add_custom_channel("mychannel")  # type: ignore[arg-type]


def test_progress_of_a_sequence(make_scan: MakeScan) -> None:
    shown: list[dict[str, Any]] = []

    class Progress(ScanProgress):
        PERIOD = 0.0

        def progress_callback(self) -> None:
            shown.append(dict(self.data))

    sequence = Sequence(scan_info={"sequence_info": {"scan_count": 2}}, scan_progress=Progress())
    with sequence.sequence_context() as scan_seq:
        scan_seq.add_and_run(make_scan())
        assert sequence.progress == (1, 2)
        scan_seq.add_and_run(make_scan())
    assert [data["GroupingMaster:scans_over"] for data in shown if "GroupingMaster:scans_over" in data][-1] == 2


def test_adding_a_scan_lets_its_time_begin_anew(make_scan: MakeScan, monkeypatch: pytest.MonkeyPatch) -> None:
    scan = make_scan(run=True)
    renewed: list[str] = []
    tree = environment.require_tree()
    renew = tree.renew
    monkeypatch.setattr(tree, "renew", lambda path: (renewed.append(path), renew(path)))
    Group(scan)
    assert renewed == [scan.path]
