"""Why a name is not among those of a session, for whoever has typed it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .session import Session


def why_missing(session: Session, name: str) -> str:
    """Return what to add to "name 'samx' is not defined"; empty when there is nothing to say."""
    alias = session.aliases.of_hidden(name)
    if alias:
        return f": it is called {alias} in this session"
    if any(made.name == name and made.error for made in session.summary.objects):
        return ": it could not be made, ERROR_REPORT says why"
    if name in session.config.names_list:
        place = session.config.get_config(name).place
        return (
            f": it is in {place}, but not in this session: add it to config-objects of {session.name}, then resetup()"
        )
    return ""
