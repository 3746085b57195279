"""Names that objects give themselves in a session."""

from __future__ import annotations

import keyword
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .session import Session


def export_to(session: Session) -> Callable[[str, Any], None]:
    """Return what puts objects among the names of a session.

    An object takes the place of one of its own kind: setup files run again.
    """

    def export(name: str, made: Any) -> None:
        """:raises ValueError: the name cannot be taken."""
        way_out = f"take another one, or make the {type(made).__name__} with export_to_session=False"
        if not name.isidentifier() or keyword.iskeyword(name):
            raise ValueError(f"{name!r} is no name that can be typed in the session: {way_out}")
        there = None if session.names.is_free(name) else session.env_dict.get(name)
        is_known = name in session.config.names_list or name in session.names.given or name in session.config.aliases
        if is_known or (there is not None and type(there) is not type(made)):
            kind = f"a {type(there).__name__} of the session" if there is not None else "an object of the configuration"
            raise ValueError(f"the name {name!r} is that of {kind}: {way_out}")
        session.names[name] = made

    return export
