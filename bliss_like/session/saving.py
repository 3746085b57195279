"""Where the scans of a session go: a directory for files, and the node below which they appear."""

from __future__ import annotations

import getpass
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pydantic import field_validator

from bliss_like.config.models import StrictModel
from bliss_like.config.suggestion import did_you_mean
from bliss_like.data import paths
from bliss_like.errors import SessionError

_UNFIT_FOR_NODES = re.compile(r"[:{}\s]")


class ScanSavingConfig(StrictModel):
    """What YAML says of it.

    :param base_path: an absolute directory.
    :param template: directory below it; `{session}`, `{user}` and attributes that were added are replaced.
    """

    base_path: str = "/tmp/scans"
    template: str = "{session}/"

    @field_validator("base_path")
    @classmethod
    def _absolute(cls, path: str) -> str:
        if not os.path.isabs(os.path.expanduser(path)):
            raise ValueError(f"expected an absolute path, came {path!r}")
        return path


class ScanSaving:
    """SCAN_SAVING: set `base_path`, `template`, and attributes of one's own that the template uses.

    ::

        SCAN_SAVING.sample = "ruby"
        SCAN_SAVING.template = "{session}/{sample}"

    :param on_change: called after every change.
    """

    def __init__(self, session_name: str, config: ScanSavingConfig, on_change: Callable[[], None]) -> None:
        self._fields: dict[str, Any] = {"base_path": config.base_path, "template": config.template}
        self._fixed = {"session": session_name, "user": getpass.getuser()}
        self._on_change = on_change
        self._render(self._fields)

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

        :raises SessionError: the path would not be absolute, or lack a name that the template uses.
        """
        if name.startswith("_"):
            object.__setattr__(self, name, value)
            return
        if name in self._fixed:
            raise SessionError(f"SCAN_SAVING.{name} is {self._fixed[name]!r} and cannot be changed")
        if hasattr(type(self), name):
            raise SessionError(f"SCAN_SAVING.{name} is not to be set; base_path and template make it")
        fields = {**self._fields, name: value}
        self._render(fields)
        self._fields = fields
        self._on_change()

    def get_path(self) -> str:
        """Return the directory for files, without a slash at its end; it may not exist yet."""
        return str(self._render(self._fields))

    @property
    def container(self) -> str:
        """db_name of the node below which scans appear: the session, then the other components of the path."""
        parts = [_UNFIT_FOR_NODES.sub("_", part) for part in self._render(self._fields).parts[1:]]
        return paths.join(self.session, *(part for part in parts if part != self.session))

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *self._fixed, *self._fields]

    def __info__(self) -> str:
        lines = [f"{name} = {value!r}" for name, value in self._fields.items()]
        return "\n".join([*lines, f"files in {self.get_path()}", f"scans below {self.container}"])

    def _render(self, fields: dict[str, Any]) -> Path:
        known = {**self._fixed, **fields}
        base = os.path.expanduser(str(fields["base_path"]))
        if not os.path.isabs(base):
            raise SessionError(f"SCAN_SAVING.base_path: expected an absolute path, came {fields['base_path']!r}")
        template = str(fields["template"])
        try:
            below = template.format(**known).strip("/")
        except KeyError as error:
            name = error.args[0]
            raise SessionError(
                f"SCAN_SAVING.template {template!r}: nothing is known of '{name}'{did_you_mean(name, known)}; "
                f"set SCAN_SAVING.{name} first (known: {', '.join(known)})"
            ) from None
        except IndexError:
            raise SessionError(
                f"SCAN_SAVING.template {template!r}: write a name in the braces, as in {{session}}"
            ) from None
        except (ValueError, AttributeError, TypeError) as error:
            raise SessionError(f"SCAN_SAVING.template {template!r}: {error}") from None
        path = Path(os.path.normpath(os.path.join(base, below)))
        if not path.is_relative_to(os.path.normpath(base)):
            raise SessionError(f"SCAN_SAVING.template {template!r} leads out of {base}: {path}")
        return path
