"""What a session remembers: a value in its settings, or in memory as long as no session is active."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar, cast

from bliss_like.config.settings import SimpleObjSetting

from .current import current_session

V = TypeVar("V")


class Kept(Generic[V]):
    """One JSON value, in the setting `<beamline>:<session>:<name>` of the active session.

    What is returned is shared: a change makes a new value.

    :param default: as long as nothing was kept.
    """

    def __init__(self, name: str, default: V) -> None:
        self._name = name
        self._default = default
        self._alone = default

    def get(self) -> V:
        return cast(V, self._setting().get()) if current_session else self._alone

    def change(self, function: Callable[[V], V]) -> None:
        """Put the result of `function` in the place of the present value, whatever others do at the same time.

        :param function: may be called more than once.
        """
        if current_session:
            self._setting().update(function)
        else:
            self._alone = function(self._alone)

    def _setting(self) -> SimpleObjSetting:
        return SimpleObjSetting(f"{current_session.settings_name}:{self._name}", default_value=self._default)
