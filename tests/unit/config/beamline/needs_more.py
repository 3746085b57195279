"""A module whose own import fails."""

from __future__ import annotations

import a_library_that_is_not_installed  # type: ignore[import-not-found] # noqa: F401


class NeedsMore:
    pass
