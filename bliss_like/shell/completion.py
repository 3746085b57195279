"""Completion of names at the prompt, without touching any hardware.

Names and attributes of live objects are looked up here, statically: no property is evaluated, no `__getattr__` called.
What is beyond that (imports, what a loop gives) is left to others: see `inference`.
"""

from __future__ import annotations

import builtins
import inspect
import keyword
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from prompt_toolkit.completion import CompleteEvent, Completer, Completion
from prompt_toolkit.document import Document

from bliss_like.session.scripts import Scripts

from .names import ABSENT, called, declared_class, has_counters, is_axis, kind_of, kind_of_attribute, look_up
from .signature import Signature, signature_at
from .typed import NAME, OpenCall, Token, cut_string, ends_in_string, open_call

_DOTTED = re.compile(rf"(?<![\w.)\]\"'])((?:{NAME}\.)*)({NAME}|)\Z")
_OF_RESULT = re.compile(rf"(?<![\w.)\]\"'])((?:{NAME}\.)*{NAME})\([^()]*\)\.({NAME}|)\Z")
_SCRIPT_FUNCTIONS = ("load_script", "user_script_load", "user_script_run")
_KEY_OF = re.compile(rf"((?:{NAME}\.)*{NAME})\[\Z")
_WIDEST_KIND = 16


class NameCompleter(Completer):
    """Completes names of the namespace, attributes of what they are, and arguments of the function that is called."""

    def __init__(self, namespace: dict[str, Any]) -> None:
        self._namespace = namespace

    def get_completions(self, document: Document, complete_event: CompleteEvent) -> Iterable[Completion]:
        return self._found(document, complete_event.completion_requested) or ()

    def is_beyond(self, document: Document) -> bool:
        """Whether what stands at the cursor cannot be looked up."""
        return self._found(document, asked=False) is None

    def _found(self, document: Document, asked: bool) -> Iterable[Completion] | None:
        before = document.text_before_cursor
        string = cut_string(before)
        found = self._in_string(before, string) if string else None
        if found is not None:
            return found
        dotted, of_result = _DOTTED.search(before), _OF_RESULT.search(before)
        is_import = re.match(r"\s*(import|from)\b", document.current_line)
        if ends_in_string(before) or is_import or not (dotted or of_result):
            return None
        if dotted and not dotted[1]:
            return self._names(before, dotted[2], asked)
        owner, start = self._owner(dotted) if dotted else self._result(of_result)
        return None if owner is ABSENT else self._attributes(owner, start)

    def _attributes(self, owner: Any, start: str) -> Iterator[Completion]:
        for name in _sorted(attribute_names(owner), start):
            yield _completion(name, start, kind_of_attribute(owner, name))

    def _owner(self, found: re.Match[str]) -> tuple[Any, str]:
        """Return what stands before the last dot, and what follows."""
        return look_up(found[1].rstrip("."), self._namespace), found[2]

    def _result(self, found: re.Match[str] | None) -> tuple[Any, str]:
        """Return the class of what a call is declared to return, and what follows the dot behind it."""
        function = called(found[1], self._namespace) if found else None
        if found is None or function is None:
            return ABSENT, ""
        is_class = isinstance(function.function, type)
        return function.function if is_class else declared_class(function.function), found[2]

    # -- names -----------------------------------------------------------------------------------------------------------

    def _names(self, before: str, start: str, asked: bool) -> Iterator[Completion]:
        signature = signature_at(before, self._namespace)
        fits = _wanted_by(signature)
        if not (start or asked or fits):
            return
        names = {name: fits is not None and fits(thing) for name, thing in list(self._namespace.items())}
        for name in _sorted((name for name in names if names[name]), start):
            yield _completion(name, start, kind_of(self._namespace.get(name)))
        if not (start or asked):
            return
        for name in _sorted(_keywords(before, self._namespace), start):
            yield _completion(name, start, "argument")
        others = [name for name in names if not names[name]]
        for name in _sorted([*others, *dir(builtins), *keyword.kwlist], start):
            thing = self._namespace.get(name, getattr(builtins, name, ABSENT))
            yield _completion(name, start, "" if thing is ABSENT else kind_of(thing))

    # -- inside of strings -----------------------------------------------------------------------------------------------

    def _in_string(self, before: str, string: Token) -> list[Completion] | None:
        """Return what fits into the string that is being typed; None when nothing is known of it."""
        start, outside = string.text.lstrip("\"'"), before[: string.start]
        key_of = _KEY_OF.search(outside)
        if key_of is not None:
            owner = look_up(key_of[1], self._namespace)
            keys = [key for key in owner if isinstance(key, str)] if type(owner) is dict else []
            return [_completion(key, start, kind_of(owner[key])) for key in sorted(keys) if key.startswith(start)]
        call = open_call(outside)
        if call is None:
            return None
        if call.function in _SCRIPT_FUNCTIONS:
            return [_completion(name, start, "") for name in self._script_names(call) if name.startswith(start)]
        function = called(call.function, self._namespace)
        fits = _wanted_by(signature_at(outside, self._namespace)) if function and function.usage else None
        if fits is None:
            return None  # only verbs take names
        fitting = [name for name, thing in list(self._namespace.items()) if fits(thing)]
        return [_completion(name, start, kind_of(self._namespace.get(name))) for name in _sorted(fitting, start)]

    def _script_names(self, call: OpenCall) -> list[str]:
        scripts = getattr(self._namespace.get(call.function), "__self__", None)
        return scripts.known(call.function) if isinstance(scripts, Scripts) and call.index == 0 else []


def attribute_names(owner: Any) -> list[str]:
    """Return the names of an object's attributes; its own `__dir__` may add names that are made up as one asks."""
    try:
        return list(dir(owner))
    except Exception:  # whatever a user's __dir__ raises, the prompt goes on
        return list(dir(type(owner)))


def _wanted_by(signature: Signature | None) -> Callable[[Any], bool] | None:
    """Return what tells whether a thing fits the argument that is being typed; None when anything may."""
    name = signature.argument.name if signature and signature.argument else ""
    if re.match(r"(axis|axes|motor)(?!.*(list|tuple))", name):
        return is_axis
    return has_counters if "counter" in name or name == "cnt" else None


def _keywords(before: str, namespace: Mapping[str, Any]) -> list[str]:
    """Return `name=` for what can be given by its name, and was not yet."""
    call = open_call(before)
    function = called(call.function, namespace) if call else None
    if call is None or function is None or call.keyword:
        return []
    try:
        parameters = function.parameters[call.index :] if function.is_function else function.parameters
    except ValueError:
        return []
    given = {each.partition("=")[0].strip() for each in call.given if "=" in each}
    named = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    return [f"{one.name}=" for one in parameters if one.kind in named and one.name not in given]


def _completion(name: str, start: str, kind: str) -> Completion:
    return Completion(name, -len(start), display_meta=kind[:_WIDEST_KIND])


def _sorted(names: Iterable[str], start: str) -> list[str]:
    """Return each name that fits, once: public before private; private ones only when asked for."""
    fitting = {name for name in names if name.startswith(start) and (start.startswith("_") or not name.startswith("_"))}
    return sorted(fitting, key=str.lower)
