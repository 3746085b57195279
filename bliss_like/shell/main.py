"""The command `bliss-like`, and the one place that patches with gevent: only for a session, and before anything else.

Nothing heavy is imported here: `listen` and `config` are plain processes, `--version` answers at once.
"""

from __future__ import annotations

import argparse
import gc
import os
import sys
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path

from bliss_like import __version__
from bliss_like.errors import BlissLikeError

from . import config, export, recover, replay, scans, serve_data, verify, watch, writer
from .words import fitted

FAILED, USAGE, INTERRUPTED = 1, 2, 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return the exit code."""
    parser = make_parser()
    chosen = _parsed(parser, arguments)
    if (what := _asked(chosen)) and chosen.command:
        parser.error(f"{what} is a command by itself, {chosen.command} is another one: give one of them")
    if chosen.tmux is not None and not chosen.at_prompt:
        parser.error("--tmux says how a session is opened: give -s SESSION, too")
    try:
        if run := _chosen(chosen):
            return run()
    except BlissLikeError as error:
        return _fail(chosen, f"{error}")
    except ModuleNotFoundError as error:
        return _fail(chosen, f"{error}; this needs: pip install 'bliss_like[session]'")
    except KeyboardInterrupt:
        return INTERRUPTED
    except Exception:
        _leave_behind(chosen, traceback.format_exc())
        raise
    parser.print_help()
    return USAGE


def _asked(chosen: argparse.Namespace) -> str:
    """Return the option that says what to do; empty if there is none."""
    asked = {"-s": chosen.at_prompt, "--create": chosen.create_session, "--list": chosen.list_sessions}
    return next((option for option, value in asked.items() if value), "")


def _chosen(chosen: argparse.Namespace) -> Callable[[], int] | None:
    """Return what is to be done."""
    if chosen.at_prompt:
        return lambda: _open_session(chosen)
    if chosen.create_session:
        return lambda: config.begin_new("session", chosen.create_session)
    if chosen.list_sessions:
        return lambda: _while_read(_list)
    return (lambda: _while_read(chosen.run, chosen)) if chosen.command else None


def _while_read(command: Callable[..., int], *given: object) -> int:
    """Run what prints. That nobody reads any more, such as `head` that has seen enough, ends it and is no error."""
    try:
        code = command(*given)
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # else Python complains again at its exit
        return 0
    return code


def _fail(chosen: argparse.Namespace, told: str) -> int:
    print(fitted(f"bliss-like: {told}", sys.stderr), file=sys.stderr)
    _leave_behind(chosen, told)
    return FAILED


def _leave_behind(chosen: argparse.Namespace, told: str) -> None:
    """Write why a shared session has ended to where its terminal is gone, if somebody is still there to say it."""
    if chosen.last_words and os.path.exists(chosen.last_words):
        Path(chosen.last_words).write_text(told, encoding="utf-8")


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
    what = parser.add_mutually_exclusive_group()
    what.add_argument("-s", "--session", dest="at_prompt", metavar="SESSION", help="open this session at a prompt")
    what.add_argument(
        *("-c", "--create"),
        dest="create_session",
        metavar="SESSION",
        help="write a session to begin with, as `config new session`",
    )
    what.add_argument(
        "-l", "--list", dest="list_sessions", action="store_true", help="the sessions there are, and who has them open"
    )
    parser.add_argument(
        "--tmux",
        action=argparse.BooleanOptionalAction,
        help="with -s: open it in tmux, or join it there: several people see one shell (default: $BLISS_LIKE_TMUX)",
    )
    parser.add_argument("--last-words", default="", help=argparse.SUPPRESS)
    _add_commands(parser.add_subparsers(dest="command", metavar="COMMAND"))
    return parser


def _add_commands(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
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
    watch.add_parser(commands)
    config.add_commands(commands.add_parser("config", help="look at the YAML files, check them, begin new ones"))


def _open_session(chosen: argparse.Namespace) -> int:
    from . import shared

    if shared.wants_tmux(chosen.tmux):
        return shared.open_shared(chosen.at_prompt)
    gc.disable()  # until the prompt: collecting among modules that are being made costs a tenth of the start
    from gevent import monkey

    # Threads, locks and queues stay real: pyepics, p4p, asyncio libraries and threads of others work beside greenlets.
    monkey.patch_all(thread=False, queue=False)

    from .session import open_session

    return open_session(chosen.at_prompt, shared.way_in(chosen.at_prompt) if chosen.last_words else "")


def _list() -> int:
    from .sessions import list_sessions

    return list_sessions()


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
