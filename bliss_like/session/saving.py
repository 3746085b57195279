"""Where the scans of a session go: a directory for files, and the node below which they appear.

What is changed at the prompt is kept with the session, beside the configuration: only what differs from it.
"""

from __future__ import annotations

import getpass
import os
import re
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

from pydantic import Field, field_validator

from bliss_like.config.models import StrictModel
from bliss_like.config.suggestion import did_you_mean
from bliss_like.config.table import table
from bliss_like.data import paths
from bliss_like.errors import SessionError
from bliss_like.scanning.environment import environment

from .kept import Kept

WRITER_VARIABLE = "BLISS_LIKE_WRITER"

_ABSENT = object()
_OF_IMAGES = ("scan_number", "img_acq_device")
_UNFIT_FOR_NODES = re.compile(r"[:{}\s]")


class ScanSavingConfig(StrictModel):
    """What YAML says of it.

    :param base_path: an absolute directory.
    :param writer: format that scans are saved in, "null" for none; by default $BLISS_LIKE_WRITER, else "nexus".
    :param template: directory below it; `{session}`, `{user}` and attributes that were added are replaced.
    :param images_path_template: directory below that, for the images that a detector saves in a scan; `{scan_number}` and
        `{img_acq_device}` are replaced too.
    :param images_prefix: what the names of their files begin with.
    """

    base_path: str = "/tmp/scans"
    writer: str = Field(default_factory=lambda: os.environ.get(WRITER_VARIABLE) or "nexus")
    template: str = "{session}/"
    images_path_template: str = "scan{scan_number}"
    images_prefix: str = "{img_acq_device}_"

    @field_validator("base_path")
    @classmethod
    def _absolute(cls, path: str) -> str:
        if not os.path.isabs(os.path.expanduser(path)):
            raise ValueError(f"expected an absolute path, came {path!r}")
        return path

    @field_validator("template")
    @classmethod
    def _renders(cls, template: str) -> str:
        _rendered(template, dict.fromkeys(("session", "user", "base_path"), "x" * 80))  # long enough for {user[0]}
        return template

    @field_validator("images_path_template", "images_prefix")
    @classmethod
    def _images_render(cls, template: str) -> str:
        _rendered(template, dict.fromkeys(("session", "user", "base_path", *_OF_IMAGES), "x" * 80))
        return template


class ScanSaving:
    """SCAN_SAVING: set `base_path`, `template`, and attributes of one's own that the template uses.

    ::

        SCAN_SAVING.sample = "ruby"
        SCAN_SAVING.template = "{session}/{sample}"
        del SCAN_SAVING.template                     # as it is configured
        SCAN_SAVING.reset()                          # all of it

    :param leaving: given the directory for files, makes a context in which another one takes its place.
    """

    def __init__(
        self,
        session_name: str,
        config: ScanSavingConfig,
        leaving: Callable[[str], AbstractContextManager[object]] = nullcontext,
    ) -> None:
        self._leaving = leaving
        self._configured: dict[str, Any] = config.model_dump()
        self._written = config.model_fields_set
        self._fixed = {"session": session_name, "user": getpass.getuser()}
        self._kept: Kept[dict[str, Any]] = Kept("scan_saving", {}, of=session_name)
        self._render(self._configured)

    @property
    def _fields(self) -> dict[str, Any]:
        return {**self._configured, **self._kept.get()}

    def enter(self) -> None:
        """Keep what was changed before the session was set up."""
        early = self._kept.alone
        if early:
            self._kept.change(lambda kept: {**kept, **early})

    @property
    def session(self) -> str:
        return self._fixed["session"]

    @property
    def user(self) -> str:
        return self._fixed["user"]

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        try:
            return {**self._fixed, **self._fields}[name]
        except KeyError:
            raise AttributeError(
                f"SCAN_SAVING has no {name!r}{did_you_mean(name, [*self._fixed, *self._fields])}"
            ) from None

    def __setattr__(self, name: str, value: Any) -> None:
        """Change where scans go; refused, with nothing changed, when no path can be made of it.

        :raises SessionError: the path would not be absolute, or lack a name that the template uses; a new attribute is
            called nearly as what is there for good, see `add`.
        """
        if name.startswith("_"):
            object.__setattr__(self, name, value)
            return
        known = [*self._fixed, *self._configured]
        hint = did_you_mean(name, known) if name not in {*known, *self._fields} else ""
        if hint:
            raise SessionError(f"SCAN_SAVING has no {name!r}{hint} If not: SCAN_SAVING.add({name!r}, {value!r})")
        self.add(name, value)

    def add(self, name: str, value: Any = None) -> None:
        """Set an attribute, also a new one, whatever it is called like.

        :raises SessionError: as for setting it.
        """
        if not isinstance(name, str) or not name.isidentifier() or name.startswith("_"):
            raise SessionError(f"SCAN_SAVING.add: expected a name that begins with a letter, came {name!r}")
        if name in self._fixed:
            raise SessionError(f"SCAN_SAVING.{name} is {self._fixed[name]!r} and cannot be changed")
        if hasattr(type(self), name):
            raise SessionError(f"SCAN_SAVING.{name} is not to be set; base_path and template make it")
        value = os.fspath(value) if isinstance(value, os.PathLike) else value
        self._change(name, lambda fields: {**fields, name: value})

    def __delattr__(self, name: str) -> None:
        """Take an attribute of one's own away, or take back what was changed of the others.

        :raises SessionError: it is none, or the template needs it.
        """
        if name not in self._fields:
            raise SessionError(f"SCAN_SAVING.{name} is nothing that was set{did_you_mean(name, self._fields)}")
        as_configured = {name: self._configured[name]} if name in self._configured else {}
        self._change(name, lambda fields: {key: fields[key] for key in fields if key != name} | as_configured)

    def reset(self) -> None:
        """Forget all that was changed: what is configured holds again."""
        self._change("", lambda _: dict(self._configured))

    def _change(self, name: str, function: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
        """:raises SessionError: no path can be made of what comes out, or it cannot be kept."""

        def changed(kept: dict[str, Any]) -> dict[str, Any]:
            fields = function({**self._configured, **kept})
            self._render(fields)
            return {key: value for key, value in fields.items() if self._configured.get(key, _ABSENT) != value}

        self._check_images(function(self._fields))
        path, next_path = self.get_path(), str(self._render(function(self._fields)))
        try:
            with self._leaving(path) if next_path != path else nullcontext():
                self._kept.change(changed)
        except TypeError as error:
            raise SessionError(f"SCAN_SAVING.{name} cannot be kept: {error}") from error

    def get_path(self) -> str:
        """Return the directory for files, without a slash at its end; it may not exist yet."""
        return str(self._render(self._fields))

    def describe(self, scan_number: int | None = None) -> dict[str, Any]:
        """Return what `scan_info` says of saving."""
        if self.writer == "null":
            return {"data_writer": "null"}
        filename = os.path.join(self.get_path(), "data.h5")
        return {"data_writer": self.writer, "filename": filename, "writer_options": {}, "data_policy": "basic"}

    def check(self) -> None:
        """:raises SavingError: files cannot be made there."""

    def last_number_on_disk(self) -> int:
        return 0

    def get_images_path(self, scan_number: int, device: str) -> str:
        """Return the directory for the images that a detector saves in a scan; it may not exist yet."""
        return str(self._images_path(self._fields, f"{scan_number:04d}", device))

    def get_images_prefix(self, scan_number: int, device: str) -> str:
        """Return what the names of the files of a detector begin with."""
        of_scan = {"scan_number": f"{scan_number:04d}", "img_acq_device": device}
        return _rendered(str(self.images_prefix), {**self._fixed, **self._fields, **of_scan})

    def _images_path(self, fields: dict[str, Any], scan_number: str, device: str) -> Path:
        known = {**self._fixed, **fields, "scan_number": scan_number, "img_acq_device": device}
        below = _rendered(str(fields["images_path_template"]), known).strip("/")
        base = self._render(fields)
        path = Path(os.path.normpath(base / below))
        if not path.is_relative_to(base):
            raise SessionError(f"SCAN_SAVING.images_path_template: {below!r} leads out of {base}: {path}")
        return path

    def _check_images(self, fields: dict[str, Any]) -> None:
        """:raises SessionError: the templates for images name something that is not known."""
        for key in ("images_path_template", "images_prefix"):
            try:
                _rendered(str(fields[key]), {**self._fixed, **fields, **dict.fromkeys(_OF_IMAGES, "x")})
            except ValueError as error:
                raise SessionError(f"SCAN_SAVING.{key}: {error}") from None
        if "/" in str(fields["images_prefix"]):
            raise SessionError(f"SCAN_SAVING.images_prefix: expected no '/', came {fields['images_prefix']!r}")
        self._images_path(fields, "0001", "x")

    @property
    def container(self) -> str:
        """db_name of the node below which scans appear: the session, then the other components of the path."""
        parts = [_UNFIT_FOR_NODES.sub("_", part) for part in self._render(self._fields).parts[1:]]
        return paths.join(self.session, *(part for part in parts if part != self.session))

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *self._fixed, *self._fields]

    def __info__(self) -> str:
        rows = [(name, repr(value), self._origin(name)) for name, value in self._fields.items()]
        fixed = [(name, repr(value), "cannot be changed") for name, value in self._fixed.items()]
        shown = table(("SCAN_SAVING", "", "from"), [*rows, *fixed])
        return f"{shown}\nfiles in {self.get_path()}\nscans below {self.container}{self._told_of_writer()}"

    def _told_of_writer(self) -> str:
        saver = environment.saver
        return f"\n{saver.told()}" if saver is not None and environment.scan_saving is self else ""

    def _origin(self, name: str) -> str:
        configured = "configuration" if name in self._written else "default"
        if name not in self._kept.get():
            return configured
        return f"changed, {configured}: {self._configured[name]!r}" if name in self._configured else "added"

    def _render(self, fields: dict[str, Any]) -> Path:
        known = {**self._fixed, **fields}
        base = os.path.expanduser(str(fields["base_path"]))
        if not os.path.isabs(base):
            raise SessionError(f"SCAN_SAVING.base_path: expected an absolute path, came {fields['base_path']!r}")
        template = str(fields["template"])
        try:
            below = _rendered(template, known).strip("/")
        except ValueError as error:
            raise SessionError(f"SCAN_SAVING.template: {error}") from None
        path = Path(os.path.normpath(os.path.join(base, below)))
        if not path.is_relative_to(os.path.normpath(base)):
            raise SessionError(f"SCAN_SAVING.template: {template!r} leads out of {base}: {path}")
        return path


def _rendered(template: str, known: dict[str, Any]) -> str:
    """Return a template with the values in it.

    :raises ValueError: it is none, or names something else.
    """
    try:
        return template.format(**known)
    except KeyError as error:
        name = error.args[0]
        way_out = did_you_mean(name, known) or f" (known: {', '.join(known)}); set SCAN_SAVING.{name} first"
        raise ValueError(f"nothing is known of '{name}' in {template!r}{way_out}") from None
    except IndexError:
        raise ValueError(f"write a name in the braces of {template!r}, as in {{session}}") from None
    except (ValueError, AttributeError, TypeError) as error:
        raise ValueError(f"{error} in {template!r}") from None
