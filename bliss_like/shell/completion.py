"""Completion of names at the prompt, without touching any hardware.

Names and attributes of live objects are looked up here, statically: no property is evaluated, no `__getattr__` called.
What is beyond that (imports, results of calls) is left to jedi, told to be as careful. Everything runs in a thread of
its own: jedi may compute for seconds.
"""

from __future__ import annotations

import builtins
import functools
import inspect
import keyword
import re
import types
import typing
from collections.abc import Callable, Iterable
from typing import Any

from prompt_toolkit.completion import CompleteEvent, Completer, Completion
from prompt_toolkit.document import Document

from bliss_like.session.scripts import Scripts

_DOTTED = re.compile(r"(?<![\w.)\]\"'])((?:[^\W\d]\w*\.)*)([^\W\d]\w*|)$")
_CALL = re.compile(r"([^\W\d][\w.]*)\($")
_SCRIPT = re.compile(r"(?<![\w.])(load_script|user_script_load|user_script_run)\(\s*['\"]([\w/]*)$")
_ABSENT = object()


class NameCompleter(Completer):
    """Completes names of the namespace, attributes of what they are, and arguments of the function that is called.

    :param otherwise: completes what cannot be looked up.
    """

    def __init__(self, namespace: dict[str, Any], otherwise: Completer) -> None:
        self._namespace = namespace
        self._otherwise = otherwise

    def get_completions(self, document: Document, complete_event: CompleteEvent) -> Iterable[Completion]:
        before = document.text_before_cursor
        script = _SCRIPT.search(before)
        if script is not None:
            for name in self._script_names(script[1]):
                if name.startswith(script[2]):
                    yield Completion(name, -len(script[2]))
            return
        dotted = _DOTTED.search(before)
        if _inside_string(before) or dotted is None or re.match(r"\s*(import|from)\b", document.current_line):
            yield from self._beyond(document, complete_event)
            return
        owner, start = dotted[1].rstrip("."), dotted[2]
        if owner:
            kind = self._look_up(owner)
            if kind is _ABSENT:
                yield from self._beyond(document, complete_event)
                return
            names = attribute_names(kind)
        elif start or complete_event.completion_requested:
            names = [*self._argument_names(before[: dotted.start()]), *self._global_names()]
        else:
            return
        for name in _sorted(names, start):
            yield Completion(name, -len(start))

    def _beyond(self, document: Document, complete_event: CompleteEvent) -> Iterable[Completion]:
        import jedi  # takes 0.2 s to load: not before it is needed

        jedi.settings.allow_unsafe_interpreter_executions = False  # no property is evaluated
        return self._otherwise.get_completions(document, complete_event)

    def _global_names(self) -> Iterable[str]:
        return [*self._namespace, *dir(builtins), *keyword.kwlist]

    def _script_names(self, function: str) -> list[str]:
        scripts = getattr(self._namespace.get(function), "__self__", None)
        return scripts.known(function) if isinstance(scripts, Scripts) else []

    def _argument_names(self, before: str) -> list[str]:
        """Return `name=` for the arguments of the innermost call that is still open."""
        call = _CALL.search(_up_to_open_bracket(before))
        function: Any = self._look_up(call[1]) if call else _ABSENT
        if function is _ABSENT:
            return []
        try:
            parameters = inspect.signature(function).parameters.values()
        except (TypeError, ValueError):
            return []
        named = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
        return [
            f"{parameter.name}=" for parameter in parameters if parameter.kind in named and parameter.name != "self"
        ]

    def _look_up(self, dotted: str) -> Any:
        """Return the object that a dotted name stands for, or (for a property) the class that it is declared to give."""
        first, *rest = dotted.split(".")
        found = self._namespace.get(first, getattr(builtins, first, _ABSENT))
        for name in rest:
            if found is _ABSENT:
                break
            found = static_attribute(found, name)
        return found


def static_attribute(owner: Any, name: str) -> Any:
    """Return an attribute as it is stored, never computed; of a property, the class that it is declared to give."""
    stored = inspect.getattr_static(owner, name, _ABSENT)
    if isinstance(stored, types.MemberDescriptorType):  # a slot: reading it computes nothing
        return stored.__get__(owner, type(owner)) if not isinstance(owner, type) and _is_set(stored, owner) else _ABSENT
    if isinstance(stored, staticmethod | classmethod):
        return stored.__func__
    if isinstance(stored, property):
        return _declared_class(stored.fget)
    if isinstance(stored, functools.cached_property):
        return _declared_class(stored.func)
    return _ABSENT if hasattr(type(stored), "__get__") and not inspect.isroutine(stored) else stored


def attribute_names(owner: Any) -> list[str]:
    """Return the names of an object's attributes; its own `__dir__` may add names that are made up as one asks."""
    try:
        return list(dir(owner))
    except Exception:  # whatever a user's __dir__ raises, the prompt goes on
        return list(dir(type(owner)))


def _declared_class(function: Callable[..., Any] | None) -> Any:
    try:
        declared = typing.get_type_hints(function).get("return", _ABSENT)
    except Exception:  # annotations can hold anything
        return _ABSENT
    return declared if isinstance(declared, type) else _ABSENT


def _is_set(slot: types.MemberDescriptorType, owner: Any) -> bool:
    try:
        slot.__get__(owner, type(owner))
    except AttributeError:
        return False
    return True


def _sorted(names: Iterable[str], start: str) -> list[str]:
    """Return each name that fits, once: public before private; private ones only when asked for."""
    fitting = {name for name in names if name.startswith(start) and (start.startswith("_") or not name.startswith("_"))}
    return sorted(fitting, key=lambda name: (not name.endswith("="), name.lower()))


def _inside_string(text: str) -> bool:
    quote = ""
    for position, letter in enumerate(text):
        if quote and letter == quote and text[position - 1 : position] != "\\":
            quote = ""
        elif not quote and letter in "\"'":
            quote = letter
        elif not quote and letter == "#" and "\n" not in text[position:]:
            return True
    return bool(quote)


def _up_to_open_bracket(text: str) -> str:
    """Return the text up to and with the innermost bracket that is not closed; empty if there is none."""
    depth = 0
    for position in range(len(text) - 1, -1, -1):
        if text[position] in ")]}":
            depth += 1
        elif text[position] in "([{":
            if depth == 0:
                return text[: position + 1]
            depth -= 1
    return ""
