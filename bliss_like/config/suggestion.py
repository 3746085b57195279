"""Near misses: what somebody probably meant."""

from __future__ import annotations

from collections.abc import Iterable


def nearest(word: str, known: Iterable[object], cutoff: float = 0.6) -> str:
    """Return the known word closest to `word`; empty when none is close; `cutoff`: 1 for equal words only."""
    from difflib import get_close_matches

    found = get_close_matches(str(word), [str(name) for name in known], 1, cutoff)
    return found[0] if found else ""


def did_you_mean(word: str, known: Iterable[object], text: str = ", did you mean '{}'?") -> str:
    """Return `text` with the known word closest to `word` in it; empty when none is close."""
    found = nearest(word, known)
    return text.format(found) if found else ""
