"""The bottom line of the shell: what moves, what the machine does, where data go, and what is wrong.

What it shows was gathered before: drawing it asks nobody. Where there is not room for all, the least important goes first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from bliss_like.devices.silence import Silence
from bliss_like.live.look import Look, Role, cells, cut

from .status import Status, StatusWatch

_LEAST_PATH = _LEAST_PROSE = 16
"""Columns of a path, or of a sentence, that still say something."""


@dataclass(frozen=True)
class Item:
    """Something to tell.

    :param weight: the greater, the longer it stays when there is little room.
    :param is_path: its beginning may be left out.
    :param is_prose: its end may be left out, rather than all of it.
    """

    text: str
    weight: int
    role: Role | None = Role.DIM
    is_path: bool = False
    is_prose: bool = False


@dataclass(frozen=True)
class Modes:
    """How the editor of the line is set, where that is not the usual."""

    helps_typing: bool = True
    pastes: bool = False
    vi_mode: str = ""


class Toolbar:
    """Shows a status in one line.

    :param watch: gathers it.
    """

    def __init__(self, watch: StatusWatch) -> None:
        self._watch = watch

    def line(self, width: int, look: Look | None = None, modes: Modes | None = None) -> str:
        """Return the line, at most `width` columns wide, painted as the look has it.

        :param modes: of the prompt; None while a command runs, which shows its scan itself.
        """
        look = look or Look()
        status = self._watch.now()
        left, right = list(stable(status)), list(passing(status, modes))
        return laid_out(left, right, width, look)

    def silence(self) -> Silence | None:
        """Return since when the data server does not answer."""
        return self._watch.silence()

    @contextmanager
    def kept_up_to_date(self, changed: Callable[[], object]) -> Iterator[None]:
        """Gather what there is to show, as long as the context is open.

        :param changed: called when the line may have changed, twice a second at most.
        """
        with self._watch.watching(changed):
            yield


# -- what there is to tell -----------------------------------------------------------------------------------------------


def stable(status: Status) -> Iterator[Item]:
    """Yield what is always there, on the left."""
    for value in status.values:
        yield Item(f"{value.name} {value.text}{'?' * value.is_stale}", 70, Role.DIM if value.is_stale else None)
    if status.group:
        yield Item(status.group, 40)
    if status.path:
        yield Item(_from_home(status.path), 30, is_path=True)


def passing(status: Status, modes: Modes | None) -> Iterator[Item]:
    """Yield what is there from time to time, on the right; troubles last."""
    if modes is not None:
        if not modes.helps_typing:
            yield Item("typing helper off (F7)", 20)
        if modes.pastes:
            yield Item("paste mode (F6)", 85, Role.WARNING)
        if modes.vi_mode:
            yield Item(f"vi {modes.vi_mode}", 50)
    for message in status.messages:
        yield Item(message, 60, Role.ACCENT, is_prose=True)
    if modes is not None and status.scans:
        yield Item(f"running: {', '.join(status.scans)}", 80, Role.ACCENT)
    if status.moving:
        yield Item(_moving(status.moving), 90, Role.ACCENT)
    if status.disk:
        yield Item(status.disk, 95, Role.WARNING)
    for number, trouble in enumerate(status.troubles):
        yield Item(trouble, 100 - number, Role.ERROR)


def _moving(moving: Sequence[str], most: int = 4) -> str:
    more = f" and {len(moving) - most} more" if len(moving) > most else ""
    return f"moving {'  '.join(moving[:most])}{more}"


def _from_home(path: str) -> str:
    home = str(Path.home())
    return f"~{path[len(home) :]}" if path.startswith(f"{home}/") else path


# -- how it is laid out --------------------------------------------------------------------------------------------------


def laid_out(left: Iterable[Item], right: Iterable[Item], width: int, look: Look) -> str:
    """Return both groups in one line, one at each end."""
    gap = f" {look.glyphs.separator} "
    lefts, rights = list(left), list(right)
    while lefts or rights:
        lefts = [_shortened(item, width - _width([*lefts, *rights], gap), look) for item in lefts]
        if _width([*lefts, *rights], gap) <= width:
            break
        least = min([*rights, *reversed(lefts)], key=lambda item: item.weight)
        if len(lefts) + len(rights) == 1:
            lefts, rights = [replace(least, text=cut(least.text, max(0, width - 2), look.glyphs.ellipsis))], []
            break
        room = cells(least.text) + width - _width([*lefts, *rights], gap)
        if least.is_prose and room >= _LEAST_PROSE:
            shorter = replace(least, text=cut(least.text, room, look.glyphs.ellipsis))
            rights = [shorter if each is least else each for each in rights]
            break
        lefts, rights = [each for each in lefts if each is not least], [each for each in rights if each is not least]
    shown = [_painted(group, gap, look) for group in (lefts, rights)]
    between = width - sum(map(cells, shown)) - 2
    return f" {shown[0]}{' ' * between}{shown[1]} " if between >= 0 and any(shown) else ""


def _width(items: Sequence[Item], gap: str) -> int:
    """Return the columns of items side by side, with a space at both ends."""
    return sum(cells(item.text) for item in items) + len(gap) * max(0, len(items) - 1) + 2


def _shortened(item: Item, room: int, look: Look) -> Item:
    """Return a path with its beginning left out, as far as there is too little room."""
    if not item.is_path or room >= 0:
        return item
    ellipsis = look.glyphs.ellipsis
    keep = max(_LEAST_PATH, len(item.text) + room) - len(ellipsis)
    if keep + len(ellipsis) >= len(item.text):
        return item
    end = item.text[-keep:]
    return replace(item, text=ellipsis + (end[end.index("/") :] if "/" in end[:-1] else end))


def _painted(items: Sequence[Item], gap: str, look: Look) -> str:
    texts = [look.paint(item.text, item.role) if item.role else item.text for item in items]
    return look.paint(gap, Role.DIM).join(texts) if texts else ""
