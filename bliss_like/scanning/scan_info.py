"""How a scan's `scan_info` is built; its keys are typed in `bliss_like.data.scan_info`."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from bliss_like.data.codec import to_json
from bliss_like.data.lifecycle import ScanState
from bliss_like.data.scan_info import SCHEMA_VERSION, ChannelMeta, EndReason, Positioners, ScanInfoKeys
from bliss_like.data.scan_info_schema import misfit
from bliss_like.errors import ScanUsageError

from .acquisition import AcquisitionMaster, AcquisitionObject
from .chain import AcquisitionChain, walk
from .channel import AcquisitionChannel

__all__ = ["ChannelMeta", "Positioners", "ScanInfo", "ScanInfoKeys", "check_info", "describe_chain", "timestamps"]

END_REASONS: dict[ScanState, EndReason] = {
    ScanState.DONE: "SUCCESS",
    ScanState.USER_ABORTED: "USER_ABORT",
    ScanState.KILLED: "FAILURE",
}


class ScanInfo(dict[str, Any]):
    """The info of a scan, with what describes its channels and plots.

    `scan.scan_info["key"] = value` is published with the next event that carries an info; `scan.update_info` does it now.
    """

    def __init__(self, info: Mapping[str, Any] | None = None) -> None:
        super().__init__(info or {})
        self._unpublished: dict[str, None] = {}

    def __setitem__(self, key: str, value: Any) -> None:
        """:raises ScanUsageError: a key of the schema would have a wrong value, or one that cannot be stored."""
        check_info({key: value})
        super().__setitem__(key, value)
        self._unpublished[key] = None

    def take_unpublished(self) -> dict[str, Any]:
        """Return what was set since the last time."""
        keys, self._unpublished = self._unpublished, {}
        return {key: self[key] for key in keys if key in self}

    @classmethod
    def of(cls, info: Mapping[str, Any] | None) -> ScanInfo:
        """Return a copy of `info` that can be added to.

        :raises ScanUsageError: some key of it has a wrong value, or one that cannot be stored.
        """
        given = dict(info or {})
        if isinstance(given.get("sample"), str):
            given["sample"] = {"name": given["sample"]}
        if not isinstance(info, ScanInfo):
            check_info(given)
        copy = cls({**given, "schema_version": SCHEMA_VERSION})
        for key in ("channels", "positioners"):
            copy.update({key: dict(copy.get(key, {}))})
        copy.update(plots=list(copy.get("plots", [])))
        return copy

    normalize = of
    """BLISS' name of it."""

    def set_channel_meta(self, name: str, **meta: Any) -> None:
        """Describe a channel by its full name; the keys are those of `ChannelMeta`."""
        known = self.setdefault("channels", {}).setdefault(name, {})
        known.update({key: value for key, value in meta.items() if value is not None})

    def add_curve_plot(
        self,
        name: str | None = None,
        x: str | None = None,
        yleft: str | Sequence[str] = (),
        yright: str | Sequence[str] = (),
    ) -> None:
        """Propose a plot of channels against `x`; without names, of all scalars."""
        items = [{"kind": "curve", "x": x, "y": y, "y_axis": "left"} for y in _names(yleft)]
        items += [{"kind": "curve", "x": x, "y": y, "y_axis": "right"} for y in _names(yright)]
        self._add_plot({"kind": "curve-plot", "name": name, "x": x, "items": items})

    def add_scatter_plot(
        self, name: str | None = None, x: str | None = None, y: str | None = None, value: str | Sequence[str] = ()
    ) -> None:
        """Propose a plot of values over the plane of two channels."""
        items = [{"kind": "scatter", "x": x, "y": y, "value": one} for one in _names(value)]
        self._add_plot({"kind": "scatter-plot", "name": name, "x": x, "y": y, "items": items})

    def add_1d_plot(self, name: str | None = None, x: str | None = None, y: str | Sequence[str] = ()) -> None:
        """Propose a plot of the last point of one-dimensional channels."""
        items = [{"kind": "curve", "x": x, "y": one} for one in _names(y)]
        self._add_plot({"kind": "1d-plot", "name": name, "x": x, "items": items})

    def set_sequence_info(self, scan_count: int | None = None) -> None:
        """Say how many scans a sequence is going to have."""
        if scan_count is not None:
            self["sequence_info"] = {"scan_count": scan_count}

    def _add_plot(self, plot: dict[str, Any]) -> None:
        self.setdefault("plots", []).append({key: value for key, value in plot.items() if value is not None})


def check_info(info: Mapping[str, Any], what: str = "scan_info") -> None:
    """:raises ScanUsageError: a key of the schema has a wrong value, or something cannot be stored."""
    try:
        problem = misfit(info)
        to_json(info)
    except (TypeError, ValueError) as error:
        problem = str(error)
    if problem:
        raise ScanUsageError(f"{what}: {problem}")


def _names(names: str | Sequence[str]) -> list[str]:
    return [names] if isinstance(names, str) else list(names)


def timestamps(when: str, epoch: float) -> dict[str, Any]:
    """Return `<when>_time` in ISO 8601 with the zone, and `<when>_timestamp` in seconds."""
    local = datetime.datetime.fromtimestamp(epoch).astimezone()
    return {f"{when}_time": local.isoformat(), f"{when}_timestamp": epoch}


def describe_chain(chain: AcquisitionChain, channels: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Return the parts of the info that say what is acquired: `acquisition_chain`, `devices` and `channels`.

    :param channels: what the scan already says of its channels, by full name.
    """
    described: dict[str, dict[str, Any]] = {}
    devices: dict[str, Any] = {}
    trees: dict[str, Any] = {}
    ids: dict[AcquisitionObject, str] = {}
    for top in chain.top_masters:
        nodes = list(walk(top))
        for node in nodes:
            ids[node] = _unique(node.name, devices)
            channel_names = [channel.fullname for channel in node.channels]
            devices[ids[node]] = {"name": node.name, "type": type(node).__name__, "channels": channel_names}
            if isinstance(node, AcquisitionMaster):
                devices[ids[node]]["npoints"] = node.npoints
            for channel in node.channels:
                described[channel.fullname] = _describe(channel, ids[node]) | dict(channels.get(channel.fullname, {}))
        for node in nodes:
            triggered = [ids[slave] for slave in getattr(node, "slaves", ())]
            devices[ids[node]]["triggered_devices"] = triggered
        trees[top.name] = {
            "top_master": ids[top],
            "devices": [ids[node] for node in nodes],
            "master": _by_dimension(n for n in nodes if isinstance(n, AcquisitionMaster)),
            **_by_dimension(n for n in nodes if not isinstance(n, AcquisitionMaster)),
        }
    return {"acquisition_chain": trees, "devices": devices, "channels": described}


def _describe(channel: AcquisitionChannel, device: str) -> dict[str, Any]:
    described: dict[str, Any] = {
        "display_name": channel.short_name,
        "unit": channel.unit,
        "dim": len(channel.shape),
        "dtype": channel.dtype.name,
        "device": device,
    }
    return described if channel.decimals is None else {**described, "decimals": channel.decimals}


def _by_dimension(nodes: Iterable[AcquisitionObject]) -> dict[str, list[str]]:
    sorted_names: dict[str, list[str]] = {"scalars": [], "spectra": [], "images": []}
    for node in nodes:
        for channel in node.channels:
            kind = ("scalars", "spectra", "images")[min(len(channel.shape), 2)]
            sorted_names[kind].append(channel.fullname)
    return sorted_names


def _unique(name: str, taken: Mapping[str, Any]) -> str:
    if name not in taken:
        return name
    return next(candidate for n in range(2, len(taken) + 3) if (candidate := f"{name}_{n}") not in taken)
