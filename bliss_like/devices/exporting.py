"""Objects that give themselves a name among those of the session, as soft axes do.

The session puts in what takes them; without one, they go nowhere.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Export = Callable[[str, Any], None]
"""Gives an object its name; raises ValueError when the name is taken."""

_export: Export | None = None


def use_export(export: Export | None) -> None:
    """Give objects to this one from now on; None: to nobody. Done by the session."""
    global _export
    _export = export


def export(name: str, made: Any) -> None:
    """Give an object its name in the session.

    :raises ValueError: the name is that of something else, or none that can be typed.
    """
    if _export is not None:
        _export(name, made)
