"""How what verbs print looks: as the shell wants it for its terminal; without a shell there are no colours."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from bliss_like.live.look import Look, glyphs_for


def _plain(stream: Any) -> Look:
    return Look(glyphs_for(getattr(stream, "encoding", None)))


_look_of: Callable[[Any], Look] = _plain


def offer_look(look_of: Callable[[Any], Look] | None) -> None:
    """Let verbs print as this says of a stream; None: without colours. Done by who knows terminals."""
    global _look_of
    _look_of = look_of or _plain


def look() -> Look:
    """Return how things look where `print` prints now."""
    return _look_of(sys.stdout)
