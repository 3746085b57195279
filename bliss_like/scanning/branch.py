"""One top master and all below it while its scan runs.

What has to be called in an iteration is worked out once, before the first: what is not overloaded, or is called once only,
costs nothing per point.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from time import monotonic, perf_counter
from typing import Any

import gevent

from bliss_like.errors import ChainError

from .acquisition import AcquisitionMaster, AcquisitionObject, AcquisitionSlave, Call
from .chain import AcquisitionChain, walk
from .greenlets import SideBySide, breathe, called_by, killed_from_outside, run_all
from .presets import ChainIterationPreset

STOP_TIMEOUT = 10.0
"""Seconds that all devices of one level get to stop."""
GRACE = 1.0
"""Seconds that what runs in greenlets gets to end, after it was told to."""

Level = list[AcquisitionObject]
OnFailure = Callable[[BaseException], object]


class Branch:
    """Runs the iterations of one top master.

    :param gate: where it may be held, or ended, between two iterations.
    :param on_failure: hears at once of what fails beside the iteration.
    """

    def __init__(self, chain: AcquisitionChain, top: AcquisitionMaster, gate: Gate, on_failure: OnFailure) -> None:
        self.top = top
        self.nodes = list(walk(top))
        self.levels = _levels(top)
        self.masters = [node for node in self.nodes if isinstance(node, AcquisitionMaster)]
        self.readers = [node for node in self.nodes if isinstance(node, AcquisitionSlave) and node.has_reading]
        self._chain, self._gate = chain, gate
        self._presets = chain.presets_of(top)
        self._iteration_presets: list[Iterator[ChainIterationPreset]] = []
        self._current: list[ChainIterationPreset] = []
        self._steps = [_Steps(node) for node in self.nodes if hasattr(type(node), "__iter__") and _iterates(node, top)]
        self._plans: list[SideBySide] = []
        self.has_begun = self.was_told_to_stop = False
        self._under_way: Sequence[Call] = ()
        self.seconds = {"prepare": 0.0, "move": 0.0, "count": 0.0, "wait": 0.0}
        """What was called to get to the first point, to the others, at the points, and after them, and how long it took."""
        for node in self.nodes:
            node._acq_on_failure = lambda _, error: on_failure(error)

    # -- preparation ----------------------------------------------------------------------------------------------

    def prepare(self) -> None:
        """Begin the first iteration, if there is one, and prepare all devices for it."""
        for master in self.masters:
            master.arm()
        self._forget_prepared()
        run_all(node.apply_parameters for node in self.nodes)
        self.has_begun = self._advance()
        if not self.has_begun:
            return
        run_all([partial(preset.prepare, self._chain) for preset in self._presets])
        iterators = [preset.get_iterator(self._chain) for preset in self._presets]
        self._iteration_presets = [iter(iterator) for iterator in iterators if iterator is not None]
        self._next_presets()
        self._make(self._plan_prepare(first=True), "prepare")

    def _plan_prepare(self, first: bool) -> list[Call]:
        levels = [
            [self._preparation(node) for node in level if node.has_own("prepare") and (first or not node.prepare_once)]
            for level in reversed(self.levels)
        ]
        if self._chain.parallel_prepare:
            levels = [[call for level in levels for call in level]]
        return self._plan(levels)

    def _preparation(self, node: AcquisitionObject) -> Call:
        """Return what prepares a node; where masters may wait for it in their own preparation, it tells them."""
        if not self._chain.parallel_prepare:
            return node.prepare

        def prepare() -> None:
            node._acq_prepared.clear()
            node.prepare()
            node._acq_prepared.set()

        return prepare

    def _plan(self, levels: Iterable[list[Call]]) -> list[Call]:
        """Return what makes the calls, level after level, those of one level side by side."""
        plan: list[Call] = []
        for calls in levels:
            if len(calls) == 1:
                plan.append(calls[0])
            elif calls:
                together = SideBySide(calls)
                self._plans.append(together)
                plan.append(together.run)
        return plan

    # -- iterations -------------------------------------------------------------------------------------------------

    def run(self) -> None:
        """Start the devices, iterate to the end, and wait for the last data.

        :raises ChainError: a device has delivered fewer points than it was to.
        """
        if self._gate.is_closed and not self._gate.pass_through():
            return
        run_all([partial(preset.start, self._chain) for preset in self._presets])
        run_all([preset.start for preset in self._current])
        self._make(self._plan_start(first=True), "count")
        self._iterate()
        if self._gate.is_over:  # ended before all iterations: what they would have brought does not come
            return
        self._make([reader.wait_reading for reader in self.readers], "wait")
        self._make([master.wait_end for master in self.masters], "wait")
        for reader in self.readers:
            _check_complete(reader)

    def _make(self, calls: Iterable[Call], kind: str) -> None:
        """Make calls one after the other; `pending` knows which one is under way, `seconds` how long all have taken."""
        began = perf_counter()
        try:
            for call in calls:
                self._under_way = (call,)
                call()
        finally:
            self.seconds[kind] += perf_counter() - began
        self._under_way = ()

    def pending(self) -> list[Call]:
        """Return the calls of acquisition objects that are waited for; of a master that waits for its slaves, theirs."""
        return [one for call in self._under_way for one in _waited_for(call)]

    def _iterate(self) -> None:
        prepare, start, settle = self._plan_prepare(first=False), self._plan_start(first=False), self._plan_settle()
        gate, has_presets = self._gate, bool(self._presets)
        while True:
            self._make(settle, "wait")
            if has_presets:
                run_all([preset.stop for preset in self._current])
                self._current = []
            if gate.is_held and not gate.pass_through():
                return
            if not self._advance():
                return
            if has_presets:
                self._next_presets()
            self._make(prepare, "move")
            if self._current:
                run_all([preset.start for preset in self._current])
            self._make(start, "count")
            breathe()

    def _advance(self) -> bool:
        """Begin the next iteration of everything that iterates; return False when the top master has no more."""
        for steps in self._steps:  # the top master first: the others end with it
            if not steps.advance():
                return False
        return True

    def _next_presets(self) -> None:
        self._current = []
        for iterator in list(self._iteration_presets):
            preset = next(iterator, None)
            if preset is None:
                self._iteration_presets.remove(iterator)
            elif isinstance(preset, ChainIterationPreset):
                self._current.append(preset)
            else:
                raise ChainError(
                    f"get_iterator of a chain preset: expected ChainIterationPresets, it yielded {preset!r}"
                )
        run_all([preset.prepare for preset in self._current])

    def _plan_start(self, first: bool) -> list[Call]:
        def calls(level: Level) -> Iterator[Call]:
            for node in level:
                if node.start_once and not first:
                    continue
                if isinstance(node, AcquisitionSlave) and node.has_reading:
                    yield node.acq_start
                elif node.has_own("start"):
                    yield node.start

        return self._plan(list(calls(level)) for level in reversed(self.levels))

    def _plan_settle(self) -> list[Call]:
        """What is waited for between iterations: triggers under way, and devices that say when they are ready."""
        plan: list[Call] = [master.wait_slaves for master in self.masters if len(master._acq_triggers)]

        def calls(level: Level) -> Iterator[Call]:
            for node in level:
                if isinstance(node, AcquisitionSlave) and (node.has_reading or node.has_own("wait_ready")):
                    yield node.acq_settle
                elif node.has_own("wait_ready"):
                    yield node.wait_ready

        return plan + self._plan(list(calls(level)) for level in self.levels)

    def _forget_prepared(self) -> None:
        """Make masters wait that want their slaves to be prepared before them, where all levels are prepared at once."""
        for node in self.nodes:
            if self._chain.parallel_prepare and node.has_own("prepare"):
                node._acq_prepared.clear()
            else:
                node._acq_prepared.set()

    # -- the end ------------------------------------------------------------------------------------------------------

    def before_stop(self) -> list[BaseException]:
        return _call_all([partial(preset.before_stop, self._chain) for preset in self._presets], STOP_TIMEOUT)

    def stop(self) -> list[BaseException]:
        """Stop every device, masters first, whatever any of them does; return what went wrong."""
        self.was_told_to_stop = True
        errors: list[BaseException] = []
        for master in self.masters:
            master._acq_triggers.kill(GRACE)
        for level in self.levels:
            stops: list[Call] = [node.stop for node in level if node.has_own("stop")]
            self._under_way = stops
            errors += _call_all(list(stops), STOP_TIMEOUT, stops.remove)
        return errors

    def after_stop(self) -> list[BaseException]:
        deadline = monotonic() + GRACE  # for all of them together
        for node in self.readers:
            node.acq_end_reading(max(0.0, deadline - monotonic()))
        calls: list[Call] = [partial(preset.stop, self._chain) for preset in self._presets]
        return _call_all(calls + [preset.stop for preset in self._current], STOP_TIMEOUT)

    def close(self) -> None:
        for master in self.masters:
            master.disarm()
        for plan in self._plans:
            plan.close()


class Gate:
    """Where a scan is held between two iterations, or told that there is none to come."""

    def __init__(self) -> None:
        self.is_held = False
        self.is_over = False
        self.on_hold: Callable[[str], object] | None = None
        """Told who holds the scan, as soon as it is held, and "" when it goes on."""
        self._closed_by: set[str] = set()
        self._told = ""
        self._changed = gevent.event.Event()

    @property
    def is_closed(self) -> bool:
        return bool(self._closed_by)

    def is_closed_by(self, who: str) -> bool:
        return who in self._closed_by

    def close(self, by: str = "user") -> None:
        """Hold the scan; several may, and it goes on when all have opened the gate again."""
        if not self.is_over:
            self._closed_by.add(by)
            self.is_held = True
            self._wake()

    def open(self, by: str = "user") -> None:
        self._closed_by.discard(by)
        if not self._closed_by:
            self.is_held = self.is_over
        self._wake()

    def end(self) -> None:
        """Let nobody begin an iteration any more."""
        self.is_held = self.is_over = True
        self._closed_by.clear()
        self._wake()

    def pass_through(self) -> bool:
        """Wait while the gate is closed; return whether to go on."""
        try:
            while self.is_closed:
                changed = self._changed
                self._tell(", ".join(sorted(self._closed_by)))
                changed.wait()
        finally:
            self._tell("")
        return not self.is_over

    def _wake(self) -> None:
        changed, self._changed = self._changed, gevent.event.Event()
        changed.set()

    def _tell(self, who: str) -> None:
        if who != self._told:
            self._told = who
            if self.on_hold is not None:
                self.on_hold(who)


class _Steps:
    """The iterations of one acquisition object; below a top master they begin again when they are over."""

    def __init__(self, node: Any) -> None:
        self._node = node
        self._is_top = node.parent is None
        self._iterator: Iterator[Any] | None = None

    def advance(self) -> bool:
        if self._iterator is None:
            self._iterator = iter(self._node)
        for _ in self._iterator:
            return True
        if self._is_top:
            return False
        if isinstance(self._node, AcquisitionSlave):
            self._node.wait_reading()
        self._iterator = iter(self._node)
        for _ in self._iterator:
            return True
        raise ChainError(f"{self._node!r}: expected at least one iteration, it has none")


def _iterates(node: AcquisitionObject, top: AcquisitionMaster) -> bool:
    return node is top or type(node).__iter__ is not AcquisitionMaster.__iter__  # type: ignore[attr-defined]


def _check_complete(reader: AcquisitionSlave) -> None:
    """:raises ChainError: the reading of a device that is started once has ended before all points were there."""
    is_counted = reader.prepare_once and reader.start_once and reader.channels and reader.npoints > 0
    if reader.reading_failed or not is_counted:
        return
    npoints = max(channel.length for channel in reader.channels)
    if npoints < reader.npoints:
        raise ChainError(
            f"{reader.name}: expected {reader.npoints} points, its reading ended after {npoints}; "
            f"{reader.npoints - npoints} are missing, those that came are kept. Was it triggered as often?"
        )


def _levels(top: AcquisitionMaster) -> list[Level]:
    """Return the acquisition objects by their distance from the top."""
    levels: list[Level] = [[top]]
    while True:
        below = [slave for node in levels[-1] if isinstance(node, AcquisitionMaster) for slave in node.slaves]
        if not below:
            return levels
        levels.append(below)


def _waited_for(call: Call) -> list[Call]:
    owner = getattr(call, "__self__", None)
    below = owner if isinstance(owner, SideBySide) else getattr(owner, "_acq_triggers", None)
    waiting = below.waiting if isinstance(below, SideBySide) else []
    return [one for each in waiting for one in _waited_for(each)] or [call]


def _call_all(
    calls: list[Call], timeout: float, done: Callable[[Call], object] = lambda call: None
) -> list[BaseException]:
    """Make all calls side by side, none hindering another; return what they raised, or that they took too long.

    :param done: hears of each that has returned.
    """
    errors: list[BaseException] = []

    def guarded(call: Call) -> None:
        try:
            call()
        except gevent.GreenletExit as killed:
            errors.append(killed_from_outside(killed))  # if it was us, nobody looks at them any more
        except BaseException as error:  # noqa: BLE001  none may hinder the others
            errors.append(error)
        finally:
            done(call)

    tasks = [called_by(gevent.spawn(guarded, call)) for call in calls]
    gevent.joinall(tasks, timeout=timeout)
    for task, call in zip(tasks, calls, strict=True):
        if not task.ready():
            owner = getattr(call, "__self__", call)
            errors.append(
                ChainError(
                    f"{owner!r}: {getattr(call, '__name__', 'stop')} did not return within {timeout:g} s; it was given up, "
                    "look after the device"
                )
            )
            task.kill(block=False)
    return errors
