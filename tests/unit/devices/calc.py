"""Real axes and what is calculated from them, for tests."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, TypeVar

import gevent

from bliss_like.controllers.calc.slits import Slits
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


GAP = {"vgap": {}, "voffset": {}}


class Double(CalcController):
    """Twice its real axis."""

    def calc_from_real(self, real_user_positions: dict[str, Any]) -> dict[str, Any]:
        return {"twice": 2 * real_user_positions["x"]}

    def calc_to_real(self, pseudo_dial_positions: dict[str, Any]) -> dict[str, Any]:
        return {"x": pseudo_dial_positions["twice"] / 2}


class Root(CalcController):
    """The square root of its real axis, with functions that take only floats; the param is what 1 is called."""

    def calc_from_real(self, real_user_positions: dict[str, Any]) -> dict[str, Any]:
        return {"root": math.sqrt(real_user_positions["x"]) * real_user_positions["one"]}

    def calc_to_real(self, pseudo_dial_positions: dict[str, Any]) -> dict[str, Any]:
        return {"x": math.pow(pseudo_dial_positions["root"] / pseudo_dial_positions["one"], 2)}


def root(one: float = 1.0) -> tuple[Root, Axis]:
    x, param = real_axes("x", "param", initial_position=4)
    param.position = one
    return calc(Root, {"x": x, "param one": param}, {"root": {}}), x


def slow_slits(**of_down: Any) -> Slits:
    (up,) = real_axes("up", velocity=10, acceleration=1000)
    (down,) = real_axes("down", **({"velocity": 10, "acceleration": 1000} | of_down))
    return calc(Slits, {"up": up, "down": down}, GAP)
