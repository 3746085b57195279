"""A simulated box of fast shutters with a multiplexer, as it would answer over TCP: blades take time, a PLC may forbid.

`?ID`, `?STATE n`, `?WHY n`, `?TIMES n`, `?MODE n`, `?ROUTE output`; `OPEN n`, `CLOSE n`, `PULSE n seconds`, `MODE n mode`,
`ROUTE output input`. Commands are answered `OK` or `ERROR words`.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field

import gevent
from sinstruments.simulator import BaseDevice

OPENING_TIME, CLOSING_TIME = 0.008, 0.012


@dataclass
class Blade:
    """One shutter: when it was told what, and so where it is now."""

    travel: tuple[float, float] = (OPENING_TIME, CLOSING_TIME)
    mode: str = "MANUAL"
    forbidden: str = ""
    stuck: bool = False
    is_open: bool = False
    changed: float = -1.0
    was_open: float = 0.0
    cycles: int = 0
    pulse: gevent.Greenlet | None = field(default=None, repr=False)

    def state(self) -> str:
        if self.stuck:
            return "MOVING"
        if time.monotonic() < self.changed + self.travel[0 if self.is_open else 1]:
            return "MOVING"
        return "OPEN" if self.is_open else "INTERLOCK" if self.forbidden else "CLOSED"

    def go(self, is_open: bool) -> None:
        if is_open != self.is_open:
            now = time.monotonic()
            if not is_open:
                self.was_open = now - self.changed - self.travel[0]
                self.cycles += 1
            self.is_open, self.changed = is_open, now

    def open_for(self, seconds: float) -> None:
        self.go(True)
        gevent.sleep(self.travel[0] + seconds)
        self.go(False)

    def forbid(self, words: str) -> None:
        """What the safety system does: it closes."""
        self.forbidden = words
        self.go(False)


class ShutterBox(BaseDevice):
    def __init__(self, name: str, **options: object) -> None:
        super().__init__(name, **options)
        self.blades = {str(n): Blade() for n in (1, 2)}
        self.routes = {str(n): 0 for n in (1, 2, 3)}

    def handle_message(self, message: bytes) -> bytes:
        word, *arguments = message.decode().split()
        try:
            return f"{self.answer(word, arguments)}\n".encode()
        except (KeyError, ValueError, IndexError):
            return f"ERROR {message.decode().strip()} is not understood\n".encode()

    def answer(self, word: str, arguments: list[str]) -> str:
        if word == "?ID":
            return "SHUTTERBOX 2.1"
        if word in ("?ROUTE", "ROUTE"):
            return self._route(word, arguments)
        blade = self.blades[arguments[0]]
        match word:
            case "?STATE":
                return blade.state()
            case "?WHY":
                return blade.forbidden or "NOTHING"
            case "?TIMES":
                return f"{blade.travel[0]:.6f} {blade.travel[1]:.6f} {blade.was_open:.6f}"
            case "?MODE":
                return blade.mode
            case "MODE":
                blade.mode = {"MANUAL": "MANUAL", "EXTERNAL": "EXTERNAL"}[arguments[1]]
                return "OK"
            case "CLOSE":
                if blade.pulse:
                    blade.pulse.kill()
                blade.go(False)
                return "OK"
            case "OPEN" | "PULSE" if blade.forbidden:
                return f"ERROR {blade.forbidden}"
            case "OPEN" | "PULSE" if blade.mode != "MANUAL":
                return "ERROR in external mode"
            case "OPEN":
                blade.go(True)
                return "OK"
            case "PULSE":
                blade.pulse = gevent.spawn(blade.open_for, float(arguments[1]))
                blade.go(True)
                return "OK"
        raise ValueError(word)

    def _route(self, word: str, arguments: list[str]) -> str:
        if word == "?ROUTE":
            return str(self.routes[arguments[0]])
        if not 0 <= int(arguments[1]) <= 8:
            return "ERROR no such input"
        self.routes[arguments[0]] += 0  # a KeyError where there is no such output
        self.routes[arguments[0]] = int(arguments[1])
        return "OK"
