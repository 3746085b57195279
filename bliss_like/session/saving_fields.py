"""What is set in SCAN_SAVING, where it comes from, and what is kept of it."""

from __future__ import annotations

import getpass
import os
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from datetime import datetime
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from bliss_like.config.suggestion import did_you_mean, nearest
from bliss_like.errors import SessionError

from .kept import Kept
from .places import TEMPLATES, Places
from .policies import DataPolicy, SavingConfig
from .policies.config import AT_THE_PROMPT
from .templates import MissingParameter

if TYPE_CHECKING:
    from .hooks import Hooks

_ABSENT = object()


class SavingFields:
    """Attributes that can be set, taken back and added; a change after which no path can be made is refused."""

    _policy: DataPolicy

    def __init__(self, session_name: str, config: SavingConfig, hooks: Hooks | None) -> None:
        self._hooks = hooks
        self._config = config
        self._configured: dict[str, Any] = config.model_dump()
        self._written = config.model_fields_set
        self._fixed = {"session": session_name, "user": getpass.getuser()}
        self._functions: dict[str, Callable[[Any], Any]] = {}
        setting = "scan_saving" if config.policy == "basic" else f"scan_saving_{config.policy}"
        self._kept: Kept[dict[str, Any]] = Kept(setting, {}, of=session_name)  # of one policy, another knows nothing

    @property
    def fields(self) -> dict[str, Any]:
        """All that is set, or can be, and is kept."""
        return {**self._configured, **self._policy.defaults(), **self._kept.get()}

    def _known(self, fields: Mapping[str, Any]) -> dict[str, Any]:
        date = datetime.now().astimezone().strftime(str(fields["date_format"]))
        made = self._policy.values(fields)
        return {**self._fixed, "date": date, **fields, **self._functions, **made}

    def places(self, **changes: Any) -> Places:
        """Return where files go, or would go with some changes."""
        return self._places_of({**self.fields, **changes})

    def _places_of(self, fields: Mapping[str, Any]) -> Places:
        return Places(self._known(fields), self)

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

    @property
    def hooks(self) -> Hooks | None:
        return self._hooks

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        known = self._known(self.fields)
        if name not in known:
            raise AttributeError(f"SCAN_SAVING has no {name!r}{did_you_mean(name, known)}")
        return self._functions[name](self) if name in self._functions else known[name]

    def __setattr__(self, name: str, value: Any) -> None:
        """Change where scans go; refused, with nothing changed, when no path can be made of it.

        :raises SessionError: the path would not be absolute, or lack a name that the template uses; a new attribute is
            called nearly as what is there for good, see `add`.
        """
        if name.startswith("_"):
            object.__setattr__(self, name, value)
            return
        known = [*self._fixed, *self._configured]
        is_there = name in {*known, *self.fields, *self._functions} or hasattr(type(self), name)
        if not is_there and (meant := nearest(name, known, cutoff=0.8)):
            raise SessionError(
                f"SCAN_SAVING has no {name!r}, did you mean '{meant}'? If not: SCAN_SAVING.add({name!r}, {value!r})"
            )
        self.add(name, value)

    def add(self, name: str, value: Any = None) -> None:
        """Set an attribute, also a new one, whatever it is called like.

        :param value: what JSON can hold; or a function `f(SCAN_SAVING)`, which holds as long as this process has the
            session.
        :raises SessionError: as for setting it.
        """
        if not isinstance(name, str) or not name.isidentifier() or name.startswith("_"):
            raise SessionError(f"SCAN_SAVING.add: expected a name that begins with a letter, came {name!r}")
        if name in self._fixed:
            raise SessionError(f"SCAN_SAVING.{name} is {self._fixed[name]!r} and cannot be changed")
        if name == "date":
            raise SessionError("SCAN_SAVING.date is today; date_format says how it is written")
        if name != "policy" and hasattr(type(self), name):
            raise SessionError(f"SCAN_SAVING.{name} is not to be set; base_path and template make it")
        if name in self._policy.own_fields or name in self._policy.values(self.fields) or name == "policy":
            self._set_by_policy(name, value)
            return
        value = os.fspath(value) if isinstance(value, os.PathLike) else value
        if callable(value):
            self._add_function(name, value)
        else:
            self._change(name, lambda fields: {**fields, name: value}, drop=name)

    def _set_by_policy(self, name: str, value: Any) -> None:
        policy = self._configured["policy"]
        verb = self._policy.own_fields.get(name, "")
        if not verb:
            raise SessionError(
                f"SCAN_SAVING.{name}: the data policy '{policy}' of the session says it; change `scan_saving` in the YAML "
                "file, and call resetup()"
            )
        if name == "proposal_session_name":
            self._policy.newproposal(self.fields["proposal_name"], value)
        else:
            getattr(self._policy, verb)(value)

    def _add_function(self, name: str, function: Callable[[Any], Any]) -> None:
        if name in self._configured:
            raise SessionError(f"SCAN_SAVING.{name}: expected a value; a function gets a name of its own")
        before, lost = dict(self._functions), self._lost()
        self._functions[name] = function
        try:
            self._check_paths(name, self.fields, lost)
        except SessionError:
            self._functions = before
            raise

    def __delattr__(self, name: str) -> None:
        """Take an attribute of one's own away, or take back what was changed of the others.

        :raises SessionError: it is none, or the template needs it.
        """
        if name in self._functions or (name in self.fields and name not in self._policy.own_fields):
            as_configured = {name: self._configured[name]} if name in self._configured else {}
            self._change(name, lambda now: {key: now[key] for key in now if key != name} | as_configured, drop=name)
        else:
            raise SessionError(f"SCAN_SAVING.{name} is nothing that was set{did_you_mean(name, self.fields)}")

    def reset(self) -> None:
        """Forget all that was changed: what is configured holds again; proposal and dataset stay."""
        own = self._policy.own_fields
        self._change("", lambda fields: {**self._configured, **{key: fields[key] for key in own}}, drop=None)

    def go_on(self, **news: Any) -> None:
        """Set fields of the policy: files go elsewhere from now on.

        :raises SessionError: no path can be made of them.
        """
        self._change("", lambda fields: {**fields, **news}, drop="")

    def _change(self, name: str, function: Callable[[dict[str, Any]], dict[str, Any]], drop: str | None) -> None:
        """:param drop: name of a function that is to be forgotten; None: all are.
        :raises SessionError: no path can be made of what comes out, or it cannot be kept.
        """
        usual = {**self._configured, **self._policy.defaults()}

        def changed(kept: dict[str, Any]) -> dict[str, Any]:
            fields = self._checked(name, function({**usual, **kept}))
            return {key: value for key, value in fields.items() if self._configured.get(key, _ABSENT) != value}

        path, functions, lost = self._path_of(self.fields), self._functions, self._lost()
        self._functions = {key: each for key, each in functions.items() if drop is not None and key != drop}
        try:
            news = self._checked(name, function(self.fields))
            self._check_paths(name, news, lost)
            with self._leaving(path) if path not in (None, self._path_of(news)) else nullcontext():
                self._kept.change(changed)
        except TypeError as error:
            self._functions = functions
            raise SessionError(f"SCAN_SAVING.{name} cannot be kept: {error}") from error
        except BaseException:
            self._functions = functions
            raise

    def _path_of(self, fields: Mapping[str, Any]) -> str | None:
        try:
            return str(self._places_of(fields).root)
        except SessionError:
            return None

    def _lost(self) -> str:
        """Return a name that templates lack now, since the setup file that gives it a function has still to run."""
        try:
            self.places().check()
        except SessionError as error:
            return _missing(error)
        return ""

    def _check_paths(self, name: str, fields: Mapping[str, Any], lost: str) -> None:
        """:param lost: what `_lost` was before the change.
        :raises SessionError: no path can be made, and that is news.
        """
        try:
            self._places_of(fields).check()
        except SessionError as error:
            if not (lost and _missing(error)):
                raise
            if name in TEMPLATES:
                self._places_of(fields).check_text(name)

    def _leaving(self, path: str | None) -> AbstractContextManager[object]:
        return self._hooks.leaving_dataset(path or "") if self._hooks is not None else nullcontext()

    def _checked(self, name: str, fields: dict[str, Any]) -> dict[str, Any]:
        """:raises SessionError: a value is not what it should be."""
        written = {key: fields[key] for key in self._configured if key in fields}
        try:
            fields = fields | type(self._config).model_validate(written, context=AT_THE_PROMPT).model_dump()
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            problem = first.get("ctx", {}).get("error") or f"{first['msg'].lower()}, came {first['input']!r:.80}"
            raise SessionError(f"SCAN_SAVING.{'.'.join(map(str, first['loc'])) or name}: {problem}") from None
        return fields

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *(name for name in self._known(self.fields) if not name.startswith("_"))]

    def _origins(self) -> list[tuple[str, Any, str]]:
        """Return all values, and where they come from."""
        fields = {name: value for name, value in self.fields.items() if not name.startswith("_")}
        first: dict[str, Any] = {name: fields[name] for name in ("base_path", "template") if name in fields}
        fields = {**first, **{name: value for name, value in fields.items() if name != "policy"}}
        rows = [(name, repr(value), self._origin(name)) for name, value in fields.items()]
        rows += [(name, f"{self._functions[name]}", "a function, not kept") for name in self._functions]
        return [*rows, *((name, repr(value), "cannot be changed") for name, value in self._fixed.items())]

    def _origin(self, name: str) -> str:
        if verb := self._policy.own_fields.get(name, ""):
            return verb
        configured = "configuration" if name in self._written else "default"
        if name not in self._kept.get():
            return configured
        return f"changed, {configured}: {self._configured[name]!r}" if name in self._configured else "added"


def _missing(error: SessionError) -> str:
    """Return the name that a template lacks; empty when the error is another one."""
    return error.__cause__.name if isinstance(error.__cause__, MissingParameter) else ""
