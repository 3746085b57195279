"""The run of one scan, from its number to its end.

The order is: claim the devices, announce the scan, presets, announce the nodes, prepare, PREPARED_SCAN, start, iterate,
stop, presets, metadata, END_SCAN. The last five happen whatever went wrong before. What fails first is kept; what fails
after it is logged.
"""

from __future__ import annotations

import logging
import threading
import time
import traceback
import uuid
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import gevent
from gevent.event import Event
from gevent.hub import get_hub

from bliss_like import __version__
from bliss_like.data import paths
from bliss_like.data.events import EndScan, NodeKind, PreparedScan, ScanInfoUpdate
from bliss_like.data.lifecycle import ScanState
from bliss_like.data.process import this_process
from bliss_like.data.scan_info import merged
from bliss_like.devices.hooking import hooks_of_scan
from bliss_like.devices.interlock import claimed
from bliss_like.errors import BlissLikeError, ChainError, UserAbort

from . import nodes
from .acquisition import AcquisitionMaster, AcquisitionObject, MetaTiming, is_axis
from .branch import GRACE, Branch
from .environment import environment
from .greenlets import Shield, captured, killed_from_outside, run_all
from .metadata import Metadata
from .presets import ChannelNodes
from .scan_info import END_REASONS, describe_chain, timestamps

if TYPE_CHECKING:
    from .scan import Scan

_log = logging.getLogger(__name__)

_FOR_THE_FILE = 1.0
"""Seconds that the file of a scan still has when the wait for it is aborted."""


class ScanRun:
    """Runs one scan once."""

    def __init__(self, scan: Scan) -> None:
        self.scan = scan
        self._branches: list[Branch] = []
        self._tasks: list[gevent.Greenlet[..., None]] = []
        self._news = Event()
        self._failure: BaseException | None = None
        self._is_over = False
        self._hub, self._thread = get_hub(), threading.get_ident()
        self._at_rest: list[Callable[[], object]] = []
        """What is to be called when the devices are stopped, because its counterpart was called before."""
        self._at_end: list[Callable[[], object]] = []
        """The same, for when the end is published."""
        self._metadata = Metadata(scan)
        self._end_info: dict[str, Any] = {}
        self._shield = Shield()
        self._saver = environment.saver if scan.save else None

    def run(self) -> None:
        """Run the scan; raise what ended it, if that was not its natural end."""
        scan = self.scan
        environment.require_tree()
        if not scan.acq_chain.top_masters:
            raise ChainError(f"{scan!r}: its chain is empty; add a master")
        if scan.acq_chain.runs_in is not None:
            raise ChainError(f"{scan!r}: its chain is running in {scan.acq_chain.runs_in!r}; make one for each scan")
        scan.acq_chain.runs_in = scan
        try:
            self._run()
        finally:
            scan.acq_chain.runs_in = None

    def _run(self) -> None:
        scan, tree = self.scan, environment.require_tree()
        scan.set_state(ScanState.PREPARING)
        scan.on_end(self._end_from_anywhere)
        if not scan.in_background:
            environment.scans.append(scan)
        with ExitStack() as contexts:
            error: BaseException | None = None
            try:
                self._take_the_devices(contexts)
                if self._saver is not None:
                    self._saver.check(scan)  # which may make a new dataset
                container = environment.container()
                on_disk = self._saver.last_number() if self._saver is not None else 0
                scan.scan_number = tree.next_scan_number(container, saved=scan.save, above=on_disk)
                name = paths.scan_name(scan.scan_number, scan.name, saved=scan.save)
                self._describe_start()
                scan.path = paths.join(container, name)
                scan.publisher = tree.open_scan(scan.path, scan.kind, dict(scan.scan_info))
                scan.publisher.on_failure = self._end_from_anywhere
                if self._saver is not None:
                    contexts.enter_context(self._saver.beside(scan))
                for preset in environment.presets:
                    contexts.enter_context(preset(scan))
                self._prepare()
                self._acquire()
            except BaseException as raised:  # noqa: BLE001  it is raised again when everything is cleaned up
                error = raised
            error = self._finish(error)
            failures: list[BaseException] = []
            for call in self._at_end:
                self._attempt(failures, call)
            error = error or next(iter(failures), None)
            if error is not None:
                raise error

    def _take_the_devices(self, contexts: ExitStack) -> None:
        scan = self.scan
        driven, purpose = nodes.driven_by(scan.acq_chain), str(scan.scan_info["title"])
        if scan.in_background:
            return
        if scan.kind is NodeKind.SCAN:  # a sequence stays open while nothing is measured; its scans come by themselves
            contexts.enter_context(environment.background.out_of_the_way(purpose))
        contexts.enter_context(claimed(driven, purpose))

    # -- beginning -------------------------------------------------------------------------------------------------------

    def _describe_start(self) -> None:
        scan = self.scan
        scan.scan_info.update(
            scan_nb=scan.scan_number,
            uid=uuid.uuid4().hex,
            session_name=environment.session_name,
            user_name=environment.user_name,
            **this_process(),
            publisher="bliss_like",
            publisher_version=__version__,
            **timestamps("start", time.time()),
            **(self._saver.describe(scan) if self._saver is not None else {}),
        )
        self._metadata.gather(MetaTiming.START)
        scan.scan_info.take_unpublished()  # all of it is going to be

    def _prepare(self) -> None:
        scan = self.scan
        self._supervise([self._prepare_all], lambda done: len(done) == 1)
        info = describe_chain(scan.acq_chain, scan.scan_info.get("channels", {}))
        scan.scan_info.update(info)
        info = merged(info, self._metadata.gather(MetaTiming.PREPARED))
        info = merged(info, scan.scan_info.take_unpublished())
        self._publish(PreparedScan(scan.path, info))

    def _prepare_all(self) -> None:
        scan, chain = self.scan, self.scan.acq_chain
        hooks = hooks_of_scan(device for device in nodes.driven_by(chain) if is_axis(device))
        self._at_rest += [*(_bound(preset.stop, scan) for preset in scan.presets), hooks.after]
        hooks.before()
        run_all([_bound(preset.prepare, scan) for preset in scan.presets])
        for node in chain.nodes_list:
            node._acq_on_progress = self._on_progress
        self._say_where_images_go()
        if scan.publisher is not None:
            nodes.announce(chain, scan.path, scan.publisher)
        for preset in scan.presets:
            preset.connect_to(scan)
        self._branches = [Branch(chain, top, scan.gate, self._end) for top in chain.top_masters]
        run_all([branch.prepare for branch in self._branches])

    def _say_where_images_go(self) -> None:
        scan, saving = self.scan, self.scan.scan_saving
        for node in scan.acq_chain.nodes_list:
            if isinstance(node, AcquisitionMaster) and node.has_own_image_saving:
                if saving is None or not scan.save_images:
                    node.set_image_saving(None, None, force_no_saving=True)
                    continue
                device = getattr(node.device, "name", node.name)
                directory = saving.get_images_path(scan.scan_number, device)
                prefix = saving.get_images_prefix(scan.scan_number, device)
                node.set_image_saving(directory, prefix, asked=scan.save_images_asked)

    # -- acquisition -----------------------------------------------------------------------------------------------------

    def _acquire(self) -> None:
        scan = self.scan
        if self._is_over:
            return
        scan.set_state(ScanState.STARTING)
        self._publish(ScanInfoUpdate(scan.path, {"state": scan.state.name}))
        run_all([_bound(preset.start, scan) for preset in scan.presets])
        if scan.progress is not None:
            self._at_rest.append(scan.progress.end)
            scan.progress.begin(scan)
        if scan.watchdog is not None:
            self._at_end.append(_bound(scan.watchdog.on_scan_end, scan.scan_info))
            scan.watchdog.on_scan_new(scan, scan.scan_info)
            self._tasks.append(gevent.spawn(self._guard, self._watch))
        running = [branch for branch in self._branches if branch.has_begun]
        ends_all = {n for n, branch in enumerate(running) if branch.top.terminator}
        self._supervise(
            [branch.run for branch in running], lambda done: bool(done & ends_all) or len(done) == len(running)
        )

    def _supervise(self, calls: list[Callable[[], object]], is_enough: Callable[[set[int]], bool]) -> None:
        """Make the calls beside each other until enough of them are done, or the scan is ended.

        :raises BaseException: what failed first, here or in anything that belongs to the scan.
        """
        done: set[int] = set()

        def carry_out(number: int, call: Callable[[], object]) -> None:
            self._guard(call)
            done.add(number)
            self._news.set()

        self._tasks += [gevent.spawn(carry_out, number, call) for number, call in enumerate(calls)]
        while not (self._is_over or is_enough(done)):
            self._news.wait()
            self._news.clear()
        if self._failure is not None:
            raise self._failure

    def _guard(self, call: Callable[[], object]) -> None:
        """Make a call in a greenlet of its own, so that what it raises ends the scan."""
        try:
            call()
        except gevent.GreenletExit as killed:
            if not self._is_over:  # else it was us
                self._end(killed_from_outside(killed))
        except BaseException as error:  # noqa: BLE001  the supervisor raises it
            self._end(error)

    def _end(self, error: BaseException | None) -> None:
        """End the acquisition; the first error counts."""
        if error is not None and self._failure is None:
            self._failure = error
        elif error is not None and error is not self._failure:
            self._log_failure("also failed", error)
        self._is_over = True
        self._news.set()

    def _end_from_anywhere(self, error: BaseException | None) -> None:
        if threading.get_ident() == self._thread:
            self._end(error)
        else:
            self._hub.loop.run_callback_threadsafe(self._end, error)

    def _on_progress(self, _: AcquisitionObject, data: Mapping[str, Any]) -> None:
        if self.scan.progress is not None:
            self.scan.progress.on_signal(data)

    def _watch(self) -> None:
        """Let the watchdog look at the scan from time to time."""
        scan, watchdog = self.scan, self.scan.watchdog
        if watchdog is None:
            return
        seen: dict[Any, int] = {}
        channel_nodes = ChannelNodes(scan)
        last = time.monotonic()
        try:
            while True:
                gevent.sleep(min(0.1, watchdog.timeout / 2))
                news = {channel: channel.length for channel in scan.channels if channel.length != seen.get(channel, 0)}
                if news:
                    seen.update(news)
                    last = time.monotonic()
                    watchdog.on_scan_data(news, channel_nodes, scan.scan_info)
                elif time.monotonic() - last >= watchdog.timeout:
                    last = time.monotonic()
                    watchdog.on_timeout()
        except StopIteration:
            self._end(None)

    # -- the end -----------------------------------------------------------------------------------------------------------

    def _finish(self, error: BaseException | None) -> BaseException | None:
        """Bring everything to rest and publish the end; return what ended the scan."""
        scan = self.scan
        self._shield = shield = Shield(aborts=0 if error is None or isinstance(error, Exception) else 1)
        failures: list[BaseException] = []
        self._attempt(failures, lambda: shield.run(lambda: self._bring_to_rest(failures)))
        if shield.gave_up:
            failures.append(UserAbort(f"scan {scan.name}: gave up waiting for its devices to stop, look after them"))
        error = error or self._failure or shield.abort or next(iter(failures), None)
        self._note_place(error)
        for other in failures:
            if other is not error:
                self._log_failure("failed at its end", other)
        try:
            shield.run(lambda: self._publish_end(error, flush=not shield.gave_up))
        except Exception as raised:  # noqa: BLE001  returned
            if error is None:
                error = raised
                self._note_place(error)
            elif raised is not error:
                _log.error("scan %s: its end could not be published: %s", scan.name, raised)
        unsaved = self._wait_until_saved()
        if error is not None and isinstance(unsaved, Exception):
            _log.error("%s", unsaved)
        error = error or unsaved or shield.abort
        if not scan.state.is_final:
            scan.set_state(scan.final_state(error))
        scan.tell_state()
        scan.error = error
        return error

    def _wait_until_saved(self) -> BaseException | None:
        """Wait for the file, whatever ended the scan; an abort ends the wait, and the command, but the scan is what it was."""
        scan, saver = self.scan, self._saver
        if saver is None or scan.publisher is None or self._shield.gave_up:
            return None
        waiting = gevent.spawn(captured, lambda: saver.wait(scan))
        aborts: list[BaseException] = []
        self._attempt(aborts, waiting.join)
        if aborts:
            self._attempt(aborts, lambda: waiting.join(_FOR_THE_FILE))
        unsaved = waiting.value
        if not waiting.ready():
            waiting.kill(block=False)
            _log.warning("scan %s %s: its file is waited for no more, the writer goes on", scan.scan_number, scan.name)
        self._note_place(unsaved)
        return unsaved or next(iter(aborts), None)

    def _log_failure(self, what: str, error: BaseException) -> None:
        """Log what is not raised; with its traceback, unless it is a sentence that says all by itself."""
        owner = _raised_by(error)
        place = f", in {owner.name}" if owner is not None else ""
        is_told = isinstance(error, BlissLikeError)
        told = f": {error}" if is_told else ""
        _log.error("scan %s: %s%s%s", self.scan.name, what, place, told, exc_info=None if is_told else error)

    def _note_place(self, error: BaseException | None) -> None:
        """Add to an error which scan it ended, and which acquisition object raised it: it may not say so itself."""
        if error is not None:
            owner = _raised_by(error)
            place = f", in {owner.name}" if owner is not None else ""
            number = f"{self.scan.scan_number} " if self.scan.scan_number else ""  # refused before it had one
            name = f"scan {number}{self.scan.name}"
            if place or name not in str(error):
                error.add_note(f"({name}{place})")

    def _bring_to_rest(self, failures: list[BaseException]) -> None:
        self._is_over = True
        self._attempt(failures, self._stopping)
        gevent.killall(self._tasks, block=False)
        gevent.joinall(self._tasks, timeout=GRACE)  # killall would raise Timeout, and nothing would be stopped
        for branch in self._branches:
            failures += branch.before_stop()
        gevent.joinall(
            [gevent.spawn(lambda branch: failures.extend(branch.stop()), branch) for branch in self._branches]
        )
        for branch in self._branches:
            failures += branch.after_stop()
            branch.close()
        for call in self._at_rest:
            self._attempt(failures, call)
        self._attempt(failures, self._describe_end)

    def _describe_end(self) -> None:
        self._end_info |= self._metadata.gather(MetaTiming.END)

    def _stopping(self) -> None:
        self.scan.set_state(ScanState.STOPPING)
        self._publish(ScanInfoUpdate(self.scan.path, {"state": self.scan.state.name}))

    def _attempt(self, failures: list[BaseException], call: Callable[[], object]) -> None:
        try:
            call()
        except gevent.GreenletExit as killed:
            if self._shield.gave_up:
                raise
            failures.append(killed_from_outside(killed))
        except BaseException as error:  # noqa: BLE001  the rest is to be done all the same
            failures.append(error)

    def _publish_end(self, error: BaseException | None, flush: bool) -> None:
        scan, publisher = self.scan, self.scan.publisher
        state = scan.final_state(error)
        scan.set_state(state, tell=False)  # who waits for the end wants to find all data stored
        essential = {**timestamps("end", time.time()), "state": state.name, "end_reason": END_REASONS[state]}
        info = merged(self._end_info, {**scan.scan_info.take_unpublished(), **essential})
        scan.scan_info.update(essential)
        lengths = {channel.path: channel.length for channel in scan.channels if channel.path}
        nodes.release(scan.acq_chain)
        if publisher is None:
            return
        try:
            publisher.publish(EndScan(scan.path, state.name, lengths, info, _describe(error)))
        except (TypeError, ValueError) as unfit:  # somebody put into scan_info what JSON cannot hold
            _log.error("scan %s: its metadata at the end are missing: %s", scan.name, unfit)
            publisher.publish(EndScan(scan.path, state.name, lengths, essential, _describe(error)))
        if flush:
            publisher.close()
        else:
            gevent.spawn(publisher.close)

    def _publish(self, event: PreparedScan | ScanInfoUpdate) -> None:
        if self.scan.publisher is not None:
            self.scan.publisher.publish(event)


def _raised_by(error: BaseException) -> AcquisitionObject | None:
    """Return the innermost acquisition object whose method is in the traceback."""
    owners = [frame.f_locals.get("self") for frame, _ in traceback.walk_tb(error.__traceback__)]
    return next((owner for owner in reversed(owners) if isinstance(owner, AcquisitionObject)), None)


def _describe(error: BaseException | None) -> dict[str, str]:
    if error is None:
        return {}
    text = "".join(traceback.format_exception(error))
    return {"type": type(error).__name__, "message": str(error), "traceback": text}


def _bound(function: Callable[[Any], object], argument: Any) -> Callable[[], object]:
    return lambda: function(argument)
