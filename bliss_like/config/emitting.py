"""Plain data to YAML text: scalars that are read back as what they are, short collections in one line."""

from __future__ import annotations

import math
import re
from typing import Any

from .parsing import YamlProblem, parse

MAX_WIDTH = 100  # characters; a longer collection gets a line for each of its elements

_PLAIN = re.compile(r"[A-Za-z_$./~][\w$./+~-]*( [\w$./+~-]+)*", re.ASCII)
"""Texts that need no quotes, wherever they stand, unless they are read as something else than text."""


def scalar(value: Any, quote: str = "") -> str:
    """Return a scalar in one line.

    :param quote: the quotes to put a text in, if they can hold it; by default none where none are needed.
    """
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return repr(value) if math.isfinite(value) else {math.inf: ".inf", -math.inf: "-.inf"}.get(value, ".nan")
    return _text(value, quote)


def _text(value: str, quote: str) -> str:
    if not quote and _PLAIN.fullmatch(value) and _is_read_as(value, value):
        return value
    if quote != '"':
        single = "'" + value.replace("'", "''") + "'"
        if value.isprintable() and (quote or '"' in value or "\\" in value):
            return single
    return '"' + "".join(map(_escaped, value)) + '"'


def _escaped(character: str) -> str:
    if character in '"\\':
        return "\\" + character
    if character == "\n":
        return "\\n"
    return character if character.isprintable() else f"\\U{ord(character):08x}"


def _is_read_as(text: str, value: str) -> bool:
    try:
        parsed = parse(text)
    except YamlProblem:
        return False
    return parsed is not None and parsed[2] == value and isinstance(parsed[2], str)


def in_one_line(value: Any) -> str:
    """Return any value as flow style."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{scalar(key)}: {in_one_line(child)}" for key, child in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(in_one_line, value)) + "]"
    return scalar(value)


def fits_one_line(value: Any) -> bool:
    """Tell whether people would write a value in one line: a scalar, or a short collection of scalars."""
    if not isinstance(value, dict | list):
        return True
    children = list(value.values()) if isinstance(value, dict) else value
    if any(isinstance(child, dict | list) and child for child in children):
        return False
    return len(in_one_line(value)) <= MAX_WIDTH


def block_lines(value: Any) -> list[str]:
    """Return a mapping or a list as block style, not indented."""
    if not value or not isinstance(value, dict | list):
        return [in_one_line(value)]
    lines: list[str] = []
    if isinstance(value, dict):
        for key, child in value.items():
            if fits_one_line(child):
                lines.append(f"{scalar(key)}: {in_one_line(child)}")
            else:
                lines += [f"{scalar(key)}:", *("  " + line for line in block_lines(child))]
        return lines
    for child in value:
        first, *others = [in_one_line(child)] if _is_short(child) else block_lines(child)
        lines += ["- " + first, *("  " + line for line in others)]
    return lines


def _is_short(child: Any) -> bool:
    """Tell whether an element of a list needs one line; one that is a mapping with a name is an item, hence a block."""
    return fits_one_line(child) and not (isinstance(child, dict) and "name" in child)
