"""Motion: moves of instant axes, of pseudo axes and of many at once, `wa`, and what other processes see and stop.

    python -m scripts.bench.motion

Limits taken in the same run: a greenlet begun and waited for, a round trip to the server (PING), one exchange with a slow
controller, or the same for fewer axes.
"""

from __future__ import annotations

from gevent import monkey

monkey.patch_all(thread=False, queue=False)

import contextlib  # noqa: E402
import io  # noqa: E402
import itertools  # noqa: E402
import json  # noqa: E402
import os  # noqa: E402
import resource  # noqa: E402
import statistics  # noqa: E402
import subprocess  # noqa: E402
import sys  # noqa: E402
import tempfile  # noqa: E402
import time  # noqa: E402
from collections.abc import Callable, Iterator, Sequence  # noqa: E402
from contextlib import contextmanager  # noqa: E402
from pathlib import Path  # noqa: E402
from typing import Any  # noqa: E402

import gevent  # noqa: E402
import redis  # noqa: E402
from gevent.event import Event  # noqa: E402

from bliss_like.config import get_config  # noqa: E402
from bliss_like.controllers.simulated.motors import SimulatedMotors  # noqa: E402
from bliss_like.data.server import EmbeddedServer  # noqa: E402
from bliss_like.devices.axis import Axis  # noqa: E402
from bliss_like.devices.axis_group import move  # noqa: E402
from bliss_like.devices.motor_controller import MotorController  # noqa: E402
from bliss_like.errors import AxisStopped, UserAbort  # noqa: E402
from bliss_like.session import load_session  # noqa: E402
from bliss_like.shell.interrupts import Interrupts  # noqa: E402
from scripts.bench.motion_peer import Seen  # noqa: E402
from scripts.bench.table import Table, in_turn, quantiles, seconds  # noqa: E402

COMMANDS_OF_BLISS = 41
LATENCY = 0.02
INSTANT = "velocity: .inf, acceleration: .inf, steps_per_unit: 1000"
SLITS = "- {{name: {0}, class: Slits, axes: [{{name: ${1}, tags: real up}}, {{name: ${2}, tags: real down}}, \
{{name: {0}_gap, tags: vgap}}, {{name: {0}_offset, tags: voffset}}]}}\n"
DRIVING = """
- {name: bench, class: Session, config-objects: [axis, up, down, third, "plain*", "inner_*", "outer_*", steady, "one*", "many*"]}
- {name: watching, class: Session, config-objects: [steady]}
- {name: few, class: Session, config-objects: ["slow*_[0-4]"]}
- {name: all, class: Session, config-objects: ["slow*_*"]}
- {name: pseudo, class: Session, config-objects: ["slow*_*", "gap*"]}
"""


def motors(name: str, axes: Sequence[str], settings: str = INSTANT, latency: float = 0.0) -> str:
    items = "".join(f"    - {{name: {axis}, {settings}}}\n" for axis in axes)
    return f"- name: {name}\n  class: SimulatedMotors\n  latency: {latency}\n  axes:\n{items}"


def configuration() -> str:
    slow = [[f"slow{box}_{n}" for n in range(50)] for box in range(4)]
    blocks = [
        motors("box", ["axis", "up", "down", "third", "plain0", "plain1", "plain2"]),
        SLITS.format("inner", "up", "down"),
        SLITS.format("outer", "inner_gap", "third"),
        motors("steady_box", ["steady"], "velocity: 100, acceleration: .inf"),
        motors("together", [f"one{n}" for n in range(200)]),
        *(motors(f"alone{n}", [f"many{n}"]) for n in range(200)),
        *(motors(f"slow{box}", axes, latency=LATENCY) for box, axes in enumerate(slow)),
        *(SLITS.format(f"gap{n}", slow[n % 4][n], slow[(n + 1) % 4][n]) for n in range(8)),
    ]
    return DRIVING + "".join(blocks)


@contextmanager
def session(name: str) -> Iterator[dict[str, Any]]:
    """Set up a session, and yield its names."""
    opened = load_session(name, get_config(os.environ["BLISS_LIKE_CONFIG"]))
    try:
        if not opened.setup():
            raise SystemExit(opened.error_report)
        yield opened.env_dict
    finally:
        opened.close()


@contextmanager
def beamline() -> Iterator[Any]:
    """Files and a server, for this process and those that it starts; yield a client of it."""
    with tempfile.TemporaryDirectory(prefix="bl-", dir="/tmp") as home:
        files = Path(home) / "config"
        files.mkdir()
        (files / "all.yml").write_text(configuration())
        server = EmbeddedServer(Path(home), ephemeral=True)
        server.ensure()
        os.environ.update(BLISS_LIKE_REDIS=server.url, BLISS_LIKE_CONFIG=str(files), BLISS_LIKE_HOME=home)
        try:
            yield redis.Redis.from_url(server.url)
        finally:
            server.stop()


def each(action: Callable[[], object], ntimes: int = 200) -> Callable[[], float]:
    """Return what measures the seconds of one call among many."""
    return lambda: seconds(lambda: [action() for _ in range(ntimes)]) / ntimes


def back_and_forth(*axes: Axis) -> Callable[[], None]:
    """Return what moves axes together, each time somewhere else."""
    places = itertools.cycle((1.0, 2.0, 3.0))

    def go() -> None:
        place = next(places)
        move({axis: place + number for number, axis in enumerate(axes)})

    go()
    return go


def wait_for_greenlet() -> None:
    done = Event()
    gevent.spawn(done.set)
    done.wait()


def main() -> None:
    with beamline() as client:
        table = Table("work", "ours", "limit in the same run", "", "ratio")
        with session("bench") as names:
            _single(table, names, client)
            _groups(table, names)
            _elsewhere(table, names)
            _past(table, names, client)
        _everywhere(table)


def _single(table: Table, names: dict[str, Any], client: Any) -> None:
    config = SimulatedMotors.Config.model_validate(
        {"name": "m", "class": "SimulatedMotors", "axes": [{"name": "a", "velocity": "inf", "acceleration": "inf"}]}
    )
    in_memory = back_and_forth(SimulatedMotors("m", config).axes["a"])
    shared, plain = back_and_forth(names["axis"]), [names[f"plain{n}"] for n in range(3)]
    two, gap = back_and_forth(*plain[:2]), back_and_forth(names["inner_gap"])
    three, nested = back_and_forth(*plain), back_and_forth(names["outer_gap"])
    bare, ping, *took = in_turn(
        *map(each, (wait_for_greenlet, client.ping, in_memory, shared, two, gap, three, nested))
    )
    alone, kept, pair, pseudo, triple, outer = took
    table.row("move, in memory, ms", alone, "a greenlet begun and waited for", bare, alone / bare)
    table.row("move in a session, one after the other, ms", kept, "round trip (PING)", ping, kept / ping)
    rarely, ping = in_turn(lambda: after_a_while(shared), lambda: after_a_while(client.ping), runs=31)
    table.row("move in a session, 0.1 s after the last, ms", rarely, "PING 0.1 s after the last", ping, rarely / ping)
    table.row("move of a pseudo axis of 2, ms", pseudo, "2 axes together", pair, pseudo / pair)
    table.row("move of a nested one, of 3, ms", outer, "3 axes together", triple, outer / triple)
    for work, pause, ntimes in (("one after the other", 0.0, 1000), ("0.1 s after the last", 0.1, 20)):
        commands = _commands(client, lambda: (shared(), gevent.sleep(pause)), ntimes)  # noqa: B023
        told = f"Redis commands a move, {work}"
        table.row(told, commands, "BLISS 1.11", COMMANDS_OF_BLISS, commands / COMMANDS_OF_BLISS)


def after_a_while(action: Callable[[], object]) -> float:
    """Return the seconds of a call that comes when nothing is under way any more."""
    gevent.sleep(0.1)
    return seconds(action)


def _commands(client: Any, action: Callable[[], object], ntimes: int) -> float:
    """Return how many commands the server runs for each call, those in scripts included."""
    gevent.sleep(0.5)
    client.config_resetstat()
    for _ in range(ntimes):
        action()
    gevent.sleep(0.1)
    return float(sum(command["calls"] for command in client.info("commandstats").values())) / ntimes


def _groups(table: Table, names: dict[str, Any]) -> None:
    sizes = (1, 10, 50, 200)
    for prefix, where in (("one", "on one controller"), ("many", "on as many controllers")):
        groups = [back_and_forth(*(names[f"{prefix}{n}"] for n in range(size))) for size in sizes]
        took = dict(zip(sizes, in_turn(*(each(group, 5) for group in groups)), strict=True))
        table.row(f"{sizes[1:]} axes together {where}, ms", _listed(took[size] for size in sizes[1:]), "", "", "")
        one, many = (1e3 * took[size] / size for size in (10, 200))
        table.row(f"an axis among 200 {where}, µs", many, "among 10", one, many / one)


def _listed(values: Any) -> str:
    return " / ".join(f"{value:.3g}" for value in values)


@contextmanager
def peer(what: str) -> Iterator[subprocess.Popen[str]]:
    """Another process that is ready, and begins at the next line."""
    command = [sys.executable, "-m", "scripts.bench.motion_peer", what, "steady"]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        if process.stdout.readline() != "ready\n":
            raise SystemExit(f"{command}: it failed")
        yield process
    finally:
        process.kill()
        process.wait()


def _elsewhere(table: Table, names: dict[str, Any]) -> None:
    steady = names["steady"]
    for what, told in (("setting", "in its setting at any time"), ("event", "as an event")):
        p50, p99 = quantiles([1e3 * late for late in lateness(steady, what)])
        table.row(f"position in motion elsewhere, {told}, late by p50 / p99, ms", f"{p50:.3g} / {p99:.3g}", "", "", "")
    polling = 1e3 * float(steady.polling_time)
    asked = [1e3 * stopped_elsewhere(steady) for _ in range(7)]
    typical = statistics.median(asked)
    table.row("request_stop elsewhere to standing still, ms", typical, "polling time", polling, typical / polling)
    pressed = statistics.median(1e3 * interrupted(steady) for _ in range(7))
    table.row("Ctrl-C to the prompt, ms", pressed, "polling time", polling, pressed / polling)


def lateness(axis: Axis, what: str) -> list[float]:
    """Return by how many seconds the positions that another process sees are too old, while an axis cruises."""
    axis.move(0)
    with peer(what) as process:
        axis.move(1000, wait=False)
        gevent.sleep(0.1)
        began = time.time() - axis.position / axis.velocity
        answer, _ = process.communicate("\n")
        axis.stop()
    seen: Seen = json.loads(answer)
    return [when - began - position / axis.velocity for when, position in seen if when > began + 0.2]


def stopped_elsewhere(axis: Axis) -> float:
    """Return the seconds from a stop asked for in another process to the end of the move here."""
    axis.move(0)
    with peer("stop") as process:
        axis.move(1000, wait=False)
        gevent.sleep(0.1)
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
        axis.wait_move()
        stood_still = time.time()
        answer, _ = process.communicate()
    asked: Seen = json.loads(answer)
    return stood_still - asked[0][0]


def interrupted(axis: Axis) -> float:
    """Return the seconds from the signal to the end of the command that moves the axis, which then stands still."""
    axis.move(0)
    interrupts, pressed = Interrupts(say=lambda text: None), [0.0]

    def press() -> None:
        pressed[0] = time.perf_counter()
        os.kill(os.getpid(), 2)

    with interrupts.installed(), contextlib.suppress(UserAbort, AxisStopped):
        gevent.spawn_later(0.1, press)
        interrupts.run(lambda: axis.move(1000))
    return time.perf_counter() - pressed[0]


def _past(table: Table, names: dict[str, Any], client: Any) -> None:
    """What must not grow: the cost of a move with the moves before it, and the memory here and in the server."""
    go = back_and_forth(names["axis"])
    for _ in range(2000):
        go()
    before, kept, stored = _processor_time(go), _peak(), _stored(client)
    for _ in range(100_000):
        go()
    after = _processor_time(go)
    table.row("move after 100 000 others, ms of processor", 1e3 * after, "before them", 1e3 * before, after / before)
    table.row("memory that 100 000 moves leave, MB", (_peak() - kept) / 1e3, "", "", "")
    table.row("the same in the server, MB", (_stored(client) - stored) / 1e6, "", "", "")


def _processor_time(action: Callable[[], object], ntimes: int = 500) -> float:
    """Return the seconds that one call keeps this thread busy, whatever else the machine does: the least of several series."""

    def series() -> float:
        start = time.thread_time()
        for _ in range(ntimes):
            action()
        return (time.thread_time() - start) / ntimes

    return min(series() for _ in range(11))


def _peak() -> int:
    """Return the most memory that this process ever had, in kB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def _stored(client: Any) -> int:
    return int(client.info("memory")["used_memory_dataset"])


def _everywhere(table: Table) -> None:
    """`wa` of slow controllers, each used before."""
    took = {}
    for name, told in (("few", "20 axes"), ("all", "200 axes"), ("pseudo", "200 axes and 16 pseudo axes")):
        with session(name) as names, contextlib.redirect_stdout(io.StringIO()):
            names["wa"]()
            boxes = {axis.controller for axis in names.values() if isinstance(axis, Axis) and not axis.reals}
            before = _exchanges(boxes)
            names["wa"]()
            exchanges = max(after - before[box] for box, after in _exchanges(boxes).items())
            took[name] = 1e3 * statistics.median(seconds(names["wa"]) for _ in range(5))
        table.row(f"wa, {told}, exchanges with each of {len(boxes)} controllers", exchanges, "", "", "")
        table.row(f"wa, {told}, ms", took[name], "one exchange", 1e3 * LATENCY, took[name] / 1e3 / LATENCY)


def _exchanges(boxes: set[MotorController]) -> dict[MotorController, int]:
    return {box: box.exchanges for box in boxes if isinstance(box, SimulatedMotors)}


if __name__ == "__main__":
    main()
