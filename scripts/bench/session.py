"""A session of its own for a benchmark."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bliss_like.config import get_config
from bliss_like.data.server import EmbeddedServer
from bliss_like.session import load_session


@contextmanager
def bench_session(configuration: str) -> Iterator[dict[str, Any]]:
    """Set up the session `bench` on a server of its own; yields its names.

    :param configuration: YAML; HOME in it is a directory of its own.
    """
    with tempfile.TemporaryDirectory(prefix="bl-", dir="/tmp") as home:
        (Path(home) / "config").mkdir()
        (Path(home) / "config" / "bench.yml").write_text(configuration.replace("HOME", home))
        server = EmbeddedServer(Path(home), ephemeral=True)
        server.ensure()
        os.environ["BLISS_LIKE_REDIS"] = server.url
        session = load_session("bench", get_config(Path(home) / "config"))
        try:
            if not session.setup():
                raise SystemExit(session.error_report)
            yield session.env_dict
        finally:
            session.close()
            server.stop()


def boxes() -> str:
    """Return the YAML of diodes: one box for each number of them."""
    return "".join(
        f"- name: box{n}\n  class: SimulatedDiodes\n  counters:\n"
        + "".join(f"    - {{name: box{n}_{i}, value: 1}}\n" for i in range(n))
        for n in (1, 10, 100)
    )
