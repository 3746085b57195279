"""A session whose axes are moved, stopped, killed and refused at random, while their controllers fail in every way there is."""

from gevent.monkey import patch_all

patch_all(thread=False, queue=False)

import gc  # noqa: E402
import math  # noqa: E402
import os  # noqa: E402
import random  # noqa: E402
import signal  # noqa: E402
import sys  # noqa: E402
from collections import Counter, defaultdict  # noqa: E402
from collections.abc import Sequence  # noqa: E402
from typing import Any  # noqa: E402

import gevent  # noqa: E402

from bliss_like.config.models import ObjectConfig  # noqa: E402
from bliss_like.config.settings import HashSetting  # noqa: E402
from bliss_like.controllers.simulated.motors import SimulatedMotors  # noqa: E402
from bliss_like.devices import events, motion_line  # noqa: E402
from bliss_like.devices.axis import Axis  # noqa: E402
from bliss_like.devices.axis_group import AxisGroup  # noqa: E402
from bliss_like.devices.axis_state import AxisState  # noqa: E402
from bliss_like.devices.motion_hook import MotionHook  # noqa: E402
from bliss_like.devices.move import Motion  # noqa: E402
from bliss_like.errors import AxisDiscrepancy, BlissLikeError, DeviceError, UserAbort  # noqa: E402
from bliss_like.session import load_session  # noqa: E402

dice = random.Random()
trouble = 0.0
"""How often something fails."""
seen: Counter[str] = Counter()


def fails(what: str, often: float = 1.0) -> None:
    if dice.random() < trouble * often:
        seen[what] += 1
        raise dice.choice([DeviceError(f"{what} fails"), gevent.Timeout(1, f"{what} takes too long")])


class TroubledMotors(SimulatedMotors):
    def prepare_move(self, motion: Motion) -> None:
        fails("prepare")

    def start_one(self, motion: Motion) -> None:
        fails("start")
        super().start_one(motion)
        fails("started", 0.5)

    def stop(self, axis: Axis) -> None:
        fails("stop", 3)
        super().stop(axis)

    def read_positions(self, *axes: Axis) -> Sequence[float]:
        fails("read", 0.3)
        return [math.nan if dice.random() < trouble / 10 else steps for steps in super().read_positions(*axes)]

    def states(self, *axes: Axis) -> Sequence[AxisState]:
        fails("state", 0.3)
        return super().states(*axes)

    def set_off(self, axis: Axis) -> None:
        fails("power off")
        super().set_off(axis)


class Veto(MotionHook):
    """Refuses some motions, and takes its time; what it is told at the end it was told before."""

    Config = ObjectConfig
    nbegun = nended = 0

    def pre_move(self, motion_list: Any) -> None:
        type(self).nbegun += 1
        gevent.sleep(dice.choice([0, 0, 0.01]))
        fails("veto")

    def post_move(self, motion_list: Any) -> None:
        type(self).nended += 1
        gevent.sleep(dice.choice([0, 0, 0.005]))
        fails("end of hook")


class Told:
    """What the axes have told: each begins and ends its motions in turn."""

    def __init__(self, axes: Sequence[Axis]) -> None:
        self.done: dict[str, list[bool]] = defaultdict(list)
        self.position = {axis.name: axis.position for axis in axes}
        self._kept: list[Any] = []
        for axis in axes:
            self._listen(axis, events.AxisEvent.MOVE_DONE, self.done[axis.name].append)
            self._listen(axis, events.AxisEvent.POSITION, lambda value, axis=axis: self._take(axis.name, value))

    def _listen(self, axis: Axis, event: Any, call: Any) -> None:
        receiver = lambda value: call(value)  # noqa: E731 - a built-in cannot be held weakly
        self._kept.append(receiver)
        events.connect(axis, event, receiver)

    def _take(self, name: str, value: float) -> None:
        self.position[name] = value


def attempt(call: Any, axes: Sequence[Axis]) -> None:
    try:
        call()
        seen["done"] += 1
    except AxisDiscrepancy:
        seen["discrepancy"] += 1
        for axis in axes:
            attempt(axis.sync_hard, [])
    except (BlissLikeError, ValueError, UserAbort, KeyboardInterrupt, gevent.GreenletExit, gevent.Timeout) as error:
        seen[type(error).__name__] += 1


def work(axes: dict[str, Axis]) -> None:
    some = dice.sample([axis for name, axis in axes.items() if name not in ("gap", "offset")], 3)
    pseudo, one = axes[dice.choice(["gap", "offset"])], dice.choice(some)
    targets = {axis: dice.uniform(-2, 2) for axis in some}
    motions = [
        lambda: one.move(dice.uniform(-2, 2)),
        lambda: AxisGroup(*some).move(targets),
        lambda: one.rmove(dice.uniform(-1, 1)),
        lambda: pseudo.move(dice.uniform(-1, 1)),
        lambda: (one.jog(dice.choice([-20, 20])), gevent.sleep(dice.uniform(0, 0.05)), one.stop()),
        lambda: (one.move(dice.uniform(-2, 2), wait=False), gevent.sleep(dice.uniform(0, 0.02)), one.wait_move()),
        lambda: one.hw_limit(dice.choice([-1, 1])),
    ]
    mover = gevent.spawn(attempt, dice.choice(motions), some)
    for _ in range(dice.choice([0, 0, 1, 2, 3])):
        mover.join(dice.uniform(0, 0.05))
        match dice.choice(["stop", "stop all", "kill", "kill", "elsewhere", "read", "set"]):
            case "stop":
                attempt(lambda: one.stop(wait=dice.random() < 0.5), [])
            case "stop all":
                attempt(lambda: AxisGroup(*axes.values()).stop(wait=False), [])
            case "kill":
                mover.kill(
                    dice.choice([UserAbort, KeyboardInterrupt, gevent.GreenletExit, gevent.Timeout]), block=False
                )
            case "elsewhere":
                attempt(lambda: motion_line.request_stop(one.name, patience=0.05), [])
            case "read":
                attempt(lambda: (AxisGroup(*axes.values()).position, one.state, pseudo.position), [])
            case "set":
                attempt(lambda: setattr(one, "offset", dice.choice([-0.5, 0.0, 0.5])), [])
    mover.get(timeout=40)  # every waiter is answered


def calm_down(axes: dict[str, Axis]) -> None:
    """Nothing fails any more, and what could not be stopped is stopped by whoever has said so."""
    global trouble
    trouble = 0.0
    with gevent.Timeout(20, "an axis is left moving"):
        while any(axis.is_moving or axis._moves_here for axis in axes.values()):
            gevent.sleep(0.01)
    motion_line.flush()


def check(axes: dict[str, Axis], told: Told, ngreenlets: int) -> None:
    with gevent.Timeout(20, "greenlets are left"):
        while len(greenlets()) > ngreenlets:
            gevent.sleep(0.05)
    assert Veto.nbegun == Veto.nended, (Veto.nbegun, Veto.nended)
    for name, axis in axes.items():
        axis.sync_hard()
        assert axis.hw_state == ("OFF" if name == "power" else "READY"), (name, axis.hw_state)
        done = told.done[name]
        assert done[-1:] in ([], [True]), (name, done[-5:])
        assert all(one != other for one, other in zip(done, done[1:], strict=False)), (name, "motions overlap")
    motion_line.flush()
    for name, axis in axes.items():
        stored = HashSetting(name)
        assert abs(stored["position"] - axis.position) < 1e-6, (name, stored["position"], axis.position)
        if not axis.reals:
            assert abs(stored["target"] - axis.dial) < 1e-6 and stored.get("heading") is None, (name, dict(stored))
            assert stored["state"] == list(axis.hw_state.names), (name, stored["state"])
            with gevent.Timeout(5, f"{name} has told {told.position[name]}, and is at {axis.position}"):
                while abs(told.position[name] - axis.position) > 1e-6:  # news of others may come late, after an outage
                    gevent.sleep(0.1)
                    axis.sync_hard()
    for axis in axes.values():
        axis.move(0.0)
        assert abs(axis.position) < 1e-6


def greenlets() -> list[Any]:
    return [each for each in gc.get_objects() if isinstance(each, gevent.Greenlet) and each.started and not each.dead]


def main() -> None:
    global trouble
    is_over: list[int] = []
    signal.signal(signal.SIGTERM, lambda *_: is_over.append(1))
    session = load_session(sys.argv[1])
    assert session.setup(), session.error_report
    axes = {name: session.env_dict[name] for name in os.environ["AXES"].split()}
    for axis in axes.values():
        axis.state  # noqa: B018 - all are set up
    told = Told(list(axes.values()))
    gevent.sleep(0.1)
    nbefore = len(greenlets())
    dice.seed(sys.argv[1])
    trouble = 0.03
    print("ready", flush=True)
    while not is_over:
        work(axes)
        gevent.sleep(0)
    calm_down(axes)
    print("calm", flush=True)
    gevent.get_hub().threadpool.apply(sys.stdin.readline)
    check(axes, told, nbefore + 1)
    print(dict(seen), file=sys.stderr)
    print("fine", flush=True)
    gevent.get_hub().threadpool.apply(sys.stdin.readline)
    session.close()


if __name__ == "__main__":
    from tests.soak.troubled_session import main as main_of_the_module  # that of the motors, not a second one

    main_of_the_module()
