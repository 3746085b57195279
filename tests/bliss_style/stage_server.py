"""A box of stepper motors on a loopback port, that speaks lines of text: `POS? 1`, `MOVE 1 200`, `STOP 1`, ..."""

from __future__ import annotations

import math
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from gevent.server import StreamServer

from bliss_like.devices.motion import TimeLaw, at_rest, trapezoid


@dataclass
class Motor:
    law: TimeLaw = field(default_factory=lambda: at_rest(0))
    began: float = 0.0
    velocity: float = 1000.0
    acceleration: float = 1e6
    powered: bool = True
    home: float = 300.0
    """Where its home switch is, and its positive limit switch 200 further."""
    slip: float = 0.0
    """How far what the encoder sees is from where the motor believes to be."""
    encoder_zero: float = 0.0
    searching: bool = False

    @property
    def position(self) -> float:
        return self.law.position(time.monotonic() - self.began)

    @property
    def is_moving(self) -> bool:
        return time.monotonic() - self.began < self.law.duration

    def go(self, target: float) -> None:
        self.law = trapezoid(self.position, target, self.velocity, self.acceleration)
        self.began = time.monotonic()

    @property
    def encoder(self) -> float:
        return self.position + self.slip - self.encoder_zero

    def jog(self, velocity: float) -> None:
        self.law = trapezoid(self.position, math.copysign(1e9, velocity), abs(velocity), self.acceleration)
        self.began = time.monotonic()

    def search(self, target: float) -> None:
        self.searching = True
        self.go(target)

    def stop(self) -> None:
        self.searching = False
        self.law = self.law.stopped_at(time.monotonic() - self.began, self.acceleration)


class StageBox:
    """What is behind the port."""

    def __init__(self) -> None:
        self.motors = {number: Motor() for number in (1, 2)}
        self.requests: list[str] = []

    def answer(self, request: str) -> str:
        self.requests.append(request)
        command, number, *rest = request.split()
        answer: dict[str, Callable[..., Any]] = {
            "POS?": lambda motor: round(motor.position),
            "POS": lambda motor, value: setattr(motor, "law", at_rest(float(value))),
            "STATE?": self._state,
            "MOVE": lambda motor, target: motor.go(float(target)),
            "STOP": lambda motor: motor.stop(),
            "VEL?": lambda motor: motor.velocity,
            "VEL": lambda motor, value: setattr(motor, "velocity", float(value)),
            "ACC?": lambda motor: motor.acceleration,
            "ACC": lambda motor, value: setattr(motor, "acceleration", float(value)),
            "POWER": lambda motor, on: setattr(motor, "powered", on == "ON"),
            "ENC?": lambda motor: round(motor.encoder),
            "ENC": lambda motor, value: setattr(motor, "encoder_zero", motor.position + motor.slip - float(value)),
            "HOME": lambda motor: motor.search(motor.home),
            "LIMIT": lambda motor, side: motor.go(motor.home + 200 if side == "+" else -500),
            "JOG": lambda motor, velocity: motor.jog(float(velocity)),
            "ID?": lambda motor: f"STAGE-{number}",
        }
        if command not in answer:
            return "ERROR unknown command"
        found = answer[command](self.motors[int(number)], *rest)
        return "OK" if found is None else str(found)

    @staticmethod
    def _state(motor: Motor) -> str:
        if not motor.powered:
            return "PARKED"
        if motor.is_moving:
            return "SEARCHING" if motor.searching else "BUSY"
        switches = {motor.home: "HOME", motor.home + 200: "LIM+", -500: "LIM-"}
        return switches.get(round(motor.position), "IDLE")

    def serve(self, connection: socket.socket, _address: object) -> None:
        with connection.makefile("r") as lines:
            for line in lines:
                connection.sendall(f"{self.answer(line.strip())}\n".encode())


@contextmanager
def stage_box() -> Iterator[tuple[StageBox, int]]:
    """A box and its port, as long as the context is open."""
    box = StageBox()
    server = StreamServer(("127.0.0.1", 0), box.serve)
    server.start()
    try:
        yield box, server.server_port
    finally:
        server.stop()
