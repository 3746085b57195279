"""The names of the active session, for modules and scripts that are not run among them.

::

    from bliss_like.setup_globals import roby, ascan
    from bliss_like.setup_globals import *

A name is looked up when it is imported: what a later `resetup()` makes anew is to be imported anew, or to be had with
`setup_globals.roby`, which is always the present one.
"""

from __future__ import annotations

from typing import Any


def __getattr__(name: str) -> Any:
    from bliss_like.config.suggestion import did_you_mean
    from bliss_like.errors import SessionError
    from bliss_like.session.current import active_session, current_session

    if name == "__all__":
        return __dir__()
    if name.startswith("__"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")  # asked by the machinery of imports
    names = active_session().env_dict
    if name not in names:
        raise SessionError(f"session '{current_session.name}' has no {name!r}{did_you_mean(name, names)}")
    return names[name]


def __dir__() -> list[str]:
    from bliss_like.session.current import active_session

    return sorted(name for name in active_session().env_dict if not name.startswith("_"))
