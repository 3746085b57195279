"""Makes functions scan commands: what they are given is checked and converted before they run, and they say what they take."""

from __future__ import annotations

import dataclasses
import functools
import inspect
import logging
import types
from collections.abc import Callable, Mapping
from typing import Annotated, Any, ParamSpec, TypeVar, Union, Unpack, get_args, get_origin, get_type_hints

from bliss_like.config.suggestion import did_you_mean
from bliss_like.errors import ScanUsageError

from .arguments import Kind, shown
from .build import Recipe
from .hints import Given, hint

P = ParamSpec("P")
R = TypeVar("R")

_log = logging.getLogger(__name__)
_USAGE = "\nusage: "
A_DAY = 86400.0
"""Seconds of one point that are probably milliseconds."""


def scan_command(command: Callable[P, R]) -> Callable[P, R]:
    """Check and convert the arguments of a scan by the kinds that their annotations name, before it runs.

    `**options: Unpack[Options]` becomes the keywords of that TypedDict, with the defaults of `Recipe`: `inspect.signature`,
    `help()`, completion and usages show them all.

    :raises ScanUsageError: with which argument is wrong, what was expected, what was probably meant, and the usage.
    """
    name = getattr(command, "__name__", "scan")
    signature, rich = _expanded(command)
    kinds = {argument: kind for argument, annotation in rich.items() if (kind := _kind_of(annotation)) is not None}
    optional = {argument for argument, annotation in rich.items() if _is_optional(annotation)}

    @functools.wraps(command)
    def checked(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            bound = _bind(signature, kinds, optional, args, kwargs)
            _warn_of_days(name, bound.arguments)
            return command(*bound.args, **bound.kwargs)
        except ScanUsageError as error:
            if _USAGE in str(error):  # of a command that a running scan called
                raise
            raise ScanUsageError(f"{name}: {error}{_USAGE}{usage(name, signature)}") from None

    checked.__signature__ = signature  # type: ignore[attr-defined]
    checked.__annotations__ = rich
    return checked


def kind_of_argument(command: Callable[..., Any], argument: str) -> Kind | None:
    """Return the kind of an argument of a scan; None when it has none."""
    return _kind_of(command.__annotations__.get(argument)) if type(command) is types.FunctionType else None


def usage(name: str, signature: inspect.Signature) -> str:
    """Return how a command is written."""
    shown = []
    for parameter in signature.parameters.values():
        default = "" if parameter.default is parameter.empty else f"={parameter.default!r}"
        stars = {"VAR_POSITIONAL": "*", "VAR_KEYWORD": "**"}.get(parameter.kind.name, "")
        shown.append(f"{stars}{parameter.name}{default}")
    return f"{name}({', '.join(shown)})"


# -- what a command takes ----------------------------------------------------------------------------------------------------


def _expanded(command: Callable[..., Any]) -> tuple[inspect.Signature, dict[str, Any]]:
    """Return the signature with each keyword, plain types in it; and the annotations with their kinds."""
    rich, plain = get_type_hints(command, include_extras=True), get_type_hints(command)
    parameters = []
    for parameter in inspect.signature(command).parameters.values():
        is_options = get_origin(rich.get(parameter.name)) is Unpack
        if not is_options:
            parameters.append(parameter.replace(annotation=plain.get(parameter.name, parameter.empty)))
            continue
        (options,) = get_args(rich.pop(parameter.name))
        rich |= get_type_hints(options, include_extras=True)
        parameters += [
            inspect.Parameter(keyword, parameter.KEYWORD_ONLY, default=_DEFAULTS[keyword], annotation=annotation)
            for keyword, annotation in get_type_hints(options).items()
        ]
    return inspect.Signature(parameters, return_annotation=plain.get("return", inspect.Signature.empty)), rich


_DEFAULTS = {field.name: field.default for field in dataclasses.fields(Recipe)}


def _kind_of(annotation: Any) -> Kind | None:
    if get_origin(annotation) is Annotated:
        return next((extra for extra in annotation.__metadata__ if isinstance(extra, Kind)), None)
    if _is_union(annotation):
        return next((kind for one in get_args(annotation) if (kind := _kind_of(one)) is not None), None)
    return None


def _is_optional(annotation: Any) -> bool:
    return _is_union(annotation) and type(None) in get_args(annotation)


def _is_union(annotation: Any) -> bool:
    return get_origin(annotation) in (Union, types.UnionType)


# -- what it is given ---------------------------------------------------------------------------------------------------------


def _bind(
    signature: inspect.Signature, kinds: Mapping[str, Kind], optional: set[str], args: Any, kwargs: Mapping[str, Any]
) -> inspect.BoundArguments:
    """Return what is given to each argument, converted; also what was not given.

    :raises ScanUsageError: something is wrong, missing or too much.
    """
    parameters = signature.parameters.values()
    named = [one.name for one in parameters if one.kind not in (one.VAR_POSITIONAL, one.VAR_KEYWORD)]
    takes_any = any(one.kind is one.VAR_KEYWORD for one in parameters)
    for keyword in kwargs:
        if keyword not in named and not takes_any:
            raise ScanUsageError(f"{keyword}=: there is no such argument{did_you_mean(keyword, named)}")
    try:
        bound = signature.bind_partial(*args, **kwargs)
    except TypeError:  # an unknown keyword is excluded
        in_place = [one.name for one in parameters if one.kind is one.POSITIONAL_OR_KEYWORD]
        takes_more = any(one.kind is one.VAR_POSITIONAL for one in parameters)
        if len(args) > len(in_place) and not takes_more:
            raise ScanUsageError(
                f"expected {len(in_place)} arguments, got {len(args)}: {shown(args[len(in_place)])} is too much"
            ) from None
        twice = next(one for one in in_place[: len(args)] if one in kwargs)
        raise ScanUsageError(
            f"{twice}: given twice, {args[named.index(twice)]!r} and {twice}={kwargs[twice]!r}"
        ) from None
    given = Given(signature, kinds, dict(bound.arguments))
    for name, value in bound.arguments.items():
        if name in kinds and not (value is None and name in optional):
            bound.arguments[name] = _take(name, kinds[name], value, given)
    for parameter in parameters:
        if parameter.name in named and parameter.default is parameter.empty and parameter.name not in bound.arguments:
            expected = f": {kinds[parameter.name].expected}" if parameter.name in kinds else ""
            raise ScanUsageError(f"{parameter.name} is missing{expected}")
    bound.apply_defaults()
    return bound


def _take(name: str, kind: Kind, value: Any, given: Given) -> Any:
    several = given.signature.parameters[name].kind is inspect.Parameter.VAR_POSITIONAL
    taken = []
    for one in value if several else (value,):
        try:
            taken.append(kind.take(name, one))
        except ScanUsageError as error:
            raise ScanUsageError(f"{error}{hint(name, kind, one, given)}") from None
    return tuple(taken) if several else taken[0]


def _warn_of_days(name: str, arguments: Mapping[str, Any]) -> None:
    for argument in ("count_time", "sleep_time", "stab_time"):
        value = arguments.get(argument)
        if isinstance(value, float) and value > A_DAY:
            _log.warning("%s: %s of %g s is more than a day; times are seconds", name, argument, value)
