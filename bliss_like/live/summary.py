"""What is to be said of a scan in a few words: its images and spectra, where its axes are, the values of a single count."""

from __future__ import annotations

from typing import Any

import numpy as np

from bliss_like.data.counting import counted
from bliss_like.data.events import NodeKind

from .choice import counters_for, decimals_of, titles_of
from .curves import axes_of, meta_of
from .digits import number
from .look import plain
from .scan import LiveChannel, LiveScan

MANY = 12
"""Characters of a number."""
INTEGRATING = "IntegratingCounterAcquisitionSlave"
"""Type of the devices whose values grow with the count time."""


def pictures(scan: LiveScan) -> list[str]:
    """Return a line for each channel of spectra or images: `camera 256x256 sum 1.2e6 max 4095`."""
    channels = [channel for channel in scan.channels.values() if channel.kind is not NodeKind.NODE_REF_CHANNEL]
    return [picture(channel) for channel in channels if not channel.is_scalar and channel.length]


def picture(channel: LiveChannel) -> str:
    """Return what the last point of a channel is like; of images that are in files, how many there are."""
    last = channel.last
    if isinstance(last, str) or np.ndim(last) == 0:
        return f"{channel.fullname}  {counted(channel.length, 'image')}"
    values = np.asarray(last)
    size = "x".join(map(str, values.shape))
    if values.dtype.kind not in "iufb" or not values.size:
        return f"{channel.fullname}  {size}"
    total, largest = _brief(float(np.sum(values, dtype=float))), _brief(float(np.max(values)))
    return f"{channel.fullname}  {size}  sum {total}  max {largest}"


def positions(scan: LiveScan) -> list[tuple[str, str, str]]:
    """Return name, position and unit of each axis at its last point."""
    axes = [axis for axis in axes_of(scan) if axis.length]
    return [(axis.name, number(float(axis.last), MANY, decimals_of(scan, axis)), axis.unit) for axis in axes]


def values(scan: LiveScan, fields: Any = None) -> list[str]:
    """Return the last point of each counter: `diode = 12.345 V`, of those that count events their rate, too."""
    counters = [each for each in counters_for(scan, fields) if each.length]
    names = titles_of(scan, counters)
    shown = [names[each.fullname].removesuffix(f"[{each.unit}]") for each in counters]
    wide = max(map(len, shown), default=0)
    return [f"{name:>{wide}} = {_value(scan, each)}" for name, each in zip(shown, counters, strict=True)]


def _value(scan: LiveScan, channel: LiveChannel) -> str:
    last = channel.last
    if isinstance(last, str):
        return plain(last)
    if np.ndim(last):
        return picture(channel).partition("  ")[2]
    text = _brief(last)
    unit = f" {channel.unit}" if channel.unit else ""
    seconds = scan.info.get("count_time")
    if isinstance(seconds, int | float) and seconds > 0 and seconds != 1 and _grows(scan, channel):
        return f"{text}{unit}  ({_brief(float(last) / seconds)}{unit}/s)"
    return f"{text}{unit}"


def _grows(scan: LiveScan, channel: LiveChannel) -> bool:
    devices = scan.info.get("devices") or {}
    device = devices.get(meta_of(scan, channel).get("device")) if isinstance(devices, dict) else None
    return isinstance(device, dict) and device.get("type") == INTEGRATING and channel.is_number


def _brief(value: Any) -> str:
    if isinstance(value, bool | np.bool_):
        return str(bool(value))
    found = float(value)
    return number(found, MANY, whole=True)
