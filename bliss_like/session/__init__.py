"""Sessions: named sets of objects, with a setup file, in which scans run.

::

    from bliss_like.session import load_session

    session = load_session("test_session")
    session.setup()
"""

from __future__ import annotations

from .current import current_session
from .default import DefaultSession
from .loading import load_session
from .session import Session

__all__ = ["DefaultSession", "Session", "current_session", "load_session"]
