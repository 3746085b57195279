"""Masters that bring axes from point to point and trigger their slaves at each."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import gevent
import numpy as np
from numpy.typing import ArrayLike

from bliss_like.devices.axis import check_limits
from bliss_like.devices.naming import name_of
from bliss_like.devices.numbers import decimals_of
from bliss_like.errors import ChainError

from ..channel import AcquisitionChannel
from . import AcquisitionMaster


class VariableStepTriggerMaster(AcquisitionMaster):
    """Moves axes together through lists of positions: `VariableStepTriggerMaster(robx, [0, 1, 5], roby, [3, 2, 1])`.

    Emits where each axis really is, on `axis:<name or alias>`.

    :param stab_time: seconds to wait after each move.
    :raises ChainError: the lists are not equally long, or an axis comes twice.
    :raises AxisLimitError: some position is outside the limits of its axis; nothing was moved.
    """

    def __init__(self, *args: Any, stab_time: float | None = None, name: str = "axis", **kwargs: Any) -> None:
        self.positions = _positions(args)
        self.axes = list(self.positions)
        check_limits(self.positions)
        npoints = len(self.positions[self.axes[0]])
        super().__init__(*self.axes, name=name, npoints=npoints, **kwargs)
        self.stab_time = stab_time
        self.again: Callable[[], bool] | None = None
        """Asked when all data of a point are there: whether to take it again, at the same place."""
        self._targets: dict[Any, float] = {}
        self._emits = []
        for axis in self.axes:
            channel = AcquisitionChannel(f"axis:{axis.name}", float, (), unit=getattr(axis, "unit", None))
            channel.decimals = decimals_of(axis)
            self.channels.append(channel)
            self._emits.append((axis, channel.emit))

    def __iter__(self) -> Iterator[VariableStepTriggerMaster]:
        for row in zip(*(positions.tolist() for positions in self.positions.values()), strict=True):
            self._targets = dict(zip(self.axes, row, strict=True))
            yield self
            while self.again is not None and self.again():
                yield self

    def prepare(self) -> None:
        self.device.move(self._targets)
        if self.stab_time:
            gevent.sleep(self.stab_time)

    def start(self) -> None:
        if self.parent is None:
            self.trigger()

    def trigger(self) -> None:
        self.trigger_slaves()
        positions = self.device.position  # each controller is asked once
        for axis, emit in self._emits:
            emit(positions[axis])
        self.wait_slaves()

    def stop(self) -> None:
        if self.device.has_moved:  # else an axis that moves does so for somebody else, and was refused to us
            self.device.stop()


class LinearStepTriggerMaster(VariableStepTriggerMaster):
    """Moves axes together in equal steps: `LinearStepTriggerMaster(npoints, robx, start, stop, roby, start, stop)`."""

    def __init__(self, npoints: int, *args: Any, **kwargs: Any) -> None:
        axes = _grouped(args, 3, "axis, start, stop")
        positions = [item for axis, start, stop in axes for item in (axis, np.linspace(start, stop, npoints))]
        super().__init__(*positions, **kwargs)


class MeshStepTriggerMaster(VariableStepTriggerMaster):
    """Moves axes over a grid, the first axis fastest: `MeshStepTriggerMaster(robx, start, stop, npoints, roby, ...)`.

    :param backnforth: turn round at the end of a line, instead of going back to its start.
    """

    def __init__(self, *args: Any, backnforth: bool = False, **kwargs: Any) -> None:
        axes = _grouped(args, 4, "axis, start, stop, npoints")
        self.backnforth = backnforth
        grid = mesh_positions([np.linspace(start, stop, npoints) for _, start, stop, npoints in axes], backnforth)
        super().__init__(*(item for axis, line in zip(axes, grid, strict=True) for item in (axis[0], line)), **kwargs)


def mesh_positions(lines: Sequence[np.ndarray[Any, Any]], backnforth: bool = False) -> list[np.ndarray[Any, Any]]:
    """Return the positions of each axis on a grid, shape (product of the lines' lengths,), the first axis fastest."""
    grid: list[np.ndarray[Any, Any]] = []
    npoints = 1
    for line in lines:
        grid = [_repeated(inner, len(line), backnforth) for inner in grid]
        grid.append(np.repeat(line, npoints))
        npoints *= len(line)
    return grid


def _repeated(line: np.ndarray[Any, Any], times: int, backnforth: bool) -> np.ndarray[Any, Any]:
    return np.concatenate([line[::-1] if backnforth and n % 2 else line for n in range(times)])


def _positions(args: Sequence[Any]) -> dict[Any, np.ndarray[Any, Any]]:
    positions: dict[Any, np.ndarray[Any, Any]] = {}
    for axis, values in _grouped(args, 2, "axis, positions"):
        if axis in positions:
            raise ChainError(f"Duplicated axis {name_of(axis)}: it cannot be at two places at once")
        positions[axis] = _line(axis, values)
    lengths = {name_of(axis): len(values) for axis, values in positions.items()}
    if len(set(lengths.values())) != 1 or 0 in lengths.values():
        raise ChainError(f"expected equally many positions of each axis, at least one, got {lengths}")
    return positions


def _line(axis: Any, values: ArrayLike) -> np.ndarray[Any, Any]:
    line = np.asarray(values, float)
    if line.ndim != 1:
        raise ChainError(
            f"positions of {name_of(axis)}: expected a list of numbers, got an array of shape {line.shape}"
        )
    return line


def _grouped(args: Sequence[Any], size: int, expected: str) -> list[tuple[Any, ...]]:
    if not args or len(args) % size:
        raise ChainError(f"expected {expected}, again for each axis; got {len(args)} arguments")
    return [tuple(args[n : n + size]) for n in range(0, len(args), size)]
