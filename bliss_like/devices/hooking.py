"""The motion hooks of one move or one scan: all that were begun are ended, in the reverse order."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

from bliss_like.devices.motion_hook import MotionHook
from bliss_like.devices.naming import name_of
from bliss_like.devices.numbers import brief
from bliss_like.devices.planning import real_axes
from bliss_like.errors import DeviceError

if TYPE_CHECKING:
    from bliss_like.devices.planning import Motion

Call = Callable[[MotionHook, Sequence[Any]], object]


class Hooks:
    """What is told to hooks, and what has been told; falsy when there are none."""

    def __init__(self, items: Iterable[tuple[Any, Any]], before: Call, after: Call, what: str) -> None:
        """:param items: axes, and what their hooks are told of each.

        :param what: what they are told of: a motion or a scan.
        :raises DeviceError: what an axis has for a hook is none.
        """
        self._before, self._after, self._what = before, after, what
        self._told: dict[MotionHook, list[Any]] = {}
        for axis, item in items:
            for hook in _hooks_of(axis):
                self._told.setdefault(hook, []).append(item)
        self._begun: list[tuple[MotionHook, Sequence[Any]]] = []

    def __bool__(self) -> bool:
        return bool(self._told)

    def before(self) -> None:
        """:raises Exception: what a hook raised; nothing is to begin."""
        for hook, items in self._told.items():
            try:
                hook.initialize()
                self._begun.append((hook, items))
                self._before(hook, items)
            except Exception as error:
                error.add_note(self._place(hook, items, "before"))
                raise

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
                error.add_note(self._place(hook, items, "after"))
                first = first or error
        if first is not None:
            raise first

    def _place(self, hook: MotionHook, items: Sequence[Any], when: str) -> str:
        axes = ", ".join(name_of(getattr(item, "axis", item)) for item in items)
        return f"(motion hook {hook.name or type(hook).__name__}, {when} a {self._what} of {axes})"


def hooks_of_motions(motions: Iterable[Motion]) -> Hooks:
    """`pre_move` and `post_move`."""
    return Hooks(
        [(motion.axis, motion) for motion in motions],
        lambda hook, told: hook.pre_move(told),
        lambda hook, told: hook.post_move(told),
        "motion",
    )


def hooks_of_scan(axes: Iterable[Any]) -> Hooks:
    """`pre_scan` and `post_scan`; those of pseudo axes are the hooks of what they are made of."""
    axes = real_axes(axes)
    return Hooks(
        [(axis, axis) for axis in axes],
        lambda hook, told: hook.pre_scan(told),
        lambda hook, told: hook.post_scan(told),
        "scan",
    )


def _hooks_of(axis: Any) -> list[MotionHook]:
    hooks = getattr(axis, "motion_hooks", [])
    if not isinstance(hooks, list | tuple):
        raise DeviceError(f"{name_of(axis)}: motion_hooks must be a list of motion hooks, got {brief(hooks)}")
    for hook in hooks:
        if not isinstance(hook, MotionHook):
            raise DeviceError(
                f"{name_of(axis)}: motion_hooks must be a list of motion hooks, got {brief(hook)} in it; to take it out: "
                f"{name_of(axis)}.motion_hooks.remove(...)"
            )
    return list(hooks)
