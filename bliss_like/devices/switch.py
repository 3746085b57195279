"""A switch: one of several named states. A driver overloads `_set`, `_get` and `_states_list`."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

from bliss_like.config.suggestion import did_you_mean
from bliss_like.errors import DeviceError


class Switch(ABC):
    """`set get states_list`; the case of names does not matter."""

    def __init__(self, name: str) -> None:
        self.name = name

    @abstractmethod
    def _set(self, state: str) -> None:
        """Go into a state, one of `_states_list`."""

    @abstractmethod
    def _get(self) -> str:
        """The present state, asked from the hardware."""

    @abstractmethod
    def _states_list(self) -> Sequence[str]:
        """The names of all states."""

    def set(self, state: str) -> None:
        """:raises DeviceError: there is no such state, or the hardware did not take it."""
        known = {one.upper(): one for one in self.states_list()}
        if str(state).upper() not in known:
            hint = did_you_mean(state, list(known.values()))
            raise DeviceError(f"{self.name} has no state {state!r}{hint}; there are: {', '.join(known.values())}")
        self._set(known[str(state).upper()])

    def get(self) -> str:
        return self._get()

    def states_list(self) -> list[str]:
        return list(self._states_list())

    def __info__(self) -> str:
        return f"{type(self).__name__} {self.name}: {self.get()}, of {', '.join(self.states_list())}"

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name}>"
