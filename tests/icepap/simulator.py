"""The simulator that comes with the official client, in a process of its own."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

from tests.ports import free_port
from tests.waiting import wait_until

CONFIG = """
devices:
- class: IcePAP
  package: icepap.simulator
  name: iceid
  transports:
  - {{type: tcp, url: "127.0.0.1:{port}"}}
  axes:
  - {{address: 1, velocity: 1000, name: th}}
  - {{address: 2, velocity: 1000, name: tth, acctime: 0.125}}
  - {{address: 11, velocity: 1000, name: phi}}
"""


class Simulator:
    """Drivers 1, 2 and 11 of one IcePAP; started again, it has its port, and has forgotten all that it was told."""

    def __init__(self, directory: Path) -> None:
        self.port = free_port()
        self._config = directory / "icepap.yml"
        self._config.write_text(CONFIG.format(port=self.port))
        self._log = directory / "icepap.log"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "sinstruments", "-c", str(self._config)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        wait_until(self._answers, timeout=60)

    def _answers(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, self._log.read_text()
        return bool(_ask(self.port, b"?VER\r"))

    def kill(self) -> None:
        """End it as a power cut would."""
        if self._process is not None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait(30)
            self._process = None

    def freeze(self) -> None:
        """Let it answer nothing, its connections left open."""
        assert self._process is not None
        os.killpg(self._process.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        assert self._process is not None
        os.killpg(self._process.pid, signal.SIGCONT)

    def stands_still(self) -> bool:
        """Whether no axis is in motion."""
        return not any(int(status, 16) & 0x400 for status in self.tell("?FSTATUS 1 2 11").split()[1:])

    def tell(self, command: str) -> str:
        """Ask it as somebody else, over a connection of one's own."""
        return _ask(self.port, command.encode() + b"\r").decode()


def _ask(port: int, command: bytes) -> bytes:
    try:
        with socket.create_connection(("127.0.0.1", port), 30) as connection:
            connection.sendall(command)
            return connection.recv(4096)
    except OSError:
        return b""
