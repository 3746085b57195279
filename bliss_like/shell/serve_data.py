"""`bliss-like serve-data`: the catalogue for Tiled's clients and browsers. A plain process."""

from __future__ import annotations

import argparse
import contextlib
import os
import signal
import socket
from collections.abc import Iterator
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
    with _listening(chosen.host, chosen.port) as listener:
        try:
            from bliss_like.web.tiled_server import serve
        except ModuleNotFoundError as error:
            raise DataError(f"serve-data needs Tiled ({error}): pip install 'bliss_like[tiled]'") from error
        signal.signal(signal.SIGTERM, signal.SIG_IGN)  # the server ends by it, and raises it again when it has ended
        serve(listener, chosen.host, os.environ.get(KEY_VARIABLE, ""), tell=_tell)
    return 0


@contextlib.contextmanager
def _listening(host: str, port: int) -> Iterator[socket.socket]:
    """Listen at once: importing Tiled takes seconds."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, port))
            listener.listen(128)
        except (OSError, OverflowError) as error:
            reason = getattr(error, "strerror", None) or error
            raise DataError(f"cannot listen at {host} port {port}: {reason}; give another --port or --host") from error
        yield listener


def _tell(text: str) -> None:
    print(text, flush=True)
