"""A simulated box of 32 inputs and 32 outputs with compressed air on it: each output drives a cylinder, slowly.

Output n on brings cylinder n in: input 2n-1 is its "in" switch, input 2n its "out" switch. Input 32 is a permit.
`?IN`, `?OUT` are answered in hexadecimal; `OUT n 0|1` is answered `OK` or `ERROR words`.
"""

from __future__ import annotations

import time

from sinstruments.simulator import BaseDevice

TRAVEL = 0.02


class IoBoxSimulator(BaseDevice):
    def __init__(self, name: str, **options: object) -> None:
        super().__init__(name, **options)
        self.outputs = [False] * 15
        self.changed = [-1.0] * 15
        self.permit = True
        self.stuck: set[int] = set()
        self.history: list[tuple[int, bool]] = []

    def handle_message(self, message: bytes) -> bytes:
        match message.decode().split():
            case ["?IN"]:
                return b"%x\n" % self._inputs()
            case ["?OUT"]:
                return b"%x\n" % sum(1 << n for n, on in enumerate(self.outputs) if on)
            case ["OUT", plug, "0" | "1" as value] if plug.isdigit() and 1 <= int(plug) <= len(self.outputs):
                self._switch(int(plug) - 1, value == "1")
                return b"OK\n"
        return b"ERROR not understood\n"

    def _switch(self, number: int, on: bool) -> None:
        self.history.append((number + 1, on))
        if self.outputs[number] != on:
            self.outputs[number], self.changed[number] = on, time.monotonic()

    def _inputs(self) -> int:
        now = time.monotonic()
        bits = int(self.permit) << 31
        for number, on in enumerate(self.outputs):
            if now >= self.changed[number] + TRAVEL and number + 1 not in self.stuck:
                bits |= 1 << (2 * number if on else 2 * number + 1)
        return bits
