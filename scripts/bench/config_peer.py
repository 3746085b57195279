"""BLISS beside it: the same program on the same files, its beacon server and a Redis-compatible server running already."""

from __future__ import annotations

import json
import os
import shutil
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from bliss_like.data.server_program import server_program
from scripts.bench.table import Table

PROGRAM = Path(__file__).with_name("config_program.py")
RUNS = 7
MOTORS = {"bliss_like": "class: SimulatedMotors", "bliss": "plugin: emotion\n  class: Mockup"}
AXES = "    - {{name: axis{}, unit: mm, steps_per_unit: 1000, velocity: 20, acceleration: 200, low_limit: -9, high_limit: 9}}\n"
DIODES = {
    "bliss_like": "- {{name: box{0}, class: SimulatedDiodes, counters: [{{name: diode{0}}}]}}\n",
    "bliss": "- {{name: diode{0}, plugin: bliss, class: simulation_diode}}\n",
}


def against_bliss(python: str, beamline: Path, home: Path) -> None:
    """Print a table: our times and those of BLISS, in ms.

    :param python: of an environment with BLISS 2.
    :param beamline: a tree of files that both read; no object of it is made, as the classes are ours.
    """
    table = Table("work", "ours", "BLISS in the same run", "ratio")
    with beacon(python, beamline, home) as environment:
        ours = {"BLISS_LIKE_CONFIG": str(beamline)}
        first, mine, theirs = _in_turn(
            lambda: _run(sys.executable, "bliss_like.config", ours, fresh=True),
            lambda: _run(sys.executable, "bliss_like.config", ours),
            lambda: _run(python, "bliss.config.static", environment),
        )
    if mine["objects"] != theirs["objects"]:
        raise SystemExit(f"BLISS found {theirs['objects']} objects, we {mine['objects']}")
    _row(table, "import, ms", mine, theirs, "import")
    _row(
        table, f"read the realistic beamline, {mine['objects']:.0f} objects, the first time, ms", first, theirs, "read"
    )
    _row(table, "read it in a new process, unchanged since, ms", mine, theirs, "read")
    _row(table, "reload(), nothing changed, ms", mine, theirs, "reload")
    trees = {kind: simple(home / kind, kind, 200, 100) for kind in MOTORS}
    with beacon(python, trees["bliss"], home) as environment:
        ours = {"BLISS_LIKE_CONFIG": str(trees["bliss_like"])}
        mine, theirs = _in_turn(
            lambda: _run(sys.executable, "bliss_like.config", ours, "--make"),
            lambda: _run(python, "bliss.config.static", environment, "--make"),
        )
    _row(table, "make 200 simulated axes and 100 counters, ms", mine, theirs, "make")


def simple(root: Path, kind: str, axes: int, counters: int) -> Path:
    """Write motors of 20 axes each and diodes of one counter each, in the words of `kind`."""
    root.mkdir()
    blocks = []
    for first in range(0, axes, 20):
        blocks.append(f"- name: motors{first}\n  {MOTORS[kind]}\n  axes:\n")
        blocks += [AXES.format(number) for number in range(first, first + 20)]
    (root / "axes.yml").write_text("".join(blocks))
    (root / "diodes.yml").write_text("".join(DIODES[kind].format(number) for number in range(counters)))
    return root


@contextmanager
def beacon(python: str, configuration: Path, home: Path) -> Iterator[dict[str, str]]:
    """Have BLISS' server serve a configuration; yield the environment of its clients.

    Its Redis is ours: it starts none of its own without the modules RedisJSON and RediSearch, which configuration
    does not need.
    """
    files = shutil.copytree(configuration, home / f"beacon-{configuration.name}")
    redis, port = _free_port(), _free_port()
    command = [str(Path(python).parent / "beacon-server"), f"--db-path={files}", f"--port={port}"]
    command += [f"--redis-address=redis://127.0.0.1:{redis}", f"--redis-data-address=redis://127.0.0.1:{redis}"]
    command += ["--homepage-port=0", "--log-server-port=0", "--log-viewer-port=0"]
    path = {**os.environ, "PATH": f"{Path(python).parent}:{os.environ['PATH']}"}
    with open(home / f"beacon-{configuration.name}.log", "w") as log:
        server = [server_program(), "--port", str(redis), "--bind", "127.0.0.1", "--save", ""]
        processes = [subprocess.Popen(server, stdout=log, stderr=log, cwd=home)]
        try:
            _wait_for(redis, processes[0])
            processes.append(subprocess.Popen(command, stdout=log, stderr=log, env=path))
            _wait_for(port, processes[1])
            yield {"BEACON_HOST": f"localhost:{port}"}
        finally:
            for process in reversed(processes):
                process.terminate()
                process.wait(20)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise SystemExit(f"{process.args!r} does not answer")


def _run(python: str, module: str, environment: dict[str, str], *options: str, fresh: bool = False) -> dict[str, float]:
    """Return the times of one new process.

    :param fresh: nothing has ever read these files.
    """
    if fresh:
        shutil.rmtree(os.environ["XDG_CACHE_HOME"], ignore_errors=True)
    command = [python, str(PROGRAM), module, *options]
    # The project is on the path of ours only: BLISS must not find another package of the name of a library of its own.
    path = {"PYTHONPATH": str(PROGRAM.parents[2])} if python == sys.executable else {}
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, env={**os.environ, **path, **environment})
    times: dict[str, float] = json.loads(done.stdout)
    return times


def _in_turn(*runs: Callable[[], dict[str, float]]) -> list[dict[str, float]]:
    """Return the medians of several rounds, as such machines change their pace."""
    rounds = [[run() for run in runs] for _ in range(RUNS + 1)][1:]
    return [
        {key: statistics.median(times[key] for times in of_one) for key in of_one[0]}
        for of_one in zip(*rounds, strict=True)
    ]


def _row(table: Table, work: str, mine: dict[str, float], theirs: dict[str, float], key: str) -> None:
    table.row(work, 1e3 * mine[key], 1e3 * theirs[key], theirs[key] / mine[key])
