"""The run of one scan, from its number to its end.

The order is: claim the devices, announce the scan, presets, announce the nodes, prepare, PREPARED_SCAN, start, iterate,
stop, presets, metadata, END_SCAN. The last five happen whatever went wrong before. What fails first is kept; what fails
after it is logged.
"""

from __future__ import annotations

import logging
import time
import uuid
from collections.abc import Callable, Mapping
from contextlib import ExitStack, suppress
from functools import partial
from typing import TYPE_CHECKING, Any

import gevent
from greenlet import getcurrent

from bliss_like import __version__
from bliss_like.data import paths
from bliss_like.data.events import EndScan, NodeKind, PreparedScan, SavedScan, ScanInfoUpdate
from bliss_like.data.lifecycle import ScanState
from bliss_like.data.process import this_process
from bliss_like.data.scan_info import merged
from bliss_like.devices.hooking import hooks_of_scan
from bliss_like.devices.interlock import claimed
from bliss_like.errors import ChainError, PublishError, SavingError, UserAbort

from . import nodes
from .acquisition import AcquisitionObject, MetaTiming, is_axis
from .branch import Branch
from .environment import environment
from .failures import described, log_failure, note_place
from .greenlets import Shield, called_by, captured, killed_from_outside, run_all
from .listening import LAST, Listening
from .metadata import Metadata
from .presets import keep_watch
from .saving import say_where_images_go
from .scan_info import END_REASONS, describe_chain, timestamps
from .supervision import Supervision
from .time_profile import note_time_profile
from .waiting import Waiting

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
        self._supervision = Supervision(scan)
        self._at_rest: list[Callable[[], object]] = []
        """What is to be called when the devices are stopped, because its counterpart was called before."""
        self._at_end: list[Callable[[], object]] = []
        """The same, for when the end is published."""
        self._metadata = Metadata(scan)
        self._end_info: dict[str, Any] = {}
        self._shield = Shield()
        self._saver = environment.saver if scan.save else None
        self._listening: Listening | None = None
        self._waiting = Waiting(scan, lambda: [call for branch in self._branches for call in branch.pending()])

    def run(self) -> None:
        """Run the scan; raise what ended it, if that was not its natural end."""
        scan = self.scan
        environment.require_tree()
        if not scan.acq_chain.top_masters:
            raise ChainError(f"{scan!r}: its chain is empty; add a master")
        if scan.acq_chain.runs_in is not None:
            raise ChainError(f"{scan!r}: its chain is running in {scan.acq_chain.runs_in!r}; make one for each scan")
        scan.acq_chain.runs_in, scan.runs_in = scan, getcurrent()
        try:
            self._run()
        finally:
            scan.acq_chain.runs_in = scan.runs_in = None

    def _run(self) -> None:
        scan = self.scan
        scan.set_state(ScanState.PREPARING)
        scan.on_end(self._supervision.end_from_anywhere)
        if not scan.in_background:
            environment.scans.append(scan)
        with ExitStack() as contexts:
            error: BaseException | None = None
            try:
                self._take_the_devices(contexts)
                if self._saver is not None:
                    self._saver.check(scan)  # which may make a new dataset
                self._announce()
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
        contexts.enter_context(environment.pausing.includes(scan))
        if scan.kind is NodeKind.SCAN:  # a sequence stays open while nothing is measured; its scans come by themselves
            contexts.enter_context(environment.background.out_of_the_way(purpose))
        contexts.enter_context(claimed(driven, purpose))

    # -- beginning -------------------------------------------------------------------------------------------------------

    def _announce(self) -> None:
        """Take a number and a name, and publish the node of the scan; who listens hears all of it."""
        scan, tree = self.scan, environment.require_tree()
        container = environment.container()
        on_disk = self._saver.last_number() if self._saver is not None else 0
        scan.scan_number = tree.next_scan_number(container, saved=scan.save, above=on_disk)
        name = paths.scan_name(scan.scan_number, scan.name, saved=scan.save)
        self._describe_start()
        scan.path = paths.join(container, name)
        scan.publisher = tree.open_scan(scan.path, scan.kind, dict(scan.scan_info))
        scan.publisher.on_failure = self._supervision.end_from_anywhere
        if subscriptions := environment.subscriptions.of(scan):
            self._listening = Listening(scan, subscriptions)
            scan.publisher.on_stored = self._listening.accept
        if scan.kind is NodeKind.SCAN and not scan.in_background:
            self._waiting.begin()

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
        self._supervision.carry_out([self._prepare_all], lambda done: len(done) == 1)
        info = describe_chain(scan.acq_chain, scan.scan_info.get("channels", {}))
        scan.scan_info.update(info)
        info = merged(info, self._metadata.gather(MetaTiming.PREPARED))
        info = merged(info, scan.scan_info.take_unpublished())
        self._publish(PreparedScan(scan.path, info))

    def _prepare_all(self) -> None:
        scan, chain = self.scan, self.scan.acq_chain
        hooks = hooks_of_scan(device for device in nodes.driven_by(chain) if is_axis(device))
        self._at_rest += [*(partial(preset.stop, scan) for preset in scan.presets), hooks.after]
        hooks.before()
        run_all([partial(preset.prepare, scan) for preset in scan.presets])
        for node in chain.nodes_list:
            node._acq_on_progress = self._on_progress
        say_where_images_go(scan)
        if scan.publisher is not None:
            nodes.announce(chain, scan.path, scan.publisher)
        for preset in scan.presets:
            preset.connect_to(scan)
        scan.gate.on_hold = self._tell_pause
        self._branches = [Branch(chain, top, scan.gate, self._supervision.end) for top in chain.top_masters]
        run_all([branch.prepare for branch in self._branches])

    # -- acquisition -----------------------------------------------------------------------------------------------------

    def _acquire(self) -> None:
        scan = self.scan
        if self._supervision.is_over:
            return
        scan.set_state(ScanState.STARTING)
        self._publish(ScanInfoUpdate(scan.path, {"state": scan.state.name}))
        run_all([partial(preset.start, scan) for preset in scan.presets])
        if scan.progress is not None:
            self._at_rest.append(scan.progress.end)
            scan.progress.begin(scan)
        if scan.watchdog is not None:
            self._at_end.append(partial(scan.watchdog.on_scan_end, scan.scan_info))
            scan.watchdog.on_scan_new(scan, scan.scan_info)
            self._supervision.beside(partial(keep_watch, scan.watchdog, scan))
        running = [branch for branch in self._branches if branch.has_begun]
        ends_all = {n for n, branch in enumerate(running) if branch.top.terminator}
        self._supervision.carry_out(
            [branch.run for branch in running], lambda done: bool(done & ends_all) or len(done) == len(running)
        )

    def _on_progress(self, _: AcquisitionObject, data: Mapping[str, Any]) -> None:
        if self.scan.progress is not None:
            self.scan.progress.on_signal(data)

    def _tell_pause(self, who: str) -> None:
        """Publish that the scan is held, or goes on."""
        scan = self.scan
        if scan.in_background:
            return
        before = str(scan.scan_info.get("paused", ""))
        scan.update_info(paused=who)
        if "user" in who and "user" not in before:
            scan.add_comment(f"paused by {environment.user_name or 'user'}")
        elif "user" in before and "user" not in who and not self._supervision.is_over and not scan.gate.is_over:
            scan.add_comment("resumed")

    # -- the end -----------------------------------------------------------------------------------------------------------

    def _finish(self, error: BaseException | None) -> BaseException | None:
        """Bring everything to rest and publish the end; return what ended the scan."""
        scan = self.scan
        self._shield = shield = Shield(aborts=0 if error is None or isinstance(error, Exception) else 1)
        failures: list[BaseException] = []
        self._attempt(failures, lambda: shield.run(lambda: self._bring_to_rest(failures)))
        if shield.gave_up:
            failures.append(UserAbort(f"scan {scan.name}: gave up waiting for its devices to stop, look after them"))
            self._leave_to_themselves(failures)
        unheard = self._let_decide()
        self._waiting.end()
        error = error or self._supervision.failure or shield.abort or unheard or next(iter(failures), None)
        error = error or self._unstored()
        note_place(self.scan, error)
        for other in failures:
            if other is not error:
                log_failure(self.scan, "failed at its end", other, error)
        try:
            if not shield.gave_up:
                shield.run(lambda: self._publish_end(error, flush=True))
            if not scan.state.is_final:  # nothing in it waits, so that no press can cut it short
                self._publish_end(error, flush=False)
        except Exception as raised:  # noqa: BLE001  returned
            if error is None:
                error = raised
                note_place(self.scan, error)
            elif raised is not error:
                _log.error("scan %s: its end could not be published: %s", scan.name, raised)
        untold = self._tell_end_to_subscribers(error)
        unsaved = self._wait_until_saved()
        if error is not None and isinstance(unsaved, Exception):
            _log.error("%s", unsaved)
        error = error or unsaved or untold or shield.abort
        if not scan.state.is_final:
            scan.set_state(scan.final_state(error))
        scan.error = error
        scan.tell_state()
        unheard = self._wait_for_subscribers()
        scan.error = error = error or self._supervision.failure or unheard
        return error

    def _wait_until_saved(self) -> BaseException | None:
        """Wait for the file, whatever ended the scan; an abort ends the wait, and the command, but the scan is what it was."""
        scan, saver = self.scan, self._saver
        if saver is None or scan.publisher is None or self._shield.gave_up:
            return None
        said: list[SavedScan | None] = []
        waiting, abort = self._wait(lambda: said.append(saver.wait(scan)), _FOR_THE_FILE)
        unsaved = waiting.value
        if not waiting.ready():
            _log.warning("scan %s %s: its file is waited for no more, the writer goes on", scan.scan_number, scan.name)
        note_place(self.scan, unsaved)
        if isinstance(unsaved, SavingError):
            said = [SavedScan(scan.path, "FAILED", error=str(unsaved))]
        if self._listening is not None:
            self._listening.accept([event for event in said if event is not None])
        return unsaved or abort

    def _wait(self, call: Callable[[], object], last: float) -> tuple[gevent.Greenlet[..., Any], BaseException | None]:
        """Wait for a call; an abort leaves it `last` seconds more. Return its greenlet, and the abort.

        What the call raises is the value of the greenlet.
        """
        waiting = gevent.spawn(captured, call)
        aborts: list[BaseException] = []
        self._attempt(aborts, waiting.join)
        if aborts:
            self._attempt(aborts, lambda: waiting.join(last))
        if not waiting.ready():
            waiting.kill(block=False)
        return waiting, next(iter(aborts), None)

    # -- who listens -----------------------------------------------------------------------------------------------------

    def _let_decide(self) -> BaseException | None:
        """Wait until all points have come to those subscribers whose errors decide how the scan ends; return an abort."""
        listening, publisher = self._listening, self.scan.publisher
        if listening is None:
            return None
        listening.let_go()
        if publisher is None or not listening.decides or self._shield.gave_up:
            return None

        def hear_out() -> None:
            with suppress(PublishError):  # which ends the scan already
                publisher.flush(last=True)
            listening.hear_out()

        return self._wait(hear_out, LAST)[1]

    def _unstored(self) -> BaseException | None:
        """Wait until all points are stored; return what prevents it, or ends the wait: without them, the scan is not done."""
        try:
            if self.scan.publisher is not None:
                self._shield.run(partial(self.scan.publisher.flush, last=True))
        except Exception as failure:  # noqa: BLE001  returned
            return failure
        return self._shield.abort if self._shield.gave_up else None  # then it is not known

    def _tell_end_to_subscribers(self, error: BaseException | None) -> BaseException | None:
        """Tell it to those who could not hear it from the store; return an abort."""
        listening, scan = self._listening, self.scan
        if listening is None:
            return None
        state = scan.final_state(error).name
        end = EndScan(scan.path, state, {}, {"state": state}, described(error))
        abort = None if self._shield.gave_up else self._wait(listening.hand_on, LAST)[1]
        listening.end(end)
        return abort

    def _wait_for_subscribers(self) -> BaseException | None:
        """Wait until the subscribers have had all that they are to have; return an abort, which ends the wait."""
        if self._listening is None:
            return None
        abort = None if self._shield.gave_up else self._wait(self._listening.finish, LAST)[1]
        self._listening.leave()
        return abort

    def _bring_to_rest(self, failures: list[BaseException]) -> None:
        self._supervision.is_over = True
        self._attempt(failures, self._stopping)
        self._supervision.kill()
        for branch in self._branches:
            failures += branch.before_stop()
        gevent.joinall(
            [called_by(gevent.spawn(lambda one: failures.extend(one.stop()), branch)) for branch in self._branches]
        )
        for branch in self._branches:
            failures += branch.after_stop()
            branch.close()
        for call in self._at_rest:
            self._attempt(failures, call)
        self._attempt(failures, self._describe_end)

    def _leave_to_themselves(self, failures: list[BaseException]) -> None:
        """Have those devices told to stop that were not yet; nobody waits for them any more."""
        self._supervision.kill(wait=False)
        for branch in self._branches:
            if not branch.was_told_to_stop:
                gevent.spawn(branch.stop)
        if self.scan.state is not ScanState.STOPPING:
            self._attempt(failures, lambda: self.scan.set_state(ScanState.STOPPING))

    def _describe_end(self) -> None:
        note_time_profile(self.scan, self._branches)
        self._end_info |= self._metadata.gather(MetaTiming.END, has_failed=self._supervision.failure is not None)

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
            publisher.publish(EndScan(scan.path, state.name, lengths, info, described(error)))
        except (TypeError, ValueError) as unfit:  # somebody put into scan_info what JSON cannot hold
            _log.error("scan %s: its metadata at the end are missing: %s", scan.name, unfit)
            publisher.publish(EndScan(scan.path, state.name, lengths, essential, described(error)))
        if flush:
            publisher.close()
        else:
            gevent.spawn(publisher.close)

    def _publish(self, event: PreparedScan | ScanInfoUpdate) -> None:
        if self.scan.publisher is not None:
            self.scan.publisher.publish(event)
