"""`help`: what there is to type, by topic, and how each command is called."""

from __future__ import annotations

import re
import shutil
import textwrap
from collections.abc import Mapping
from typing import Any

from bliss_like.config.suggestion import did_you_mean
from bliss_like.errors import UsageError
from bliss_like.live.look import wrapped
from bliss_like.standard.topics import TOPICS, Topic

from .display import explained

WIDE = 90
"""Columns from which on examples and what they do stand side by side."""

_NAME = re.compile(r"[A-Za-z_]\w*")


class Help:
    """`help()` lists the topics, `help("scan")` the commands of one, `help(ascan)` explains a command or a device."""

    def __init__(self, names: Mapping[str, Any]) -> None:
        self._names = names

    def __call__(self, what: Any = None) -> None:
        """Show the topics; the commands of a topic, with examples; how something is called, and what it does.

        :param what: a topic, `"all"` of them, or anything that has a name.
        :raises UsageError: a text that names nothing.
        """
        if what is None:
            print(overview())
        elif not isinstance(what, str):
            print(explained(_name_of(what, self._names), what))
        elif what == "all":
            print("\n\n".join(page(name, topic) for name, topic in TOPICS.items()))
        elif what in TOPICS:
            print(page(what, TOPICS[what]))
        elif what in self._names:
            print(explained(what, self._names[what]))
        else:
            raise UsageError(
                f"help: no topic and nothing at the prompt has the name {what!r}"
                f"{did_you_mean(what, [*TOPICS, *self._names])}; topics are {', '.join(TOPICS)}"
            )

    def __info__(self) -> str:
        return overview()

    def __repr__(self) -> str:
        return "help(), help('scan') or help(ascan)"


def overview(width: int | None = None) -> str:
    """Return the topics, each with its first commands."""
    width = width or shutil.get_terminal_size().columns
    left = max(map(len, TOPICS))
    lines = []
    for name, topic in TOPICS.items():
        about = f"{name:{left}}  {topic.about}"
        lines += [about, " " * (left + 2) + _fitting(commands_of(topic), width - left - 2)]
    hint = "help('scan') shows a topic, help('all') all, help(ascan) or ascan? a command."
    return "\n".join([*lines, "", wrapped(hint, width)])


def page(name: str, topic: Topic, width: int | None = None) -> str:
    """Return the commands of a topic with their examples, in two columns where they fit."""
    width = width or shutil.get_terminal_size().columns
    lines = [f"{name}: {topic.about}"]
    longest = max((len(one) for one, _ in topic.examples if len(one) <= width // 2), default=0)
    beside = longest + 4 if width >= WIDE else 6
    for example, about in topic.examples:
        told = textwrap.wrap(about, width - beside)
        if width >= WIDE and len(example) <= longest:
            lines.append(f"  {example:{longest}}  {told.pop(0)}")
        else:
            lines.append(f"  {example}")
        lines += [" " * beside + one for one in told]
    if topic.more:
        lines += textwrap.wrap(f"and {', '.join(topic.more)}", width - 2, initial_indent="  ", subsequent_indent="  ")
    if topic.page:
        lines.append(f"  {topic.page}")
    return "\n".join(lines)


def commands_of(topic: Topic) -> list[str]:
    """Return the names that the examples of a topic begin with, and those named beside."""
    first = [match[0] for example, _ in topic.examples if (match := _NAME.match(example.removeprefix("with ")))]
    return list(dict.fromkeys([*(name for name in first if len(name) > 1), *topic.more]))


def _fitting(names: list[str], width: int) -> str:
    text = ""
    for name in names:
        if len(text) + len(name) + 5 > width:
            return f"{text} ..."
        text += f" {name}" if text else name
    return text


def _name_of(what: Any, names: Mapping[str, Any]) -> str:
    """Return what something is called at the prompt."""
    called = next((name for name, found in names.items() if found is what), "")
    return called or str(getattr(what, "__name__", "") or getattr(what, "name", "") or type(what).__name__)
