"""`bliss.common.session`: sessions."""

from bliss_like.session import Session
from bliss_like.session.current import current_session
from bliss_like.session.default import DefaultSession

__all__ = ["DefaultSession", "Session", "current_session"]
