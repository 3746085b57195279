"""The state of an axis: the names of all that is true of it now."""

from __future__ import annotations

from typing import Self

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

_OPPOSITES = {"READY": "MOVING", "MOVING": "READY"}


class AxisState:
    """What is true of an axis now: `"READY" in state`, `state == "READY"`, `state.READY`, `print(state)`.

    A driver returns a new one from `state(axis)`; where its hardware knows more than the standard names::

        states = AxisState()
        states.create_state("PARKED", "rests in its garage")     # once
        state = states.new()                                     # at each reading
        state.set("READY")
        state.set("PARKED")
    """

    __slots__ = ("_current", "_known")

    def __init__(self, *states: str | tuple[str, str]) -> None:
        """:param states: standard names, or (name, description) for states of one kind of hardware.

        :raises ValueError: an unknown name without description, or READY together with MOVING.
        """
        self._known: dict[str, str] = STANDARD
        self._current: list[str] = []
        for state in states:
            if not isinstance(state, str):
                self.create_state(*state)
                state = state[0]
            if _OPPOSITES.get(state) in self._current:
                raise ValueError("an axis cannot be READY and MOVING at once")
            self.set(state)

    # -- what drivers call ---------------------------------------------------------------------------------------------

    def create_state(self, name: str, description: str = "") -> None:
        """Make a name known that only this kind of hardware has.

        :raises ValueError: it is not a word.
        """
        if not isinstance(name, str) or not name.isidentifier():
            raise ValueError(f"the name of an axis state must be one word, got {name!r}")
        self._known = {**self._known, name: description}

    def set(self, name: str) -> None:
        """Add a name; READY and MOVING replace each other.

        :raises ValueError: it is unknown.
        """
        if name not in self._known:
            raise ValueError(
                f"unknown axis state {name!r}; give (name, description), or one of {', '.join(self._known)}"
            )
        if opposite := _OPPOSITES.get(name):
            self.unset(opposite)
        if name not in self._current:
            self._current.append(name)

    def unset(self, name: str) -> None:
        """Remove a name; one that is not there is no error."""
        if name in self._current:
            self._current.remove(name)

    def clear(self) -> None:
        """Remove all names."""
        self._current.clear()

    def new(self, share_states: bool = True) -> Self:
        """Return an empty state.

        :param share_states: it knows the names that were created here.
        """
        state = type(self)()
        if share_states:
            state._known = self._known
        return state

    # -- what others ask -----------------------------------------------------------------------------------------------

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self._current)

    def current_states(self) -> str:
        """Return what is true, each with its description."""
        return " | ".join(f"{name} ({self._known[name]})" for name in self._current) or "UNKNOWN"

    def description(self, name: str) -> str:
        """Return what a name means; empty when it is unknown."""
        return self._known.get(name, "")

    def states_list(self) -> list[str]:
        """Return all names that may be set."""
        return list(self._known)

    def __contains__(self, name: object) -> bool:
        return name in self._current

    def __getattr__(self, name: str) -> bool:
        if name in STANDARD:
            return name in self._current
        raise AttributeError(f"AxisState has no attribute {name!r}")

    def __eq__(self, other: object) -> bool:
        """Equal to another state of the same names, and to any of its names."""
        if isinstance(other, str):
            return other in self
        return isinstance(other, AxisState) and set(other._current) == set(self._current)

    def __hash__(self) -> int:
        return hash(frozenset(self._current))

    def __str__(self) -> str:
        return self.current_states()

    def __repr__(self) -> str:
        return f"AxisState({', '.join(map(repr, self._current))})"
