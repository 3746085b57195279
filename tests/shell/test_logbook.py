"""What is typed, what it prints, and how it ends, in the logbook of the session."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.shell.conftest import OpenShell
from tests.waiting import wait_until

SESSION = """
- name: motors
  class: SimulatedMotors
  axes: [{name: robx, unit: mm, velocity: 50, acceleration: 1000}]
- {name: noted, class: Session, config-objects: [robx], logbook: {path: PLACE}}
"""


def test_commands_and_what_they_print(environment: Path, run: OpenShell, short_directory: Path) -> None:
    (environment / "noted.yml").write_text(SESSION.replace("PLACE", str(short_directory / "notes.md")))
    shell = run("-s", "noted")
    shell.wait_for("NOTED [1]:")
    commands = [
        "umv(robx, 1.5)",
        "elog_add()",
        "robx.position",
        "elog_add(3)",
        "1 / 0",
        "elog_print('over', 'and out')",
    ]
    for number, command in enumerate(commands, 2):
        shell.type(f"{command}\n")
        shell.wait_for(f"NOTED [{number}]:")
    shell.type("\x04")
    shell.wait_for_end()
    notes = [re.sub(r"^- [\d:]+ ", "- ", line) for line in (short_directory / "notes.md").read_text().splitlines()]
    assert [line for line in notes[1:] if line] == [
        "- `umv(robx, 1.5)`",
        "- output `umv(robx, 1.5)`",
        *("  ```text", "         robx[mm]", "  user     1.5000", "  dial     1.5000", "  ```"),
        "- `robx.position`",
        "- output `robx.position`",
        *("  ```text", "    Out [3]: 1.5", "  ```"),
        "- `1 / 0`",
        "- **error** `ZeroDivisionError: division by zero`",
        "- over and out",
    ]


@pytest.mark.parametrize("terminal", ["xterm-256color", "dumb"])
def test_answers_are_written_down_but_for_secrets(run: OpenShell, short_directory: Path, terminal: str) -> None:
    shell = run("-s", "tiny", terminal=terminal)
    shell.wait_for("TINY [1]:")
    shell.type(f"log_stdout('{short_directory}'); import getpass\n")
    shell.wait_for("TINY [2]:")
    questions = [
        ("input('Your ' + 'name? ')", "Your name?", "marie\n", "Your name? marie\nOut [2]: 'marie'\n"),
        ("len(getpass.getpass('Secret' + ': '))", "Secret:", "radium\n", "Secret:\nOut [3]: 6\n"),
        ("input('A ' + 'year? ')", "A year?", "\x03", "A year?\nInterrupted.\n"),
    ]
    for number, (command, question, keys, _) in enumerate(questions, 3):
        shell.type(f"{command}\n")
        shell.wait_for(question)
        shell.type(keys)
        shell.wait_for(f"TINY [{number}]:")
    shell.type("exit()\n")
    assert shell.wait_for_end() == 0
    text = "".join(file.read_text() for file in sorted(short_directory.glob("*.log")))
    records = re.split(r"\n\S+ \S+ TINY \[\d\]: ", re.sub(r" *\n *", "\n", text))
    for (command, _, _, shown), record in zip(questions, records[1:4], strict=True):
        assert record.startswith(f"{command}\n{shown}")


def test_what_is_typed_and_shown_in_a_file(environment: Path, run: OpenShell, short_directory: Path) -> None:
    (environment / "noted.yml").write_text(SESSION.replace("PLACE", str(short_directory / "notes.md")))
    shell = run("-s", "noted")
    shell.wait_for("NOTED [1]:")
    commands = [
        f"log_stdout('{short_directory}/logs')",
        "umv(robx, 1.5)",
        "loopscan(2, 0.1, SoftCounter(robx, 'position'), save=False)",
        "robx.position",
        "1 / 0",
    ]
    for number, command in enumerate(commands, 2):
        shell.type(f"{command}\n")
        shell.wait_for(f"NOTED [{number}]:")
    files = short_directory / "logs"
    shell.type("print('the ' + 'end'); sleep(1000)\n")
    wait_until(lambda: any("the end\n" in file.read_text() for file in files.iterdir()))
    shell.close()  # killed
    (file, *others) = sorted(files.iterdir())
    assert len(others) <= 1  # at midnight another one begins
    text = "".join(each.read_text() for each in (file, *others))
    assert "\033" not in text
    records = re.split(r"\n\S+ \S+ NOTED ", text)
    assert records[1:] == [
        "[2]: umv(robx, 1.5)\n       robx[mm]\nuser     1.5000\ndial     1.5000\n",
        records[2],
        "[4]: robx.position\n  Out [4]: 1.5\n",
        "[5]: 1 / 0\nZeroDivisionError: division by zero (last_error() shows where)\n",
        "[6]: print('the ' + 'end'); sleep(1000)\nthe end\n",
    ]
    table = records[2].splitlines()
    assert table[0] == f"[3]: {commands[2]}" and "done: 2 points in " in table[-1]
    assert [line.split()[0] for line in table if line.startswith("   ")] == ["#", "0", "1"]
    shell = run("-s", "noted")
    shell.wait_for("NOTED [1]:")
    assert re.sub(r"\s", "", f"goes to {file.parent}") in re.sub(r"\s", "", shell.text)  # and it goes on
