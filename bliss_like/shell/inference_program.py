"""The program beside a shell that asks jedi: reads questions, a line of JSON each, and answers each in a line.

It runs by itself, so that jedi, which may compute for seconds, keeps neither keys nor scans waiting, and has no device to touch.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from typing import Any

LONGEST = 30
"""Seconds for an answer; then the program ends, the shell begins another one when it has the next question."""
_NICENESS = 5


def main() -> None:
    """Answer until the shell has gone."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what modules print that jedi imports is no answer
    os.nice(_NICENESS)
    for line in sys.stdin.buffer:
        signal.alarm(LONGEST)
        print(json.dumps(_answer(**json.loads(line))), file=answers, flush=True)
        signal.alarm(0)


def _answer(text: str, line: int, column: int, path: list[str]) -> list[tuple[str, int, str]]:
    """Return what may stand at a place of a text: a name, how much of it is typed already, what it is."""
    import jedi  # when it is asked for the first time: the shell does not wait for the start

    sys.path[:] = path
    project = jedi.Project(os.getcwd(), sys_path=path, smart_sys_path=False)
    try:
        script = jedi.Script(text, project=project, environment=jedi.InterpreterEnvironment())
        found = script.complete(line, column)
        return [_told(each) for each in sorted(found, key=_order)]
    except Exception:  # what is typed may be anything, and so is what jedi raises then
        return []


def _told(found: Any) -> tuple[str, int, str]:
    return found.name_with_symbols, len(found.name_with_symbols) - len(found.complete), found.type


def _order(found: Any) -> tuple[bool, bool, str]:
    """Arguments before others, private names last."""
    return found.type != "param", found.name.startswith("_"), found.name_with_symbols.lower()


if __name__ == "__main__":
    main()
