"""`bliss-like serve-data`: the catalogue for Tiled's clients and browsers. A plain process."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from bliss_like.errors import DataError

if TYPE_CHECKING:
    from argparse import _SubParsersAction

KEY_VARIABLE = "TILED_SINGLE_USER_API_KEY"


def add_parser(commands: _SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = commands.add_parser(
        "serve-data",
        help="offer all scans to Tiled's clients and to browsers",
        epilog=f"On other addresses than this computer's own a key is needed: that of ${KEY_VARIABLE}, or one that is made and said.",
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to listen at (default: only this computer)")
    parser.add_argument("--port", type=int, default=8000, help="(default 8000; 0: a free one)")
    parser.set_defaults(run=run)


def run(chosen: argparse.Namespace) -> int:
    """Serve until Ctrl-C; return the exit code.

    :raises DataError: Tiled is not installed, or nothing can listen there.
    """
    import os
    import signal

    try:
        from bliss_like.web.tiled_server import serve
    except ModuleNotFoundError as error:
        raise DataError(f"serve-data needs Tiled ({error}): pip install 'bliss_like[tiled]'") from error
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # the server ends by it, and raises it again when it has ended
    serve(chosen.host, chosen.port, tell=_tell, key=os.environ.get(KEY_VARIABLE, ""))
    return 0


def _tell(text: str) -> None:
    print(text, flush=True)
