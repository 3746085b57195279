"""Simulated devices of the package lewis, each a process of its own on free ports of the loopback."""

from __future__ import annotations

import importlib.util
import os
import signal
import socket
import subprocess
import sys
from contextlib import suppress
from typing import Any

import pytest

from tests.ports import free_port
from tests.waiting import wait_until

# Lewis forgets who has connected last when he leaves; when the one before him leaves after that, its adapter ends.
PROGRAM = """
from lewis.adapters.stream import StreamInterface
from lewis.scripts.run import run_simulation
StreamInterface.handler = None
run_simulation()
"""


class Control:
    """A simulated device from behind, over lewis' control server: its attributes are read and set."""

    def __init__(self, port: int) -> None:
        import zmq

        self.__dict__["_address"] = f"tcp://127.0.0.1:{port}"
        self.__dict__["_context"] = zmq.Context()

    def __getattr__(self, name: str) -> Any:
        return self.call(f"{name}:get")

    def __setattr__(self, name: str, value: object) -> None:
        self.call(f"{name}:set", value)

    def call(self, method: str, *values: object) -> Any:
        import zmq

        request = {"jsonrpc": "2.0", "id": "1", "method": f"device.{method}", "params": values}
        with self._context.socket(zmq.REQ) as remote:
            remote.setsockopt(zmq.LINGER, 0)
            remote.setsockopt(zmq.RCVTIMEO, 30_000)
            remote.connect(self._address)
            remote.send_json(request)
            answer = remote.recv_json()
        assert "result" in answer, answer
        return answer["result"]

    def close(self) -> None:
        """Close all: a context that is collected with an open socket waits for it."""
        self._context.destroy(linger=0)


class LewisServer:
    """A running device; `control` is the simulated device itself, from behind: `server.control.position = 3`."""

    def __init__(self, device: str, package: str = "lewis.examples", speed: float = 1.0) -> None:
        """:param speed: of the simulated time."""
        if importlib.util.find_spec("lewis") is None:
            (pytest.fail if os.environ.get("CI") else pytest.skip)("needs lewis")
        self.port, self._control_port = free_port(), free_port()
        self._command = [sys.executable, "-c", PROGRAM, "-k", package, device, "-c", "0.005", "-e", str(speed)]
        self._command += ["-p", f"stream: {{bind_address: 127.0.0.1, port: {self.port}}}", "-o", "none"]
        self._command += ["-r", f"127.0.0.1:{self._control_port}"]
        self.control = Control(self._control_port)
        self.start()

    def start(self) -> None:
        """Start it, afresh and at the same port as before."""
        self._process = subprocess.Popen(  # a child's pipe kept open would make whoever reads ours wait
            self._command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
        )
        wait_until(self._answers, timeout=60)

    def _answers(self) -> bool:
        assert self._process.poll() is None, f"it ended at once: {' '.join(self._command)}"
        with suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
            return True
        return False

    def freeze(self) -> None:
        """Let it answer nothing, its connections left open."""
        os.killpg(self._process.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        os.killpg(self._process.pid, signal.SIGCONT)

    def stop(self) -> None:
        """End it as a power cut would."""
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait(30)

    def close(self) -> None:
        self.stop()
        self.control.close()
