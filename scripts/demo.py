"""The demo: a session runs the story below while a second, plain process listens and prints what it sees.

    scripts/demo             on simulated hardware
    scripts/demo --epics     on a real control system: the mini_beamline IOC of the package caproto

The lines shown at the prompt are those that are run, in the session as it is at the prompt.
"""

from __future__ import annotations

from gevent import monkey

monkey.patch_all(thread=False, queue=False)

import argparse  # noqa: E402
import ast  # noqa: E402
import os  # noqa: E402
import subprocess  # noqa: E402
import sys  # noqa: E402
from collections.abc import Callable, Iterator  # noqa: E402
from contextlib import contextmanager  # noqa: E402
from pathlib import Path  # noqa: E402
from typing import Any  # noqa: E402

import gevent  # noqa: E402
import numpy as np  # noqa: E402

ROOT = Path(__file__).resolve().parent.parent
BOLD, DIM, PLAIN = ("\033[1m", "\033[2m", "\033[0m") if sys.stdout.isatty() else ("", "", "")

STORY = [
    (
        "Scans, and a group of them when they have run",
        """
from bliss_like.scanning.group import Group
s1 = loopscan(3, .1, diode)
s2 = ascan(robx, -3, 3, 8, .02, sim_ct_gauss)
s2.get_data()[sim_ct_gauss]
Group(s1, s2)
""",
    ),
    (
        "A sequence, with channels of its own",
        """
from bliss_like.scanning.group import Sequence
from bliss_like.scanning.chain import AcquisitionChannel
seq = Sequence()
seq.add_custom_channel(AcquisitionChannel('mychannel', float, ()))
seq.add_custom_channel(AcquisitionChannel('sum', float, ()))
with seq.sequence_context() as scan_seq:
    s1 = loopscan(5, .1, diode, run=False)
    s2 = loopscan(5, .1, diode, run=False)
    scan_seq.add_and_run(s1)
    scan_seq.add_and_run(s2)
    seq.custom_channels['mychannel'].emit([1.1, 2.2, 3.3])
    my_sum = s1.get_data()[diode] + s2.get_data()[diode]
    seq.custom_channels['sum'].emit(my_sum)
""",
    ),
    (
        "What anyone can ask the tree of nodes",
        """
from bliss_like.data.node import get_session_node
for node in get_session_node('demo_session').walk(include_filter='scan_group', wait=False):
    print(node.db_name, node.info['scan_nb'])
for event, node, data in seq.node.walk_events(include_filter='node_ref_channel'):
    print(event, node.db_name)
    if event.name == 'NEW_DATA':
        print('\\t', node.get(0, -1))
""",
    ),
    (
        "The same in a file, which any program opens at any time",
        """
import h5py
with h5py.File(SCAN_SAVING.filename) as h5:
    for entry in list(h5)[-6:]:
        print(entry, h5[entry + '/title'].asstr()[()])
""",
    ),
]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--epics", action="store_true", help="on a real EPICS control system")
    os.environ.setdefault("BLISS_LIKE_CONFIG", str(ROOT / "config"))
    sys.path.insert(0, str(ROOT))
    if parser.parse_args().epics:
        with ioc():
            run("epics_demo", epics_story)
    else:
        run("demo_session", simulated_story)


def run(session_name: str, story: Callable[[dict[str, Any]], None]) -> None:
    from bliss_like.session import load_session

    session = load_session(session_name)
    if not session.setup():
        sys.exit("\n".join(str(error) for error in session.errors))
    file = session.scan_saving.filename
    try:
        with listener(session_name):
            story(session.env_dict)
    finally:
        session.close()
    print(f"""
{BOLD}That was it.{PLAIN} The scans are in {file}, and still in a server of your own.
    .venv/bin/bliss-like scans
    .venv/bin/bliss-like verify
    .venv/bin/bliss-like listen {session_name}
    .venv/bin/bliss-like -s demo_session          then type:  ascan(robx, -5, 5, 20, 0.1, sim_ct_gauss)""")


def simulated_story(names: dict[str, Any]) -> None:
    for title, code in STORY:
        type_in(title, code, names)


def epics_story(names: dict[str, Any]) -> None:
    for device, what in (("pinhole", "a peak at 0"), ("edge", "a step at 5"), ("slit", "a plateau that ends at 7.5")):
        type_in(f"{device}: {what}", f"scan = see_{device}()", names)
        data = names["scan"].get_data()
        draw(data[names[device]], data[names[f"{device}_det"]] / data[names["ring_current"]])


def type_in(title: str, code: str, names: dict[str, Any]) -> None:
    """Run code, a statement after the other, as if it was typed at the prompt of the session."""
    print(f"\n{BOLD}# {title}{PLAIN}")
    for statement in ast.parse(code).body:
        source = ast.get_source_segment(code, statement) or ""
        print("\n".join(f"{BOLD}{'... ' if n else '>>> '}{line}{PLAIN}" for n, line in enumerate(source.splitlines())))
        exec(compile(ast.Interactive([statement]), "<the story>", "single"), names)  # shows what an expression gives
        gevent.sleep(0.2)  # so that what the listener prints stands below what made it


def draw(positions: np.ndarray[Any, Any], values: np.ndarray[Any, Any]) -> None:
    """Show a curve: a line for each point."""
    for position, value in zip(positions, values, strict=True):
        print(f"    {position:8.3f} {value:10.3f}  {'█' * round(50 * max(0.0, value) / values.max())}")


@contextmanager
def listener(session_name: str) -> Iterator[None]:
    """Run `bliss-like listen` in a process of its own, and print here what it prints."""
    command = [sys.executable, "-u", "-m", "bliss_like.shell.main", "listen", session_name, "--new"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)
    printing = gevent.spawn(_print_lines, process)
    gevent.sleep(1.0)  # it is a Python process that has to start
    try:
        yield
        gevent.sleep(0.5)
    finally:
        process.terminate()
        process.wait()
        printing.join()


def _print_lines(process: subprocess.Popen[str]) -> None:
    assert process.stdout is not None
    for line in process.stdout:
        print(f"{DIM}    listener | {line.rstrip()}{PLAIN}", flush=True)


@contextmanager
def ioc() -> Iterator[None]:
    """Run the IOC of the mini beamline, on loopback, and let this process find it."""
    state = Path(f"/tmp/bliss_like_demo.{os.getpid()}.json")
    script = [sys.executable, str(ROOT / "scripts" / "mini_beamline")]
    print("Starting the IOC of the mini beamline (caproto)...")
    output = subprocess.run(
        [*script, "start", "--state", str(state)], check=True, stdout=subprocess.PIPE, text=True
    ).stdout
    for line in output.splitlines():
        name, _, value = line.removeprefix("export ").partition("=")
        os.environ[name] = value.strip("'\"")
    try:
        yield
    finally:
        subprocess.run([*script, "stop", "--state", str(state)], check=True)


if __name__ == "__main__":
    main()
