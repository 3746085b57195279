"""Writers of one file that kill themselves (SIGKILL) after a random number of bytes, one after the other.

python -m tests.files.killed_writers PATH SEED NUMBER: after each of them, reads what is there, as anybody would and as the next
writer does; prints in JSON what it has seen.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sys
from collections import Counter
from collections.abc import Callable
from typing import Any

import h5py

from bliss_like.hdf5 import GrowingFile
from tests.files.points import Entry, lengths

NSCALARS = 8


def mortal(nbytes: int, where: Callable[[str], None]) -> None:
    """Let this process die in the middle of the write that would pass so many bytes."""
    pwrite, truncate, left = os.pwrite, os.ftruncate, nbytes

    def die(name: str) -> None:
        where(name)
        os.kill(os.getpid(), signal.SIGKILL)

    def writing(fd: int, data: Any, start: int) -> int:
        nonlocal left
        left -= len(data)
        if left < 0:
            # Linux ends a write for a signal after a page, not within
            stop = -(-(start + len(data) + left) // 4096) * 4096
            pwrite(fd, memoryview(data)[: stop - start], start)
            die("record" if start == 512 else "write")
        return pwrite(fd, data, start)

    def writing_many(fd: int, views: Any, start: int) -> int:
        return sum(writing(fd, view, start + sum(map(len, views[:number]))) for number, view in enumerate(views))

    def truncating(fd: int, size: int) -> None:
        nonlocal left
        left -= 8
        if left < 0:
            die("truncate")
        truncate(fd, size)

    os.pwrite, os.pwritev, os.ftruncate = writing, writing_many, truncating  # type: ignore[assignment]


def write(path: str, number: int, said: int, chance: random.Random) -> None:
    """Write an entry until death comes; say after each commit how many points it has."""
    mortal(int(10 ** chance.uniform(3.5, 6.8)), lambda where: print_to(said, {"died": where}))
    with GrowingFile.open(path) as file:
        entry = Entry(file, f"{number}.1", NSCALARS)
        for _ in range(400):
            entry.grow(chance.randint(1, 6))
            print_to(said, {"sent": entry.npoints})
            file.commit()
            print_to(said, {"committed": entry.npoints})
    print_to(said, {"died": "never"})


def print_to(fd: int, message: dict[str, object]) -> None:
    os.write(fd, (json.dumps(message) + "\n").encode())


def one_writer(path: str, number: int, chance: random.Random) -> dict[str, Any]:
    """Run a writer to its death; return what it said last."""
    ours, theirs = os.pipe()
    pid = os.fork()
    if not pid:
        try:
            write(path, number, theirs, chance)
        finally:
            os._exit(1)
    os.close(theirs)
    with os.fdopen(ours) as pipe:
        said: dict[str, Any] = {}
        for line in pipe:
            said |= json.loads(line)
    os.waitpid(pid, 0)
    return said


def seen(path: str) -> dict[str, dict[str, int]]:
    with h5py.File(path, "r") as h5:
        return {name: lengths(entry, 10) for name, entry in h5.items()}


def main(path: str, seed: int, number: int) -> None:
    deaths: Counter[str] = Counter()
    broken: list[str] = []
    final: dict[str, int] = {}
    for life in range(1, number + 1):
        said = one_writer(path, life, random.Random(f"{seed} {life}"))
        deaths[said.get("died", "in silence")] += 1
        if not os.path.exists(path):
            if "committed" in said:
                raise SystemExit(f"writer {life}: no file, although {said['committed']} points were committed")
            continue
        states = []
        try:
            states.append(seen(path))
        except (OSError, ValueError) as error:
            broken.append(f"{life}: {error}")
        for state in [*states, recovered(path)]:
            last = state.pop(f"{life}.1", {})
            if {name: set(counts.values()) for name, counts in state.items()} != {
                name: {n} for name, n in final.items()
            }:
                raise SystemExit(f"writer {life}: earlier entries are not as they were: {state}, {final}")
            if last and not said.get("committed", 0) <= min(last.values()) <= max(last.values()) <= said.get("sent", 0):
                raise SystemExit(f"writer {life}: {said} but found {last}")
            if "committed" in said and not last:
                raise SystemExit(f"writer {life}: {said} but found nothing")
        if last:
            if len(set(last.values())) > 1 or len(last) != NSCALARS + 3:
                raise SystemExit(f"writer {life}: half a commit after recovery: {last}")
            final[f"{life}.1"] = last["words"]
    print(json.dumps({"broken": broken, "deaths": deaths, "entries": len(final), "points": sum(final.values())}))


def recovered(path: str) -> dict[str, dict[str, int]]:
    """Open as the next writer does, and return what is there."""
    GrowingFile.open(path).close()
    return seen(path)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
