"""The session of this process, reachable from anywhere as `current_session`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bliss_like.errors import SessionError

if TYPE_CHECKING:
    from .session import Session


class CurrentSession:
    """Stands for the active session, whichever it is; false when there is none."""

    __slots__ = ("_session",)

    def __init__(self) -> None:
        object.__setattr__(self, "_session", None)

    def __bool__(self) -> bool:
        return self._session is not None

    def __getattr__(self, name: str) -> Any:
        if self._session is None and name.startswith("__"):
            raise AttributeError(name)  # asked by introspection, not by somebody who wants a session
        return getattr(active_session(), name)

    def __setattr__(self, name: str, value: Any) -> None:
        setattr(active_session(), name, value)

    def __dir__(self) -> list[str]:
        return dir(self._session) if self else []

    def __eq__(self, other: object) -> bool:
        return self is other or (self._session is not None and self._session is other)

    def __hash__(self) -> int:
        return id(self)

    def __repr__(self) -> str:
        return repr(self._session) if self else "<no session is active>"


current_session = CurrentSession()


def active_session() -> Session:
    """Return the active session.

    :raises SessionError: there is none.
    """
    session: Session | None = current_session._session
    if session is None:
        raise SessionError(
            "no session is active: start a shell with `bliss-like -s <name>`, or in Python: "
            "from bliss_like.session import load_session; session = load_session('<name>'); session.setup()"
        )
    return session


def set_active_session(session: Session | None) -> None:
    """Make a session the active one, or none."""
    object.__setattr__(current_session, "_session", session)
