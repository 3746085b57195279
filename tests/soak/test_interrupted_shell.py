"""A shell whose commands are interrupted at random moments, also while they are interrupted, on a busy machine: nothing moves
afterwards, every scan has its end, the next command works."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.shell.conftest import OpenShell, environment, run
from tests.shell.matrix import Matrix, write_session

__all__ = ["environment", "run"]

SECONDS = float(os.environ.get("SOAK_SECONDS", "20"))

pytestmark = [pytest.mark.soak, pytest.mark.timeout(SECONDS + 120)]

COMMANDS = (
    "mv(robx, random.uniform(-20, 20))",
    "umv(robx, random.uniform(-20, 20), roby, random.uniform(-20, 20))",
    "robx.move(random.uniform(-20, 20), wait=False); time.sleep(random.random())",
    "for n in range(10): roby.rmove(random.uniform(-3, 3))\n",
    "ascan(robx, 0, 5, 20, 0.01, diode)",
    "dscan(robx, -1, 1, 50, 0.005, diode)",
    "amesh(robx, 0, 1, 5, roby, 0, 1, 5, 0.003, diode)",
    "d2scan(robx, -1, 1, roby, -2, 2, 20, 0.01, diode)",
    "loopscan(100, 0.005, diode)",
    "loopscan(1000, 0.0005, diode)",
    "timescan(0.01, diode)",
    "ct(0.5, diode)",
    "slow_scan('prepare')",
    "slow_scan('trigger')",
    "in_sequence(loopscan(10, 0.01, diode, run=False), dscan(robx, -1, 1, 10, 0.01, diode, run=False))",
    "in_sequence(loopscan(20, 0.01, diode, run=False), ascan(roby, 0, 3, 10, 0.01, diode, run=False))",
    "gevent.joinall([gevent.spawn(mv, robx, 10), gevent.spawn(mv, roby, 10)])",
    "load_script('walk')",
    "busy(0.5)",
    "input('who? ')",
    "subprocess.run(['sleep', '1'])",
    "beside_thread(join)",
    "with multiprocessing.get_context('fork').Pool(2) as pool: pool.map(time.sleep, [1])\n",
    "time.sleep(1)",
    "pass",
)


@pytest.fixture
def busy_machine() -> Iterator[None]:
    work = f"import os; os.nice(5)\nwhile os.getppid() == {os.getpid()}: pass"
    process = subprocess.Popen([sys.executable, "-c", work])
    yield
    process.kill()
    process.wait()


def test_interrupts_at_random(environment: Path, run: OpenShell, dice: random.Random, busy_machine: None) -> None:
    write_session(environment)
    shell = run("-s", "matrix")
    shell.wait_for("MATRIX [1]:", timeout=60)
    matrix = Matrix(shell)
    matrix.run("import random; load()")
    deadline = time.monotonic() + SECONDS
    seen: Counter[str] = Counter()
    while time.monotonic() < deadline:
        command = dice.choice(COMMANDS)
        presses = dice.choice([1, 1, 1, 2, 2, 3, 3, 5])
        begin = matrix.type(command)
        shell.look(dice.choice([0.0, 0.02, 0.1, 0.3, 0.8]) * dice.random())
        if dice.random() < 0.2:
            shell.type("\x1a")
            shell.look(0.1 * dice.random())
            if dice.random() < 0.3:
                shell.type("\x1a")
                shell.look(0.1 * dice.random())
        for _ in range(presses):
            shell.interrupt()
            shell.look(dice.choice([0.0, 0.01, 0.1]) * dice.random())
        said = matrix.over(begin, timeout=30)
        matrix.run("settle()")
        verdict = matrix.verdict()
        assert verdict.partition(" ")[0] == "well", (
            f"{command!r} with {presses} presses: {verdict}\n{shell.text[-3000:]}"
        )
        seen.update(["commands", f"{presses} presses", "Interrupted" if "Interrupted" in said else "over before"])
        seen.update(verdict.split()[1:])
        shell.forget_history()
    print(dict(seen))
    assert seen["Interrupted"] > seen["commands"] / 4
