"""EPICS servers from the packages caproto and epicscorelibs, on private ports of the loopback.

libca reads where to look once per process, so the ports of all servers are chosen here, before the first is started.
"""

from __future__ import annotations

import importlib.util
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import ModuleType

import pytest

from tests.ports import free_port
from tests.waiting import wait_until

ROOT = Path(__file__).parent.parent
EXAMPLES = ("mini_beamline", "scalars_and_arrays", "fake_motor_record", "thermo_sim", "tests.motor_ioc")
MOTOR_RECORDS = "BLISS_LIKE_MOTOR_RECORDS"
"""Environment variable with `host:port prefix` of an IOC with motor records m1 and m2, used instead of `tests/motor_ioc.py`."""


def _script() -> ModuleType:
    loader = SourceFileLoader("mini_beamline_script", str(ROOT / "scripts" / "mini_beamline"))
    spec = importlib.util.spec_from_loader(loader.name, loader)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    writes, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    loader.exec_module(module)
    sys.dont_write_bytecode = writes
    return module


script = _script()
"""`scripts/mini_beamline` as a module."""


class Ioc:
    """One of caproto's example servers; started again, it has the port that it had."""

    def __init__(self, example: str, port: int, repeater_port: int) -> None:
        self.example = example
        self._repeater_port = repeater_port
        self._port = port
        self._state = Path(f"/tmp/bl-ioc-{os.getpid()}-{example}.json")

    def start(self) -> None:
        if script.running(self._state) is None:
            self._pid: int = script.start(self._state, self._port, self._repeater_port, example=self.example)["pid"]

    def stop(self) -> None:
        script.stop(self._state)

    def kill(self) -> None:
        """End it as a crash would."""
        os.killpg(self._pid, signal.SIGKILL)
        script.stop(self._state)

    def freeze(self) -> None:
        """Let it answer nothing, its connections left open."""
        os.killpg(self._pid, signal.SIGSTOP)

    def thaw(self) -> None:
        os.killpg(self._pid, signal.SIGCONT)


class CIoc:
    """The IOC of EPICS Base, from the package epicscorelibs, with the records of a file."""

    def __init__(self, database: Path, port: int, repeater_port: int) -> None:
        self._database = database
        self._environment = script.server_environment(port, repeater_port)
        self._log = Path(f"/tmp/bl-ioc-{os.getpid()}-{database.stem}.log")

    def start(self) -> None:
        program = "from epicscorelibs import ioc; ioc.main(extra_dbd_load=(), extra_dso_load=())"
        with self._log.open("wb") as output:
            self._process = subprocess.Popen(
                [sys.executable, "-c", program, "-m", "P=sc:", "-d", str(self._database)],
                env={**os.environ, **self._environment},
                stdin=subprocess.PIPE,  # it ends with its input
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        wait_until(lambda: "IOC Running" in self._log.read_text() or self._process.poll() is not None)
        assert self._process.poll() is None, self._log.read_text()

    def stop(self) -> None:
        self._process.communicate(timeout=60)
        self._log.unlink()


_REPEATER_PORT, _C_PORT, *_PORTS = [free_port() for _ in range(2 + len(EXAMPLES))]
_IOCS = {example: Ioc(example, port, _REPEATER_PORT) for example, port in zip(EXAMPLES, _PORTS, strict=True)}
_C_IOC = CIoc(ROOT / "tests" / "ioc" / "base_records.db", _C_PORT, _REPEATER_PORT)


def _prepare(*packages: str) -> None:
    """Tell libca where all servers will be, before it looks for the first."""
    for package in packages:
        if importlib.util.find_spec(package) is None:
            (pytest.fail if os.environ.get("CI") else pytest.skip)(f"needs {package}")
    os.environ.update(script.client_environment(_REPEATER_PORT, _C_PORT, *_PORTS))
    if MOTOR_RECORDS in os.environ:
        os.environ["EPICS_CA_ADDR_LIST"] += " " + os.environ[MOTOR_RECORDS].split()[0]


def _running(example: str) -> Iterator[Ioc]:
    _prepare("caproto", "epics")
    ioc = _IOCS[example]
    ioc.start()
    yield ioc
    ioc.stop()


@pytest.fixture(scope="session")
def mini_beamline() -> Iterator[Ioc]:
    """Pinhole, edge and slit: each a motor and a detector that publishes every 0.5 s."""
    yield from _running("mini_beamline")


@pytest.fixture(scope="session")
def scalars_and_arrays() -> Iterator[Ioc]:
    """Variables of every kind."""
    yield from _running("scalars_and_arrays")


@pytest.fixture(scope="session")
def fake_motor() -> Iterator[Ioc]:
    """Motor records, whose puts are answered long before the motor stands still."""
    yield from _running("fake_motor_record")


@pytest.fixture(scope="session")
def motor_ioc() -> Iterator[Ioc]:
    """Motor records as EPICS documents them."""
    yield from _running("tests.motor_ioc")


@pytest.fixture(scope="session")
def motor_records(motor_ioc: Ioc) -> str:
    """The address of motor records without their names, m1 and m2."""
    return f"ca://{os.environ.get(MOTOR_RECORDS, '- rec:').split()[1]}"


@pytest.fixture(scope="session")
def base_records() -> Iterator[CIoc]:
    """Records of EPICS Base that behave like a motor."""
    _prepare("epicscorelibs", "epics")
    _C_IOC.start()
    yield _C_IOC
    _C_IOC.stop()


@pytest.fixture(scope="session")
def thermo_sim() -> Iterator[Ioc]:
    """A temperature that swings around its setpoint, less and less, whenever it gets one."""
    yield from _running("thermo_sim")
