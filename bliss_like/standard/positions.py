"""Where the axes are, and in which state: `wa wu wm sta stm sync`."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import gevent

from bliss_like.config.table import table
from bliss_like.devices.inquiry import FAILURES, Reading, read, told
from bliss_like.devices.naming import name_of
from bliss_like.devices.numbers import rounded
from bliss_like.devices.soft_axis import SoftAxis
from bliss_like.errors import DeviceError
from bliss_like.live.look import wrapped

from .arguments import axes_of, columns_of, session_axes, verb
from .columns import Column, blocks, heading

NO_AXES = "The session has no axes."

FULL = ("user high", "user", "user low", "offset", "dial high", "dial", "dial low", "state")
"""The lines of `wm`."""


def positioners() -> list[Any]:
    """Return the axes of the session, without the soft ones."""
    return [axis for axis in session_axes() if not isinstance(axis, SoftAxis)]


@verb("max_cols=None, err='!ERR'")
def wa(max_cols: int | None = None, err: str = "!ERR") -> None:
    """Show where all axes are, user and dial: "where all".

    :param max_cols: how many axes side by side, at most.
    :param err: shown for an axis that does not tell.
    """
    _show_all(("user", "dial"), max_cols, err)


@verb("max_cols=None, err='!ERR'")
def wu(max_cols: int | None = None, err: str = "!ERR") -> None:
    """Show where all axes are, in user units: "where user"."""
    _show_all(("user",), max_cols, err)


def _show_all(quantities: Sequence[str], max_cols: int | None, err: str) -> None:
    max_cols = columns_of(max_cols)
    axes = positioners()
    if not axes:
        print(NO_AXES)
        return
    readings = read(axes)
    _print_blocks([*quantities, "state"], [position_column(reading, quantities, err) for reading in readings], max_cols)
    _print_problems(readings)


def position_column(reading: Reading, quantities: Iterable[str], err: str = "!ERR") -> Column:
    """Return the positions of one axis, and its state when it is not READY."""
    values = {"user": reading.user, "dial": reading.dial}
    cells = {name: err if reading.problem else rounded(reading.axis, values[name]) for name in quantities}
    return heading(reading.axis), {**cells, "state": reading.state_name}


@verb("axis, ..., max_cols=None, err='!ERR'")
def wm(*axes: Any, max_cols: int | None = None, err: str = "!ERR") -> None:
    """Show where some axes are, with their limits and offset: "where motor"."""
    max_cols = columns_of(max_cols)
    readings = read(axes_of(axes, at_least=1))
    _print_blocks(FULL, [_full_column(reading, err) for reading in readings], max_cols)
    _print_problems(readings)


def _full_column(reading: Reading, err: str) -> Column:
    axis = reading.axis
    (low, high), (dial_low, dial_high) = axis.limits, axis.dial_limits
    values = [high, reading.user, low, axis.offset, dial_high, reading.dial, dial_low]
    cells = dict(zip(FULL, [*(rounded(axis, value) for value in values), reading.state_name], strict=True))
    if reading.problem:
        cells |= {"user": err, "dial": err}
    return heading(axis), cells


@verb("read_hw=False")
def sta(read_hw: bool = False) -> None:
    """Show the states of all axes.

    :param read_hw: ask the hardware, even where the state is known.
    """
    axes = positioners()
    if axes:
        _print_states(axes, read_hw)
    else:
        print(NO_AXES)


@verb("axis, ..., read_hw=False")
def stm(*axes: Any, read_hw: bool = False) -> None:
    """Show the states of some axes."""
    _print_states(axes_of(axes, at_least=1), read_hw)


def _print_states(axes: Sequence[Any], read_hw: bool) -> None:
    asked = [axis for axis in axes if read_hw or not _moves_here(axis)]
    readings = read(asked, positions=False)
    told_states = {reading.axis: _state_told(reading) for reading in readings}
    rows = [(name_of(axis), str(told_states.get(axis) or axis.state)) for axis in axes]
    text = table(("axis", "state"), rows)
    if sys.stdout.isatty() and max(map(len, text.splitlines())) > shutil.get_terminal_size().columns:
        text = table(("axis", "state"), [line for row in rows for line in _word_by_word(*row)])
    print(text)
    _print_problems(readings)


def _word_by_word(name: str, state: str) -> list[tuple[str, str]]:
    """Return the lines of an axis that is in many states at once."""
    words = state.split(" | ")
    return [(name if not n else "", word) for n, word in enumerate(words)]


def _moves_here(axis: Any) -> bool:
    move = getattr(axis, "current_move", None)
    return move is not None and not move.done


def _state_told(reading: Reading) -> str:
    if not reading.problem:
        return str(reading.state)
    return "!ERR" if reading.state is None else reading.state_name


@verb("axis, ...")
def sync(*axes: Any) -> None:
    """Take the hardware's positions and states of axes for the true ones; of all axes, when none is given.

    :raises DeviceError: some could not be asked; the others are in step.
    """
    chosen = axes_of(axes) or positioners()
    problems = {axis: problem for axis, problem in zip(chosen, _together(_sync, chosen), strict=True) if problem}
    if problems:
        raise DeviceError("; ".join(f"{name_of(axis)}: {problem}" for axis, problem in problems.items()))


def _sync(axis: Any) -> str:
    try:
        axis.sync_hard()
    except FAILURES as error:
        return told(error)
    return ""


def _together(call: Callable[[Any], str], axes: Sequence[Any]) -> list[str]:
    tasks = [gevent.spawn(call, axis) for axis in axes]
    try:
        gevent.joinall(tasks)
    finally:
        gevent.killall(tasks, block=False)
    return [str(task.value) for task in tasks]


def _print_blocks(labels: Sequence[str], columns: Sequence[Column], max_cols: int | None) -> None:
    print("\n\n".join("\n".join(lines) for lines in blocks(labels, columns, max_cols)))


def _print_problems(readings: Iterable[Reading]) -> None:
    """Print each problem once, with the axes that have it."""
    names: dict[str, list[str]] = {}
    for reading in readings:
        if reading.problem:
            names.setdefault(reading.problem, []).append(name_of(reading.axis))
    if names:
        text = "\n" + "\n".join(_named(", ".join(having), problem) for problem, having in names.items())
        print(wrapped(text) if sys.stdout.isatty() else text)


def _named(names: str, problem: str) -> str:
    return problem if problem.startswith((f"{names} ", f"{names}:")) else f"{names}: {problem}"
