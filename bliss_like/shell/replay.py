"""`bliss-like replay SCAN`: publishes a past scan again, below another session, as if it ran."""

from __future__ import annotations

import argparse
import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from argparse import _SubParsersAction


def add_parser(commands: _SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = commands.add_parser("replay", help="publish a past scan again as if it ran, for displays and analysis")
    parser.add_argument("scan", metavar="SCAN", help="number, name, uid or db_name of a scan, or a file: data.h5::12.1")
    parser.add_argument(
        "--speed", type=_speed, default=1.0, help="2 is twice as fast as it was, inf does not wait (default: 1)"
    )
    parser.add_argument("--of", metavar="SESSION", default="", help="session of the scan (default: any)")
    parser.add_argument(
        "--session", dest="into", metavar="NAME", default="replay", help="session to publish it in (default: replay)"
    )
    parser.set_defaults(run=run)


def _speed(text: str) -> float:
    try:
        speed = float(text)
    except ValueError:
        speed = math.nan
    if not speed > 0:
        raise argparse.ArgumentTypeError(f"expected a number greater than 0, or inf, got {text!r}")
    return speed


def run(chosen: argparse.Namespace) -> int:
    """Replay a scan; return the exit code."""
    from bliss_like.data.past import named_scan
    from bliss_like.data.redis_store import connect
    from bliss_like.data.replay import replay_into
    from bliss_like.data.tree import Tree

    store = connect()
    scan = named_scan(chosen.scan, store, chosen.of)

    def tell(path: str) -> None:
        print(f"{scan.db_name} runs again as {path}; to follow it: bliss-like listen {chosen.into}", flush=True)

    replay_into(Tree(store), scan, chosen.speed, chosen.into, started=tell)
    return 0
