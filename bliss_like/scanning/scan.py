"""A scan: a chain, what it is called, and what is known of it; `ScanRun` carries it out."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Mapping
from time import monotonic
from typing import TYPE_CHECKING, Any

from gevent.event import Event
from greenlet import greenlet

from bliss_like.data import paths
from bliss_like.data.events import NodeKind, ScanInfoUpdate
from bliss_like.data.lifecycle import TRANSITIONS, ScanState
from bliss_like.data.publisher import Publisher
from bliss_like.data.scan_info import merged
from bliss_like.devices.counter import CounterController
from bliss_like.errors import ScanError, UserAbort

from .branch import Gate
from .chain import AcquisitionChain
from .channel import AcquisitionChannel
from .curves import Curves
from .device_data import DeviceData, Streams
from .environment import environment
from .greenlets import is_called_by
from .home_preset import HomePreset
from .nodes import channels_of
from .presets import ChainPreset, ChannelNodes, ScanPreset, ScanProgress, WatchdogCallback
from .scan_info import ScanInfo, check_info
from .subscriptions import OnError, Subscription

if TYPE_CHECKING:
    from bliss_like.data.channel_node import ChannelNode
    from bliss_like.data.node import DataNode, ScanNode

__all__ = ["ChainPreset", "Scan", "ScanAbort", "ScanPreset", "ScanProgress", "ScanState", "WatchdogCallback"]

ScanAbort = UserAbort
"""Its name in BLISS."""


class Scan(Curves):
    """One run of an acquisition chain.

    :param save: whether writers are to save it; an unsaved scan is numbered apart.
    :param scan_saving: says where files go; the session's when None.
    """

    kind = NodeKind.SCAN

    def __init__(
        self,
        chain: AcquisitionChain,
        name: str = "scan",
        scan_info: Mapping[str, Any] | None = None,
        save: bool = True,
        save_images: bool | None = None,
        scan_saving: Any = None,
        watchdog_callback: WatchdogCallback | None = None,
        scan_progress: ScanProgress | None = None,
    ) -> None:
        self.acq_chain = chain
        self.name = paths.check_name(name, "scan")
        self.save = save
        self.save_images = save if save_images is None else save and save_images
        self.save_images_asked = bool(save_images)
        """Whether also images are to be saved that nobody counts, as those behind a region of interest."""
        self.scan_saving = environment.scan_saving if scan_saving is None else scan_saving
        self.scan_info: ScanInfo = ScanInfo.of(scan_info)
        self.scan_info.setdefault("title", name)
        self.scan_info.update(name=name, save=save, state=ScanState.IDLE.name)
        self.presets: list[ScanPreset] = []
        self.watchdog = watchdog_callback
        self.progress = scan_progress
        self.subscriptions: list[Subscription] = []
        """Who follows this very scan."""
        self.runs_in: greenlet | None = None
        """The greenlet that runs it."""
        self.gate = Gate()
        self.with_metadata = True
        """Whether positions and the user's metadata are gathered."""
        self.in_background = False
        """Whether it makes way for others, drives nothing, and is none of those that the user looks back at."""
        self.scan_number = 0
        self.path = ""
        """db_name of its node; empty before it is run."""
        self.error: BaseException | None = None
        """What ended the scan, if it did not end well."""
        self.publisher: Publisher | None = None
        self._state = self._told = ScanState.IDLE
        self.state_times: dict[ScanState, float] = {}
        """When it came into each state, in seconds of the clock that is never set."""
        self._changed = Event()
        self._end: Callable[[BaseException | None], object] | None = None

    # -- running -------------------------------------------------------------------------------------------------------

    def run(self) -> None:
        """Run to the end.

        :raises ScanError: there is no session, or the scan was run before.
        :raises UserAbort: the user stopped it; the devices are stopped, and the data closed.
        :raises BaseException: what failed first; the devices are stopped, and the data closed.
        """
        from .scan_run import ScanRun

        if self._state is not ScanState.IDLE:
            raise ScanError(f"{self!r} is {self._state.name}: a scan can only be run once, make a new one")
        ScanRun(self).run()

    def stop(self, wait: bool = True) -> None:
        """End the scan well, after the current iteration; one that was not started is left as it is.

        :param wait: return when it has ended. What the scan itself calls (a device, a preset) does not wait for that.
        """
        if self._state is ScanState.IDLE:
            return
        self.gate.end()
        if wait:
            self._wait_end()

    def abort(self, wait: bool = True) -> None:
        """End the scan now, as Ctrl-C does; from any greenlet."""
        self.end(UserAbort("by scan.abort()"))
        if wait:
            self._wait_end()

    def end(self, error: BaseException | None) -> None:
        """End the acquisition now, with that error if any; from any greenlet or thread."""
        if self._end is not None:
            self._end(error)

    def pause(self) -> None:
        """Hold the scan before its next iteration; `paused` in its info says when it is held."""
        if self._state < ScanState.STOPPING:
            self.gate.close()

    def resume(self) -> None:
        """Let the scan go on after `pause()`."""
        self.gate.open()

    @property
    def is_paused(self) -> bool:
        """Whether somebody has paused it: it takes no further point."""
        return self.gate.is_closed_by("user")

    def on_end(self, end: Callable[[BaseException | None], object] | None) -> None:
        """Set what `end` calls; done by whoever runs the scan."""
        self._end = end

    def _wait_end(self) -> None:
        if self._state is not ScanState.IDLE and not is_called_by(self.runs_in):  # each would wait for the other
            self.wait_state(ScanState.DONE)

    # -- state ---------------------------------------------------------------------------------------------------------

    @property
    def state(self) -> ScanState:
        return self._state

    def wait_state(self, state: ScanState, timeout: float | None = None) -> ScanState:
        """Return the state when it is `state` or later; a final one when the end is published and all data are stored.

        :raises TimeoutError: it is not after `timeout` seconds.
        """
        deadline = None if timeout is None else monotonic() + timeout
        while self._told < state:
            left = None if deadline is None else max(0.0, deadline - monotonic())
            if not self._changed.wait(left) and self._told < state:
                raise TimeoutError(f"{self!r} is {self._told.name} after {timeout:g} s, not yet {state.name}")
        return self._told

    def set_state(self, state: ScanState, tell: bool = True) -> None:
        """Go on to the next state; done by whoever runs the scan.

        :param tell: whether those who wait for a state hear of it now.

        :raises ScanError: it cannot follow the present one.
        """
        if state not in TRANSITIONS[self._state]:
            raise ScanError(f"{self!r}: no way from {self._state.name} to {state.name}")
        self._state = state
        self.state_times[state] = monotonic()
        self.scan_info.update(state=state.name)
        if tell:
            self.tell_state()

    def tell_state(self) -> None:
        self._told = self._state
        changed, self._changed = self._changed, Event()
        changed.set()

    def final_state(self, error: BaseException | None) -> ScanState:
        """Return how the scan ends if `error` ended it."""
        if error is None:
            return ScanState.DONE
        return ScanState.USER_ABORTED if isinstance(error, UserAbort | KeyboardInterrupt) else ScanState.KILLED

    # -- what is known of it -------------------------------------------------------------------------------------------

    @property
    def label(self) -> str:
        """What people call it: `scan 3 (ascan robx 0 1 10 0.1)`."""
        number = f" {self.scan_number}" if self.scan_number and self.save else ""
        return f"scan{number} ({self.scan_info['title']})"

    @property
    def channels(self) -> list[AcquisitionChannel]:
        return channels_of(self.acq_chain)

    @property
    def get_channels_dict(self) -> dict[str, AcquisitionChannel]:
        """The channels by their full names."""
        return {channel.fullname: channel for channel in self.channels}

    @property
    def positions(self) -> dict[Any, Any]:
        """Where a step scan goes, or went: {axis: positions of all points}, each of shape (npoints,); else nothing."""
        masters = self.acq_chain.top_masters
        return {axis: line for master in masters for axis, line in getattr(master, "positions", {}).items()}

    @property
    def node(self) -> ScanNode:
        """The scan in the tree of data, or in its file when its time there is over.

        :raises ScanError: it was not run yet, or neither has it.
        """
        from bliss_like.data.node import ScanNode, get_node
        from bliss_like.data.saved import find_saved

        if not self.path:
            why = "was not run yet" if self._state is ScanState.IDLE else "is not announced yet"
            why = "was over before it was announced" if self._state.is_final else why
            raise ScanError(f"{self!r} {why}, it has no node")
        node = get_node(self.path, getattr(environment.tree, "store", None))
        uid = str(self.scan_info.get("uid", ""))
        if isinstance(node, ScanNode) and node.structure.info.get("uid", uid) == uid:
            return node
        saved = find_saved(self.path, uid=uid)  # the server was emptied, and another scan has the name now
        if saved is None:
            where = f"; its file should be {self.scan_info['filename']}" if self.scan_info.get("filename") else ""
            raise ScanError(f"{self!r}: {self.path} is no more in the tree of data, nor found in a file{where}")
        return ScanNode(saved, saved.scan, saved.kind)

    @property
    def root_node(self) -> DataNode | None:
        """What the scan is in, in the tree of data."""
        return self.node.parent

    @property
    def nodes(self) -> ChannelNodes:
        """The nodes of its channels: `scan.nodes[channel].get(-1)`."""
        return ChannelNodes(self)

    def get_db_names(self) -> list[str]:
        """Return the names of the scan and of all below it in the tree of data.

        :raises ScanError: it was not run yet.
        """
        return [self.node.db_name, *(node.db_name for node in self.node.walk(wait=False))]

    @property
    def streams(self) -> Streams:
        """Its channels as arrays that grow: `scan.streams["diode"][-1]`; keys as for `get_data`."""
        return Streams(self._channel_nodes(), self.acq_chain)

    def get_data(self, key: Any = None) -> Any:
        """Return the points of a channel; without a key, a mapping of all.

        :param key: a counter, an axis, the full or the short name of a channel, or a pattern that fits one.
        :raises KeyError: there is no such channel, or several; the message names them.
        """
        data = DeviceData(self._channel_nodes(), self.acq_chain)
        return data if key is None else data[key]

    def _channel_nodes(self) -> dict[str, ChannelNode]:
        return {node.name: node for node in self.node.channels()}

    @property
    def comments(self) -> list[dict[str, Any]]:
        return list(self.scan_info.get("comments", []))

    def add_comment(self, comment: str) -> None:
        """Note something about the scan, before it is over.

        :raises ScanError: it is over.
        """
        if self._state.is_final:
            raise ScanError(f"{self!r} is over: its comments are closed")
        now = datetime.datetime.now().astimezone().isoformat()
        self.update_info(comments=[*self.comments, {"timestamp": now, "message": comment}])

    def update_info(self, **info: Any) -> None:
        """Change `scan_info`, and publish that when the scan is running.

        :raises ScanUsageError: a key of the schema has a wrong value, or something cannot be stored.
        """
        check_info(info)
        self.scan_info.update(merged(self.scan_info, info))
        if self.publisher is not None and not self._state.is_final:
            self.publisher.publish(ScanInfoUpdate(self.path, info))

    # -- what takes part -----------------------------------------------------------------------------------------------

    @property
    def restore_motor_positions(self) -> bool:
        """Whether its axes are brought back at the end, however it comes, to where they were at its start."""
        return any(isinstance(preset, HomePreset) for preset in self.presets)

    @restore_motor_positions.setter
    def restore_motor_positions(self, restore: bool) -> None:
        self.presets = [preset for preset in self.presets if not isinstance(preset, HomePreset)]
        if restore:
            self.presets.insert(0, HomePreset(self.scanned_axes))

    def add_preset(self, preset: ScanPreset) -> None:
        """Put something around this scan.

        :raises ScanError: it is no ScanPreset.
        """
        if not isinstance(preset, ScanPreset):
            raise ScanError(f"{self!r}: expected a ScanPreset, got {preset!r}")
        preset.acq_chain = self.acq_chain
        self.presets.append(preset)

    def subscribe(
        self,
        callback: Any,
        *,
        lossless: bool = False,
        on_error: OnError = "report",
        period: float = 0.0,
        factory: bool = False,
    ) -> Subscription:
        """Let a callback follow this scan, before it is run; return what `unsubscribe` takes. Arguments: `Subscription`.

        :raises ScanError: it was run already.
        :raises UsageError: it is no callback, or how it is to be called is wrong.
        """
        if self._state is not ScanState.IDLE:
            raise ScanError(
                f"{self!r} is {self._state.name}: callbacks are subscribed before a scan is run; on a past one, run them "
                f"with bliss_like.live.feed"
            )
        subscription = Subscription(callback, lossless=lossless, on_error=on_error, period=period, factory=factory)
        self.subscriptions.append(subscription)
        return subscription

    def set_watchdog_callback(self, callback: WatchdogCallback) -> None:
        """Let somebody watch the scan; it takes the place of who did."""
        self.watchdog = callback

    def update_ctrl_params(self, controller: CounterController, params: Mapping[str, Any]) -> None:
        """Change parameters that are written to a controller at the start of this scan.

        :raises ScanError: the scan was started; the controller takes no part, or has no such parameter.
        """
        nodes = [node for node in self.acq_chain.nodes_list if node.device is controller]
        if self._state is not ScanState.IDLE or not nodes:
            reason = "it was started already" if nodes else f"{controller.name} takes no part in it"
            raise ScanError(f"{self!r}: the parameters of {controller.name} cannot be changed, {reason}")
        for node in nodes:
            known = node.ctrl_params or controller.get_current_parameters() or {}
            unknown = sorted(set(params) - set(known))
            if unknown:
                there = ", ".join(known) or "none"
                raise ScanError(
                    f"{self!r}: {controller.name} has no parameter {', '.join(unknown)}; there are: {there}"
                )
            node.ctrl_params = {**known, **params}

    def __info__(self) -> str:
        """Return what the prompt shows: how it ended, and what its counters have given."""
        from .result import told

        return told(self)

    def __repr__(self) -> str:
        number = f"number={self.scan_number}, " if self.scan_number and self.save else ""
        return f"Scan({number}name={self.name}, path={self.path if self.save or not self.path else 'not saved'!r})"
