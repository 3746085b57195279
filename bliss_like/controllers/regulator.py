"""The base class of boxes that regulate, where BLISS has it."""

from __future__ import annotations

from bliss_like.controllers.regulation.controller import Controller

__all__ = ["Controller"]
