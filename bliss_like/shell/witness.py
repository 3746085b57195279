"""What a command did to axes and scans: noted while it runs, told in one line when it was interrupted."""

from __future__ import annotations

import contextlib
import logging
import time
from collections.abc import Callable, Container, Iterator
from typing import Any

import gevent
from greenlet import getcurrent, greenlet

from bliss_like.data.counting import counted
from bliss_like.data.lifecycle import ScanState
from bliss_like.devices import move
from bliss_like.devices.move import Move
from bliss_like.devices.naming import name_of
from bliss_like.devices.numbers import place, rounded
from bliss_like.devices.silence import Silence, awaited
from bliss_like.errors import BlissLikeError, UserAbort
from bliss_like.scanning.environment import environment
from bliss_like.scanning.result import length_of
from bliss_like.scanning.scan import Scan
from bliss_like.scanning.scan_group import ScanGroup

_log = logging.getLogger(__name__)

_AS_SHOWN = (ScanState.USER_ABORTED, ScanState.KILLED)
_LOOK = 0.005
MOST = 4
"""Axes, and scans, that are told one by one."""


class Witness:
    """Sees the moves that begin and the scans that run, as long as `watching` is open.

    What belongs to the command is what its greenlet does, and those that it has spawned: it ends with the command, also where
    the command did not wait for it. What others do in the background meanwhile goes on.
    """

    def __init__(self) -> None:
        self._tree: object = None
        self._command: greenlet | None = None
        self._last: dict[Any, _Last] = {}
        """Of each axis that was moved."""
        self._before = list(environment.scans)
        self._interrupted = float("inf")
        self._reason = ""

    @contextlib.contextmanager
    def watching(self) -> Iterator[None]:
        """Watch the command that the present greenlet runs."""
        self._command = getcurrent()
        self._tree = tree_of(self._command)
        move.begun.append(self._moves)
        try:
            yield
        finally:
            move.begun.remove(self._moves)

    def interrupted(self, reason: str = "") -> None:
        """Note that what begins from now on is clean-up; the first time counts.

        :param reason: why, where it was no key.
        """
        if not self.was_interrupted:
            self._interrupted, self._reason = time.monotonic(), reason

    @property
    def was_interrupted(self) -> bool:
        return self._interrupted < float("inf")

    def end_all(self) -> None:
        """Stop what the command has set in motion and did not wait for; return when it stands still, and who shows it has told that.

        Who insists meanwhile, insists on not waiting for that.
        """
        runs_in = environment.pausing.runs_in
        scans = [scan for scan in environment.scans if runs_in(scan) and tree_of(runs_in(scan)) is self._tree]
        moves = {last.move for last in self._last.values() if last.is_own and not last.move.done}
        try:
            for scan in scans:
                if scan.state < ScanState.STOPPING:
                    scan.abort(wait=False)
            for each in moves:
                _try(each.stop)
            for scan in scans:
                scan.wait_state(ScanState.DONE)
            for each in moves:
                _try(each.wait)
            while any(runs_in(scan) for scan in scans):
                gevent.sleep(_LOOK)
        except UserAbort:
            _log.debug("not waited for", exc_info=True)

    def silence(self) -> Silence | None:
        """Return what the command has waited for too long; None as long as all is well."""
        moves = {last.move for last in self._last.values() if last.is_own and not last.move.done}
        found = [silent for move in moves if (silent := move.hearing.silence())]
        if not moves:
            found = [silent for waiter, silent in awaited() if tree_of(waiter) is self._tree]
        return min(found, key=lambda silent: silent.since, default=None)

    def needs_server(self) -> bool:
        """Whether the command has to do with the data server now: it runs a scan, moves axes, or waits for an answer of it."""
        running = environment.pausing.running
        if any(tree_of(environment.pausing.runs_in(scan)) is self._tree for scan in running):
            return True
        if any(last.is_own and not last.move.done for last in self._last.values()):
            return True
        frame = self._command.gr_frame if self._command is not None else None
        while frame is not None and not frame.f_globals.get("__name__", "").startswith("bliss_like.data."):
            frame = frame.f_back
        return frame is not None

    def account(self, shown: Container[str] = ()) -> str:
        """Return what became of it all: `Interrupted: scan 3 (...) aborted after 4 of 11 points; robx stopped at 1.5 mm.`

        :param shown: db_names of scans whose end was shown already: of those, only what is wrong is told.
        """
        interrupted = [scan for scan in reversed(environment.scans) if self._was_interrupted(scan)]
        scans = [_ended(scan) for scan in interrupted if scan.state not in _AS_SHOWN or scan.path not in shown]
        axes = [
            told for axis, last in self._last.items() if not self._is_part(axis) and (told := self._whereabouts(last))
        ]
        is_told = any(scan.path in shown and str(scan.error) == self._reason for scan in interrupted)
        reason = [self._reason] if self._reason and not is_told else []
        facts = [*reason, *_few(scans, "scans"), *_few(axes, "axes")]
        return f"Interrupted: {'; '.join(facts)}." if facts else "Interrupted."

    # -- moves ---------------------------------------------------------------------------------------------------------

    def _moves(self, begun: Move) -> None:
        now = time.monotonic()
        targets = {motion.axis: motion for motion in begun.motions}
        for axis in begun.axes:
            known = self._last.pop(axis, None)  # the last one moved is told last
            start = known.start if known else _start(targets.get(axis))
            motion = targets.get(axis)
            target = motion.user_target_pos if motion is not None and motion.type == "move" else None
            is_own = tree_of(getcurrent()) is self._tree
            self._last[axis] = _Last(axis, begun, now, start, target, is_own)

    def _is_part(self, axis: Any) -> bool:
        """Whether a pseudo axis was moved that says it all."""
        mine = self._last[axis].move
        return any(axis in (other.reals or ()) and mine is self._last[other].move for other in self._last)

    def _whereabouts(self, last: _Last) -> str:
        """Return where an axis came to rest; nothing of one that had arrived before."""
        name = name_of(last.axis)
        if not last.move.done:
            is_told = last.move.stop_wanted
            return f"{name} WAS NOT SEEN TO STOP, look after it" if is_told else f"{name} goes on in the background"
        at = last.position()
        where = "nobody knows where" if at is None else place(last.axis, _sensible(last.axis, at))
        if last.move.was_stopped:
            wanted = None if last.target is None else _sensible(last.axis, last.target)
            is_there = wanted is None or (at is not None and _sensible(last.axis, at) == wanted)
            return f"{name} stopped at {where}{'' if is_there else f' (was going to {wanted:.10g})'}"
        if last.began >= self._interrupted:
            is_back = at is not None and last.start is not None and abs(at - last.start) <= _near(last.axis)
            return f"{name} {'back' if is_back else 'brought to'} {'at ' if is_back else ''}{where}"
        return f"{name} at {where}" if last.is_of_last_scan() else ""

    # -- scans ---------------------------------------------------------------------------------------------------------

    def _was_interrupted(self, scan: Scan) -> bool:
        if any(scan is known for known in self._before):
            return False
        running = environment.pausing.runs_in(scan)
        if running is not None and tree_of(running) is not self._tree:  # somebody else's, in the background
            return False
        return scan.state is not ScanState.DONE or scan.error is not None


class _Last:
    """The last move of an axis."""

    def __init__(
        self, axis: Any, move: Move, began: float, start: float | None, target: float | None, is_own: bool
    ) -> None:
        self.axis, self.move, self.began, self.is_own = axis, move, began, is_own
        self.start, self.target = start, target
        """In user units: where the axis was before the first move of the command, where this move leads."""

    def position(self) -> float | None:
        """Where it is as far as known: nothing is asked of the hardware, which may be what hangs."""
        try:
            if self.axis.reals:
                return float(self.axis._set_position)
            known = self.axis.settings.now().get("position")
        except BlissLikeError:
            return None
        return None if known is None else float(known)

    def is_of_last_scan(self) -> bool:
        scan = environment.scans[-1] if environment.scans else None
        return scan is not None and scan.error is not None and any(self.axis is axis for axis in scan.positions)


def tree_of(running: greenlet | None) -> object:
    """Return what greenlets have in common that one has spawned; None of what is no greenlet of gevent."""
    return getattr(running, "spawn_tree_locals", None)


def _try(step: Callable[[], object]) -> None:
    try:
        step()
    except (Exception, gevent.Timeout) as error:  # noqa: BLE001 - the others are to be stopped, too
        _log.error("%s", error)


def _start(motion: Any) -> float | None:
    if motion is None or motion.type != "move":
        return None
    return float(motion.axis.dial2user((motion.target_pos - motion.delta) / motion.axis.steps_per_unit))


def _sensible(axis: Any, position: float) -> float:
    """Return a position without the digits that its axis' tolerance makes no sense of."""
    return float(rounded(axis, position))


def _near(axis: Any) -> float:
    return float(axis.tolerance or 0.0) + 1e-9


def _ended(scan: Scan) -> str:
    """Return how far a scan came."""
    what = scan.label.replace("scan", "sequence", 1) if isinstance(scan, ScanGroup) else scan.label
    if not scan.state.is_final:
        return f"{what} has NOT ENDED, it is {scan.state.name}"
    if scan.state is ScanState.DONE:
        return f"{what} is complete; its file and callbacks were waited for no more"
    how = "aborted" if scan.state is ScanState.USER_ABORTED else "failed"
    length = length_of(scan)
    kind = "scan" if isinstance(scan, ScanGroup) else "point"
    if not length:
        return f"{what} {how} before its first {kind}"
    return f"{what} {how} after {counted(length, kind, int(scan.scan_info.get('npoints') or 0))}"


def _few(facts: list[str], what: str) -> list[str]:
    if len(facts) <= MOST:
        return facts
    return [*facts[:MOST], f"{len(facts) - MOST} more {what}"]
