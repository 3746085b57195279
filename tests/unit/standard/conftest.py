"""Axes that verbs know by name, without a session and without a server."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from bliss_like.controllers.simulated.motors import SimulatedMotors
from bliss_like.devices.axis import Axis
from bliss_like.devices.motor_controller import MotorController
from bliss_like.scanning.environment import environment
from tests.unit.devices.making import make
from tests.unit.scanning.making import memory_environment

Known = dict[str, Any]


@pytest.fixture
def known(monkeypatch: pytest.MonkeyPatch) -> Iterator[Known]:
    """The names of the session; the axes among them are its axes."""
    names: Known = {}
    with memory_environment():
        environment.names = lambda: names
        environment.axes = lambda: [found for found in names.values() if isinstance(found, Axis)]
        yield names


@pytest.fixture
def motors(known: Known) -> Callable[..., MotorController]:
    """A function that makes a controller whose axes the session knows: `motors(robx={"unit": "mm"}, roby={})`."""

    def make_motors(_class: type[MotorController] = SimulatedMotors, **axes: dict[str, Any]) -> MotorController:
        keys = [{"name": name, **keys} for name, keys in axes.items()]
        controller = make(_class, f"motors{len(known)}", axes=keys)
        known.update(controller.axes)
        return controller

    return make_motors
