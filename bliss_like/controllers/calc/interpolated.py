"""An axis that is known by a table: the gap of an undulator by energy. Between two lines it is interpolated.

::

    - name: u18_table
      class: Interpolated
      table:                        # by tag; lines in any order
        energy: [5.0, 6.5, 8.0, 10.0]
        gap: [6.0, 7.2, 8.6, 11.0]
      axes:
        - {name: $u18_gap, tags: real gap}
        - {name: u18_energy, tags: energy, unit: keV}
"""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from pydantic import model_validator

from bliss_like.devices.calc_axis import CalcController
from bliss_like.devices.calc_config import CalcControllerConfig
from bliss_like.devices.calculation import Value
from bliss_like.devices.naming import name_of
from bliss_like.errors import AxisLimitError, DeviceError


class Interpolated(CalcController):
    """One pseudo axis, and real axes that follow a table. The first real axis tells where the pseudo axis is: NaN outside
    of the table.
    """

    class Config(CalcControllerConfig):
        table: dict[str, list[float]]

        @model_validator(mode="after")
        def _check(self) -> Self:
            lengths = {tag: len(column) for tag, column in self.table.items()}
            if len(set(lengths.values())) != 1 or min(lengths.values()) < 2:
                raise ValueError(f"table: expected columns of one length, 2 at least, came {lengths}")
            if not all(np.isfinite(column).all() for column in self.table.values()):
                raise ValueError("table: expected finite numbers")
            return self

    def __init__(self, name: str, config: Config) -> None:
        """:raises DeviceError: not one pseudo axis and a real one at least, or not each has a column."""
        super().__init__(name, config)
        tags = set(self._tags.values())
        if len(self.pseudos) != 1 or not self.reals or tags != config.table.keys():
            raise DeviceError(
                f"{name}: expected one pseudo axis, real ones, and a column of the table for each; got axes with the tags "
                f"{', '.join(self._tags.values())}, columns {', '.join(config.table)}"
            )
        self._tag = self._tags[self.pseudos[0]]
        self._first = self._tags[self.reals[0]]
        self._forth = _sorted_by(self._tag, config.table, name)
        self._back = _sorted_by(self._first, config.table, name)

    def calc_from_real(self, real_user_positions: dict[str, Value]) -> dict[str, Value]:
        lines, position = self._back, real_user_positions[self._first]
        return {self._tag: np.interp(position, lines[self._first], lines[self._tag], left=np.nan, right=np.nan)}

    def calc_to_real(self, pseudo_dial_positions: dict[str, Value]) -> dict[str, Value]:
        lines, position = self._forth, np.asarray(pseudo_dial_positions[self._tag])
        low, high = lines[self._tag][[0, -1]]
        outside = ~((position >= low) & (position <= high))
        if outside.any():
            first = np.atleast_1d(position)[np.atleast_1d(outside)][0]
            raise AxisLimitError(
                f"{name_of(self.pseudos[0])}: {first:g} is not in the table of {self.name}, which goes from {low:g} to "
                f"{high:g}. Nothing was moved"
            )
        return {tag: np.interp(position, lines[self._tag], lines[tag]) for tag in lines if tag != self._tag}


def _sorted_by(tag: str, table: dict[str, list[float]], name: str) -> dict[str, Any]:
    order = np.argsort(table[tag])
    lines = {each: np.asarray(column)[order] for each, column in table.items()}
    if (np.diff(lines[tag]) <= 0).any():
        raise DeviceError(f"{name}: the table has a value of {tag} twice; each line needs one of its own")
    return lines
