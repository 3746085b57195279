"""What a call takes, while it is typed: in one line, with the argument that is its turn, and what that means.

Only what functions say of themselves is read: signatures, `usage` of verbs, `:param x:` of docstrings, the kinds of scans.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bliss_like.scans.command import kind_of_argument

from .names import Called, called
from .typed import OpenCall, open_call, open_calls, pieces

_GATHERING = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
_LEFT_OUT = "…"
_LEAST_MEANING = 12
"""Columns; less is not worth reading."""


@dataclass(frozen=True)
class Argument:
    """One argument: how it is written, and what is said of it."""

    written: str
    meaning: str = ""

    @property
    def name(self) -> str:
        return re.split(r"[=:]", self.written.lstrip("*"))[0].strip()


@dataclass(frozen=True)
class Signature:
    """How something is called; `current` is the index of the argument that is being typed, -1 when none fits."""

    function: str
    arguments: Sequence[Argument]
    current: int

    @property
    def argument(self) -> Argument | None:
        return self.arguments[self.current] if 0 <= self.current < len(self.arguments) else None

    def line(self, width: int, left_out: str = _LEFT_OUT) -> list[tuple[str, str]]:
        """Return styles and texts of one line: `""` for the text, `current` for the argument's, `meaning` for what it is."""
        meaning = f"  {self.argument.meaning}" if self.argument and self.argument.meaning else ""
        first, last = 0, len(self.arguments)
        while last - first > 1 and self._width(first, last, left_out) + len(meaning) > width:
            if last - 1 > self.current or self.current < 0:
                last -= 1
            else:
                first += 1
        texts = self._texts(first, last, left_out)
        room = width - sum(len(text) for _, text in texts)
        if meaning and len(meaning) > room:
            meaning = meaning[: room - len(left_out)].rstrip() + left_out if room >= _LEAST_MEANING else ""
        return _cut([*texts, ("meaning", meaning)] if meaning else texts, width, left_out)

    def _width(self, first: int, last: int, left_out: str) -> int:
        return sum(len(text) for _, text in self._texts(first, last, left_out))

    def _texts(self, first: int, last: int, left_out: str) -> list[tuple[str, str]]:
        shown = [
            ("current" if index == self.current else "", argument.written)
            for index, argument in enumerate(self.arguments[first:last], first)
        ]
        shown = [("", left_out)] * (first > 0) + shown + [("", left_out)] * (last < len(self.arguments))
        texts = [("", f"{self.function}(")]
        for index, one in enumerate(shown):
            texts += [("", ", "), one] if index else [one]
        return [*texts, ("", ")")]


def _cut(texts: Sequence[tuple[str, str]], width: int, left_out: str) -> list[tuple[str, str]]:
    """Cut a line that is still too long."""
    if sum(len(text) for _, text in texts) <= width:
        return list(texts)
    cut, room = [], max(0, width - len(left_out))
    for style, text in texts:
        cut.append((style, text[:room]))
        room -= len(cut[-1][1])
    return [*cut, ("", left_out[:width])]


def signature_at(before: str, namespace: Mapping[str, Any]) -> Signature | None:
    """Return how that is called whose arguments are being typed; None when nothing is called, or nothing is known of it."""
    known = ((call, called(call.function, namespace)) for call in open_calls(before))
    call, found = next(((call, found) for call, found in known if found is not None), (None, None))
    if call is None or found is None:
        return None
    if found.usage:
        return _of_usage(call, found)
    try:
        parameters = found.parameters
    except ValueError:
        return None
    described = _described(found.function)
    arguments = [Argument(_written(one), _meaning(found.function, one.name, described)) for one in parameters]
    return Signature(call.function, arguments, _place(call, parameters))


def _written(parameter: inspect.Parameter) -> str:
    stars = {"VAR_POSITIONAL": "*", "VAR_KEYWORD": "**"}.get(parameter.kind.name, "")
    default = "" if parameter.default is parameter.empty else f"={_short(parameter.default)}"
    return f"{stars}{parameter.name}{default}"


def _short(default: Any) -> str:
    """Write a default; of what could be long or do something when it is asked, no more than its class."""
    simple = type(default) in (int, float, str, bool, type(None), bytes)
    text = repr(default) if simple else getattr(default, "__name__", None) if inspect.isroutine(default) else None
    return text if isinstance(text, str) and len(text) <= 20 else _LEFT_OUT


def _place(call: OpenCall, parameters: Sequence[inspect.Parameter]) -> int:
    if call.keyword:
        names = [one.name for one in parameters]
        if call.keyword in names:
            return names.index(call.keyword)
        return next((index for index, one in enumerate(parameters) if one.kind is one.VAR_KEYWORD), -1)
    for index, one in enumerate(parameters):
        if one.kind is one.VAR_POSITIONAL or (index == call.index and one.kind not in (one.KEYWORD_ONLY, *_GATHERING)):
            return index
    return -1


# -- verbs: what they take is written in their usage ---------------------------------------------------------------------


def _of_usage(call: OpenCall, found: Called) -> Signature:
    inside = found.usage.partition("(")[2].removesuffix(")")
    written = [each for each in _between_commas(inside) if each]
    described = _described(found.function)
    arguments = [Argument(each, described.get(Argument(each).name, "")) for each in written]
    repeating = next((index for index, each in enumerate(written) if each.startswith("...")), None)
    if call.keyword:
        names = [argument.name for argument in arguments]
        place = names.index(call.keyword) if call.keyword in names else -1
    elif repeating is not None and call.index >= repeating:
        period = _period(written[:repeating])
        place = repeating - period + (call.index - repeating) % period if period else -1
    else:
        place = _in_usage(call.index, written)
    return Signature(call.function, arguments, place)


def _in_usage(index: int, written: Sequence[str]) -> int:
    starred = next((place for place, each in enumerate(written) if each.startswith("*")), None)
    if starred is not None and index >= starred:
        return starred
    return index if index < len(written) else -1


def _between_commas(text: str) -> list[str]:
    """Return what is separated by commas, `... or {axis: position}` as it is."""
    call = open_call(f"f({text}")
    return list(call.given) if call else pieces(text)


def _period(written: Sequence[str]) -> int:
    """Return after how many arguments they repeat: 2 of axis, position, axis, position."""
    sizes = range(1, len(written) + 1)
    return next(
        (size for size in sizes if all(one == other for one, other in zip(written[size:], written, strict=False))), 0
    )


# -- what arguments mean -------------------------------------------------------------------------------------------------


def _meaning(function: Callable[..., Any], name: str, described: Mapping[str, str]) -> str:
    expected = kind_of_argument(function, name)
    return described.get(name) or (expected.expected if expected is not None else "")


def _described(function: Any) -> dict[str, str]:
    """Return what a docstring says of each argument, in its first sentence or so."""
    doc = inspect.getdoc(function) if type(function).__module__ != "numpy" else ""
    found = re.findall(r":param ([^:]+):\s*(.*?)(?=\n\s*\n|\n\s*:|\Z)", doc or "", re.DOTALL)
    return {names.split()[-1].lstrip("*"): " ".join(text.split()).rstrip(".") for names, text in found}
