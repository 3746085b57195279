"""What an axis or a counter is called: its alias where the session gave it one, else its name.

Channels ask when they are made, scans when they write titles and info: once in a scan, never for a point. The table is
keyed by the names of channels (`axis:roby`, `simulation:diode`), so it outlives an object that is made anew.
"""

from __future__ import annotations

from typing import Any

_channel_names: dict[str, str] = {}


def original_channel_name(device: Any) -> str:
    """Return how the channel of a device is called without an alias: `axis:<name>`, or the full name of a counter."""
    return str(getattr(device, "fullname", "") or f"axis:{device.name}")


def channel_name(name: str) -> str:
    """Return the name under which a channel is published: `axis:roby` is `axis:robyy` when roby's alias is robyy."""
    return _channel_names.get(name, name)


def full_name_of(device: Any) -> str:
    """Return the name of the channel of an axis or a counter: `axis:robyy`, `simulation:I0`."""
    return channel_name(original_channel_name(device))


def name_of(device: Any) -> str:
    """Return what people call a device: its alias, else its name."""
    renamed = _channel_names.get(original_channel_name(device))
    return renamed.rpartition(":")[2] if renamed else str(device.name)


def both_names_of(device: Any) -> str:
    """Return `robyy (roby)`, or `roby` when it has no alias; for a counter with its controller."""
    name, original = name_of(device), original_channel_name(device).removeprefix("axis:")
    return original if name == device.name else f"{name} ({original})"


def set_alias(original: str, alias: str | None) -> None:
    """Call the channel `original`, and with it its device, `alias`; None: by its own name again."""
    if alias is None:
        _channel_names.pop(original, None)
    else:
        _channel_names[original] = f"{original.rpartition(':')[0]}:{alias}"
