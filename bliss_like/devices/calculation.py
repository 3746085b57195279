"""Calls of the two functions of a calc controller: with one position of each axis, or with arrays of them.

A function that takes only floats is called once for each position, and the log says so.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bliss_like.devices.numbers import brief
from bliss_like.errors import AxisLimitError, BlissLikeError, DeviceError

_log = logging.getLogger(__name__)

Value = Any
"""A float, or an array of them."""


class Calculation:
    """`calc_from_real` or `calc_to_real` of one controller, able to take arrays whatever it is written for."""

    def __init__(self, function: Callable[[dict[str, Any]], Mapping[str, Any]], owner: str) -> None:
        """:param owner: name of the controller, for errors."""
        self._function = function
        self._name = getattr(function, "__name__", repr(function))
        self._owner = owner
        self._takes_arrays = True

    def __call__(self, positions: Mapping[str, Value]) -> dict[str, Value]:
        """Return what the function makes of positions by tag: floats of floats, arrays of arrays.

        :param positions: floats and arrays of one shape; a float among arrays stays the same in all positions.
        :raises AxisLimitError: the function refuses a position.
        :raises DeviceError: what it returns is not {tag: position}.
        """
        if all(isinstance(value, float) for value in positions.values()):
            return self._of_floats(dict(positions))
        shape = np.broadcast_shapes(*(np.shape(value) for value in positions.values()))
        if not shape:
            return self._of_floats({tag: float(value) for tag, value in positions.items()})
        arrays = {tag: np.broadcast_to(np.asarray(value, float), shape) for tag, value in positions.items()}
        if self._takes_arrays and np.size(next(iter(arrays.values()))) != 1:
            try:
                return self._of_arrays(arrays, shape)
            except BlissLikeError:
                raise
            except Exception:  # noqa: BLE001 - raised again below, with the position
                pass  # it takes only floats, or refuses one of the positions: one after the other shows which
        return self._one_by_one(arrays, shape)

    def _of_arrays(self, arrays: Mapping[str, NDArray[np.float64]], shape: tuple[int, ...]) -> dict[str, Value]:
        with np.errstate(all="ignore"):  # who moves checks the results, and names the position
            found = self._function({tag: array.copy() for tag, array in arrays.items()})
        if not isinstance(found, Mapping):
            raise self._no_answer(found)
        return {tag: np.array(np.broadcast_to(np.asarray(value, float), shape)) for tag, value in found.items()}

    def _one_by_one(self, arrays: Mapping[str, NDArray[np.float64]], shape: tuple[int, ...]) -> dict[str, Value]:
        rows = zip(*(array.ravel().tolist() for array in arrays.values()), strict=True)
        found = [self._of_floats(dict(zip(arrays, row, strict=True))) for row in rows]
        if len(found) > 1 and self._takes_arrays:
            self._takes_arrays = False
            _log.warning(
                "%s: %s takes one position at a time: it is called once for each point of a scan or a trajectory. "
                "Written with numpy's functions instead of math's, it takes all of them at once",
                self._owner,
                self._name,
            )
        tags = found[0] if found else {}
        return {tag: np.array([each[tag] for each in found]).reshape(shape) for tag in tags}

    def _of_floats(self, positions: dict[str, float]) -> dict[str, Value]:
        try:
            with np.errstate(all="ignore"):
                found = self._function(dict(positions))
        except BlissLikeError:
            raise
        except (ValueError, ArithmeticError) as error:
            raise AxisLimitError(
                f"{self._owner}: {self._name} has no answer for {_told(positions)}: {error}"
            ) from error
        except Exception as error:
            error.add_note(f"({self._owner}: {self._name} of {_told(positions)})")
            raise
        try:
            return {tag: float(value) for tag, value in found.items()}
        except (AttributeError, TypeError, ValueError, OverflowError):
            raise self._no_answer(found) from None

    def _no_answer(self, found: object) -> DeviceError:
        return DeviceError(
            f"{self._owner}: {self._name} must return a dictionary, a number for each tag, came {brief(found)}"
        )


def _told(positions: Mapping[str, float]) -> str:
    return ", ".join(f"{tag} = {value:g}" for tag, value in positions.items())
