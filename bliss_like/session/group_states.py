"""The states of a measurement group: each a choice of counters that are disabled."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypedDict

from .kept import Kept

DEFAULT_STATE = "default"


class _Stored(TypedDict):
    active: str
    disabled: dict[str, list[str]]
    """Full names of counters by state; also of some that the group has no more, or not today."""


class GroupStates:
    """What is kept of a group. All of it is one value, so that two processes change it one after the other."""

    def __init__(self, group: str) -> None:
        self._kept: Kept[_Stored] = Kept(
            f"measurement_group:{group}", {"active": DEFAULT_STATE, "disabled": {DEFAULT_STATE: []}}
        )

    @property
    def active(self) -> str:
        return self._kept.get()["active"]

    @property
    def names(self) -> list[str]:
        return list(self._kept.get()["disabled"])

    @property
    def disabled(self) -> Sequence[str]:
        """Full names of what the active state disables."""
        stored = self._kept.get()
        return stored["disabled"][stored["active"]]

    def change(self, function: Callable[[Sequence[str]], list[str]]) -> None:
        """Change what the active state disables."""

        def changed(stored: _Stored) -> _Stored:
            active = stored["active"]
            return {"active": active, "disabled": {**stored["disabled"], active: function(stored["disabled"][active])}}

        self._kept.change(changed)

    def switch(self, name: str) -> None:
        """Make a state the active one; a new one disables nothing."""
        self._kept.change(
            lambda stored: {"active": name, "disabled": {**stored["disabled"], name: stored["disabled"].get(name, [])}}
        )

    def remove(self, names: Sequence[str]) -> None:
        """Forget states; the default one is active when the active one was among them."""

        def changed(stored: _Stored) -> _Stored:
            left = {name: disabled for name, disabled in stored["disabled"].items() if name not in names}
            return {"active": stored["active"] if stored["active"] in left else DEFAULT_STATE, "disabled": left}

        self._kept.change(changed)
