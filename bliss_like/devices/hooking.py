"""The motion hooks of one move or one scan: all that were begun are ended, in the reverse order."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

from bliss_like.devices.motion_hook import MotionHook
from bliss_like.devices.planning import real_axes

if TYPE_CHECKING:
    from bliss_like.devices.planning import Motion

Call = Callable[[MotionHook, Sequence[Any]], object]


class Hooks:
    """What is told to hooks, and what has been told; falsy when there are none."""

    def __init__(self, items: Iterable[tuple[Any, Any]], before: Call, after: Call) -> None:
        """:param items: axes, and what their hooks are told of each."""
        self._before, self._after = before, after
        self._told: dict[MotionHook, list[Any]] = {}
        for axis, item in items:
            for hook in getattr(axis, "motion_hooks", ()):
                self._told.setdefault(hook, []).append(item)
        self._begun: list[tuple[MotionHook, Sequence[Any]]] = []

    def __bool__(self) -> bool:
        return bool(self._told)

    def before(self) -> None:
        """:raises Exception: what a hook raised; nothing is to begin."""
        for hook, items in self._told.items():
            hook.initialize()
            self._begun.append((hook, items))
            self._before(hook, items)

    def after(self) -> None:
        """End all that were begun.

        :raises Exception: the first error, after all were called.
        """
        first: BaseException | None = None
        while self._begun:
            hook, items = self._begun.pop()
            try:
                self._after(hook, items)
            except BaseException as error:  # noqa: BLE001 - the others must be called whatever it is
                first = first or error
        if first is not None:
            raise first


def hooks_of_motions(motions: Iterable[Motion]) -> Hooks:
    """`pre_move` and `post_move`."""
    return Hooks(
        [(motion.axis, motion) for motion in motions],
        lambda hook, told: hook.pre_move(told),
        lambda hook, told: hook.post_move(told),
    )


def hooks_of_scan(axes: Iterable[Any]) -> Hooks:
    """`pre_scan` and `post_scan`; those of pseudo axes are the hooks of what they are made of."""
    axes = real_axes(axes)
    return Hooks(
        [(axis, axis) for axis in axes],
        lambda hook, told: hook.pre_scan(told),
        lambda hook, told: hook.post_scan(told),
    )
