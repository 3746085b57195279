"""What `help()` shows: all that there is to type, with examples that run."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from bliss_like.errors import UsageError
from bliss_like.session import Session
from bliss_like.session.namespace import EVERYDAY, STANDARD_NAMES
from bliss_like.shell.display import output
from bliss_like.shell.errors import ErrorReport
from bliss_like.shell.help import Help, overview, page
from bliss_like.standard.topics import NEEDS_KEYS, TOPICS
from tests.docs.blocks import PROJECT


@pytest.fixture
def names(opened: Callable[[str], Session]) -> dict[str, Any]:
    """The names at the prompt of `demo_session`, whose axes are fast here."""
    session = opened("demo_session")
    errors = ErrorReport(session.error_log)
    given = {"help": Help(session.env_dict), "last_error": errors.last_error, "ERROR_REPORT": errors}
    session.names.give(given)
    for axis in session.objects.axes:
        axis.velocity, axis.acceleration = 1000, 10_000
    return session.env_dict


def test_all_that_can_be_typed_is_told() -> None:
    told = " ".join(
        " ".join([*(f"{example} {about}" for example, about in t.examples), *t.more]) for t in TOPICS.values()
    )
    assert [t.page for t in TOPICS.values() if not (PROJECT / t.page).is_file()] == []
    known = set(re.findall(r"\w+", told))
    assert sorted((STANDARD_NAMES | EVERYDAY.keys()) - known) == []


def test_every_example_runs(names: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> None:
    for topic in TOPICS.values():
        for shown, _ in topic.examples:
            if shown.startswith(NEEDS_KEYS):
                continue
            example = re.sub(r"\b0\.\d(?=, (diode|'pumping'))", "0.01", shown)  # nobody looks at the noise
            try:
                value = eval(example, names)  # noqa: S307
            except SyntaxError:
                exec(example, names)
            else:
                output("Out [1]: ", value)
            if (scan := names["SCANS"][-1] if len(names["SCANS"]) else None) is not None:
                assert scan.state.name == "DONE", example


def test_it_fits_the_terminal() -> None:
    for width in (60, 80, 250):
        for text in (overview(width), *(page(name, topic, width) for name, topic in TOPICS.items())):
            commands = {example for topic in TOPICS.values() for example, _ in topic.examples}
            assert all(len(line) <= width or line.strip() in commands for line in text.splitlines())
    assert len(overview(80).splitlines()) <= 30


def test_help_explains_what_it_is_asked(names: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> None:
    show = names["help"]
    for what, said in [(None, "help('scan') shows a topic"), ("scan", "ascan(robx, 0, 1, 10, 0.1, diode)")]:
        show(what)
        assert said in capsys.readouterr().out
    for what in (names["ascan"], "ascan"):
        show(what)
        assert capsys.readouterr().out.startswith("ascan(motor, start, stop, intervals, count_time")
    with pytest.raises(UsageError, match="'ascn', did you mean 'ascan'"):
        show("ascn")
