"""The catalogue of past scans: entering scans, and every kind of question about many of them.

    python -m scripts.bench.catalogue [NUMBER]

Infos are like those of a beamline with 40 axes. Limit in the same run: SQLite reading all rows of the table `scans`.
"""

from __future__ import annotations

import os
import random
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from bliss_like.data import catalogue
from bliss_like.data.catalogue_index import FILE, Index, enter
from bliss_like.data.events import SavedScan
from scripts.bench.table import Table, in_turn, seconds

TYPES = ("ascan", "dscan", "loopscan", "timescan", "amesh", "ct")
AXES = tuple(f"axis{number:02}" for number in range(40))
START = 1.7e9


def scan_info(number: int, chance: random.Random) -> dict[str, Any]:
    """Return the info of a scan as it is at its end; one starts every 100 s."""
    kind, session = TYPES[number % len(TYPES)], f"session{number // 1000 % 20}"
    axis, counters = chance.choice(AXES), [f"card:counter{each}" for each in range(8)]
    start = START + 100 * number
    channels = [f"axis:{axis}", "timer:elapsed_time", "timer:epoch", *counters]
    channels += ["camera:image"] if number % 50 == 0 else []
    positions = {each: chance.uniform(-10, 10) for each in AXES}
    return {
        "schema_version": 1,
        "uid": f"{number:08x}" * 4,
        "name": kind,
        "title": f"{kind} {axis} 0 {number % 90} 10 0.1",
        "type": kind,
        "scan_nb": number % 1000,
        "session_name": session,
        "user_name": f"user{number // 5000}",
        "start_timestamp": start,
        "end_timestamp": start + 60,
        "state": "DONE" if number % 100 else "KILLED",
        "npoints": 11,
        "filename": f"/data/{session}/{number // 100}.h5",
        "sample": {"name": f"sample{number // 200}", "description": "hanging drop"},
        "technique": {"energy": 7 + chance.random(), "mode": chance.choice(["fluo", "transmission"])},
        "instrument": {"slits": {"gap": 0.1, "offset": 0.0}, "filters": {"position": "Al 0.1"}},
        "comments": [{"message": "the beam was lost"}] if number % 1000 == 1 else [],
        "channels": {name: {"display_name": name, "unit": "", "dim": 0, "dtype": "float64"} for name in channels},
        "devices": {name: {"name": name, "type": "Device", "channels": [name]} for name in channels},
        "positioners": {
            "positioners_start": positions,
            "positioners_dial_start": positions,
            "positioners_end": positions,
            "positioners_units": dict.fromkeys(AXES, "mm"),
        },
    }


def fill(root: Path, number: int) -> float:
    """Enter many scans; return the seconds for one."""
    chance = random.Random(1)
    index = Index(root)
    start = time.perf_counter()
    for first in range(0, number, 1000):
        with index.writing() as connection:
            for each in range(first, min(first + 1000, number)):
                path = f"session:scans:{each}"
                saved = SavedScan(path, file=f"/data/{each // 100}.h5", entries=(f"/{each}.1",), writer="nexus")
                enter(connection, scan_info(each, chance), saved, path)
    return (time.perf_counter() - start) / number


def questions(number: int) -> Iterable[tuple[str, Callable[[], object]]]:
    search = catalogue.search
    middle = START + 100 * number / 2
    yield "last(20), with its table", lambda: catalogue.last(20).__info__()
    yield "get(12)", lambda: catalogue.get(12)
    yield "get(uid)", lambda: catalogue.get(f"{number // 2:08x}" * 4)
    yield "all scans", lambda: search()
    yield "since, until: 100 of them", lambda: search(since=middle, until=middle + 1e4)
    yield "session and type", lambda: search(session="session3", type="ascan")
    yield "sample, with all infos", lambda: [each.info for each in search(sample=f"sample{number // 400}")]
    yield "sample pattern", lambda: search(sample="sample1?")
    yield "state KILLED", lambda: search(state="KILLED")
    yield "text, 1 of 1000", lambda: search("beam lost")
    yield "text, none", lambda: search("nowhere")
    yield "motor, 1 of 40", lambda: search(motors="axis07")
    yield "counters, all scans", lambda: search(counters="counter3")
    yield "counter, 1 of 50, the last 20", lambda: search(counters="camera:image", limit=20)
    yield "motor, session, type, since", lambda: search(motors="axis07", session="session3", type="ascan", since=middle)
    yield "metadata > 7.9, 1 of 10", lambda: search(where={"technique.energy": (">", 7.9)})
    yield "metadata > 7.9, the last 20", lambda: search(where={"technique.energy": (">", 7.9)}, limit=20)
    yield "metadata, none", lambda: search(where={"technique.energy": (">", 9)})
    yield "metadata, two keys", lambda: search(where=["technique.energy > 7.9", "technique.mode = fluo"])
    yield "metadata, regular expression", lambda: search(where="technique.mode ~ ^fl")
    yield "position of an axis", lambda: search(where="positioners.positioners_start.axis03 > 9.9")
    yield "field: npoints > 100", lambda: search(where="npoints > 100")
    yield "in no table: a dial position", lambda: search(where="positioners.positioners_dial_start.axis03 > 9.9")


def main() -> None:
    number = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    with tempfile.TemporaryDirectory(prefix="bl-") as directory:
        root = Path(directory)
        os.environ[catalogue.VARIABLE] = directory
        took = fill(root, number)
        size = (root / FILE).stat().st_size
        print(
            f"{number} scans entered in groups of 1000: {1e3 * took:.2f} ms each, {size / number / 1e3:.1f} kB each\n"
        )
        table = Table("question", f"ms, {number} scans")
        chance = random.Random(2)
        new = iter(range(number, number + 1000))
        enter_one = lambda: catalogue.record(root, scan_info(next(new), chance))  # noqa: E731
        table.row("entering one, for its writer", in_turn(lambda: seconds(enter_one), runs=20)[0])
        connection = sqlite3.connect(root / FILE)
        read_all = lambda: connection.execute("SELECT id, title FROM scans NOT INDEXED").fetchall()  # noqa: E731
        table.row("limit: SQLite reads all rows", in_turn(lambda: seconds(read_all))[0])
        for name, question in questions(number):
            table.row(name, in_turn(lambda: seconds(question), runs=3)[0])  # noqa: B023


if __name__ == "__main__":
    main()
