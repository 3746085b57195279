"""`tweak`: move axes by keys. The keys are the shell's; here is what is asked of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from bliss_like.errors import SessionError, UsageError
from bliss_like.scanning.chain_nodes import iter_counters

from .arguments import axes_of, number_of, verb


@dataclass(frozen=True)
class Tweak:
    """What is to be tweaked."""

    axes: tuple[Any, ...]
    counters: tuple[Any, ...]
    count_time: float
    step: float


_show: Callable[[Tweak], None] | None = None


def offer_tweaking(show: Callable[[Tweak], None] | None) -> None:
    """Let `tweak` open this; None: nothing can be opened. Done by who has a terminal."""
    global _show
    _show = show


@verb("axis, ..., counter=None, exp=1, step_size=1")
def tweak(*axes: Any, counter: Any = None, exp: float = 1, step_size: float = 1) -> None:
    """Move axes by the arrow keys, and see where they are; `q` leaves.

    :param counter: shown, too: a counter, or what has some.
    :param exp: seconds that it counts for each value.
    :param step_size: by which the arrow keys move, to begin with.
    :raises SessionError: there is no terminal to press keys at.
    """
    chosen = tuple(axes_of(axes, at_least=1))
    if number_of("exp", exp) <= 0:
        raise UsageError(f"exp: expected seconds, more than 0, got {exp!r}")
    if number_of("step_size", step_size) <= 0:
        raise UsageError(f"step_size: expected a distance, more than 0, got {step_size!r}")
    counters = tuple(iter_counters(counter)) if counter is not None else ()
    if _show is None:
        raise SessionError("tweak needs a terminal: call it at the prompt of bliss-like -s SESSION; in scripts use mvr")
    _show(Tweak(chosen, counters, float(exp), float(step_size)))


tweak_cli = tweak
