"""`bliss.common.hook`: what is done before and after motions."""

from __future__ import annotations

from typing import Any, ClassVar

from bliss_like.config.any_keys import TAKES_ANY_KEY, AnyKeys
from bliss_like.config.models import ObjectConfig
from bliss_like.devices import motion_hook

__all__ = ["MotionHook"]


class HookConfig(AnyKeys, ObjectConfig):
    """What YAML says of a hook, and what it may ask: `self.config.get("pressure", float)`."""

    model_config = TAKES_ANY_KEY


class MotionHook(motion_hook.MotionHook):
    """A hook in the style of BLISS: with any keys in YAML, looked into as into a dict; see `devices.motion_hook`."""

    Config: ClassVar[type[ObjectConfig]] = HookConfig

    def __init__(self, name: str = "", config: Any = None) -> None:
        """What the subclass has set before, as BLISS' examples do, stays."""
        self.name = name or self.name
        self.config = config if config is not None else getattr(self, "config", None)
