"""What is to be done before and after axes move: open a brake, take a detector out of the way, refuse the motion."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from bliss_like.config.models import ObjectConfig

if TYPE_CHECKING:
    from bliss_like.devices.axis import Axis
    from bliss_like.devices.move import Motion


class MotionHook:
    """Overload what is needed, and name the hook in the YAML of the axes: `motion_hooks: [$air_pads]`.

    `post_move` is called after every motion whose `pre_move` was called, also when that raised or the motion failed; the
    hooks of a motion come in their order before it, and in the reverse order after it. Axes that move together and share a
    hook are told to it at once.
    """

    Config: ClassVar[type[ObjectConfig]] = ObjectConfig

    name = ""
    _is_initialized = False

    def __init__(self, name: str, config: Any) -> None:
        self.name = name
        self.config = config

    def initialize(self) -> None:
        """Call `init`, the first time."""
        if not self._is_initialized:
            self.init()
            self._is_initialized = True

    def init(self) -> None:
        """Prepare for the first motion; called once, before it."""

    def pre_move(self, motion_list: Sequence[Motion]) -> None:
        """Called before the axes start. To veto the motion, raise: nothing is started."""

    def post_move(self, motion_list: Sequence[Motion]) -> None:
        """Called when the axes stand still again, however it came."""

    def pre_scan(self, axes_list: Sequence[Axis]) -> None:
        """Called when a scan that moves some of the axes is prepared. To veto the scan, raise."""

    def post_scan(self, axes_list: Sequence[Axis]) -> None:
        """Called at the end of a scan, when its axes are back home."""
