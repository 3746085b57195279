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
    :param of: name of the session that it belongs to; by default whichever is active.
    """

    def __init__(self, name: str, default: V, of: str | None = None) -> None:
        self._name = name
        self._default = default
        self._of = of
        self.alone = default
        """The value as long as the session is not active."""

    def get(self) -> V:
        return cast(V, self._setting().get()) if self._is_kept else self.alone

    def change(self, function: Callable[[V], V]) -> None:
        """Put the result of `function` in the place of the present value, whatever others do at the same time.

        :param function: may be called more than once.
        """
        if self._is_kept:
            self._setting().update(function)
        else:
            self.alone = function(self.alone)

    @property
    def _is_kept(self) -> bool:
        return bool(current_session) and self._of in (None, current_session.name)

    def _setting(self) -> SimpleObjSetting:
        return SimpleObjSetting(f"{current_session.settings_name}:{self._name}", default_value=self._default)
