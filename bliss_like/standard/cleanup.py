"""Contexts that put things back: axes are stopped and return to what they were, functions are called.

::

    with cleanup(roby, restore_list=(axis.POS, axis.VEL)):      # whatever happens inside
    with error_cleanup(shutter.close):                          # only when something goes wrong
"""

from __future__ import annotations

import contextlib
import enum
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import gevent

from bliss_like.devices import axis_group
from bliss_like.devices.naming import name_of
from bliss_like.devices.numbers import brief
from bliss_like.errors import UsageError
from bliss_like.scanning.acquisition import is_axis

from .arguments import axis_of

Task = tuple[str, Callable[[], object]]


class axis(enum.Enum):  # noqa: N801 - BLISS' spelling, axis.POS
    """What of an axis is put back."""

    POS = "position"
    VEL = "velocity"
    ACC = "acceleration"
    LIM = "limits"


@contextlib.contextmanager
def cleanup(*devices: Any, restore_list: Sequence[axis] = (), verbose: bool = False) -> Iterator[None]:
    """Stop axes when the context is left, however it is left, and put back what `restore_list` says; call functions.

    :param devices: axes or their names; what has a method `stop`; functions without arguments.
    :param restore_list: of `axis.POS`, `axis.VEL`, `axis.ACC`, `axis.LIM`.
    :param verbose: say what is done.
    :raises UsageError: something is none of these; the context was not entered.
    """
    tasks = _tasks(devices, restore_list)
    with contextlib.ExitStack() as stack:
        stack.callback(_run_all, tasks, verbose)
        yield


@contextlib.contextmanager
def error_cleanup(*devices: Any, restore_list: Sequence[axis] = (), verbose: bool = False) -> Iterator[None]:
    """Do as `cleanup`, but only when something goes wrong inside, or the user aborts it."""
    tasks = _tasks(devices, restore_list)
    try:
        yield
    except BaseException:
        _run_all(tasks, verbose)
        raise


def _tasks(devices: Sequence[Any], restore_list: Sequence[axis]) -> list[Task]:
    """Return what is to be done in the end, with what each device is now."""
    if isinstance(restore_list, str) or not isinstance(restore_list, Iterable):
        raise UsageError(f"restore_list: expected a list, as in restore_list=(axis.POS,), got {brief(restore_list)}")
    wrong = [each for each in restore_list if not isinstance(each, axis)]
    if wrong:
        raise UsageError(f"restore_list: expected axis.POS, axis.VEL, axis.ACC or axis.LIM, got {brief(wrong[0])}")
    axes, tasks = [], []
    for number, device in enumerate(devices, 1):
        if isinstance(device, str) or is_axis(device):
            axes.append(axis_of(f"argument {number}", device))
        elif callable(getattr(device, "stop", None)):
            tasks.append((f"stopping {getattr(device, 'name', device)}", device.stop))
        elif callable(device):
            tasks.append((f"calling {getattr(device, '__name__', device)}", device))
        else:
            raise UsageError(
                f"argument {number}: expected an axis, a function or what can be stopped, got {brief(device)}"
            )
    return [*_stops(axes), *_restores(axes, restore_list), *tasks]


def _stops(axes: Sequence[Any]) -> list[Task]:
    def stop(device: Any) -> Callable[[], object]:
        return lambda: device.stop() if device.is_moving else None

    return [(f"stopping {name_of(device)}", stop(device)) for device in axes]


def _restores(axes: Sequence[Any], restore_list: Sequence[axis]) -> list[Task]:
    """Return what puts axes back: velocities and limits before the positions, which need them."""
    tasks: list[Task] = []

    def put_back(device: Any, what: axis, value: Any) -> Callable[[], object]:
        return lambda: setattr(device, what.value, value)

    for device in axes:
        tasks += [
            (f"putting back {what.value} of {name_of(device)}", put_back(device, what, getattr(device, what.value)))
            for what in (axis.LIM, axis.VEL, axis.ACC)
            if what in restore_list
        ]
    if axis.POS in restore_list and axes:
        positions = {device: device._set_position for device in axes}
        names = ", ".join(name_of(device) for device in axes)
        tasks.append((f"putting back position of {names}", lambda: axis_group.move(positions)))
    return tasks


def _run_all(tasks: Sequence[Task], verbose: bool) -> None:
    """Do everything, also when something of it fails; then raise the first failure."""
    first: BaseException | None = None
    for what, call in tasks:
        if verbose:
            print(what)
        try:
            call()
        except (Exception, gevent.Timeout) as error:
            error.add_note(f"It came in the clean-up, {what}.")
            first = first or error
    if first is not None:
        raise first


class capture_exceptions:  # noqa: N801 - a context, in BLISS' spelling
    """Several steps of which each is to be tried, whatever happened to the others.

    ::

        with capture_exceptions() as capture:
            with capture():
                first()
            with capture():
                second()          # also when the first has failed
            capture.failed        # the exceptions so far

    :param raise_index: which exception is raised in the end: 0 the first, -1 the last, None none; an abort by the user
        always is.
    """

    def __init__(self, raise_index: int | None = -1) -> None:
        self._raise_index = raise_index
        self.failed: list[BaseException] = []

    def __enter__(self) -> capture_exceptions:
        return self

    @contextlib.contextmanager
    def __call__(self) -> Iterator[None]:
        try:
            yield
        except BaseException as error:
            self.failed.append(error)

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _trace: object) -> None:
        aborts = [failure for failure in self.failed if not isinstance(failure, Exception | gevent.Timeout)]
        if error is not None:
            return
        if aborts:
            raise aborts[0]
        if self.failed and self._raise_index is not None:
            raise self.failed[self._raise_index]
