"""A simulated piezo amplifier of three channels behind a TCP port, for the driver `bliss_like.controllers.piezo`.

    python -m bliss_like.controllers.simulated.servers.piezo --port 5025

It speaks in the manner of the General Command Set of Physik Instrumente (E-517 and others), as far as listed in COMMANDS.
Commands are not answered: `ERR?` tells how the last one went.
"""

from __future__ import annotations

import argparse
import contextlib
import logging
import time
from collections.abc import Callable

from gevent import socket
from gevent.server import StreamServer

from bliss_like.controllers.simulated.piezo_stack import PiezoStack

_log = logging.getLogger(__name__)

NO_ERROR, SYNTAX, UNKNOWN, SERVO_OFF, OUT_OF_LIMITS, STOPPED, NO_SUCH_AXIS, OUT_OF_RANGE = 0, 1, 2, 5, 7, 10, 15, 17
"""What `ERR?` answers."""

QUERIES: dict[str, Callable[[PiezoStack], float]] = {
    "POS?": lambda stack: stack.reading,
    "MOV?": lambda stack: stack.target,
    "SVA?": lambda stack: stack.target,
    "VOL?": lambda stack: stack.voltage,
    "VEL?": lambda stack: stack.slew_rate,
    "SVO?": lambda stack: stack.servo,
    "ONT?": lambda stack: stack.on_target,
    "TMX?": lambda stack: stack.travel,
    "TMN?": lambda stack: 0.0,
}
"""`POS? A` is answered `A=12.3456`: position, targets, voltage, velocity, servo, on target, travel."""

COMMANDS = ("MOV", "SVA", "SVO", "VEL", "HLT")
"""`MOV A 12.5` (um, with servo), `SVA A 30` (V, without servo), `SVO A 1`, `VEL A 500` (um/s), `HLT A` (stop)."""


class PiezoAmplifier:
    """Answers lines of text."""

    def __init__(self, channels: str = "ABC", clock: Callable[[], float] = time.monotonic) -> None:
        self.stacks = {channel: PiezoStack(clock) for channel in channels}
        self._error = NO_ERROR

    def answer(self, line: str) -> str | None:
        """Do what a line says, and return its answer, if it has one."""
        name, *words = line.split()
        if name == "*IDN?":
            return "bliss_like, simulated piezo amplifier, 0, 1.0"
        if name == "ERR?":
            error, self._error = self._error, NO_ERROR
            return str(error)
        if name not in QUERIES and name not in COMMANDS:
            self._error = UNKNOWN
        elif not words or words[0] not in self.stacks:
            self._error = NO_SUCH_AXIS
        elif name in QUERIES:
            value = QUERIES[name](self.stacks[words[0]])
            return f"{words[0]}={int(value) if isinstance(value, bool) else format(value, '.4f')}"
        else:
            self._error = self._command(name, self.stacks[words[0]], words[1:])
        return None

    def _command(self, name: str, stack: PiezoStack, words: list[str]) -> int:
        if name == "HLT":
            stack.halt()
            return STOPPED
        try:
            (value,) = map(float, words)
        except ValueError:
            return SYNTAX
        if name in ("MOV", "SVA"):
            if stack.servo != (name == "MOV"):
                return SERVO_OFF
            if not 0 <= value <= (stack.travel if stack.servo else stack.volts):
                return OUT_OF_LIMITS
            stack.move(value)
        elif name == "SVO":
            stack.switch(bool(value))
        elif value <= 0:
            return OUT_OF_RANGE
        else:
            stack.set_slew_rate(value)
        return NO_ERROR


def serve(port: int, host: str = "127.0.0.1") -> StreamServer:
    """Start to listen; greenlets serve one amplifier to any number of clients.

    :param port: 0: any that is free; it is `server.server_port`.
    """
    amplifier = PiezoAmplifier()

    def handle(client: socket.socket, address: object) -> None:
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with client, client.makefile("rwb") as lines:
            for line in lines:
                request = line.decode("ascii", "replace").strip()
                answer = amplifier.answer(request) if request else None
                if answer is not None:
                    lines.write(f"{answer}\n".encode())
                    lines.flush()

    server = StreamServer((host, port), handle)
    server.start()
    _log.info("a simulated piezo amplifier listens on %s:%d", host, server.server_port)
    return server


def main() -> None:
    parser = argparse.ArgumentParser(description="A simulated piezo amplifier of three channels: A, B, C.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=5025)
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    try:
        server = serve(arguments.port, arguments.host)
    except OSError as error:
        parser.error(f"cannot listen on {arguments.host}:{arguments.port}: {error.strerror}")
    with contextlib.suppress(KeyboardInterrupt):
        server.serve_forever()


if __name__ == "__main__":
    main()
