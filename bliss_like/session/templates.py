"""Templates: texts with names in braces, whose values may be templates or functions themselves."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from string import Formatter
from typing import Any

from bliss_like.config.suggestion import did_you_mean

_LITERAL = ("base_path", "session", "user", "date", "scan_number", "img_acq_device")
"""Values that are no templates: a directory that is there may have braces in its name."""


class TemplateError(ValueError):
    """No text can be made of a template; the message says why."""


class CircularReference(TemplateError):
    """Templates that need each other; the message shows the circle."""


class MissingParameter(TemplateError):
    """A template names something that is not known."""

    def __init__(self, message: str, name: str) -> None:
        super().__init__(message)
        self.name = name


def rendered(template: str, known: Mapping[str, Any], argument: object = None) -> str:
    """Return a template with the values in it.

    :param known: values by name; a text may be a template, too, and a function is called with `argument`.
    :raises TemplateError: it is no template, or a value cannot be had.
    """
    return _Values(known, argument).render(template)


def renders(template: str, names: Mapping[str, str] | tuple[str, ...]) -> str:
    """Return a template as it is.

    :raises TemplateError: it is none, or names something else than `names`.
    """
    rendered(template, dict.fromkeys(names, "x" * 80))  # long enough for {user[0]}
    return template


class _Values(Mapping[str, Any]):
    """Makes values when a template asks for them."""

    def __init__(self, known: Mapping[str, Any], argument: object) -> None:
        self._known = known
        self._argument = argument
        self._way: list[str] = []

    def __getitem__(self, name: str) -> Any:
        if name not in self._known:
            raise KeyError(name)
        if name in self._way:
            circle = " -> ".join([*self._way[self._way.index(name) :], name])
            raise CircularReference(f"templates that need each other: {circle}; write one of them without the other")
        value = self._known[name]
        self._way.append(name)
        try:
            if callable(value):
                value = self._called(name, value)
            is_template = isinstance(value, str) and name not in _LITERAL and ("{" in value or "}" in value)
            return self.render(value) if is_template else value
        finally:
            self._way.pop()

    def __iter__(self) -> Any:
        return iter(self._known)

    def __len__(self) -> int:
        return len(self._known)

    def _called(self, name: str, function: Callable[[object], Any]) -> Any:
        try:
            return function(self._argument)
        except Exception as error:
            raise TemplateError(f"the function {name} failed: {type(error).__name__}: {error}") from error

    def render(self, template: str) -> str:
        try:
            return Formatter().vformat(template, (), self)
        except TemplateError:
            raise
        except KeyError as error:
            name = error.args[0]
            way_out = did_you_mean(name, self._known)
            way_out = way_out or f" (known: {', '.join(self._known)}); set SCAN_SAVING.{name} first"
            raise MissingParameter(f"nothing is known of '{name}' in {template!r}{way_out}", name) from None
        except IndexError:
            raise TemplateError(f"write a name in the braces of {template!r}, as in {{session}}") from None
        except (ValueError, AttributeError, TypeError) as error:
            raise TemplateError(f"{error} in {template!r}") from None
