"""Names of files from what is known of a scan: `{start.sample_name}/{scan_nb:04d}_{event.seq_num}`.

What is filled in never makes a directory or leads out of one; slashes of the template itself do.
"""

from __future__ import annotations

import re
import string
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from bliss_like.errors import ExportError

if TYPE_CHECKING:
    from .fold import ScanFold

OWN = {
    "scan_nb": "scan_nb",
    "name": "name",
    "session": "session_name",
    "title": "title",
    "uid": "uid",
    "user": "user_name",
    "sample": "sample.name",
    "type": "type",
    "state": "state",
}
"""Our names, and the keys of scan_info that they stand for."""

START = {
    "scan_id": "scan_nb",
    "uid": "uid",
    "user": "user_name",
    "experimenter": "user_name",
    "sample_name": "sample.name",
    "plan_name": "type",
    "time": "start_timestamp",
}
"""Names of other programs for what is known at the start; any other is a key of scan_info."""

_UNSAFE = re.compile(r"[^\w.+=@,-]")
_PART = re.compile(r"\.([^.\[\]]+)|\[([^\]]+)\]")
_SUFFIX = re.compile(r"\.[A-Za-z][A-Za-z0-9]{0,7}$")


class Template:
    """A template and the suffix of files that have none.

    :raises ExportError: it is none.
    """

    def __init__(self, text: str, suffix: str) -> None:
        self.text = text
        try:
            self.fields = {field for _, field, _, _ in string.Formatter().parse(text) if field is not None}
        except ValueError as error:
            raise ExportError(f"template {text!r}: {error}") from error
        found = _SUFFIX.search(text)
        self.suffix = found[0] if found else suffix
        self._stem = text[: found.start()] if found else text

    def name(self, scan: ScanFold, *additions: str, point: Mapping[str, Any] | None = None) -> str:
        """Return a name.

        :param additions: what else tells this file from others; goes before the suffix.
        :param point: `channel`, `i`, `seq_num` and `data` (values by name) of one point.
        :raises ExportError: the template has a name that stands for nothing; the message lists those that do.
        """
        stem = _Filler(self, scan, point or {}).format(self._stem)
        return ".".join([stem, *(safe(text) for text in additions if text)]) + self.suffix


def safe(text: str) -> str:
    """Return a text as a part of a file's name."""
    text = _UNSAFE.sub("_", text)
    return f"_{text[1:]}" if text.startswith(".") else text


class _Filler(string.Formatter):
    def __init__(self, template: Template, scan: ScanFold, point: Mapping[str, Any]) -> None:
        self._template, self._scan, self._point = template, scan, point

    def get_field(self, field_name: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        return self._look_up(_parts(field_name)), field_name

    def format_field(self, value: Any, format_spec: str) -> str:
        try:
            return safe(format(value, format_spec))
        except (TypeError, ValueError) as error:
            raise self._error(f"{value!r} cannot be written as {format_spec!r}: {error}") from error

    def _look_up(self, parts: list[str]) -> Any:
        first, rest = parts[0], parts[1:]
        point = self._point
        if first == "event" and rest == ["seq_num"] and "seq_num" in point:
            return point["seq_num"]
        if first == "event" and rest[:1] == ["data"] and len(rest) == 2 and rest[1] in point.get("data", {}):
            return point["data"][rest[1]]
        if first in ("i", "channel", "detector") and not rest and first in point:
            return point[first]
        if first == "start" and rest:
            return self._key(START[rest[0]].split(".") if rest in ([key] for key in START) else rest)
        if first == "info" and rest:
            return self._key(rest)
        if first in OWN and not rest:
            return self._key(OWN[first].split("."))
        raise self._unknown(".".join(parts))

    def _key(self, keys: list[str]) -> Any:
        value: Any = self._scan.info
        for key in keys:
            if not (isinstance(value, Mapping) and key in value):
                return self._otherwise(keys)
            value = value[key]
        if isinstance(value, Mapping | list | tuple):
            inside = f"; name one of {', '.join(map(str, value))}" if isinstance(value, Mapping) else ""
            raise self._error(f"{'.'.join(keys)} is no single value{inside}")
        return value

    def _otherwise(self, keys: list[str]) -> Any:
        """Return what stands in for a key that is not in the info of every scan."""
        if keys == ["session_name"]:
            return self._scan.path.partition(":")[0]
        if keys == ["sample", "name"] and (sample := self._scan.info.get("dataset", {}).get("sample")):
            return sample
        raise self._unknown(".".join(keys))

    def _unknown(self, name: str) -> ExportError:
        info = self._scan.info
        known = [f"{{{name}}}" for name, key in OWN.items() if key.partition(".")[0] in info or key == "session_name"]
        known += [f"{{start.{name}}}" for name, key in START.items() if key.partition(".")[0] in info]
        if self._point:
            known += ["{event.seq_num}", *(f"{{{name}}}" for name in self._point if name not in ("data", "seq_num"))]
            known += [f"{{event.data.{name}}}" for name in self._point.get("data", {}) if ":" not in name]
        keys = ", ".join(str(key) for key in info)
        return self._error(
            f"{name!r} stands for nothing here; there are {' '.join(known)}, and {{info.<key>}} with {keys}"
        )

    def _error(self, text: str) -> ExportError:
        return ExportError(f"template {self._template.text!r}: {self._scan}: {text}")


def _parts(field: str) -> list[str]:
    """Return `event`, `data` and `axis:robx` of `event.data[axis:robx]`."""
    first = re.match(r"[^.\[]*", field)
    start = first.end() if first else 0
    return [field[:start], *(found[1] or found[2] for found in _PART.finditer(field, start))]
