"""A simulated box of 32 inputs and 15 outputs with compressed air on it: each output drives a cylinder, slowly.

    python -m bliss_like.controllers.simulated.servers.io_box --port 5027

For the driver `IoBox`. Output n on brings cylinder n in: input 2n-1 is its "in" switch, input 2n its "out" switch. Input 32 is
a permit. `?IN`, `?OUT` are answered in hexadecimal, the lowest bit for plug 1; `OUT n 0|1` is answered `OK`, or `ERROR`.
"""

from __future__ import annotations

import time

from bliss_like.controllers.simulated.servers.lines import run

NOUTPUTS = 15
PERMIT = 32


class IoBoxServer:
    """Answers lines of text.

    :param travel_time: seconds that a cylinder takes from one end to the other.
    """

    def __init__(self, travel_time: float = 0.5) -> None:
        self.travel_time = travel_time
        self.outputs = [False] * NOUTPUTS
        self.permit = True
        self.stuck: set[int] = set()
        """Numbers of cylinders that stay between their ends."""
        self.history: list[tuple[int, bool]] = []
        """What was switched, in order."""
        self._there_at = [0.0] * NOUTPUTS

    def answer(self, request: str) -> str:
        match request.split():
            case ["?IN"]:
                return f"{self._inputs():x}"
            case ["?OUT"]:
                return f"{sum(1 << n for n, on in enumerate(self.outputs) if on):x}"
            case ["OUT", plug, "0" | "1" as value] if plug.isdigit() and 1 <= int(plug) <= NOUTPUTS:
                self._switch(int(plug), value == "1")
                return "OK"
        return "ERROR not understood"

    def _switch(self, plug: int, on: bool) -> None:
        self.history.append((plug, on))
        if self.outputs[plug - 1] != on:
            self.outputs[plug - 1], self._there_at[plug - 1] = on, time.monotonic() + self.travel_time

    def _inputs(self) -> int:
        bits = int(self.permit) << PERMIT - 1
        for number, on in enumerate(self.outputs):
            if time.monotonic() >= self._there_at[number] and number + 1 not in self.stuck:
                bits |= 1 << (2 * number if on else 2 * number + 1)
        return bits


if __name__ == "__main__":
    run("A simulated box of inputs and outputs", IoBoxServer().answer, 5027)
