"""Where the session of a test has its data, and below which nodes of the tree its scans are."""

from __future__ import annotations

import os


def data_of_test() -> str:
    return os.environ["BLISS_LIKE_DATA"]


def scans_of(session: str) -> str:
    """Return the db_name of what the scans of a session are below."""
    return session + data_of_test().replace("/", ":")
