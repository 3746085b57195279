"""Callbacks that follow a scan in the process that runs them."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import gevent
import numpy as np
import pytest
from gevent.event import Event

from bliss_like.data.events import EndScan, NewData, NewNode, PreparedScan, SavedScan, ScanInfoUpdate, WireEvent
from bliss_like.data.lifecycle import ScanState
from bliss_like.data.publisher import Limits
from bliss_like.data.store import MemoryStore
from bliss_like.data.threads import THREADS
from bliss_like.data.tree import Tree
from bliss_like.errors import PublishError, ScanError, StoreUnavailable, UsageError, UserAbort
from bliss_like.live.scan import LiveCallback, LiveScan
from bliss_like.scanning import listening
from bliss_like.scanning.channel import AcquisitionChannel
from bliss_like.scanning.environment import environment
from bliss_like.scanning.group import Group, Sequence
from bliss_like.scanning.scan import Scan, ScanPreset
from bliss_like.scanning.subscriptions import Subscription
from bliss_like.session.data_tree import GREENLETS
from tests.unit.scanning.making import Device, Log, end_of, in_background, raising, timer_scan
from tests.unit.writers.making import FileSaver, events_of

LOSSLESS = {"lossless": True}


def diode_scan(npoints: int = 3, **does: Any) -> Scan:
    """A scan of a device that counts its points."""
    return timer_scan(Device("diode", Log(), **does), npoints=npoints)


def points(events: list[WireEvent], name: str = "diode:value") -> list[float]:
    """The points of a channel, each at its index; those that did not come are NaN."""
    data = [event for event in events if isinstance(event, NewData) and event.path.endswith(name)]
    line = np.full(max((event.first_index + len(event.values) for event in data), default=0), np.nan)
    for event in data:
        line[event.first_index : event.first_index + len(event.values)] = event.values
    return [float(value) for value in line]


class Stuck:
    """A callback that waits in the first event of a class until it is let go."""

    def __init__(self, kind: type) -> None:
        self.kind, self.is_waiting, self.go_on = kind, Event(), Event()
        self.events: list[WireEvent] = []

    def accept(self, event: WireEvent) -> None:
        self.events.append(event)
        if isinstance(event, self.kind):
            self.is_waiting.set()
            self.go_on.wait()


# -- what is told ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", [{}, LOSSLESS])
def test_a_function_is_given_what_a_walker_reads_in_that_order(how: dict[str, Any]) -> None:
    events: list[WireEvent] = []
    scan = diode_scan(20)
    scan.subscribe(events.append, **how)
    scan.run()
    walked = events_of(scan)
    assert [event for event in events if not isinstance(event, NewData | ScanInfoUpdate)] == [
        event for event in walked if not isinstance(event, NewData | ScanInfoUpdate)
    ]
    assert points(events) == points(walked) == list(range(20))
    kinds = [type(event) for event in events]
    assert kinds[0] is NewNode and kinds.index(PreparedScan) < kinds.index(NewData) and kinds[-1] is EndScan


@pytest.mark.real_time
def test_also_when_the_scan_is_published_in_a_thread() -> None:
    environment.tree = Tree(MemoryStore(), tasks=THREADS)
    events: list[WireEvent] = []
    scan = diode_scan(20)
    scan.subscribe(events.append, lossless=True)
    scan.run()
    assert points(events) == list(range(20)) and isinstance(events[-1], EndScan)


def test_infos_and_points_are_those_of_the_wire_which_nobody_changes() -> None:
    events: list[Any] = []
    scan = diode_scan()
    scan.scan_info["mine"] = {"array": np.arange(2)}
    scan.subscribe(events.append)
    scan.run()
    scan.scan_info["mine"]["array"] = "changed"
    assert events[0].info["mine"] == {"array": [0, 1]}
    assert not any(event.values.flags.writeable for event in events if isinstance(event, NewData))


class Methods:
    def __init__(self) -> None:
        self.seen: list[str] = []

    def new_node(self, event: NewNode) -> None:
        self.seen.append("new_node")

    def prepared_scan(self, event: PreparedScan) -> None:
        self.seen.append("prepared_scan")

    def end_scan(self, event: EndScan) -> None:
        self.seen.append(f"end_scan {event.state}")


def test_an_object_has_a_method_per_event_and_a_dict_a_function() -> None:
    methods, ended, told = Methods(), list[WireEvent](), list[WireEvent]()
    scan = diode_scan()
    scan.subscribe(methods)
    scan.subscribe({"end_scan": ended.append, "all": [told.append]})
    scan.run()
    assert methods.seen[0] == "new_node" and methods.seen[-2:] == ["prepared_scan", "end_scan DONE"]
    assert [type(event) for event in ended] == [EndScan] and len(told) > 7


def test_a_class_is_made_for_each_scan_and_a_factory_asked() -> None:
    made: list[LiveCallback] = []

    class Own(LiveCallback):
        def __init__(self) -> None:
            super().__init__()
            made.append(self)

    asked: list[NewNode] = []
    subscriptions = environment.subscriptions
    subscriptions.subscribe(Own)
    subscriptions.subscribe(lambda node: asked.append(node), factory=True)
    first, second = diode_scan(), diode_scan()
    first.run()
    second.run()
    assert len(made) == 2
    assert [node.path for node in asked] == [first.path, second.path]


class Noted(LiveCallback):
    def __init__(self) -> None:
        super().__init__()
        self.ended: list[LiveScan] = []

    def finish(self, scan: LiveScan) -> None:
        self.ended.append(scan)


def test_a_fold_follows_all_scans_of_a_session() -> None:
    noted = Noted()
    environment.subscriptions.subscribe(noted)
    for npoints in (3, 4):
        diode_scan(npoints).run()
    assert [scan.length for scan in noted.ended] == [3, 4]
    assert not noted.scans.running


def test_scans_of_a_kind_are_followed_by_type_name_or_function() -> None:
    def loopscan() -> None: ...

    seen: dict[str, list[str]] = {}
    for label, kind in {
        "type": "ct",
        "name": "loopscan",
        "function": loopscan,
        "none": "ascan",
        "both": ["ct", "x"],
    }.items():
        environment.subscriptions.subscribe(
            {"end_scan": lambda event, label=label: seen.setdefault(label, []).append(event.path)}, kind=kind
        )
    one, other = diode_scan(), diode_scan()
    one.scan_info["type"] = "ct"
    other.scan_info["type"] = "other"
    one.run()
    other.run()
    both = [one.path, other.path]
    assert seen == {"type": [one.path], "name": both, "function": both, "both": [one.path]}


def test_scans_in_the_background_are_followed_by_who_asks_for_them() -> None:
    seen: list[str] = []
    environment.subscriptions.subscribe({"end_scan": lambda event: seen.append("all")})
    environment.subscriptions.subscribe({"end_scan": lambda event: seen.append("kind")}, kind="loopscan")
    scan = diode_scan()
    scan.in_background = True
    scan.run()
    assert seen == ["kind"]


def test_a_callback_that_is_subscribed_twice_is_called_once() -> None:
    events: list[WireEvent] = []
    tell = events.append
    environment.subscriptions.subscribe(tell)
    scan = diode_scan()
    scan.subscribe(tell, lossless=True)
    scan.run()
    assert sum(isinstance(event, EndScan) for event in events) == 1


# -- wrong calls -------------------------------------------------------------------------------------------------------


async def coroutine(event: WireEvent) -> None: ...


class NeedsArguments(LiveCallback):
    def __init__(self, counter: Any) -> None:
        super().__init__()


@pytest.mark.parametrize(
    ("callback", "how", "message"),
    [
        (1, {}, "expected a function f\\(event\\), an object with accept.* got 1"),
        (object, {}, "the objects of class object are none of these"),
        (NeedsArguments, {}, "NeedsArguments: expected NeedsArguments\\(\\).*made anew for each scan"),
        (lambda name, document: None, {}, "expected f\\(event\\); it takes \\(name, document\\)"),
        (coroutine, {}, "coroutine: expected f\\(event\\); it is a coroutine"),
        ({"stop": print}, {}, "no event 'stop', there are: new_node, .*all"),
        ({"end_scan": 3}, {}, "expected a function f\\(event\\).* got 3"),
        (print, {"on_error": "raise"}, 'on_error: expected "report" or "abort", got \'raise\''),
        (print, {"period": -1}, "period: expected seconds, at least 0, got -1"),
        (print, {"period": 1, "lossless": True}, "period: .*leave one of the two out"),
        (print, {"kind": 3}, "kind: expected the type of scans .* got 3"),
        (3, {"factory": True}, "factory: expected a function f\\(new_node\\)"),
        (lambda: None, {"factory": True}, "it takes \\(\\)"),
    ],
)
def test_what_is_no_callback_is_refused_at_once(callback: Any, how: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        environment.subscriptions.subscribe(callback, **how)
    assert not list(environment.subscriptions)


def test_unsubscribed_by_token_or_by_callback_once() -> None:
    subscriptions, seen = environment.subscriptions, list[WireEvent]()
    token = subscriptions.subscribe(seen.append)
    subscriptions.subscribe(print)
    assert "append follows all scans" in repr(token)
    subscriptions.unsubscribe(token)
    subscriptions.unsubscribe(print)
    assert "unsubscribed" in repr(token)
    with pytest.raises(UsageError, match=r"a callback that is subscribed \(none\), got <built-in function print>"):
        subscriptions.unsubscribe(print)
    diode_scan().run()
    assert not seen


def test_a_scan_that_was_run_is_not_subscribed_to() -> None:
    scan = diode_scan()
    scan.run()
    with pytest.raises(
        ScanError, match="is DONE: callbacks are subscribed before a scan is run; .*bliss_like.live.feed"
    ):
        scan.subscribe(print)


# -- errors ------------------------------------------------------------------------------------------------------------


def failing_at(kind: type, error: BaseException) -> Callable[[WireEvent], None]:
    def fail(event: WireEvent) -> None:
        if isinstance(event, kind):
            raise error

    return fail


@pytest.mark.parametrize("error", [ValueError("bad"), UserAbort("no"), gevent.GreenletExit(), SystemExit(3)])
@pytest.mark.parametrize("kind", [NewNode, NewData, EndScan])
def test_an_error_is_reported_in_a_sentence_and_hurts_nobody(
    kind: type, error: BaseException, caplog: pytest.LogCaptureFixture
) -> None:
    events: list[WireEvent] = []
    scan = diode_scan()
    scan.subscribe(failing_at(kind, error))
    scan.subscribe(events.append)
    scan.run()
    assert scan.state is ScanState.DONE and points(events) == [0, 1, 2]
    (record,) = [record for record in caplog.records if record.levelno >= logging.WARNING]
    assert record.getMessage().startswith(f"{scan.label}: callback failing_at.<locals>.fail"[:30])
    assert f"failed at {kind.__name__}" in record.getMessage() and record.exc_info is None


def test_a_callback_that_failed_follows_the_next_scan(caplog: pytest.LogCaptureFixture) -> None:
    calls: list[WireEvent] = []

    def fail(event: WireEvent) -> None:
        calls.append(event)
        raise ValueError("bad")

    noted: list[BaseException] = []
    environment.note_error = noted.append
    environment.subscriptions.subscribe(fail)
    diode_scan().run()
    diode_scan().run()
    assert len(calls) == 2 == len(caplog.records) == len(noted)


def test_a_class_that_cannot_be_made_is_reported(caplog: pytest.LogCaptureFixture) -> None:
    class Bad(LiveCallback):
        def __init__(self) -> None:
            raise ValueError("no display")

    scan = diode_scan()
    scan.subscribe(Bad)
    scan.run()
    assert "callback Bad failed at NewNode: ValueError: no display" in caplog.text


@pytest.mark.parametrize("lossless", [True, False])
def test_an_error_ends_the_scan_if_that_was_asked_for(lossless: bool) -> None:
    scan = diode_scan(10_000)
    scan.subscribe(failing_at(NewData, ValueError("bad")), lossless=lossless, on_error="abort")
    with pytest.raises(ValueError, match="bad") as raised:
        scan.run()
    assert scan.state is ScanState.KILLED and end_of(scan).state == "KILLED" and scan.error is raised.value
    assert end_of(scan).error["message"] == "bad"
    assert any("in callback" in note for note in raised.value.__notes__)
    assert scan.channels[0].length < 10_000


def test_an_error_in_the_last_points_ends_the_scan_killed() -> None:
    def check(event: WireEvent) -> None:
        if isinstance(event, NewData) and event.path.endswith("diode:value") and 2.0 in event.values:
            gevent.sleep(5)
            raise ValueError("the last one")

    scan = diode_scan(3)
    scan.subscribe(check, lossless=True, on_error="abort")
    with pytest.raises(ValueError, match="the last one"):
        scan.run()
    assert scan.state is ScanState.KILLED and end_of(scan).lengths[scan.channels[-1].path] == 3


def test_an_error_with_the_last_event_is_raised_though_the_end_was_told() -> None:
    scan = diode_scan()
    scan.subscribe(failing_at(EndScan, ValueError("bad end")), lossless=True, on_error="abort")
    with pytest.raises(ValueError, match="bad end"):
        scan.run()
    assert scan.state is ScanState.DONE and isinstance(scan.error, ValueError)


def test_a_callback_stops_a_scan_as_its_user_would() -> None:
    scan = diode_scan(10_000)
    scan.subscribe(failing_at(NewData, UserAbort("enough")), on_error="abort")
    with pytest.raises(UserAbort, match="enough"):
        scan.run()
    assert scan.state is ScanState.USER_ABORTED


@pytest.mark.parametrize("lossless", [False, True])
@pytest.mark.parametrize("on_error", ["report", "abort"])
@pytest.mark.parametrize("how", ["stop", "abort"])
def test_a_callback_may_end_its_scan_and_need_not_wait_for_its_own_end(how: str, on_error: Any, lossless: bool) -> None:
    ended: list[ScanState] = []

    def end(event: WireEvent) -> None:
        if isinstance(event, NewData) and not ended:
            ended.append(scan.state)
            getattr(scan, how)()

    scan = diode_scan(10_000)
    scan.subscribe(end, lossless=lossless, on_error=on_error)
    task = in_background(scan)
    assert isinstance(task.get(timeout=5), UserAbort) if how == "abort" else task.get(timeout=5) is None
    assert scan.state is (ScanState.USER_ABORTED if how == "abort" else ScanState.DONE)


def test_of_a_scan_that_fails_the_end_is_told() -> None:
    events: list[Any] = []
    scan = diode_scan(prepare=raising(ValueError("no device")))
    scan.subscribe(events.append)
    with pytest.raises(ValueError, match="no device"):
        scan.run()
    assert isinstance(events[-1], EndScan) and events[-1].state == "KILLED"
    assert events[-1].error["message"] == "no device"


class Broken(MemoryStore):
    """A store that is lost at some moment."""

    is_lost = False

    def append(self, *args: Any, **keys: Any) -> Any:
        if self.is_lost:
            raise StoreUnavailable("no server")
        return super().append(*args, **keys)


def test_also_when_it_could_not_be_published() -> None:
    store, events = Broken(), list[Any]()
    environment.tree = Tree(store, tasks=GREENLETS, limits=Limits(patience=0.5))

    def lose() -> None:
        if len(points(events)) > 3:
            store.is_lost = True
        gevent.sleep(0.01)

    scan = diode_scan(10_000, trigger=lose)
    scan.subscribe(events.append, lossless=True)
    with pytest.raises(PublishError):
        scan.run()
    ends = [event for event in events if isinstance(event, EndScan)]
    assert [end.state for end in ends] == ["KILLED"] and events[-1] is ends[0]
    assert ends[0].lengths[scan.channels[-1].path] == len(points(events)) == 4


def test_a_server_that_was_away_loses_and_repeats_nothing() -> None:
    store, events = Broken(), list[WireEvent]()
    environment.tree = Tree(store, tasks=GREENLETS)

    def lose_now_and_then() -> None:
        store.is_lost = not store.is_lost
        gevent.sleep(0.3)

    scan = diode_scan(10, trigger=lose_now_and_then)
    scan.subscribe(events.append, lossless=True)
    scan.run()
    assert points(events) == list(range(10))
    data = [event for event in events if isinstance(event, NewData) and event.path.endswith("diode:value")]
    assert sum(len(event.values) for event in data) == 10


# -- the time it takes ---------------------------------------------------------------------------------------------------


def test_what_waits_for_a_slow_callback_is_merged() -> None:
    stuck = Stuck(PreparedScan)
    scan = diode_scan(50, trigger=lambda: gevent.sleep(0.01))
    scan.subscribe(stuck)
    run = in_background(scan)
    assert stuck.is_waiting.wait(5)
    scan.wait_state(ScanState.STOPPING)
    stuck.go_on.set()
    assert run.get(timeout=5) is None
    data = [event for event in stuck.events if isinstance(event, NewData) and event.path.endswith("diode:value")]
    assert len(data) == 1 and points(stuck.events) == list(range(50))
    assert isinstance(stuck.events[-1], EndScan)


@pytest.mark.parametrize("how", [{}, LOSSLESS])
def test_of_too_much_a_lossy_one_is_given_the_newest_and_a_lossless_one_all(
    how: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listening, "KEPT", 10 * 8)
    stuck = Stuck(PreparedScan)
    scan = diode_scan(50, trigger=lambda: gevent.sleep(0.01))
    scan.subscribe(stuck, **how)
    run = in_background(scan)
    scan.wait_state(ScanState.STOPPING)
    stuck.go_on.set()
    assert run.get(timeout=5) is None
    (data,) = [event for event in stuck.events if isinstance(event, NewData) and event.path.endswith("diode:value")]
    assert data.first_index == (0 if how else 40) and list(data.values) == list(range(data.first_index, 50))
    structure = [event for event in stuck.events if not isinstance(event, NewData | ScanInfoUpdate)]
    assert len(structure) == len(
        [event for event in events_of(scan) if not isinstance(event, NewData | ScanInfoUpdate)]
    )


def test_a_lossless_callback_holds_back_what_is_stored(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listening, "BEHIND", 100 * 8)
    environment.tree = Tree(MemoryStore(), tasks=GREENLETS, limits=Limits(backlog=100 * 8, batch=10 * 8))
    stuck = Stuck(NewData)
    scan = diode_scan(2000)
    scan.subscribe(stuck, lossless=True)
    run = in_background(scan)
    assert stuck.is_waiting.wait(5)
    gevent.sleep(1)
    held_at = scan.channels[0].length
    assert held_at < 1000
    gevent.sleep(1)
    assert scan.channels[0].length == held_at
    stuck.go_on.set()
    assert run.get(timeout=10) is None
    assert points(stuck.events) == list(range(2000))


class Camera(Device):
    """Emits images, and spectra that are longer each time."""

    def __init__(self) -> None:
        super().__init__("camera", Log())
        self.channels.extend(
            [AcquisitionChannel("camera:image", int, (20, 30)), AcquisitionChannel("camera:samples", int, (-1,))]
        )

    def trigger(self) -> None:
        value, image, samples = self.channels
        image.emit(np.full((20, 30), value.length))
        samples.emit(np.arange(value.length + 1))
        super().trigger()
        gevent.sleep(0.01)


@pytest.mark.parametrize("how", [{}, LOSSLESS])
def test_of_images_the_newest_are_kept_and_shapes_that_vary_are_events_of_their_own(
    how: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listening, "KEPT", 2 * 20 * 30 * 8)
    stuck = Stuck(PreparedScan)
    scan = timer_scan(Camera(), npoints=9)
    scan.subscribe(stuck, **how)
    run = in_background(scan)
    scan.wait_state(ScanState.STOPPING)
    stuck.go_on.set()
    assert run.get(timeout=5) is None
    data = [event for event in stuck.events if isinstance(event, NewData)]
    images = [event for event in data if event.path.endswith(":image")]
    numbers = [int(image[0, 0]) for event in images for image in event.values]
    assert numbers == list(range(9)) if how else numbers[-2:] == [7, 8] and len(numbers) <= 3
    samples = [event for event in data if event.path.endswith(":samples")]
    assert [(event.first_index, event.values.shape) for event in samples] == [(n, (1, n + 1)) for n in range(9)]


@pytest.mark.parametrize(
    ("dtype", "shape", "value"),
    [
        (str, (), lambda n: "é" * n),
        ("S10", (), lambda n: b"abc"[:n]),
        (bool, (), lambda n: n % 2 == 0),
        (">i2", (), lambda n: n),
        (complex, (), lambda n: 1j * n),
        (np.uint8, (2, 3), lambda n: np.full((2, 3), n)),
        (str, (2,), lambda n: ["a" * n, "b"]),
        (float, (0,), lambda n: []),
        (float, (-1,), lambda n: np.arange(float(n))),
        (float, (-1, 0), lambda n: np.empty((n, 0))),
    ],
)
def test_points_of_all_types_are_those_that_a_walker_reads(dtype: Any, shape: tuple[int, ...], value: Any) -> None:
    channel = AcquisitionChannel("device:any", dtype, shape)
    device = Device("device", Log(), trigger=lambda: channel.emit(value(channel.length)))
    device.channels.append(channel)
    events: list[WireEvent] = []
    scan = timer_scan(device, npoints=6)
    scan.subscribe(events.append)
    scan.run()

    def those_of(events: list[WireEvent]) -> list[np.ndarray[Any, Any]]:
        data = [event for event in events if isinstance(event, NewData) and event.path.endswith(":any")]
        return [point for event in data for point in event.values]

    points = those_of(events)
    assert len(points) == 6
    assert not any(event.values.flags.writeable for event in events if isinstance(event, NewData))
    for mine, wired in zip(points, those_of(events_of(scan)), strict=True):
        assert mine.dtype.kind == wired.dtype.kind and np.array_equal(mine, wired)


@pytest.mark.real_time
def test_it_does_not_hold_a_thread_for_which_the_scan_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listening, "BEHIND", 100 * 8)
    monkeypatch.setattr(listening, "_ANSWER", 0.001)
    environment.tree = Tree(MemoryStore(), tasks=THREADS, limits=Limits(backlog=100 * 8, batch=100 * 8))
    events: list[WireEvent] = []
    scan = diode_scan(2000)
    scan.subscribe({"all": events.append, "new_data": lambda event: gevent.sleep(0.001)}, lossless=True)
    scan.run()
    assert points(events) == list(range(2000))


def test_a_slow_callback_takes_its_share_of_the_time_only(clock: Any) -> None:
    calls: list[float] = []

    def slow(event: WireEvent) -> None:
        if isinstance(event, NewData):
            calls.append(clock.elapsed)
            clock.elapsed += 0.1  # as if it calculated

    scan = diode_scan(1000, trigger=lambda: gevent.sleep(0.01))
    scan.subscribe(slow)
    began = clock.elapsed
    scan.run()
    assert 2 <= len(calls) < 40
    assert 0.1 * len(calls) < 1.5 * listening.SHARE * (clock.elapsed - began) + 2 * 0.1 * 4


def test_a_quick_callback_is_called_at_once(clock: Any) -> None:
    late: list[float] = []
    device = Device("diode", Log(), trigger=lambda: gevent.sleep(0.1))
    scan = timer_scan(device, npoints=20)
    scan.subscribe({"new_data": lambda event: late.append(clock.elapsed)})
    scan.run()
    assert len(set(np.round(late, 1))) >= 19


def test_a_period_is_kept_but_for_the_end(clock: Any) -> None:
    calls: list[float] = []
    scan = diode_scan(100, trigger=lambda: gevent.sleep(0.1))
    scan.subscribe(
        {"new_data": lambda event: calls.append(clock.elapsed), "end_scan": lambda event: calls.append(0)}, period=1
    )
    scan.run()
    assert calls[-1] == 0 and len(set(np.round(calls, 1))) <= 13


@pytest.mark.parametrize("how", [{}, LOSSLESS])
def test_a_callback_that_hangs_at_the_end_is_left_behind(how: dict[str, Any], caplog: pytest.LogCaptureFixture) -> None:
    stuck = Stuck(EndScan)
    scan = diode_scan()
    scan.subscribe(stuck, **how)
    run = in_background(scan)
    assert stuck.is_waiting.wait(5)
    if how:
        run.join(5)
        assert not run.ready()  # it is to have all
        run.kill(UserAbort("Ctrl-C"), block=False)
    aborted = run.get(timeout=5)
    assert isinstance(aborted, UserAbort) if how else aborted is None
    assert scan.state is ScanState.DONE and end_of(scan).state == "DONE"
    assert "callback Stuck is not done with it; it is left behind and may go on" in caplog.text
    stuck.go_on.set()


def test_ctrl_c_gets_out_of_a_callback_that_hangs_amid_the_scan(caplog: pytest.LogCaptureFixture) -> None:
    stuck = Stuck(NewData)
    scan = diode_scan(10)
    scan.subscribe(stuck, lossless=True, on_error="abort")
    run = in_background(scan)
    assert stuck.is_waiting.wait(5)
    gevent.sleep(1)
    for _ in range(2):
        run.kill(UserAbort("Ctrl-C"), block=False)
        gevent.sleep(2)
    assert isinstance(run.get(timeout=5), UserAbort)
    assert end_of(scan).state == "USER_ABORTED"
    assert "left behind" in caplog.text


# -- callbacks that do more than look ------------------------------------------------------------------------------------


def test_a_callback_may_run_a_scan_which_it_does_not_follow() -> None:
    inner: list[Scan] = []
    seen: list[str] = []

    def again(event: WireEvent) -> None:
        if isinstance(event, EndScan):
            inner.append(diode_scan(2))
            inner[-1].run()

    environment.subscriptions.subscribe(again, lossless=True)
    environment.subscriptions.subscribe({"end_scan": lambda event: seen.append(event.path)})
    scan = diode_scan()
    scan.run()
    assert [one.state for one in inner] == [ScanState.DONE]
    assert sorted(seen) == sorted([scan.path, inner[0].path])


def test_a_callback_may_subscribe_others_and_unsubscribe_itself() -> None:
    calls, others = list[WireEvent](), list[WireEvent]()

    def once(event: WireEvent) -> None:
        calls.append(event)
        environment.subscriptions.unsubscribe(token)
        environment.subscriptions.subscribe(others.append)

    token = environment.subscriptions.subscribe(once)
    diode_scan().run()
    assert len(calls) == 1 and not others
    diode_scan().run()
    assert len(calls) == 1 and isinstance(others[-1], EndScan)


def test_a_lossless_callback_may_wait_for_the_end_of_its_scan() -> None:
    states: list[ScanState] = []
    scan = diode_scan()
    scan.subscribe({"end_scan": lambda event: states.append(scan.wait_state(ScanState.DONE))}, lossless=True)
    scan.run()
    assert states == [ScanState.DONE]


class SavingAt(FileSaver):
    def wait(self, scan: Scan) -> SavedScan | None:  # type: ignore[override]
        return SavedScan(scan.path, file="/data/a.h5", entries=("/1.1",))


def test_that_a_scan_was_saved_is_told_last() -> None:
    environment.saver = SavingAt("/data/a.h5")
    events: list[Any] = []
    scan = diode_scan()
    scan.subscribe(events.append)
    scan.run()
    assert [type(event) for event in events[-2:]] == [EndScan, SavedScan] and events[-1].place == "/data/a.h5::1.1"


def test_what_a_setup_subscribes_ends_with_it() -> None:
    subscriptions = environment.subscriptions
    lasting = subscriptions.subscribe(print)
    with subscriptions.of_setup():
        of_setup = subscriptions.subscribe(list[WireEvent]().append)
    assert list(subscriptions) == [lasting, of_setup]
    subscriptions.forget_setup()
    assert list(subscriptions) == [lasting] and not of_setup.is_active


def test_nothing_is_kept_for_nobody() -> None:
    scan = diode_scan()
    scan.run()
    assert scan.publisher is not None and scan.publisher.on_stored is None


def test_a_subscription_says_what_it_is() -> None:
    assert repr(Subscription(Noted, kind="ascan", lossless=True, on_error="abort")) == (
        "<Noted follows scans of kind ascan, lossless, aborts them when it fails>"
    )


# -- sequences -----------------------------------------------------------------------------------------------------------


def test_a_sequence_and_its_scans_are_followed_beside_each_other() -> None:
    mine: list[WireEvent] = []
    all_of_them = Noted()
    environment.subscriptions.subscribe(all_of_them)
    sequence = Sequence(title="two", subs=mine.append)
    scans = [diode_scan(), diode_scan()]
    with sequence.sequence_context() as context:
        for scan in scans:
            context.add_and_run(scan)
    group = Group(*scans, subs=[mine.append])
    ends = [
        event.path for event in mine if isinstance(event, EndScan) and event.path not in [scan.path for scan in scans]
    ]
    assert ends == [sequence.scan.path, group.scan.path]
    assert [event.path for event in mine if isinstance(event, EndScan)] == [*(scan.path for scan in scans), *ends]
    references = [
        event.values.tolist() for event in mine if isinstance(event, NewData) and event.path.endswith(":scans")
    ]
    assert sum(references, []) == [scan.path for scan in scans] * 2
    assert [one.path for one in all_of_them.ended] == [scan.path for scan in scans] + ends
    with pytest.raises(UsageError, match="expected a function"):
        Sequence(subs=3)


def test_scan_groups_are_a_kind() -> None:
    seen: list[str] = []
    environment.subscriptions.subscribe({"end_scan": lambda event: seen.append(event.path)}, kind="scan_group")
    scan = diode_scan()
    scan.run()
    group = Group(scan)
    assert seen == [group.scan.path]


@pytest.mark.parametrize("how", [{}, {**LOSSLESS, "on_error": "abort"}])
def test_an_abort_at_any_moment_of_the_end(how: dict[str, Any]) -> None:
    for turns in range(40):
        events: list[WireEvent] = []
        scan = diode_scan()
        scan.subscribe(events.append, **how)
        preset = Aborting(turns)
        scan.add_preset(preset)
        preset.running = in_background(scan)
        preset.running.join(5)
        raised = preset.running.value
        assert (turns, raised) == (turns, scan.error)
        assert (turns, isinstance(raised, UserAbort)) == (turns, preset.came_in_time)
        ends = [event for event in events_of(scan) if isinstance(event, EndScan)]
        assert (turns, [end.state for end in ends]) == (turns, [scan.state.name]) and scan.state.is_final
        assert (turns, type(events[-1])) == (turns, EndScan)


class Aborting(ScanPreset):
    """Aborts a scan so many turns of the hub after its devices have stopped."""

    def __init__(self, turns: int) -> None:
        super().__init__()
        self._turns = turns
        self.running: gevent.Greenlet[..., Any]
        self.came_in_time = False

    def stop(self, scan: Scan) -> None:
        after_turns(self._turns, self._abort)

    def _abort(self) -> None:
        self.came_in_time = not self.running.dead
        self.running.throw(UserAbort("enough"))


def after_turns(turns: int, call: Callable[[], object]) -> None:
    """Make a call when the hub has had so many turns."""
    hub = gevent.get_hub()
    hub.loop.run_callback(after_turns, turns - 1, call) if turns else hub.loop.run_callback(call)
