"""What a scan says of itself: the typed keys of `scan_info`, and how it is built."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypedDict

from .acquisition import AcquisitionMaster, AcquisitionObject
from .chain import AcquisitionChain, walk
from .channel import AcquisitionChannel


class ChannelMeta(TypedDict, total=False):
    """What is known of a channel beside its data; `start` to `points` describe the axis of a regular scan."""

    display_name: str
    unit: str | None
    dim: int
    device: str
    start: float
    stop: float
    min: float
    max: float
    points: int
    axis_id: int
    axis_kind: str
    axis_points: int
    axis_points_hint: int
    group: str


class Positioners(TypedDict, total=False):
    """Positions of the session's axes, by name."""

    positioners_start: dict[str, Any]
    positioners_dial_start: dict[str, Any]
    positioners_end: dict[str, Any]
    positioners_dial_end: dict[str, Any]
    positioners_units: dict[str, str | None]


class ScanInfoKeys(TypedDict, total=False):
    """The keys that every reader may rely on; scans and users add their own."""

    name: str
    title: str
    type: str
    scan_nb: int
    session_name: str
    user_name: str
    save: bool
    state: str
    publisher: str
    publisher_version: str
    npoints: int
    count_time: float
    sleep_time: float | None
    stab_time: float | None
    start: list[float]
    stop: list[float]
    data_dim: int
    start_time: str
    start_timestamp: float
    end_time: str
    end_timestamp: float
    comments: list[dict[str, Any]]
    positioners: Positioners
    acquisition_chain: dict[str, Any]
    devices: dict[str, Any]
    channels: dict[str, ChannelMeta]
    plots: list[dict[str, Any]]
    scan_meta_categories: list[str]
    group: str
    is_scan_sequence: bool


class ScanInfo(dict[str, Any]):
    """The info of a scan to be, with what describes its channels and plots."""

    @classmethod
    def of(cls, info: Mapping[str, Any] | None) -> ScanInfo:
        """Return a copy of `info` that can be added to."""
        copy = cls(info or {})
        for key in ("channels", "positioners"):
            copy[key] = dict(copy.get(key, {}))
        copy["plots"] = list(copy.get("plots", []))
        return copy

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
            devices[ids[node]] = {"type": type(node).__name__, "channels": [c.fullname for c in node.channels]}
            for channel in node.channels:
                described[channel.fullname] = _describe(channel, ids[node]) | dict(channels.get(channel.fullname, {}))
        for node in nodes:
            triggered = [ids[slave] for slave in getattr(node, "slaves", ())]
            devices[ids[node]]["triggered_devices"] = triggered
        trees[top.name] = {
            "devices": [ids[node] for node in nodes],
            "master": _by_dimension(n for n in nodes if isinstance(n, AcquisitionMaster)),
            **_by_dimension(n for n in nodes if not isinstance(n, AcquisitionMaster)),
        }
    return {"acquisition_chain": trees, "devices": devices, "channels": described}


def _describe(channel: AcquisitionChannel, device: str) -> dict[str, Any]:
    return {"display_name": channel.short_name, "unit": channel.unit, "dim": len(channel.shape), "device": device}


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
