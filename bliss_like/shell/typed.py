"""What a line is made of while it is typed: found without parsing it, as it need not be Python, or not yet."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

NAME = r"[^\W\d]\w*"
DOTTED = rf"{NAME}(?:\.{NAME})*"

_TOKEN = re.compile(
    r"""(?P<comment>\#[^\n]*)
    |(?P<string>(?P<long>\"\"\"|''')(?:\\.|.)*?(?:(?P=long)|(?P<cut_long>\Z)))
    |(?P<short_string>(?P<quote>["'])(?:\\.|(?!(?P=quote))[^\\\n])*(?:(?P=quote)|(?P<cut>\\?(?=\n|\Z))))
    |(?P<open>[(\[{])|(?P<close>[)\]}])|(?P<space>\s+)|(?P<comma>,)|(?P<semicolon>;)|(?P<other>[^\s"'()\[\]{},;#]+)""",
    re.VERBOSE | re.DOTALL,
)
_ASSIGNMENT = re.compile(rf"\s*{DOTTED}\s*=(?!=)\s*")
_HEAD = re.compile(rf"({DOTTED})\s+")
_CALLED = re.compile(rf"({DOTTED})\Z")
_KEYWORD = re.compile(rf"({NAME})\s*=(?!=)")
_OPERATORS = frozenset("= + - * / // % @ ** == != < > <= >= & | ^ << >> :=".split())


class Token(NamedTuple):
    """A stretch of text: `comment string space comma semicolon open close other`; `cut` when a string does not end."""

    kind: str
    start: int
    text: str
    depth: int
    """How many brackets are open before it."""

    @property
    def end(self) -> int:
        return self.start + len(self.text)


def tokens(text: str) -> Iterator[Token]:
    """Yield what the text is made of, without gaps."""
    depth = 0
    for found in _TOKEN.finditer(text):
        kind = found.lastgroup or "other"
        if kind in ("string", "short_string", "long", "quote", "cut", "cut_long"):
            is_cut = found["cut"] is not None or found["cut_long"] is not None
            kind = "cut" if is_cut else "string"
        depth -= kind == "close"
        yield Token(kind, found.start(), found[0], depth)
        depth += kind == "open"


def statements(text: str) -> tuple[list[str], str]:
    """Return what stands between the semicolons of a line, and the comment at its end."""
    parts, begin = [], 0
    for token in tokens(text):
        if token.kind == "semicolon" and token.depth == 0:
            parts.append(text[begin : token.start])
            begin = token.end
        elif token.kind == "comment" and token.depth == 0:
            return [*parts, text[begin : token.start]], token.text
    return [*parts, text[begin:]], ""


def pieces(text: str) -> list[str]:
    """Return what is separated by spaces or commas, outside of brackets and strings; `1 + 2` is one piece.

    A comma after which nothing comes leaves an empty piece, as does a space at the end of the text.
    """
    parts, begin, had_comma = [], 0, True
    for token in tokens(text):
        if token.depth or token.kind not in ("space", "comma"):
            continue
        part = text[begin : token.start]
        if part or (token.kind == "comma" and had_comma):
            parts.append(part)
            had_comma = False
        had_comma = had_comma or token.kind == "comma"
        begin = token.end
    return _joined([*parts, text[begin:]])


def _joined(parts: Sequence[str]) -> list[str]:
    """Join what stands on both sides of a lonely operator."""
    joined: list[str] = []
    for part in parts:
        if joined and part and (part in _OPERATORS or joined[-1].rpartition(" ")[2] in _OPERATORS):
            joined[-1] += f" {part}"
        else:
            joined.append(part)
    return joined


@dataclass(frozen=True)
class OpenCall:
    """A call that is being typed: `ascan(roby, 0` or `ascan roby 0`.

    :param given: what was typed for each argument; the last one is being typed and may be empty.
    :param place: where the arguments begin.
    """

    function: str
    given: Sequence[str]
    place: int
    has_brackets: bool

    @property
    def index(self) -> int:
        """Which argument is being typed, from 0."""
        return len(self.given) - 1

    @property
    def keyword(self) -> str:
        """The name in `name=value` that is being typed; empty when it is given by its place."""
        found = _KEYWORD.match(self.given[-1].lstrip())
        return found[1] if found else ""


def open_call(before: str) -> OpenCall | None:
    """Return the innermost call that is open where a text ends; None when there is none."""
    return next(open_calls(before), None)


def open_calls(before: str) -> Iterator[OpenCall]:
    """Yield the calls that are open where a text ends, the innermost first."""
    seen = list(tokens(before))
    opened: list[Token] = []
    for token in seen:
        if token.kind == "open":
            opened.append(token)
        elif token.kind == "close" and opened:
            opened.pop()
    for bracket in reversed(opened):
        called = _CALLED.search(before[: bracket.start])
        if bracket.text == "(" and called is not None:
            yield OpenCall(called[1], _between_commas(before, bracket, seen), bracket.end, has_brackets=True)
    if "\n" not in before and not (seen and seen[-1].kind == "comment"):
        yield from _without_brackets(before, seen)


def _between_commas(before: str, bracket: Token, seen: Sequence[Token]) -> list[str]:
    commas = [each for each in seen if each.kind == "comma" and each.start > bracket.start]
    ends = [each.start for each in commas if each.depth == bracket.depth + 1]
    begins = [bracket.end, *(end + 1 for end in ends)]
    return [before[begin:end].strip() for begin, end in zip(begins, [*ends, len(before)], strict=True)]


def _without_brackets(before: str, seen: Sequence[Token]) -> Iterator[OpenCall]:
    begin = max((each.end for each in seen if each.kind == "semicolon" and each.depth == 0), default=0)
    assigned = _ASSIGNMENT.match(before, begin)
    begin = assigned.end() if assigned else len(before) - len(before[begin:].lstrip())
    head = _HEAD.match(before, begin)
    given = pieces(before[head.end() :]) if head else []
    if head and given[0] not in _OPERATORS:
        yield OpenCall(head[1], given, head.end(), has_brackets=False)


def split_assignment(text: str) -> tuple[str, str]:
    """Return `name = ` and the rest of a statement; the first is empty when it assigns nothing."""
    found = _ASSIGNMENT.match(text)
    return (text[: found.end()], text[found.end() :]) if found else ("", text)


def split_head(text: str) -> tuple[str, str]:
    """Return the dotted name that a statement begins with, and what comes after a space; both empty if it has not both."""
    found = _HEAD.match(text)
    return (found[1], text[found.end() :]) if found and found.end() < len(text) else ("", "")


def ends_in_string(text: str) -> bool:
    """Whether a text ends inside a string or a comment."""
    last = _last(text)
    return last is not None and last.kind in ("cut", "comment")


def cut_string(text: str) -> Token | None:
    """Return the string that a text ends in, if it does."""
    last = _last(text)
    return last if last is not None and last.kind == "cut" else None


def _last(text: str) -> Token | None:
    last = None
    for token in tokens(text):
        last = token
    return last
