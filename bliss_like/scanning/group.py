"""Sequences and groups: scans whose data are other scans.

Each is one scan more, a `ScanGroup`, that stays open until all its scans are added.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import partial
from numbers import Integral
from typing import Any

import gevent

from bliss_like.data import paths
from bliss_like.data.lifecycle import ScanState
from bliss_like.data.node import DataNode, ScanNode
from bliss_like.data.past import PastScans
from bliss_like.errors import ScanSequenceError, StoreUnavailable

from .acquisition import AcquisitionSlave
from .chain import AcquisitionChain
from .channel import AcquisitionChannel
from .environment import environment
from .greenlets import Shield
from .scan import Scan, ScanProgress
from .scan_group import GroupingMaster, ScanGroup
from .subscriptions import subscriptions_of

__all__ = ["Group", "ScanSequenceError", "Sequence", "SequenceContext"]

_log = logging.getLogger(__name__)


class Sequence:
    """Bundles scans that run, or have run, while its context is open::

        seq = Sequence(title="my_sequence")
        with seq.sequence_context() as scan_seq:
            scan_seq.add_and_run(loopscan(5, 0.1, diode, run=False))

    :param scan_info: goes into the info of the sequence; {"sequence_info": {"scan_count": 5}} announces how many
        scans are to come.
    :param subs: callbacks that follow the sequence, and its scans that were not begun when they were added.
    """

    def __init__(
        self,
        scan_info: Mapping[str, Any] | None = None,
        title: str = "sequence_of_scans",
        scan_progress: ScanProgress | None = None,
        subs: Any = None,
    ) -> None:
        if not isinstance(title, str) or not title:
            raise ScanSequenceError(f"title of a sequence or group: expected a text, got {title!r}")
        if not isinstance(scan_info, Mapping | None):
            raise ScanSequenceError(f"sequence {title!r}: scan_info: expected a dict, got {scan_info!r}")
        self.title = title
        self.scan_info = dict(scan_info or {})
        self.custom_channels: dict[str, AcquisitionChannel] = {}
        self._progress = scan_progress
        self._subscriptions = subscriptions_of(subs)
        self._master = GroupingMaster()
        self._scan: ScanGroup | None = None
        self._scans: list[Scan | ScanNode] = []
        self._waiters: list[tuple[Scan, gevent.Greenlet[..., None]]] = []

    def add_custom_channel(self, channel: AcquisitionChannel) -> None:
        """Publish one more channel with the sequence; emit on it while the context is open.

        :raises ScanSequenceError: no channel; the chain of the sequence is built already, or has a channel of that name.
        """
        if not isinstance(channel, AcquisitionChannel):
            raise ScanSequenceError(
                f"sequence {self.title!r}: expected an AcquisitionChannel(name, dtype, shape), got {channel!r}"
            )
        if self._scan is not None:
            raise ScanSequenceError(
                f"sequence {self.title!r}: channel {channel.name!r} comes too late, add custom channels before the context"
            )
        if channel.name in self.custom_channels:
            raise ScanSequenceError(f"sequence {self.title!r} has a custom channel {channel.name!r} already")
        self.custom_channels[channel.name] = channel

    @property
    def scan(self) -> ScanGroup:
        """The scan that the sequence itself is; its chain is built when first asked for."""
        if self._scan is None:
            chain = AcquisitionChain()
            chain.add(self._master)
            if self.custom_channels:
                slave = AcquisitionSlave(name="custom_channels", npoints=0)
                slave.channels.extend(self.custom_channels.values())
                chain.add(self._master, slave)
            self._scan = ScanGroup(chain, self.title, self.scan_info, scan_progress=self._progress)
            self._scan.subscriptions.extend(self._subscriptions)
            self._scan.scans = self._scans
        return self._scan

    @property
    def node(self) -> ScanNode:
        """The node of the sequence.

        :raises ScanError: its context was not opened yet.
        """
        return self.scan.node

    @property
    def state(self) -> ScanState:
        return ScanState.IDLE if self._scan is None else self._scan.state

    @property
    def progress(self) -> tuple[int, int]:
        """How many of the scans are over, and how many there are or were announced."""
        over = sum(scan.state.is_final for scan in self._scans)
        announced = self.scan_info.get("sequence_info", {}).get("scan_count", 0)
        return over, max(announced, len(self._scans))

    @contextmanager
    def sequence_context(self) -> Iterator[SequenceContext]:
        """Start the sequence; it ends with the context, as do its scans that still run if that is left by an exception.

        :raises ScanSequenceError: a scan that was added is not over when the context is left, or the sequence was used
            before.
        """
        if self.state is not ScanState.IDLE:
            raise ScanSequenceError(f"{self!r} was used before: a sequence can only be run once, make a new one")
        runner = gevent.spawn(_outcome, self.scan)
        try:
            self._wait_started(runner)
            yield SequenceContext(self)
            self._check_all_over()
            self._publish_waiting()
        except BaseException as error:
            Shield().run(partial(self._end, runner, error))
            raise
        self._end(runner, None)
        failure = runner.get()
        if failure is not None:
            raise failure

    def wait_all_subscans(self, timeout: float | None = None) -> None:
        """Wait until all scans that were added are over.

        :raises TimeoutError: that took longer than `timeout` seconds.
        """
        with gevent.Timeout(timeout, TimeoutError(f"sequence {self.title!r}: scans still running after {timeout} s")):
            for scan in self._scans:
                if isinstance(scan, Scan):
                    scan.wait_state(ScanState.DONE)

    def __info__(self) -> str:
        return repr(self) if self._scan is None else self._scan.__info__()

    def __repr__(self) -> str:
        number = f"number={self._scan.scan_number}, " if self._scan and self._scan.scan_number else ""
        return f"{type(self).__name__}({number}title={self.title!r}, scans={len(self._scans)}, state={self.state.name})"

    # -- for the context -----------------------------------------------------------------------------------------------

    def add(self, scan: Scan | ScanNode) -> None:
        """Reference a scan, at once if it has started, else as soon as it does."""
        if self.scan.state is not ScanState.STARTING:
            raise ScanSequenceError(
                f"sequence {self.title!r} is {self.state.name}: scans can only be added inside its context"
            )
        if any(scan is known for known in self._scans):
            raise ScanSequenceError(f"sequence {self.title!r}: {scan!r} was added already")
        self._scans.append(scan)
        if self.scan.is_paused and isinstance(scan, Scan):
            scan.pause()
        if isinstance(scan, Scan) and scan.state < ScanState.STARTING:
            scan.scan_info["group"] = self.scan.path
            scan.scan_info["index_in_sequence"] = len(self._scans) - 1
            scan.subscriptions.extend(self.scan.subscriptions)
            self._waiters.append((scan, gevent.spawn(self._reference_when_started, scan)))
        else:
            self._reference(scan)
        if isinstance(scan, Scan):
            self._waiters.append((scan, gevent.spawn(self._note_end, scan)))

    def _reference_when_started(self, scan: Scan) -> None:
        scan.wait_state(ScanState.STARTING)
        if scan.publisher is not None:  # it may have failed before it had a node
            self._reference(scan)

    def _note_end(self, scan: Scan) -> None:
        scan.wait_state(ScanState.DONE)
        over, total = self.progress
        self._master.emit_progress_signal({"scans_over": over, "scan_count": total})

    def _reference(self, scan: Scan | ScanNode) -> None:
        if isinstance(scan, Scan):
            path, number, info = scan.path, scan.scan_number, dict(scan.scan_info)
        else:
            path, number, info = scan.db_name, int(scan.info["scan_nb"]), dict(scan.info)
        with suppress(StoreUnavailable):  # the reference counts, and waits for the server; the time left can be shorter
            environment.require_tree().renew(path)
        if info.get("filename"):
            told = {"scan_nb": number, "masters": len(info.get("acquisition_chain", ())) or 1}
            told |= {key: info[key] for key in ("uid", "filename") if key in info}
            self.scan.update_info(sequence_info={"scans": {path: told}})
        self._master.add(path, number)

    # -- beginning and end ---------------------------------------------------------------------------------------------

    def _wait_started(self, runner: gevent.Greenlet[..., BaseException | None]) -> None:
        self.scan.wait_state(ScanState.STARTING)
        if self.scan.state is not ScanState.STARTING:
            raise runner.get() or ScanSequenceError(f"sequence {self.title!r} could not be started")

    def _check_all_over(self) -> None:
        for scan in self._scans:
            if isinstance(scan, Scan) and not scan.state.is_final:
                hint = "run it, or do not add it" if scan.state is ScanState.IDLE else "call wait_all_subscans() first"
                raise ScanSequenceError(
                    f"sequence {self.title!r}: {scan!r} is {scan.state.name}, all scans must have finished before the "
                    f"sequence context is left: {hint}"
                )

    def _publish_waiting(self) -> None:
        gevent.joinall([waiter for _, waiter in self._waiters], raise_error=True)

    def _end(self, runner: gevent.Greenlet[..., BaseException | None], error: BaseException | None) -> None:
        """Close the sequence; if it is left by an error, its scans that still run are aborted first."""
        if error is not None:
            for scan in self._scans:
                if isinstance(scan, Scan) and ScanState.IDLE < scan.state < ScanState.DONE and _ends_scans(error):
                    scan.abort()
            gevent.joinall([waiter for scan, waiter in self._waiters if scan.state > ScanState.IDLE], timeout=1)
            gevent.killall([waiter for _, waiter in self._waiters])
        self.scan.subscan_states = [scan.state for scan in self._scans if scan.state.is_final]
        if error is None:
            self._master.close()
        else:
            self.scan.end(error)
        runner.join()


class SequenceContext:
    """What is inside `with seq.sequence_context() as scan_seq:`."""

    def __init__(self, sequence: Sequence) -> None:
        self.sequence = sequence

    def add(self, scan: Scan | ScanNode) -> None:
        """Add a scan that has not started, is running, or has run; of a past one, its node.

        :raises ScanSequenceError: it is not a scan, or was added already.
        """
        if isinstance(scan, ScanNode):
            _member(scan)
        elif not isinstance(scan, Scan):
            raise ScanSequenceError(
                f"sequence {self.sequence.title!r}: expected a scan to add, got {scan!r}; loopscan(..., run=False) makes one"
            )
        self.sequence.add(scan)

    def add_and_run(self, scan: Scan) -> None:
        """Add a scan and run it; return when it is over.

        :raises ScanSequenceError: it has been started before.
        :raises BaseException: what ended the scan.
        """
        if isinstance(scan, Scan) and scan.state is not ScanState.IDLE:
            raise ScanSequenceError(
                f'Error in add_and_run: scan "{scan.name}" has already been started before! Make it with run=False, or '
                "use add for a scan that has run"
            )
        self.add(scan)
        scan.run()

    def wait_all_subscans(self, timeout: float | None = None) -> None:
        """Wait until all scans that were added are over.

        :raises TimeoutError: that took longer than `timeout` seconds.
        """
        self.sequence.wait_all_subscans(timeout)


class Group:
    """Bundles scans that have run: `Group(s1, s2)`, by scan, by data node or by scan number.

    Everything is checked before anything is published.

    :raises ScanSequenceError: a scan that has not run, a node of another kind, a number that is not found.
    """

    def __init__(
        self,
        *scans: Scan | ScanNode | int,
        title: str = "group_of_scans",
        scan_info: Mapping[str, Any] | None = None,
        subs: Any = None,
    ) -> None:
        members = [_member(scan) for scan in scans]
        self._sequence = Sequence(scan_info, title, subs=subs)
        with self._sequence.sequence_context():
            for member in members:
                self._sequence.add(member)
        self.title = title
        self.scan = self._sequence.scan

    @property
    def node(self) -> ScanNode:
        return self.scan.node

    @property
    def state(self) -> ScanState:
        return self.scan.state

    def __info__(self) -> str:
        return self.scan.__info__()

    def __repr__(self) -> str:
        return repr(self._sequence).replace("Sequence", "Group", 1)


def _member(item: object) -> Scan | ScanNode:
    if isinstance(item, Scan):
        if not item.state.is_final:
            raise ScanSequenceError(
                f"Only scans that have been run before can be added to group: {item!r} is {item.state.name}"
            )
        return item
    if isinstance(item, ScanNode):
        if not item.state.is_final:
            raise ScanSequenceError(f"Only scans that have been run before can be added to group: {item!r} is running")
        return item
    if isinstance(item, DataNode):
        raise ScanSequenceError(f"Only scans can be added to group, got {item!r}")
    if isinstance(item, Integral) and not isinstance(item, bool):
        return _find_by_number(int(item))
    raise ScanSequenceError(
        f"Invalid argument: no scan node corresponds to {item!r}; expected a scan, its node or number"
    )


def _find_by_number(number: int) -> ScanNode:
    """Return the saved scan of that number: below where scans go now, else anywhere in the session, the newest."""
    container = environment.container()
    found = list(PastScans(environment.require_tree().store, environment.session_name).find(number))
    if not found:
        where = f"in session {environment.session_name!r}, neither in the store nor in the catalogue of saved scans"
        raise ScanSequenceError(f"Scan number {number} not found {where}; it was not saved, or its file is gone")
    node = next((node for node in found if paths.parent(node.db_name) == container), found[0])
    others = f"; others of that number: {', '.join(other.db_name for other in found if other != node)}"
    _log.info("scan %d is %s%s", number, node.db_name, others if len(found) > 1 else "")
    return node


def _ends_scans(error: BaseException) -> bool:
    """Whether what ended the context ends the scans that still run: anything but leaving it too early."""
    return not isinstance(error, ScanSequenceError)


def _outcome(scan: Scan) -> BaseException | None:
    """Run a scan in a greenlet of its own; return what ended it, not left to gevent."""
    try:
        scan.run()
    except BaseException as error:  # noqa: BLE001  raised by who waits; gevent would throw it into the main greenlet
        return error
    return None
