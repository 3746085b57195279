"""`bliss-like watch`: the scans of a session as they run, in another terminal."""

from __future__ import annotations

import argparse
import os
import sys

from bliss_like.errors import DataError

from .words import fitted


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = commands.add_parser("watch", help="show the scans of a session as they run, as its own terminal does")
    parser.add_argument("session_name", metavar="SESSION")
    plots = ("off", "spark", "plot")
    parser.add_argument("--plot", nargs="?", const="plot", default="off", choices=plots, help="draw the curve, too")
    parser.add_argument("--from-last", action="store_true", help="begin with the last scan, also when it is over")
    parser.add_argument("--once", action="store_true", help="end with the scan that runs, or comes next")
    parser.add_argument("--no-color", action="store_true", help="as NO_COLOR in the environment")
    parser.set_defaults(run=run)


def run(chosen: argparse.Namespace) -> int:
    """:raises BlissLikeError: that cannot be a session, or there is no server."""
    from .watching import watch

    if chosen.no_color:
        os.environ["NO_COLOR"] = "1"
    try:
        _tell_if_unknown(chosen.session_name)
        watch(chosen.session_name, plot=chosen.plot, from_last=chosen.from_last, once=chosen.once)
    except KeyboardInterrupt:
        if sys.stdout.isatty():
            print()  # what comes is not to stand behind the ^C of the terminal
    return 0


def _tell_if_unknown(session: str) -> None:
    """Say that a session has published nothing so far: it may come, or its name is misspelt.

    :raises DataError: that cannot be the name of a session.
    """
    from bliss_like.config.suggestion import did_you_mean
    from bliss_like.data.node import get_session_node, sessions_list

    try:
        get_session_node(session)
    except ValueError as error:
        raise DataError(str(error)) from error
    known = sorted(node.name for node in sessions_list())
    if session not in known:
        meant = did_you_mean(session, known) or (f"; there are {', '.join(known)}." if known else ".")
        told = f"No scan of a session {session!r} so far{meant} Waiting for it, Ctrl-C ends."
        print(fitted(told, sys.stderr), file=sys.stderr, flush=True)
