"""What a wrong call of a scan probably meant: for the error, after what was expected and what came."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from numbers import Number, Real
from typing import Any

from bliss_like.config.suggestion import did_you_mean
from bliss_like.scanning.acquisition import is_axis
from bliss_like.scanning.environment import environment

from .arguments import AXIS, COUNTERS, TOO_MANY, Kind, shown


@dataclass(frozen=True)
class Given:
    """What a command takes, and what it was given."""

    signature: inspect.Signature
    kinds: Mapping[str, Kind]
    arguments: Mapping[str, Any]

    def slots(self) -> list[tuple[str, Any]]:
        """Return (name, value) of what was given in its place, each counter by itself."""
        found: list[tuple[str, Any]] = []
        for parameter in self.signature.parameters.values():
            if parameter.name not in self.arguments or parameter.kind is parameter.KEYWORD_ONLY:
                continue
            value = self.arguments[parameter.name]
            several = value if parameter.kind is parameter.VAR_POSITIONAL else (value,)
            found += [(parameter.name, one) for one in several]
        return found

    def places(self, count: int) -> list[str] | None:
        """Return the names of the arguments that `count` values in their places would have; None: there are not so many."""
        names: list[str] = []
        for parameter in self.signature.parameters.values():
            if parameter.kind is parameter.VAR_POSITIONAL:
                return (names + [parameter.name] * (count - len(names)))[:count]
            if parameter.kind is parameter.KEYWORD_ONLY:
                break
            names.append(parameter.name)
        return names[:count] if len(names) >= count else None

    def would_fit(self, values: list[Any], but: int = -1) -> bool:
        """Tell whether values fit into their places, the one at `but` aside."""
        names = self.places(len(values))
        return names is not None and all(
            index == but or name not in self.kinds or self.kinds[name].fits(value)
            for index, (name, value) in enumerate(zip(names, values, strict=True))
        )


def hint(name: str, kind: Kind, value: Any, given: Given) -> str:
    """Return a question or an advice, from ": " or "; " on; empty when nothing is likely."""
    return (
        _of_text(kind, value)
        or _of_value(kind, value)
        or _of_order(name, kind, value, given)
        or _too_much(name, kind, value, given)
    )


def _of_text(kind: Kind, value: Any) -> str:
    """A name or a number in quotes."""
    if not isinstance(value, str):
        return ""
    names = environment.names()
    if value in names:
        return f": without quotes, {value}, if you mean that of the session" if kind.fits(names[value]) else ""
    try:
        number = int(value) if value.strip().lstrip("+-").isdigit() else float(value)
    except ValueError:
        wanted = (
            [known for known, what in names.items() if kind.fits(what)] if kind is AXIS or _takes_counters(kind) else []
        )
        return did_you_mean(value, wanted, ": did you mean {}, without quotes?")
    return f": without quotes, {value.strip()}?" if kind.fits(number) else ""


def _of_order(name: str, kind: Kind, value: Any, given: Given) -> str:
    """Arguments that changed places, or one that was forgotten."""
    slots = given.slots()
    values = [one for _, one in slots]
    index = next((n for n, (slot, one) in enumerate(slots) if slot == name and one is value), None)
    is_number = isinstance(value, Real) and kind is not AXIS and not _takes_counters(kind)
    if index is None:
        return ""
    is_meant = is_number and not value > 0  # and wrong by itself
    for other in () if is_meant else _nearest(index, len(values)):
        swapped = list(values)
        swapped[index], swapped[other] = values[other], values[index]
        if slots[other][0] != name and given.would_fit(swapped):
            first, second = sorted((index, other))
            return f": did you swap {slots[first][0]} and {slots[second][0]}?"
    missing = [
        n for n in range(index + 1) if given.would_fit([*values[:n], None, *values[n:]], but=n) and _is_needed(n, given)
    ]
    if missing:
        last = (given.places(missing[-1] + 1) or [""])[-1]
        return f": is {last} missing{', or a number before it' if len(missing) > 1 else ''}?"
    return ""


def _is_single(index: int, given: Given) -> bool:
    """Tell whether a place is that of one argument, not of any number of them."""
    names = given.places(index + 1)
    return names is not None and given.signature.parameters[names[-1]].kind is not inspect.Parameter.VAR_POSITIONAL


def _is_needed(index: int, given: Given) -> bool:
    """Tell whether a call whose arguments end before a place lacks one there."""
    names = given.places(index + 1)
    return (
        names is not None
        and _is_single(index, given)
        and given.signature.parameters[names[-1]].default is inspect.Parameter.empty
    )


def _nearest(index: int, count: int) -> Iterator[int]:
    """Yield the other places, the nearest first, that behind before that in front."""
    for distance in range(1, count):
        yield from (place for place in (index + distance, index - distance) if 0 <= place < count)


def _of_value(kind: Kind, value: Any) -> str:
    """What the value is by itself."""
    if isinstance(value, type):
        return f"; give an object of it, {value.__name__}(...)"
    if value is Ellipsis:
        return ": the dots stand for something that you have to fill in"
    if isinstance(value, int) and value > TOO_MANY:
        return ": that is too large"
    if isinstance(value, float) and not kind.fits(value) and value.is_integer() and kind.fits(int(value)):
        return f": without the point, {int(value)}?"
    if inspect.isroutine(value):
        return "; SoftCounter(value=...) makes a counter of a function" if _takes_counters(kind) else "; call it"
    return ""


def _too_much(name: str, kind: Kind, value: Any, given: Given) -> str:
    """What would be right if it was not there."""
    if is_axis(value) and _takes_counters(kind):
        return "; the positions of axes that are scanned are recorded without being asked for"
    slots = given.slots()
    others = [one for slot, one in slots if slot != name or one is not value]
    fits = len(others) == len(slots) - 1 and given.would_fit(others) and not _is_needed(len(others), given)
    return f": is {shown(value)} too much?" if fits or (isinstance(value, Number) and _takes_counters(kind)) else ""


def _takes_counters(kind: Kind) -> bool:
    return kind is COUNTERS
