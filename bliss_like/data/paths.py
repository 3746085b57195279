"""The key scheme: db_names of nodes and the Redis keys behind them. The only file that knows it.

A node's db_name joins the names from the session down with ":", e.g. `eh1:tmp:scans:12_ascan:axis:timer:diode:diode`.
Every key of one scan carries the scan's db_name as its hash tag, so that on a Redis Cluster they share a slot.

=========================================  ==========  ===============================================================
key                                        type        what it holds
=========================================  ==========  ===============================================================
`bl1:sessions`                             stream      NewNode of every session
`bl1:children:{<container>}`               stream      NewNode of containers and scans below a session or container
`bl1:scan:{<scan>}`                        stream      all of a scan but its points: NewNode, info, PreparedScan, EndScan
`bl1:data:{<scan>}:<channel below it>`     stream      points of one channel; id = `<first index>-<number of points>`
`bl1:saved:{<scan>}`                       stream      SavedScan, by the writer: where the scan is on disk, or why it is not
`bl1:saving:{<scan>}`                      hash        by channel: points that are safely on disk while the scan is written
`bl1:writer:{<session>}`                   string      the living writer of a session (JSON); gone when it does not say so again
`bl1:died:{<session>}`                     hash        by scan that died with its process: `logged`, `told` when its user knows of it
`bl1:node:{<container>}`                   hash        kind of a session or container, last scan numbers taken below it
`bl1:bytes`                                hash        by scan: time of creation (ns), bytes of points, `unsaved` if it is to be (retention)
`bl1:budget`                               hash        bytes of points of all scans together (retention)
`bl1:setting:{<name>}`                     any         a setting (config/settings), e.g. `eh1:robx`, as JSON
`bl1:lock:{<beamline>:}<name>`             string      who holds a lock, drives a device or has a session open (JSON)
`bl1:unlocked:{<beamline>:}<name>`         hash        what was in the lock when it was taken away, and by whom (JSON)
`bl1:channel:{<beamline>:}<name>`          hash        `value` of a shared channel (JSON), and its `version`
`bl1:live:{<beamline>:}`                   stream      changes of shared channels, and what is posted to event channels
=========================================  ==========  ===============================================================

The `1` in the prefix is the version of this scheme and of the codec.
"""

from __future__ import annotations

import re

PREFIX = "bl1:"
SESSIONS = PREFIX + "sessions"
BYTES = PREFIX + "bytes"
BUDGET = PREFIX + "budget"

_FORBIDDEN = re.compile(r"[:{}\s\x00-\x1f\x7f\ud800-\udfff]")
_SCAN_NAME = re.compile(r"_?\d+_")


def check_name(name: str, what: str = "node") -> str:
    """Return `name` if it can be one component of a db_name.

    :raises ValueError: it is empty or holds a colon, a brace, white space, or what is no character.
    """
    if not name or _FORBIDDEN.search(name):
        raise ValueError(
            f"{what} name {name!r}: expected at least one character and no ':', '{{', '}}', white space or control character"
        )
    return name


def join(*parts: str) -> str:
    return ":".join(part for part in parts if part)


def parent(path: str) -> str:
    """Return the db_name of the parent; empty for a session."""
    return path.rpartition(":")[0]


def is_below(path: str, above: str) -> bool:
    """Whether a db_name is below another one; all are below the empty one."""
    return not above or path.startswith(above + ":")


def name(path: str) -> str:
    return path.rpartition(":")[2]


def children(container: str) -> str:
    """Key of the stream of nodes below a session or container; below nothing, the sessions."""
    return f"{PREFIX}children:{{{container}}}" if container else SESSIONS


def scan(path: str) -> str:
    return f"{PREFIX}scan:{{{path}}}"


def data(channel: str, scan_path: str) -> str:
    """Key of the stream of a channel's points.

    :raises ValueError: the channel is not below the scan.
    """
    if not channel.startswith(scan_path + ":"):
        raise ValueError(f"channel {channel!r} is not below scan {scan_path!r}")
    return f"{PREFIX}data:{{{scan_path}}}:{channel[len(scan_path) + 1 :]}"


def saved(scan_path: str) -> str:
    """Key of the stream in which the writer says that a scan is saved."""
    return f"{PREFIX}saved:{{{scan_path}}}"


def saving(scan_path: str) -> str:
    """Key of what the writer has brought to disk of a scan so far."""
    return f"{PREFIX}saving:{{{scan_path}}}"


def writer(session: str) -> str:
    """Key under which the writer of a session says that it lives."""
    return f"{PREFIX}writer:{{{session}}}"


def died(session: str) -> str:
    """Key of the scans of a session that died with their process."""
    return f"{PREFIX}died:{{{session}}}"


def node(container: str) -> str:
    return f"{PREFIX}node:{{{container}}}"


def setting(name: str) -> str:
    return f"{PREFIX}setting:{{{name}}}"


def setting_name(key: str) -> str:
    """Return the name of the setting under a key."""
    return key[len(setting("")) - 1 : -1]


def check_setting_name(name: str) -> str:
    """Return `name` if a setting can have it.

    :raises ValueError: it is empty or holds a brace.
    """
    if not name or "{" in name or "}" in name:
        raise ValueError(f"setting name {name!r}: expected at least one character, and no '{{' or '}}'")
    return name


def lock(beamline: str, name: str) -> str:
    """Key of a lock. Those of one beamline share a slot, so that several are taken in one step; the colon in the braces is
    for a beamline without a name."""
    return f"{PREFIX}lock:{{{beamline}:}}{name}"


def unlocked(beamline: str, name: str) -> str:
    return f"{PREFIX}unlocked:{{{beamline}:}}{name}"


def channel(beamline: str, name: str) -> str:
    return f"{PREFIX}channel:{{{beamline}:}}{name}"


def live(beamline: str) -> str:
    return f"{PREFIX}live:{{{beamline}:}}"


def scan_name(number: int, name: str, *, saved: bool = True) -> str:
    """Return the name of a scan node: `12_ascan`, or `_3_ct` when it is not saved."""
    return f"{'' if saved else '_'}{number}_{name}"


def scan_candidates(path: str) -> list[str]:
    """Return the prefixes of `path` (itself included) that may be a scan, the outermost first."""
    parts = path.split(":")
    return [":".join(parts[: i + 1]) for i in range(1, len(parts)) if _SCAN_NAME.match(parts[i])]
