"""Paths that templates make: where the files of scans go, as far as it can be told without looking at the disk."""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

from bliss_like.errors import SessionError

from .templates import TemplateError, rendered

TEMPLATES = ("template", "data_filename", "images_path_template", "images_prefix")

OF_IMAGES = ("scan_number", "img_acq_device")
"""What only the templates for images know."""

LONGEST_NAME = 255
"""Bytes in the name of a file, on all common file systems."""

_BESIDE = len("..hdf5.journal")
"""What is added to the name of a file for the one beside it."""

_NUMBER, _DEVICE = "\ue000", "\ue001"
"""Characters for private use, in the places of a number and a name."""


class Places:
    """The paths for one set of values.

    :param known: values by name, `base_path` and the templates among them.
    :param argument: what functions among them are called with.
    """

    def __init__(self, known: Mapping[str, Any], argument: object = None) -> None:
        self._known = known
        self._argument = argument

    def check(self) -> None:
        """:raises SessionError: one of the paths cannot be made."""
        self.file("")
        self.images("1", "x")
        self.images_prefix("1", "x")

    def check_text(self, key: str) -> None:
        """:raises SessionError: no text can be made of one template."""
        self._text(key, **dict.fromkeys(OF_IMAGES, "1"))

    @cached_property
    def base(self) -> Path:
        """The directory below which all data are."""
        written = str(self._known["base_path"])
        base = Path(os.path.normpath(os.path.expanduser(written)))
        if not os.path.isabs(base) or "\0" in written:
            raise SessionError(f"SCAN_SAVING.base_path: expected an absolute path, came {written!r}")
        for part in base.parts[1:]:
            if problem := unfit(part, may_be_odd=True):
                raise SessionError(f"SCAN_SAVING.base_path: {problem}")
        return base

    @cached_property
    def root(self) -> Path:
        """The directory for files."""
        return self._below(self.base, self._text("template"), "template")

    def file(self, extension: str) -> Path:
        """Return the file for data."""
        name = self._text("data_filename")
        if not name.strip() or "/" in name or name in (".", ".."):
            raise SessionError(f"SCAN_SAVING.data_filename: expected the name of a file without '/', came {name!r}")
        path = self._below(self.root, name if name.endswith(extension) else name + extension, "data_filename")
        if len(name.encode()) > LONGEST_NAME - _BESIDE:
            raise SessionError(
                f"SCAN_SAVING.data_filename: {name[:40]!r}... has {len(name.encode())} bytes, too many for a file that "
                f"another one lies beside while it is written"
            )
        return path

    def images(self, scan_number: str, device: str) -> Path:
        """Return the directory for the images of a detector in a scan."""
        below = self._text("images_path_template", scan_number=scan_number, img_acq_device=device)
        return self._below(self.root, below, "images_path_template")

    def images_prefix(self, scan_number: str, device: str) -> str:
        """Return what the names of the files of a detector begin with."""
        prefix = self._text("images_prefix", scan_number=scan_number, img_acq_device=device)
        if "/" in prefix:
            raise SessionError(f"SCAN_SAVING.images_prefix: expected no '/', came {prefix!r}")
        return prefix

    def images_of_all(self, scan_number: str) -> Path:
        """Return the directory below which all detectors save in a scan."""
        return Path(os.path.commonpath([self.images(scan_number, "x"), self.images(scan_number, "y")]))

    def numbered_images(self) -> tuple[Path, re.Pattern[str]] | None:
        """Return a directory, and what names in it are like that have the number of a scan; None if there is nothing
        of the kind."""
        marked = self.images(_NUMBER, _DEVICE)
        depth = next((n for n, part in enumerate(marked.parts) if _NUMBER in part), 0)
        above = Path(*marked.parts[:depth])
        if not depth or _DEVICE in str(above):
            return None
        name = re.escape(marked.parts[depth]).replace(_NUMBER, r"0*(\d+)", 1)
        return above, re.compile(name.replace(_NUMBER, r"\d+").replace(_DEVICE, ".*"))

    def _text(self, key: str, **more: str) -> str:
        try:
            return rendered(str(self._known[key]), {**self._known, **more}, self._argument)
        except TemplateError as error:
            raise SessionError(f"SCAN_SAVING.{key}: {error}") from error

    def _below(self, base: Path, below: str, key: str) -> Path:
        path = Path(os.path.normpath(os.path.join(base, below.strip("/"))))
        if not path.is_relative_to(base):
            raise SessionError(f"SCAN_SAVING.{key}: {below!r} leads out of {base}: {path}")
        for part in path.relative_to(base).parts:
            if problem := unfit(part):
                raise SessionError(f"SCAN_SAVING.{key}: {problem}")
        return path


def unfit(name: str, may_be_odd: bool = False) -> str:
    """Return why something cannot be the name of a file or directory; empty when it can.

    :param may_be_odd: it is there already, and may have characters that nobody should put into a name.
    """
    try:
        length = len(name.encode())
    except UnicodeEncodeError:
        return f"{name!r} has characters that no file name can have"
    odd = next((character for character in name if unicodedata.category(character) == "Cc"), None)
    if odd is not None and not may_be_odd:
        return f"{name!r} has the character {odd!r}, which has no place in the name of a file"
    if length > LONGEST_NAME:
        return f"{name[:40]!r}... has {length} bytes, the name of a file {LONGEST_NAME} at most"
    return ""


def fit(name: str, longest: int = 100) -> str:
    """Return the nearest name that is fit for files on every system: letters, digits, `_ - + .`; it may be empty."""
    plain = unicodedata.normalize("NFKD", name)
    plain = "".join(character for character in plain if not unicodedata.combining(character))
    return re.sub(r"[^A-Za-z0-9_+.-]+", "_", plain).strip("._")[:longest].rstrip("._")
