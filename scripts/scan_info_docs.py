"""Write docs/scan-info.schema.json, and the tables of docs/scan-info.md, of the types in bliss_like/data/scan_info.py."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, Literal, get_args, get_origin, is_typeddict

from bliss_like.data import scan_info
from bliss_like.data.scan_info_schema import keys_of, scan_info_schema

DOCS = Path(__file__).parents[1] / "docs"
TABLES = re.compile(r"(?s)(?<=<!-- keys -->\n).*?(?=<!-- end of keys -->)")
PARTS = (
    "ScanInfoKeys",
    "Positioners",
    "ChannelMeta",
    "Device",
    "Estimation",
    "TimeProfile",
    "Chain",
    "Plot",
    "PlotItem",
    "Sample",
    "User",
    "DatasetInfo",
)
MORE = ("DisplayExtra", "SequenceInfo", "SequenceScan", "ReplayOf", "Comment")


def schema() -> str:
    """Return the JSON Schema as text."""
    return json.dumps(scan_info_schema(), indent=1) + "\n"


def tables() -> str:
    """Return all keys as tables in Markdown."""
    parts = [_table(getattr(scan_info, name), name) for name in (*PARTS, *MORE)]
    return "\n".join(parts)


def _table(kind: Any, name: str) -> str:
    heading = "" if name == "ScanInfoKeys" else f"### {name}\n\n{kind.__doc__.strip()}\n\n"
    lines = ["| key | type | unit | from | |", "|---|---|---|---|---|"]
    for key, (hint, about) in keys_of(kind).items():
        always = ", always" if about.always else ""
        lines.append(f"| `{key}` | {_type(hint)} | {about.unit} | {about.when}{always} | {about.about} |")
    return heading + "\n".join(lines) + "\n"


def _type(hint: Any) -> str:
    if is_typeddict(hint):
        return f"[{hint.__name__}](#{hint.__name__.lower()})"
    origin, args = get_origin(hint), get_args(hint)
    if origin is Literal:
        return ", ".join(f'"{value}"' for value in args)
    if origin is dict:
        return f"{{name: {_type(args[1])}}}"
    if origin is list:
        return f"list of {_type(args[0])}"
    if args:
        return " or ".join(map(_type, args))
    return "None" if hint is type(None) else "anything" if hint is Any else str(hint.__name__)


def main() -> None:
    (DOCS / "scan-info.schema.json").write_text(schema())
    page = DOCS / "scan-info.md"
    page.write_text(TABLES.sub(lambda _: tables(), page.read_text()))


if __name__ == "__main__":
    main()
