"""The session of a name, from the configuration."""

from __future__ import annotations

from bliss_like.config.config import Config, get_config
from bliss_like.config.suggestion import did_you_mean
from bliss_like.errors import ObjectNotFound, SessionError

from .session import Session


def load_session(name: str, config: Config | None = None) -> Session:
    """Return the session of that name; call its `setup()` next.

    :raises ObjectNotFound: there is none.
    :raises SessionError: the object of that name is no session.
    """
    config = config or get_config()
    session = config.get(name) if name in config.names_list else None
    if not isinstance(session, Session):
        known = sorted(config.survey.sessions)
        there = f"; the sessions in {config.path} are: {', '.join(known) or 'none'}"
        if session is None:
            raise ObjectNotFound(f"no session '{name}'{did_you_mean(name, known)}{there}")
        raise SessionError(f"'{name}' is no session but a {type(session).__name__}{there}")
    return session
