"""A session that moves axes and scans at random, also interrupted; its motors note from when to when each axis was driven."""

from gevent.monkey import patch_all

patch_all(thread=False, queue=False)

import os  # noqa: E402
import random  # noqa: E402
import signal  # noqa: E402
import sys  # noqa: E402
import time  # noqa: E402
from typing import Any  # noqa: E402

import gevent  # noqa: E402

from bliss_like.controllers.simulated.motors import SimulatedMotors  # noqa: E402
from bliss_like.devices.axis import Axis  # noqa: E402
from bliss_like.devices.axis_group import move  # noqa: E402
from bliss_like.devices.axis_state import AxisState  # noqa: E402
from bliss_like.devices.move import Motion  # noqa: E402
from bliss_like.errors import AlreadyLockedDevices, AxisFault, DataError, UserAbort  # noqa: E402

NOTES = os.open(os.environ["NOTES"], os.O_WRONLY | os.O_CREAT | os.O_APPEND)


def note(what: str, about: str) -> None:
    os.write(NOTES, f"{os.getpid()} {what} {about} {time.monotonic()}\n".encode())


class NotedMotors(SimulatedMotors):
    """Each line flushed: a killed process has noted what it began."""

    def __init__(self, name: str, config: Any) -> None:
        super().__init__(name, config)
        self._driven: set[str] = set()

    def start_one(self, motion: Motion) -> None:
        note("starts", motion.axis.name)
        self._driven.add(motion.axis.name)
        super().start_one(motion)

    def state(self, axis: Axis) -> AxisState:
        state = super().state(axis)
        if "MOVING" not in state and axis.name in self._driven:
            self._driven.remove(axis.name)
            note("rests", axis.name)
        return state


def attempt(call: Any) -> None:
    try:
        call()
    except AlreadyLockedDevices:
        note("refused", "-")
    except (AxisFault, DataError, UserAbort, KeyboardInterrupt, gevent.GreenletExit):
        pass


def work(names: dict[str, Any], dice: random.Random) -> None:
    axes = [names["robx"], names["roby"]]
    motions = [
        lambda: dice.choice(axes).move(dice.uniform(0, 1)),
        lambda: move(axes[0], dice.uniform(0, 1), axes[1], dice.uniform(0, 1)),
        lambda: names["ascan"](dice.choice(axes), 0, dice.uniform(0.1, 1), 2, 0, names["diode"], save=False),
    ]
    mover = gevent.spawn(attempt, dice.choice(motions))
    if dice.random() < 0.4:
        mover.join(dice.uniform(0, 0.05))
        mover.kill(dice.choice([UserAbort, KeyboardInterrupt, gevent.GreenletExit]))
    mover.get(timeout=30)
    gevent.sleep(dice.choice([0, 0, 0.01]))


if __name__ == "__main__":
    from bliss_like.session import load_session

    is_over: list[int] = []
    signal.signal(signal.SIGTERM, lambda *_: is_over.append(1))
    session = load_session(sys.argv[1])
    assert session.setup(), session.error_report
    print("ready", flush=True)
    dice = random.Random(sys.argv[1])
    sys.stdout = open(os.devnull, "w")  # noqa: SIM115
    while not is_over:
        work(session.env_dict, dice)
    session.close()
