"""Positions that follow a motion: lines that change in place on a terminal, and stay when it is over."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from typing import Any, Protocol

import gevent

from bliss_like.devices.inquiry import Reading, read

from .columns import blocks
from .positions import position_column

PERIOD = 0.1
"""Seconds between two looks."""

_UP, _CLEAR = "\033[{}A", "\033[K"


class Screen(Protocol):
    """What a standard output can tell of the terminal behind it; without it, all that is printed comes from here."""

    @property
    def has_prompt(self) -> bool:
        """Whether somebody types a line there, which is to be left alone."""

    @property
    def writes(self) -> int:
        """How often something was written, by whomever."""


class Part(Protocol):
    """Lines at the bottom of a terminal, below all that is printed."""

    def show(self, lines: Sequence[str]) -> None:
        """Have these lines from now on."""

    def close(self) -> None:
        """Be gone."""


_open: Callable[[], Part] | None = None


def offer_panel(open_part: Callable[[], Part] | None) -> None:
    """Let positions change at the bottom of a terminal; None: where they are printed. Done by who has one."""
    global _open
    _open = open_part


class LiveLines:
    """Lines of text that are written again over themselves."""

    def __init__(self) -> None:
        self._height = 0
        self._writes = -1
        self._part: Part | None = None
        self.text = ""

    def show(self, text: str) -> None:
        """Write lines in the place of the former ones; below them, if somebody has printed since."""
        if self._part is None and _open is not None and is_live():
            self._part = _open()
        if self._part is not None:
            self._part.show(text.split("\n"))
            self.text = text
        elif text != self.text or not self._is_in_place():
            self._write(text)

    def leave(self) -> None:
        """Write below from now on: the cursor may be anywhere."""
        if self._part is None:
            self._height, self.text = 0, ""

    def finish(self) -> None:
        """Let the lines stay where they are printed."""
        if self._part is not None:
            self._part.close()
            sys.stdout.write(f"{self.text}\n")
            sys.stdout.flush()
            self._part = None

    def _write(self, text: str) -> None:
        lines = text.split("\n")
        if is_live():
            up = _UP.format(self._height) if self._is_in_place() else ""
            sys.stdout.write(up + "".join(f"{line}{_CLEAR}\n" for line in lines))
        else:
            sys.stdout.write(f"{text}\n")
        sys.stdout.flush()
        self.text, self._height, self._writes = text, len(lines), _writes()

    def _is_in_place(self) -> bool:
        return self._height > 0 and self._writes == _writes()


def _writes() -> int:
    return int(getattr(sys.stdout, "writes", -1))


def is_live() -> bool:
    """Whether lines can change in place: on a terminal, while nobody types."""
    return sys.stdout.isatty() and not getattr(sys.stdout, "has_prompt", False)


def follow(axes: Sequence[Any], call: Callable[[], object], has_moved: Callable[[], bool]) -> None:
    """Make a call that moves axes, show where they are meanwhile, and in the end where they came to rest.

    Who is interrupted here interrupts the call, and waits until it has ended.

    :param has_moved: whether the call has begun to move them; when it was refused, nothing is shown.
    """
    lines = LiveLines()
    moving = _Call(call)
    try:
        moving.wait(0)
        while not moving.is_over:
            began = time.monotonic()
            if is_live() and has_moved():
                _show(lines, read(axes, timeout=1.0))
            moving.wait(max(0.01, PERIOD - (time.monotonic() - began)))
    except BaseException as error:
        lines.leave()  # the terminal has echoed a ^C
        moving.end(error)
        raise
    finally:
        try:
            if has_moved():
                _show(lines, read(axes))
        finally:
            lines.finish()
    moving.raise_failure()


def _show(lines: LiveLines, readings: Sequence[Reading]) -> None:
    columns = [position_column(reading, ("user", "dial")) for reading in readings]
    lines.show("\n\n".join("\n".join(block) for block in blocks(("user", "dial", "state"), columns)))


class _Call:
    """A call in a greenlet of its own."""

    def __init__(self, call: Callable[[], object]) -> None:
        self._failure: BaseException | None = None
        self._greenlet = gevent.spawn(self._run, call)

    def _run(self, call: Callable[[], object]) -> None:
        try:
            call()
        except BaseException as error:  # noqa: BLE001 - raised in who waits
            self._failure = error

    @property
    def is_over(self) -> bool:
        return self._greenlet.ready()

    def wait(self, timeout: float) -> None:
        self._greenlet.join(timeout)

    def end(self, error: BaseException) -> None:
        """Raise an error in the call, and wait until it has ended; who is interrupted again leaves."""
        self._greenlet.kill(error, block=False)
        try:
            self._greenlet.join()
        except BaseException as again:
            self._greenlet.kill(again, block=False)
            raise

    def raise_failure(self) -> None:
        if self._failure is not None:
            raise self._failure
