"""`tweak` in the terminal: keys move axes, positions and counters follow. Nothing here waits in the prompt's loop."""

from __future__ import annotations

import math
from functools import partial
from typing import Any

import gevent
from prompt_toolkit.application import Application
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
from prompt_toolkit.layout import FormattedTextControl, Layout, Window

from bliss_like.devices.axis_group import move
from bliss_like.devices.inquiry import FAILURES, Reading, read, told
from bliss_like.devices.naming import name_of
from bliss_like.errors import UserAbort
from bliss_like.scans import ct
from bliss_like.standard.columns import blocks
from bliss_like.standard.positions import position_column
from bliss_like.standard.tweaking import Tweak

from .keys import on
from .terminal import SessionTerminal

HELP = (
    "left, right: move    up, down: step x2, /2    page keys: step x10, /10\ndigits, Enter: step    s: stop    q: leave"
)
PERIOD = 0.1
"""Seconds between two looks."""


class Board:
    """What the keys do and what is shown; motion and counting go on in greenlets."""

    def __init__(self, asked: Tweak) -> None:
        self._asked = asked
        self._axes = asked.axes
        self._steps = dict.fromkeys(asked.axes, asked.step)
        self._selected = 0
        self._typed = ""
        self._message = ""
        self._readings = [Reading(axis, problem="") for axis in asked.axes]
        self._values = dict.fromkeys(asked.counters, "")
        self._moved: Any = None
        self._moving: gevent.Greenlet[..., None] = gevent.spawn(_nothing)
        self._counting: gevent.Greenlet[..., None] = self._moving
        self._count()

    @property
    def _axis(self) -> Any:
        return self._axes[self._selected]

    def watch(self) -> None:
        """Read the positions again and again, until killed."""
        while True:
            self.look(timeout=1.0)
            gevent.sleep(PERIOD)

    def look(self, timeout: float) -> None:
        self._readings = read(self._axes, timeout)

    # -- keys ------------------------------------------------------------------------------------------------------------

    def step(self, direction: int) -> None:
        """Move the selected axis by its step, unless it is on its way."""
        if self._is_moving:
            self._message = f"{name_of(self._axis)} is on its way; s stops it"
            return
        self._message = ""
        self._stop_counting()
        self._moved = self._axis
        self._moving = gevent.spawn(self._move, self._axis, direction * self._steps[self._axis])

    def scale_step(self, factor: float) -> None:
        self._steps[self._axis] *= factor
        self._typed = self._message = ""

    def type(self, character: str) -> None:
        self._typed += character

    def erase(self) -> None:
        self._typed = self._typed[:-1]

    def enter(self) -> None:
        """Take what was typed as the step."""
        typed, self._typed, self._message = self._typed, "", ""
        if not typed:
            return
        try:
            step = float(typed)
        except ValueError:
            step = math.nan
        if 0 < step < math.inf:
            self._steps[self._axis] = step
        else:
            self._message = f"the step must be a number, more than 0, got {typed}"

    def select(self, by: int) -> None:
        self._selected = (self._selected + by) % len(self._axes)
        self._typed = self._message = ""

    def stop(self) -> None:
        """Ask the axes to stop; they are seen to."""
        self._moving.kill(UserAbort("stopped by a key"), block=False)

    # -- motion and counting -----------------------------------------------------------------------------------------------

    @property
    def _is_moving(self) -> bool:
        return bool(self._moving)

    def _move(self, axis: Any, distance: float) -> None:
        try:
            move({axis: distance}, relative=True)
        except UserAbort:
            self._message = f"{name_of(axis)} was stopped"
        except FAILURES as error:
            self._message = told(error)
        self._count()

    def _count(self) -> None:
        if self._asked.counters:
            self._counting = gevent.spawn(self._read_counters)

    def _read_counters(self) -> None:
        self._values = dict.fromkeys(self._values, "...")
        try:
            scan = ct(self._asked.count_time, *self._asked.counters)
            data = scan.get_data() if scan is not None else {}
            self._values = {counter: f"{float(data[counter][-1]):g}" for counter in self._values}
        except UserAbort:
            return
        except (*FAILURES, TypeError) as error:
            self._values = dict.fromkeys(self._values, "!ERR")
            self._message = told(error)

    def _stop_counting(self) -> None:
        self._counting.kill(UserAbort("a motion began"), block=False)

    def leave(self) -> None:
        """Return when nothing moves any more; who is interrupted meanwhile stops the axes."""
        self._stop_counting()
        try:
            self._moving.join()
        except BaseException:
            self.stop()
            self._moving.join()
            raise
        finally:
            self.look(timeout=3.0)

    # -- what is shown -----------------------------------------------------------------------------------------------------

    def positions(self) -> str:
        columns = []
        for reading in self._readings:
            head, cells = position_column(reading, ("user", "dial"))
            if self._is_moving and reading.axis is self._moved:
                cells = {**cells, "state": cells["state"] or "MOVING"}  # as long as no key moves it again
            chosen = reading.axis is self._axis and len(self._axes) > 1
            columns.append((f">{head}" if chosen else head, {**cells, "step": f"{self._steps[reading.axis]:g}"}))
        return "\n\n".join("\n".join(block) for block in blocks(("user", "dial", "step", "state"), columns))

    def text(self) -> str:
        """Return the screen."""
        counters = [f"{name_of(counter)}  {value}" for counter, value in self._values.items()]
        keys = HELP + ("    tab: next axis" if len(self._axes) > 1 else "")
        line = f"step: {self._typed}" if self._typed else self._message
        problems = [f"{name_of(reading.axis)}: {reading.problem}" for reading in self._readings if reading.problem]
        parts = [keys, self.positions(), "\n".join(counters), "\n".join(problems), line]
        return "\n\n".join(part for part in parts if part)


def _nothing() -> None:
    """What goes on before the first motion."""


def make_keys(board: Board) -> KeyBindings:
    """Return what each key does."""
    keys = KeyBindings()
    on(keys, "left", lambda: board.step(-1))
    on(keys, "right", lambda: board.step(+1))
    on(keys, "up", lambda: board.scale_step(2))
    on(keys, "down", lambda: board.scale_step(0.5))
    on(keys, "pageup", lambda: board.scale_step(10))
    on(keys, "pagedown", lambda: board.scale_step(0.1))
    on(keys, "tab", lambda: board.select(+1))
    on(keys, "s-tab", lambda: board.select(-1))
    on(keys, "enter", board.enter)
    on(keys, "backspace", board.erase)
    on(keys, "s", board.stop)
    on(keys, "space", board.stop)
    for character in "0123456789.e-":
        on(keys, character, partial(board.type, character))

    @keys.add("q")
    @keys.add("c-d")
    def _leave(event: KeyPressEvent) -> None:
        event.app.exit()

    @keys.add("c-c", eager=True)
    def _abort(event: KeyPressEvent) -> None:
        event.app.exit(exception=UserAbort("Ctrl-C"))

    return keys


class Tweaking:
    """Opens the board in place of the prompt, for the time of the command that asked for it."""

    def __init__(self, terminal: SessionTerminal) -> None:
        self._terminal = terminal

    def show(self, asked: Tweak) -> None:
        """Return when the user leaves; called in the greenlet of a command.

        :raises UserAbort: with Ctrl-C, after the axes have stopped.
        """
        board = Board(asked)
        watching = gevent.spawn(board.watch)
        try:
            self._terminal.run(self._application(board), purpose="tweak", fresh=True)
        except BaseException:
            board.stop()
            raise
        finally:
            watching.kill(block=False)
            try:
                board.leave()
            finally:
                print(board.positions())

    def _application(self, board: Board) -> Application[None]:
        control = FormattedTextControl(board.text, show_cursor=False)
        return Application(
            Layout(Window(control, wrap_lines=True, dont_extend_height=True)),
            key_bindings=make_keys(board),
            refresh_interval=PERIOD,
            erase_when_done=True,
            input=self._terminal.keyboard,
            output=self._terminal.screen,
        )
