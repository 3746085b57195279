"""`bliss.comm.exceptions`: what a line to a device raises when nothing comes back."""

from bliss_like.errors import NotConnectedError

CommunicationError = NotConnectedError
CommunicationTimeout = NotConnectedError

__all__ = ["CommunicationError", "CommunicationTimeout"]
