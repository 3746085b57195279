"""Sequences and the scans within them, as a tree with the progress of each."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field

from .digits import duration
from .look import UNICODE, Glyphs, Role, cells, cut, padded, plain
from .progress import LiveProgress, Pace, Progress
from .rows import Clock
from .scan import LiveScan
from .table import Kind, Line

KEPT = 5
"""Scans of a sequence that are shown when they are over."""


@dataclass
class Branch:
    """A scan, and those of its scans that are shown."""

    pace: Pace
    over: Progress | None = None
    below: list[Branch] = field(default_factory=list)
    left_out: int = 0
    """Scans below that are shown no more."""

    @property
    def progress(self) -> Progress:
        return self.over or self.pace.now()


class LiveTree(LiveProgress):
    """The scans that run, each with what runs as its part.

    A scan that runs while a sequence is open, and was not added to it, is no part of it.
    """

    def __init__(self, *, clock: Clock = time.time) -> None:
        super().__init__(clock=clock)
        self._branches: dict[str, Branch] = {}
        self.roots: dict[str, Branch] = {}
        """Scans that run and are part of no other, by db_name."""

    def begin(self, scan: LiveScan) -> None:
        super().begin(scan)
        if scan.path not in self.paces:
            return
        branch = self._branches[scan.path] = Branch(self.paces[scan.path])
        above = self._branches.get(str(scan.info.get("group") or ""))
        if above is None:
            self.roots[scan.path] = branch
            return
        above.below.append(branch)
        over = [each for each in above.below if each.over]
        if len(over) > KEPT:
            above.below.remove(over[0])
            above.left_out += 1

    def finish(self, scan: LiveScan) -> None:
        super().finish(scan)
        if branch := self._branches.pop(scan.path, None):
            branch.over = self.last
            self.roots.pop(scan.path, None)

    @property
    def is_nested(self) -> bool:
        """Whether there is more than one scan to be shown."""
        return len(self.roots) > 1 or any(root.below for root in self.roots.values())

    def lines(self, width: int, glyphs: Glyphs = UNICODE) -> list[Line]:
        """Return the tree: a line for each scan."""
        return [line for root in self.roots.values() for line in _lines(root, width, glyphs, 0)]


def _lines(branch: Branch, width: int, glyphs: Glyphs, depth: int) -> Iterator[Line]:
    yield _line(branch.progress, width, glyphs, depth)
    if branch.left_out:
        text = f"{'  ' * (depth + 1)}{branch.left_out} more before these"
        yield Line(cut(text, width, glyphs.ellipsis), Kind.NOTE, Role.DIM)
    for below in branch.below:
        yield from _lines(below, width, glyphs, depth + 1)


def _line(progress: Progress, width: int, glyphs: Glyphs, depth: int) -> Line:
    name = "  " * depth + plain(f"{progress.name}  {progress.title}")
    if progress.state == "DONE":
        told, role = f"{progress.count()}  done in {duration(progress.elapsed)}", Role.DIM
    elif progress.state in ("USER_ABORTED", "KILLED"):
        told, role = f"{progress.count()}  {'aborted' if progress.state == 'USER_ABORTED' else 'failed'}", Role.WARNING
    else:
        told, role = progress.line(max(20, width // 2), glyphs), Role.HEADING
    room = width - cells(told) - 2
    text = f"{padded(cut(name, room, glyphs.ellipsis), room)}  {told}" if room > 10 else f"{name}  {told}"
    return Line(cut(text, width, glyphs.ellipsis), Kind.ROW, role)
