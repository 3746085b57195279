"""`bliss-like config check --from-bliss`: what has to change in a configuration of BLISS."""

from __future__ import annotations

import difflib
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from bliss_like.config.check import check
from bliss_like.config.from_bliss import Conversion, Report, convert, write
from bliss_like.config.references import relative
from bliss_like.config.survey import open_survey
from bliss_like.data.counting import counted
from bliss_like.live.look import Role

from .config import OK, WRONG, summary, told
from .style import paint

_COLOURS = {"+": Role.GOOD, "-": Role.ERROR, "@": Role.DIM}


def check_from_bliss(path: str | None, diff: bool, target: str | None) -> int:
    """Print what would change; return 0 when all of it has a counterpart here and is right, else 1.

    :param path: the directory that BLISS reads.
    :param diff: print the changes of the files instead.
    :param target: where to write a converted copy.
    :raises ConfigError: there is no such directory, or the target cannot be written.
    """
    root = Path(path or os.environ.get("BLISS_LIKE_CONFIG") or "config").expanduser().resolve()
    conversion = convert(root)
    if diff:
        print("".join(_diff(conversion)), end="")
        return OK
    if target:
        write(conversion, Path(target).expanduser())
    for report in conversion.reports:
        print("\n".join(_lines(report)))
    for remark in conversion.remarks:
        print(told(remark))
    print()
    wrong = _print_check(conversion, target)
    print("\n".join(_summary(conversion, target)))
    return WRONG if wrong or any(report.gone for report in conversion.reports) else OK


def _lines(report: Report) -> list[str]:
    head = f"{paint(str(report.place), Role.HEADING)}: {report.label}"
    if report.gone:
        return [f"{head}: {paint('no counterpart yet', Role.ERROR)}: {report.gone}; all of it is a comment now"]
    if not report.changes:
        return [f"{head}: works as it is"]
    return [head, *(f"  {change}" for change in report.changes)]


def _diff(conversion: Conversion) -> Iterator[str]:
    for path, (old, new) in conversion.files.items():
        lines = difflib.unified_diff(
            old.splitlines(keepends=True), new.splitlines(keepends=True), f"a/{path}", f"b/{path}"
        )
        for line in lines:
            text = line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n"
            yield paint(text.rstrip("\n"), _COLOURS[text[0]]) + "\n" if text[0] in _COLOURS else text


def _print_check(conversion: Conversion, target: str | None) -> int:
    """Check the converted configuration, in a copy that is gone afterwards unless it was asked for; count the errors."""
    with tempfile.TemporaryDirectory() as directory:
        copy = Path(target).expanduser() if target else Path(directory) / conversion.root.name
        if not target:
            shutil.copytree(conversion.root, copy)
            for path, (_, text) in conversion.files.items():
                (copy / path).write_text(text, encoding="utf-8")
        survey = open_survey(copy)
        errors = check(survey.tree, survey.root)
        if errors:
            print("What is left to do by hand:")
        for error in errors:
            print(f"  {told(error).replace(f'{survey.root}/', '' if not target else f'{relative(str(survey.root))}/')}")
        print(f"Converted: {summary(survey, len(errors))}")
    return len(errors)


def _summary(conversion: Conversion, target: str | None) -> Iterator[str]:
    gone = [report for report in conversion.reports if report.gone]
    changed = [report for report in conversion.reports if report.changes and not report.gone]
    same = len(conversion.reports) - len(gone) - len(changed)
    kinds = dict.fromkeys(report.label.partition(" ")[0] for report in gone)
    named = f" ({', '.join(kinds)})" if kinds else ""
    yield (
        f"{counted(len(conversion.reports), 'block')}: {same} unchanged, {len(changed)} changed, "
        f"{len(gone)} without a counterpart yet{named}"
    )
    if conversion.later:
        listed = sorted(conversion.later.items(), key=lambda item: -item[1])
        yield "Kept as comments: " + ", ".join(f"{key} ({number})" for key, number in listed)
    if target:
        yield f"Written to {relative(str(Path(target).expanduser().absolute()))}; {conversion.root} is as it was"
    elif conversion.files:
        yield "Nothing was written; --diff shows the changes, --write DIR writes a converted copy"
