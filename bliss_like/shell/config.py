"""`bliss-like config ...`: look at a configuration, check it, and begin one. A plain process: no device is made."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from bliss_like.config.references import relative
from bliss_like.data.counting import counted
from bliss_like.errors import ConfigError
from bliss_like.live.look import Role

from .style import paint
from .words import fitted

if TYPE_CHECKING:
    from bliss_like.config.outline import Branch
    from bliss_like.config.show import KeyShown, ObjectShown
    from bliss_like.config.survey import Survey

OK, WRONG = 0, 1


def add_commands(parser: argparse.ArgumentParser) -> None:
    parser.set_defaults(run=run)
    commands = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    path = argparse.ArgumentParser(add_help=False)
    path.add_argument("path", nargs="?", metavar="PATH", help="directory of the YAML files")
    check = commands.add_parser("check", parents=[path], help="say everything that is wrong")
    check.add_argument("--json", action="store_true", help="for programs")
    check.add_argument(
        "--from-bliss", action="store_true", help="read a configuration of BLISS, say what has to change"
    )
    way = check.add_mutually_exclusive_group()
    way.add_argument("--diff", action="store_true", help="with --from-bliss: show the changes")
    way.add_argument("--write", metavar="DIR", help="with --from-bliss: write a converted copy")
    show = commands.add_parser("show", help="an object, and where each of its keys comes from")
    show.add_argument("name", metavar="NAME")
    show.add_argument("path", nargs="?", metavar="PATH", help="directory of the YAML files")
    commands.add_parser("tree", parents=[path], help="directories, files and objects")
    new = commands.add_parser("new", help="a commented file to begin with")
    new.add_argument("kind", metavar="KIND", choices=["session", "axis", "counter"], help="session, axis or counter")
    new.add_argument("name", metavar="NAME", nargs="?", default="", help="by default my_session, my_axis, my_counter")
    new.add_argument("--file", metavar="FILE", help="by default NAME.yml in the configuration; sessions in sessions/")
    schema = commands.add_parser("schema", parents=[path], help="JSON schema, with which editors complete the YAML")
    schema.add_argument("--output", "-o", metavar="FILE", help="by default it is printed")


def run(chosen: argparse.Namespace) -> int:
    """Run the action that was chosen; return the exit code.

    :raises BlissLikeError: it could not be done.
    """
    actions = {"check": _check, "show": _show, "tree": _tree, "new": _new, "schema": _schema}
    try:
        return actions[chosen.action](chosen)
    except BrokenPipeError:  # nobody reads any more
        raise
    except OSError as error:
        raise ConfigError(f"{error.filename or 'output'}: {error.strerror or error}") from None


# -- check ------------------------------------------------------------------------------------------------------------


def _check(chosen: argparse.Namespace) -> int:
    if chosen.from_bliss:
        from .from_bliss import check_from_bliss

        return check_from_bliss(chosen.path, chosen.diff, chosen.write)
    if chosen.diff or chosen.write:
        raise ConfigError("--diff and --write belong to --from-bliss")
    from bliss_like.config.check import check

    survey, file = _survey(chosen.path)
    errors = check(survey.tree, survey.root)
    if file is not None:
        errors = [error for error in errors if error.place is None or error.place[0] == str(file)]
    if chosen.json:
        print(json.dumps(_as_json(survey, errors, file), indent=2))
    else:
        for error in errors:
            print(told(error))
        print(summary(survey, len(errors), file))
    return WRONG if errors else OK


def _survey(written: str | None) -> tuple[Survey, Path | None]:
    """Return the configuration at a path; for a file, the one around it, and the file."""
    from bliss_like.config.survey import open_survey

    path = Path(written).expanduser().resolve() if written else None
    if path is None or not path.is_file():
        return open_survey(path), None
    used = Path(os.environ.get("BLISS_LIKE_CONFIG") or "config").expanduser().resolve()
    return open_survey(used if path.is_relative_to(used) else path.parent), path


def _as_json(survey: Survey, errors: list[ConfigError], file: Path | None) -> dict[str, object]:
    objects, files = _counts(survey, file)
    return {
        "objects": objects,
        "files": files,
        "errors": [
            {
                **dict(zip(("file", "line", "column"), error.place or (None, None, None), strict=True)),
                "message": _parts(error)[1],
            }
            for error in errors
        ],
    }


def told(error: ConfigError) -> str:
    place, message = _parts(error)
    return f"{paint(place, Role.HEADING)}: {message}" if place else message


def _parts(error: ConfigError) -> tuple[str, str]:
    """Return the place of an error as it is written, and the message behind it."""
    from bliss_like.config.references import Place

    place = str(Place(*error.place)) if error.place else ""
    return place, str(error).removeprefix(f"{place}: ")


def summary(survey: Survey, errors: int, file: Path | None = None) -> str:
    wrong = paint(counted(errors, "error"), Role.ERROR) if errors else "no errors"
    objects, files = _counts(survey, file)
    return f"{counted(objects, 'object')} in {counted(files, 'file')}: {wrong}"


def _counts(survey: Survey, file: Path | None) -> tuple[int, int]:
    """Return how many objects and files there are, or how many objects are in one file."""
    if file is None:
        return len(survey.entries), len(survey.tree.files)
    return sum(entry.node.filename == str(file) for entry in survey.entries.values()), 1


# -- show -------------------------------------------------------------------------------------------------------------


def _show(chosen: argparse.Namespace) -> int:
    from bliss_like.config.show import show

    survey, _ = _survey(chosen.path)
    shown = show(chosen.name, survey)
    print("\n".join(_lines_of(shown)))
    return WRONG if shown.errors else OK


def _lines_of(shown: ObjectShown) -> list[str]:
    lines = [f"{paint(shown.label, Role.HEADING)}  {shown.place}"]
    if shown.owner:
        lines.append(f"  item of    {shown.owner}")
    if shown.class_name:
        lines.append(f"  class      {shown.class_name}  {relative(shown.source)}")
    lines += [f"  {key:<10} {', '.join(names)}" for key, names in shown.items.items()]
    if shown.makes is not None:
        lines.append(f"  would make {', '.join(shown.makes) or 'nothing'}")
    keys = [key for key in shown.keys if key.key not in shown.items]
    widths = [
        max((len(text) for text in texts), default=0)
        for texts in ([key.key for key in keys], [key.value for key in keys])
    ]
    lines += ["", *(_key_line(key, widths[0], min(widths[1], 40)) for key in keys)]
    if shown.targets:
        lines += ["", *(f"  {reference} is {target}" for reference, target in shown.targets.items())]
    if shown.errors:
        lines += ["", *(told(error) for error in shown.errors)]
    return lines


def _key_line(key: KeyShown, key_width: int, value_width: int) -> str:
    origin = "default" if key.place is None else f"{key.place}{' (inherited)' if key.inherited else ''}"
    about = f"  # {key.about}" if key.about else ""
    line = f"  {key.key:<{key_width}}  {key.value:<{value_width}}  {origin}{about}"
    return paint(line, Role.DIM) if key.place is None else line


# -- tree -------------------------------------------------------------------------------------------------------------


def _tree(chosen: argparse.Namespace) -> int:
    from bliss_like.config.check import check
    from bliss_like.config.outline import outline

    survey, _ = _survey(chosen.path)
    errors = check(survey.tree, survey.root)
    top = outline(survey, errors)
    print(paint(relative(str(survey.root)), Role.HEADING))
    for line in _branches(top, ""):
        print(line)
    print(
        summary(survey, len(errors))
        + (f"; {paint('bliss-like config check', Role.HEADING)} lists them" if errors else "")
    )
    return WRONG if errors else OK


def _branches(parent: Branch, indent: str) -> list[str]:
    lines = []
    names = max((len(child.name) for child in parent.children), default=0)
    kinds = max((len(child.kind) for child in parent.children), default=0)
    for child in parent.children:
        last = child is parent.children[-1]
        text = child.name
        if child.kind or child.detail:
            text = f"{child.name:<{names}}  {child.kind:<{kinds}}  {child.detail}".rstrip()
        elif child.children and not child.kind:
            text = paint(child.name, Role.HEADING)
        line = _cut(f"{indent}{'└── ' if last else '├── '}{text}")
        if child.errors:
            line += paint(f"  ✗ {counted(len(child.errors), 'error')}", Role.ERROR)
        lines += [line, *_branches(child, indent + ("    " if last else "│   "))]
    return lines


def _cut(line: str) -> str:
    width = shutil.get_terminal_size().columns - 14 if sys.stdout.isatty() else len(line)
    return line if len(line) <= width else line[: width - 1] + "…"


# -- new and schema ---------------------------------------------------------------------------------------------------


def _new(chosen: argparse.Namespace) -> int:
    return begin_new(chosen.kind, chosen.name, chosen.file)


def begin_new(kind: str, name: str, file: str | None = None) -> int:
    """Write a file to begin with, say what comes next; return the exit code.

    :raises ConfigError: the name cannot be taken, or a file is there already.
    """
    from bliss_like.config.skeletons import begin
    from bliss_like.config.survey import open_survey

    used = Path(os.environ.get("BLISS_LIKE_CONFIG") or "config").expanduser()
    if not used.exists():
        used.mkdir(parents=True)
        print(f"{relative(str(used.absolute()))}: the directory of your configuration, made now")
    written = begin(kind, name, open_survey(used), Path(file) if file else None)
    for path in written.files:
        print(fitted(f"{relative(str(path))}: written, look inside: its comments say what to change", sys.stdout))
    survey = open_survey(used)
    print("\n".join(["Next:", *(fitted(step, sys.stdout, "    ") for step in _next_steps(kind, written.name, survey))]))
    return OK


def _next_steps(kind: str, name: str, survey: Survey) -> list[str]:
    if kind == "session":
        return [
            "  write into config-objects what you want to work with (bliss-like config tree shows what there is)",
            "  bliss-like config check",
            f"  bliss-like -s {name}",
        ]
    sessions = [entry for each, entry in survey.entries.items() if survey.is_session(each)]
    where = ", ".join(f"{entry.node.name} ({entry.node.place_of(('config-objects',))})" for entry in sessions)
    first = f"add {name} to the config-objects of a session: {where}" if where else "bliss-like config new session"
    return [f"  {first}", "  bliss-like config check"]


def _schema(chosen: argparse.Namespace) -> int:
    from bliss_like.config.schema import schema
    from bliss_like.config.survey import open_survey

    exists = Path(chosen.path or os.environ.get("BLISS_LIKE_CONFIG") or "config").expanduser().is_dir()
    survey = open_survey(chosen.path) if exists or chosen.path else None  # without a configuration: what bliss_like has
    text = json.dumps(schema(survey), indent=1, allow_nan=False) + "\n"
    if not chosen.output:
        print(text, end="")
        return OK
    Path(chosen.output).expanduser().write_text(text, encoding="utf-8")
    print(f"{chosen.output}: written; docs/how-to/editor.md says how an editor uses it")
    return OK
