"""Fixtures of soak tests that others have, too."""

from tests.killing import beamline, dice

__all__ = ["beamline", "dice"]
