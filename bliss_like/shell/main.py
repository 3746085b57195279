"""The command `bliss-like`, and the one place that patches with gevent: only for a session, and before anything else.

Nothing heavy is imported here: `listen` and `config` are plain processes, `--version` answers at once.
"""

from __future__ import annotations

import argparse
import gc
import sys
from collections.abc import Sequence

from bliss_like import __version__
from bliss_like.errors import BlissLikeError

from . import config, export, recover, replay, scans, serve_data, verify, writer

FAILED, USAGE, INTERRUPTED = 1, 2, 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return the exit code."""
    parser = make_parser()
    chosen = _parsed(parser, arguments)
    if chosen.session and chosen.command:
        parser.error(f"-s {chosen.session} opens a session, {chosen.command} is another command: give one of them")
    try:
        if chosen.session:
            return _open_session(chosen.session)
        if chosen.command:
            return int(chosen.run(chosen))
    except BlissLikeError as error:
        print(f"bliss-like: {error}", file=sys.stderr)
        return FAILED
    except ModuleNotFoundError as error:
        print(f"bliss-like: {error}; this needs: pip install 'bliss_like[session]'", file=sys.stderr)
        return FAILED
    except KeyboardInterrupt:
        return INTERRUPTED
    parser.print_help()
    return USAGE


def _parsed(parser: argparse.ArgumentParser, arguments: Sequence[str] | None) -> argparse.Namespace:
    """Parse the command line; what a command takes any number of may stand before and after its options, too."""
    chosen, others = parser.parse_known_args(arguments)
    words = getattr(chosen, "words", "")
    if unknown := [word for word in others if word.startswith("-")] if words else others:
        parser.error(f"unrecognized arguments: {' '.join(unknown)}")
    if others:
        setattr(chosen, words, [*getattr(chosen, words), *others])
    return chosen


def make_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="bliss-like",
        description="Run experiments: open a session at a prompt, or follow one from outside.",
        epilog="The configuration is the tree in $BLISS_LIKE_CONFIG, or in ./config. The server is that of $BLISS_LIKE_REDIS,"
        " or an embedded one, started when needed.",
    )
    parser.add_argument("--version", action="version", version=f"bliss-like {__version__}")
    parser.add_argument("-s", "--session", metavar="SESSION", help="open this session at a prompt")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    listen = commands.add_parser("listen", help="print the events of a session as they come")
    listen.add_argument("session_name", metavar="SESSION")
    listen.add_argument("--json", action="store_true", help="one JSON object per line")
    start = listen.add_mutually_exclusive_group()
    start.add_argument("--new", action="store_true", help="only what happens from now on")
    start.add_argument("--from-last", action="store_true", help="from the last scan on")
    listen.set_defaults(run=_listen)
    server = commands.add_parser("server", help="the embedded server")
    server.add_argument("action", choices=["start", "status", "stop"])
    server.set_defaults(run=_server)
    stop = commands.add_parser("stop", help="stop axes, whichever session of the beamline moves them")
    stop.add_argument("axes", nargs="*", metavar="AXIS", help="name of an axis; none: all that move")
    stop.set_defaults(run=_stop)
    writer.add_parser(commands)
    recover.add_parser(commands)
    scans.add_parser(commands)
    replay.add_parser(commands)
    serve_data.add_parser(commands)
    export.add_parser(commands)
    verify.add_parser(commands)
    config.add_commands(commands.add_parser("config", help="look at the YAML files, check them, begin new ones"))
    return parser


def _open_session(name: str) -> int:
    gc.disable()  # until the prompt: collecting among modules that are being made costs a tenth of the start
    from gevent import monkey

    # Threads, locks and queues stay real: pyepics, p4p, asyncio libraries and threads of others work beside greenlets.
    monkey.patch_all(thread=False, queue=False)

    from .session import open_session

    return open_session(name)


def _listen(chosen: argparse.Namespace) -> int:
    from .listen import Start, listen

    start = Start.NOW if chosen.new else Start.LAST_SCAN if chosen.from_last else Start.BEGINNING
    return listen(chosen.session_name, start=start, as_json=chosen.json)


def _stop(chosen: argparse.Namespace) -> int:
    from .stop import stop

    return stop(chosen.axes)


def _server(chosen: argparse.Namespace) -> int:
    from . import server

    return {"start": server.start, "status": server.show_status, "stop": server.stop}[chosen.action]()


if __name__ == "__main__":
    sys.exit(main())
