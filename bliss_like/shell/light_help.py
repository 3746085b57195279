"""Loading ptpython without the lexers of a dozen languages that may stand in reStructuredText: a tenth of the start."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pygments.lexers  # type: ignore[import-untyped]
from pygments.lexers.special import TextLexer  # type: ignore[import-untyped]


@contextmanager
def light_help() -> Iterator[None]:
    """Let who asks pygments for reStructuredText be given plain text, as long as the context is open.

    ptpython does so while it is imported, for the help of its history, which has no colours then.
    """
    found = vars(pygments.lexers)
    if "RstLexer" in found:  # it is loaded already
        yield
        return
    found["RstLexer"] = TextLexer
    try:
        yield
    finally:
        del found["RstLexer"]
