"""The state of an axis: a set of names, never changed once made."""

from __future__ import annotations

STANDARD = {
    "READY": "stands still and can be moved",
    "MOVING": "is on its way",
    "FAULT": "reports an error",
    "LIMPOS": "stands on its positive limit switch",
    "LIMNEG": "stands on its negative limit switch",
    "HOME": "stands on its home switch",
    "OFF": "has no power",
    "DISABLED": "was taken out of use",
}
"""The names that every axis may have, and what the axis then does."""


class AxisState:
    """What is true of an axis now: `"READY" in state`, `state.READY`, `print(state)`."""

    __slots__ = ("_descriptions",)

    def __init__(self, *states: str | tuple[str, str]) -> None:
        """:param states: standard names, or (name, description) for states of one kind of hardware.

        :raises ValueError: an unknown name without description, or READY together with MOVING.
        """
        self._descriptions = dict(_described(state) for state in states)
        if "READY" in self and "MOVING" in self:
            raise ValueError("an axis cannot be READY and MOVING at once")

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self._descriptions)

    def __contains__(self, name: object) -> bool:
        return name in self._descriptions

    def __getattr__(self, name: str) -> bool:
        if name in STANDARD:
            return name in self._descriptions
        raise AttributeError(f"AxisState has no attribute {name!r}")

    def __eq__(self, other: object) -> bool:
        """Equal to another state of the same names, and to any of its names."""
        if isinstance(other, str):
            return other in self
        return isinstance(other, AxisState) and set(other.names) == set(self.names)

    def __hash__(self) -> int:
        return hash(frozenset(self.names))

    def __str__(self) -> str:
        return " | ".join(f"{name} ({text})" for name, text in self._descriptions.items()) or "UNKNOWN"

    def __repr__(self) -> str:
        return f"AxisState({', '.join(map(repr, self.names))})"


def _described(state: str | tuple[str, str]) -> tuple[str, str]:
    if not isinstance(state, str):
        return state
    try:
        return state, STANDARD[state]
    except KeyError:
        raise ValueError(
            f"unknown axis state {state!r}; give (name, description), or one of {', '.join(STANDARD)}"
        ) from None
