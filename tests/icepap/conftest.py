"""IcePAP controllers for tests: on the simulator of the official client, or on a proxy before it."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from bliss_like.controllers.icepap import IcePAP
from tests.icepap.simulator import Simulator
from tests.proxy import Proxy
from tests.unit.devices.making import make
from tests.waiting import wait_until

AXES = [
    {"name": "th", "address": 1, "steps_per_unit": 1000, "velocity": 4, "acceleration": 40, "tolerance": 0.001},
    {"name": "tth", "address": 2, "steps_per_unit": 1000, "velocity": 4, "acceleration": 40, "tolerance": 0.001},
    {"name": "phi", "address": 11, "steps_per_unit": -100, "velocity": 40, "acceleration": 400, "tolerance": 0.01},
]


@pytest.fixture(autouse=True)
def _short_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    """A controller that does not answer is left alone for less long than usual."""
    monkeypatch.setattr("bliss_like.backends.outage.REST", 0.3)


@pytest.fixture(scope="session")
def _simulator_of_the_run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulator]:
    for package in ("icepap", "sinstruments"):
        if importlib.util.find_spec(package) is None:
            (pytest.fail if os.environ.get("CI") else pytest.skip)(f"needs {package}")
    simulator = Simulator(tmp_path_factory.mktemp("icepap"))
    simulator.start()
    yield simulator
    simulator.kill()


@pytest.fixture
def simulator(_simulator_of_the_run: Simulator) -> Simulator:
    """All its axes stand at 0, with power."""
    _simulator_of_the_run.tell("#STOP 1 2 11")
    wait_until(_simulator_of_the_run.stands_still)
    _simulator_of_the_run.tell("#POWER ON 1 2 11")
    _simulator_of_the_run.tell("#POS AXIS 1 0 2 0 11 0")
    return _simulator_of_the_run


@pytest.fixture
def proxy(simulator: Simulator) -> Iterator[Proxy]:
    with Proxy(simulator.port) as proxy:
        yield proxy


@pytest.fixture
def new_icepap() -> Iterator[Callable[..., IcePAP]]:
    """`new_icepap(port, **keys)`: a controller, closed at the end."""
    made = []

    def new(port: int, **keys: Any) -> IcePAP:
        keys = {"host": "127.0.0.1", "port": port, "timeout": 30, "axes": AXES, **keys}
        made.append(make(IcePAP, "ice", **keys))
        return made[-1]

    yield new
    for controller in made:
        controller.__close__()


@pytest.fixture
def icepap(simulator: Simulator, new_icepap: Callable[..., IcePAP]) -> IcePAP:
    """With axes th and tth (1000 steps a unit) in the first crate, and phi (-100) in the second."""
    return new_icepap(simulator.port)


@pytest.fixture
def proxied(proxy: Proxy, new_icepap: Callable[..., IcePAP]) -> IcePAP:
    """The same, behind the proxy, and used once."""
    controller = new_icepap(proxy.port)
    for axis in controller.axes.values():
        assert axis.position == 0
    return controller
