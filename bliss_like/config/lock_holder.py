"""Who holds a lock: as it is stored, as it is told to people, and whether that process is still there."""

from __future__ import annotations

import datetime
import json
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from bliss_like.data.process import is_gone
from bliss_like.errors import AlreadyLockedDevices


@dataclass(frozen=True)
class Holder:
    """Who holds a lock, and what for."""

    name: str
    session: str = ""
    owner: str = ""
    purpose: str = ""
    since: float = 0.0
    """Epoch, in seconds."""
    token: str = ""
    """Of the process: another one cannot have the same."""
    process: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, name: str, raw: bytes) -> Holder:
        try:
            known = json.loads(raw)
            holder = cls(
                name, **{key: known[key] for key in known if key in cls.__dataclass_fields__ and key != "name"}
            )
            str(holder), dict(holder.process)  # it can be told
            return holder
        except (ValueError, TypeError, AttributeError):
            return cls(name, purpose=f"by something that is not bliss_like: {raw[:50]!r}")

    def to_json(self) -> bytes:
        return json.dumps({key: value for key, value in asdict(self).items() if key != "name" and value}).encode()

    @property
    def is_gone(self) -> bool:
        return is_gone(self.process)

    @property
    def where(self) -> str:
        """The process: `pid 123, ada, id01ctrl`."""
        return ", ".join(
            [f"pid {self.process.get('pid', '?')}", *(self.process.get(key, "?") for key in ("user", "host"))]
        )

    @property
    def time(self) -> str:
        """Since when: the time of day, with the date if it was another one."""
        since, now = (datetime.datetime.fromtimestamp(each).astimezone() for each in (self.since, time.time()))
        return since.strftime("%H:%M:%S" if since.date() == now.date() else "%Y-%m-%d %H:%M:%S")

    def __str__(self) -> str:
        who = f"session {self.session}" if self.session else "a script"
        owner = f", owner {self.owner}" if self.owner else ""
        purpose = f": {self.purpose}" if self.purpose else ""
        return f"{who} ({self.where}{owner}) since {self.time}{purpose}"


def in_use(holders: Sequence[Holder], way_out: str = "") -> AlreadyLockedDevices:
    """Return the error for what others hold."""
    way_out = (
        way_out or f"wait, or ask there; if nobody is there: force_unlock({', '.join(repr(h.name) for h in holders)})"
    )
    error = AlreadyLockedDevices(
        "; ".join(f"{holder.name} is in use by {holder}" for holder in holders) + f"; {way_out}"
    )
    error.holders = list(holders)
    return error
