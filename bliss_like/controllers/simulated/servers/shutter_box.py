"""A simulated box of two fast shutters with a multiplexer: its blades take time, and a safety system may forbid to open.

    python -m bliss_like.controllers.simulated.servers.shutter_box --port 5026

For the drivers `TimedShutter` and `Multiplexer`. Queries: `?ID`, `?STATE n`, `?WHY n`, `?TIMES n`, `?MODE n`, `?ROUTE output`.
Commands: `OPEN n`, `CLOSE n`, `PULSE n seconds`, `MODE n MANUAL|EXTERNAL`, `ROUTE output input`; they are answered `OK`, or
`ERROR` with words.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field

import gevent

from bliss_like.controllers.simulated.servers.lines import run

OPENING_TIME, CLOSING_TIME = 0.008, 0.012
NINPUTS = 8


@dataclass
class Blade:
    """One shutter: when it was told what, and so where it is now."""

    travel: tuple[float, float] = (OPENING_TIME, CLOSING_TIME)
    mode: str = "MANUAL"
    forbidden: str = ""
    stuck: bool = False
    is_open: bool = False
    was_open: float = 0.0
    ncycles: int = 0
    _changed: float = -1.0
    _pulse: gevent.Greenlet[[float], None] | None = field(default=None, repr=False)

    def state(self) -> str:
        if self.stuck or time.monotonic() < self._changed + self.travel[0 if self.is_open else 1]:
            return "MOVING"
        return "OPEN" if self.is_open else "INTERLOCK" if self.forbidden else "CLOSED"

    def go(self, is_open: bool) -> None:
        if is_open != self.is_open:
            now = time.monotonic()
            if not is_open:
                self.was_open = now - self._changed - self.travel[0]
                self.ncycles += 1
            self.is_open, self._changed = is_open, now

    def close(self) -> None:
        if self._pulse is not None:
            self._pulse.kill()
        self.go(False)

    def pulse(self, seconds: float) -> None:
        self.go(True)
        self._pulse = gevent.spawn(self._end_pulse, seconds)

    def _end_pulse(self, seconds: float) -> None:
        gevent.sleep(self.travel[0] + seconds)
        self.go(False)

    def forbid(self, words: str) -> None:
        """What the safety system does: it closes."""
        self.forbidden = words
        self.go(False)


class ShutterBox:
    """Answers lines of text."""

    def __init__(self) -> None:
        self.blades = {n: Blade() for n in ("1", "2")}
        self.routes = dict.fromkeys(("1", "2", "3"), 0)

    def answer(self, request: str) -> str:
        match request.split():
            case ["?ID"]:
                return "SHUTTERBOX 2.1"
            case ["?ROUTE", output] if output in self.routes:
                return str(self.routes[output])
            case ["ROUTE", output, plug] if output in self.routes and plug.isdigit():
                if int(plug) > NINPUTS:
                    return "ERROR no such input"
                self.routes[output] = int(plug)
                return "OK"
            case [query, n] if query.startswith("?") and n in self.blades:
                return _told(self.blades[n], query) or f"ERROR {request} is not understood"
            case [command, n, *words] if n in self.blades and _done(self.blades[n], command, words):
                return "OK"
            case ["OPEN" | "PULSE", n, *_] if n in self.blades:
                return f"ERROR {self.blades[n].forbidden or 'in external mode'}"
        return f"ERROR {request} is not understood"


def _told(blade: Blade, query: str) -> str:
    match query:
        case "?STATE":
            return blade.state()
        case "?WHY":
            return blade.forbidden or "NOTHING"
        case "?TIMES":
            return f"{blade.travel[0]:.6f} {blade.travel[1]:.6f} {blade.was_open:.6f}"
        case "?MODE":
            return blade.mode
    return ""


def _done(blade: Blade, command: str, words: list[str]) -> bool:
    may_open = blade.mode == "MANUAL" and not blade.forbidden
    match command, words:
        case "CLOSE", []:
            blade.close()
        case "MODE", ["MANUAL" | "EXTERNAL" as mode]:
            blade.mode = mode
        case "OPEN", [] if may_open:
            blade.go(True)
        case "PULSE", [seconds] if may_open:
            blade.pulse(float(seconds))
        case _:
            return False
    return True


if __name__ == "__main__":
    run("A simulated box of fast shutters", ShutterBox().answer, 5026)
