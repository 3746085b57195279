"""The motion hooks of one move: all that were begun are ended, in the reverse order."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from bliss_like.devices.motion_hook import MotionHook

if TYPE_CHECKING:
    from bliss_like.devices.planning import Motion


class Hooks:
    """Falsy when the axes have none."""

    def __init__(self, motions: Iterable[Motion]) -> None:
        self._motions: dict[MotionHook, list[Motion]] = {}
        for motion in motions:
            for hook in motion.axis.motion_hooks:
                self._motions.setdefault(hook, []).append(motion)
        self._begun: list[tuple[MotionHook, Sequence[Motion]]] = []

    def __bool__(self) -> bool:
        return bool(self._motions)

    def before(self) -> None:
        """:raises Exception: what a hook raised; the motion is not to begin."""
        for hook, motions in self._motions.items():
            if not getattr(hook, "_is_initialized", False):
                hook.init()
                hook._is_initialized = True
            self._begun.append((hook, motions))
            hook.pre_move(motions)

    def after(self) -> None:
        """End all that were begun.

        :raises Exception: the first error, after all were called.
        """
        first: BaseException | None = None
        while self._begun:
            hook, motions = self._begun.pop()
            try:
                hook.post_move(motions)
            except BaseException as error:  # noqa: BLE001 - the others must be called whatever it is
                first = first or error
        if first is not None:
            raise first
