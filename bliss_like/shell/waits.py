"""The line that says what a command waits for, where no scan is shown that says so itself."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator

import gevent

from bliss_like.devices import silence
from bliss_like.devices.silence import Silence
from bliss_like.live.look import Look, Role, cut

from .panel import Panel, Part

PERIOD = 0.5
"""Seconds between two looks."""


class Waits:
    """A line at the bottom of the terminal, as long as there is something to tell.

    :param is_told: whether a scan that is shown says it.
    :param of_server: since when the data server does not answer, without which no scan can say anything.
    """

    def __init__(
        self,
        panel: Panel,
        look: Callable[[], Look],
        is_told: Callable[[], bool],
        of_server: Callable[[], Silence | None],
    ) -> None:
        self._panel, self._look, self._is_told, self._of_server = panel, look, is_told, of_server
        self._silence: Silence | None = None
        self._part: Part | None = None
        self._is_ending: Callable[[], bool] = bool

    @contextlib.contextmanager
    def of(
        self, awaited: Callable[[], Silence | None], needs_server: Callable[[], bool], is_ending: Callable[[], bool]
    ) -> Iterator[None]:
        """Tell of one command, as long as the context is open.

        :param awaited: returns what it waits for; None as long as all is well.
        :param needs_server: whether it waits for the data server when that does not answer.
        :param is_ending: whether it was told to end.
        """
        self._is_ending = is_ending
        looking = gevent.spawn(self._look_on, awaited, needs_server)
        try:
            yield
        finally:
            looking.kill(block=False)
            self._tell(None, is_told=True)

    def told(self) -> str:
        """Return what is told now, `waiting 8 s for an answer of roby`; nothing when all is well."""
        return self._silence.told() if self._silence is not None else ""

    def _look_on(self, awaited: Callable[[], Silence | None], needs_server: Callable[[], bool]) -> None:
        gevent.sleep(silence.PATIENCE)
        while True:
            of_server = self._of_server() if needs_server() else None
            self._tell(of_server or awaited(), is_told=of_server is None and self._is_told())
            gevent.sleep(PERIOD)

    def _tell(self, found: Silence | None, is_told: bool) -> None:
        self._silence = found
        is_shown = found is not None and not is_told
        if is_shown and self._part is None:
            self._part = self._panel.open(self._drawn, order=-1)
        elif not is_shown and self._part is not None:
            self._part.close()
            self._part = None

    def _drawn(self, width: int) -> list[str]:
        if not (told := self.told()):
            return []
        return [self._look().paint(cut(f"{'stopping, ' * self._is_ending()}{told}", width), Role.WARNING)]
