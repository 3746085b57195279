"""Real axes and what is calculated from them, for tests."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import gevent

from bliss_like.controllers.simulated.motors import SimulatedMotors
from bliss_like.devices.axis import Axis
from bliss_like.devices.calc_axis import CalcController
from tests.unit.devices.making import make

C = TypeVar("C", bound=CalcController)


def real_axes(*names: str, **keys: Any) -> list[Axis]:
    """Axes of one box of simulated motors; they are there at once unless they get a velocity."""
    box = make(SimulatedMotors, "_".join(names), axes=[{"name": name, "steps_per_unit": 100, **keys} for name in names])
    return [box.axes[name] for name in names]


def calc(calc_class: type[C], inputs: dict[str, Any], pseudos: dict[str, dict[str, Any]], **keys: Any) -> C:
    """A calc controller as YAML would make it.

    :param inputs: axes by their tags; a tag that begins with `param ` is one of a param.
    :param pseudos: keys of the pseudo axes by their tags, which are their names too unless they say another one.
    """
    items = [
        {"name": axis, "tags": tags if tags.startswith("param ") else f"real {tags}"} for tags, axis in inputs.items()
    ]
    items += [{"name": tag, "tags": tag} | more for tag, more in pseudos.items()]
    keys = {"name": "calc", **keys}
    return make(calc_class, axes=items, **keys)


def reached(condition: Callable[[], object]) -> None:
    """Let other greenlets run until `condition()` is true."""
    with gevent.Timeout(5):
        while not condition():
            gevent.sleep(0.001)
