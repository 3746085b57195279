"""How a standard scan is made of what its command was given."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bliss_like.devices.positions import read_positions
from bliss_like.scanning.acquisition import AcquisitionMaster
from bliss_like.scanning.chain import AcquisitionChain
from bliss_like.scanning.default_chain import ChainSettings, default_chain
from bliss_like.scanning.presets import ScanPreset
from bliss_like.scanning.scan import Scan
from bliss_like.scanning.scan_info import ScanInfo
from bliss_like.scanning.subscriptions import Subscription

from .estimation import expected

CONNECTION_TIME = 3.0
"""Seconds for which the source of a counter may take to answer before its scan begins."""


@dataclass
class Recipe:
    """A standard scan to be, with the keywords that all commands have in common."""

    scan_type: str
    """What kind of scan it is: `type` of its info, for those who look for all of one kind."""
    name: str | None = None
    """What it is called in the tree of data and in the file, after its number; by default its type."""
    title: str | None = None
    """What it is called for people; by default the command as it could be typed again, with absolute positions."""
    save: bool = True
    save_images: bool | None = None
    sleep_time: float | None = None
    """Seconds between two points."""
    stab_time: float | None = None
    """Seconds between the end of a move and the count."""
    run: bool = True
    """Else it is only made: `scan.run()` runs it."""
    return_scan: bool = True
    scan_info: Mapping[str, Any] | None = None
    chain_settings: ChainSettings | None = None
    subs: Sequence[Subscription] | None = None
    """Callbacks that follow it while it runs."""

    def __post_init__(self) -> None:
        self.info = ScanInfo.of(dict(self.scan_info or {}))
        self.presets: list[ScanPreset] = []
        self.with_metadata = True
        self.come_home = False
        """Whether the axes are brought back to where they were."""

    def make(
        self,
        title: str,
        count_time: float,
        npoints: int,
        counters: Iterable[Any],
        top_master: AcquisitionMaster | None = None,
        scan_params: Mapping[str, Any] | None = None,
        **more_info: Any,
    ) -> Scan | None:
        """Make the scan, run it if that is wanted, and return it if that is.

        :param title: used when the user gave none.
        :param more_info: written into the scan's info.
        """
        info = self.info
        info.update(
            type=self.scan_type,
            title=self.title or title,
            npoints=npoints,
            count_time=count_time,
            sleep_time=self.sleep_time,
            **more_info,
        )
        if npoints > 0 and "estimation" not in info:
            positions = getattr(top_master, "positions", {})
            info["estimation"] = expected(npoints, count_time, positions, self.sleep_time, self.stab_time)
        params: dict[str, Any] = {"count_time": count_time, "npoints": npoints, "sleep_time": self.sleep_time}
        params.update({"type": self.scan_type, "save": self.save, "stab_time": self.stab_time, **(scan_params or {})})
        chain = default_chain().get(params, counters, top_master, self.chain_settings)
        if info.get("data_dim", 1) > 1:
            _group(info, chain)
        scan = Scan(chain, self.name or self.scan_type, info, save=self.save, save_images=self.save_images)
        scan.with_metadata = self.with_metadata
        scan.restore_motor_positions = self.come_home
        for preset in self.presets:
            scan.add_preset(preset)
        scan.subscriptions.extend(self.subs or ())
        if self.run:
            begin(scan)
        return scan if self.return_scan else None


def _group(info: ScanInfo, chain: AcquisitionChain) -> None:
    """Say that the numbers of a scan of several dimensions belong to the places in its scatter plot."""
    for node in chain.nodes_list:
        for channel in node.channels if not isinstance(node, AcquisitionMaster) else ():
            if not channel.shape:
                info.set_channel_meta(channel.fullname, group="scatter")


def begin(scan: Scan) -> None:
    """Run a scan; what cannot be used is said before the scan has a number.

    :raises AxisFault: an axis moves or is disabled.
    :raises Exception: an axis, or the source of a counter, does not answer.
    """
    check_devices(scan.acq_chain)
    scan.run()


def check_devices(chain: AcquisitionChain) -> None:
    """:raises Exception: an axis that is to be scanned, or the source of a counter, cannot be used."""
    axes = [axis for master in chain.top_masters for axis in getattr(master, "axes", ())]
    for axis in axes:
        axis.refuse_if_moving()
        axis.make_ready(again=True)
    if axes:
        read_positions(axes)
    for node in chain.nodes_list:
        for counter in node.counters:
            if counter.is_critical:
                counter.controller.connect_counter(counter, CONNECTION_TIME)
