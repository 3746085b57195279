"""The code in a page of the documentation; a block whose first line names a file (`# config/table.yml`) is that file."""

from __future__ import annotations

import re
from pathlib import Path

PROJECT = Path(__file__).parents[2]

_BLOCK = re.compile(r"^```(python|yaml|text)\n(.*?)^```", re.MULTILINE | re.DOTALL)
_NAMED = re.compile(r"# (\S+\.(?:yml|py))\n")


def blocks_of(page: str | Path, language: str) -> list[str]:
    """Return the blocks of one language, in the order of the page."""
    return [text for found, text in _BLOCK.findall((PROJECT / page).read_text()) if found == language]


def write_files(page: str | Path, root: Path) -> list[Path]:
    """Write what the page shows below `root`: files that are named, YAML without a name into `config`; return their paths."""
    written = []
    for number, (language, text) in enumerate(_BLOCK.findall((PROJECT / page).read_text())):
        named = _NAMED.match(text)
        if named or language == "yaml":
            path = root / (named[1] if named else f"config/block{number}.yml")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
            written.append(path)
    return written
