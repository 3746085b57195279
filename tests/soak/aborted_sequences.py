"""Run sequences in a patched process and abort them, or scans of them, at random moments; fails if anything is left over."""

from gevent.monkey import patch_all

patch_all(thread=False, queue=False)

import gc  # noqa: E402
import random  # noqa: E402
import sys  # noqa: E402
from typing import Any  # noqa: E402

import gevent  # noqa: E402
import greenlet  # noqa: E402

from bliss_like.data import paths  # noqa: E402
from bliss_like.data.events import EndScan  # noqa: E402
from bliss_like.data.lifecycle import ScanState  # noqa: E402
from bliss_like.data.structure import ScanStructure  # noqa: E402
from bliss_like.errors import ScanError, ScanSequenceError, UserAbort  # noqa: E402
from bliss_like.scanning.acquisition import AcquisitionSlave  # noqa: E402
from bliss_like.scanning.channel import AcquisitionChannel  # noqa: E402
from bliss_like.scanning.environment import environment  # noqa: E402
from bliss_like.scanning.group import Sequence  # noqa: E402
from bliss_like.scanning.scan import Scan  # noqa: E402
from bliss_like.session import load_session  # noqa: E402

AXES = ("robx", "roby", "robz")
ABORTS = (UserAbort, KeyboardInterrupt, gevent.GreenletExit)


class Detector(AcquisitionSlave):
    """Notes whether it was set up and not yet brought to rest; every verb takes its time."""

    def __init__(self, name: str, dice: random.Random) -> None:
        super().__init__(name=name, npoints=0)
        self.is_armed = self.was_armed = False
        self.nstops = 0
        self._dice = dice
        self.channels.append(AcquisitionChannel(f"{name}:value", float, ()))

    def _wait(self) -> None:
        gevent.sleep(self._dice.choice([0, 0, 0.0003, 0.002]))

    def prepare(self) -> None:
        self.is_armed = self.was_armed = True
        self._wait()

    def start(self) -> None:
        self._wait()

    def trigger(self) -> None:
        self._wait()
        self.channels[0].emit(float(self.channels[0].length))

    def stop(self) -> None:
        self.nstops += 1
        self._wait()
        self.is_armed = False


def make_scan(names: dict[str, Any], axis: str, dice: random.Random) -> tuple[Scan, Detector]:
    diode = names["diode"]
    scan: Scan
    if dice.random() < 0.5:
        scan = names["loopscan"](6, 0.001, diode, run=False)
    else:
        scan = names["ascan"](names[axis], 0, 0.05, 4, 0.001, diode, run=False)
    detector = Detector("detector", dice)
    scan.acq_chain.add(scan.acq_chain.nodes_list[-1].parent or scan.acq_chain.top_masters[0], detector)
    return scan, detector


def quietly(call: Any) -> BaseException | None:
    try:
        call()
    except BaseException as error:
        return error
    return None


def round_of(names: dict[str, Any], dice: random.Random) -> str:
    """Run one sequence, interrupted or not; return the state in which it ended."""
    before = len(environment.scans)
    sequence = Sequence(title="soak")
    made: list[tuple[Scan, Detector]] = []
    tasks: list[gevent.Greenlet[..., Any]] = []

    def macro() -> None:
        with sequence.sequence_context() as scan_seq:
            for axis in dice.sample(AXES, dice.randint(1, 3)):
                made.append(make_scan(names, axis, dice))
                scan = made[-1][0]
                if dice.random() < 0.5:
                    scan_seq.add_and_run(scan)
                else:
                    scan_seq.add(scan)
                    tasks.append(gevent.spawn(quietly, scan.run))
                    scan.wait_state(ScanState.PREPARING)
                    if dice.random() < 0.2:
                        gevent.spawn_later(dice.uniform(0, 0.02), scan.abort, False)
            scan_seq.wait_all_subscans()

    task = gevent.spawn(quietly, macro)
    gevent.sleep(dice.choice([dice.uniform(0, 0.01), dice.uniform(0, 0.1)]))
    thrown = None
    if dice.random() < 0.8 and not task.ready():
        thrown = dice.choice(ABORTS)
        task.kill(thrown, block=False)
        if dice.random() < 0.3:  # the user insists
            gevent.sleep(dice.uniform(0, 0.01))
            task.kill(thrown, block=False)
    task.join(20)
    gevent.joinall(tasks, timeout=20)
    assert task.ready() and all(each.ready() for each in tasks), f"hangs after {thrown}: {sequence} {made}"
    check(sequence, made, task.value)
    assert len(environment.scans) >= min(before, 1)
    return sequence.state.name


def check(sequence: Sequence, made: list[tuple[Scan, Detector]], error: BaseException | None) -> None:
    if error is not None and not isinstance(error, (*ABORTS, ScanError, ScanSequenceError)):
        raise error
    ended = [scan for scan, _ in made if scan.state is not ScanState.IDLE]
    for scan, detector in made:
        assert not detector.is_armed, f"{scan}: its detector was left armed"
        assert detector.nstops >= detector.was_armed
    for axis in AXES:
        assert not session.env_dict[axis].is_moving, f"{axis} moves on"
    store = environment.require_tree().store
    for scan in [*ended, *([sequence.scan] if sequence.state is not ScanState.IDLE else [])]:
        assert scan.state.is_final, f"{scan} is {scan.state.name}"
        expected = scan.final_state(scan.error)
        too_late = scan.state is ScanState.DONE and isinstance(scan.error, ABORTS)  # while the end was being stored
        assert scan.state is expected or too_late or scan is sequence.scan, f"{scan}: {scan.state} after {scan.error!r}"
        if not scan.path or not store.exist([paths.scan(scan.path)])[0]:
            continue
        end = ScanStructure(store, scan.path).refresh().end
        assert isinstance(end, EndScan), f"{scan}: its end is missing"
        assert end.state == scan.state.name, f"{scan}: {end.state} published, is {scan.state.name}"
        for path, length in end.lengths.items():
            last = store.last_ids([paths.data(path, scan.path)])[0]
            assert (sum(last) if last else 0) == length, f"{path}: {last}, expected {length}"


def greenlets() -> int:
    gc.collect()
    gevent.sleep(0.2)
    gc.collect()
    return sum(isinstance(each, greenlet.greenlet) and bool(each) for each in gc.get_objects())


if __name__ == "__main__":
    session = load_session("test_session")
    assert session.setup(), session.error_report
    dice = random.Random(int(sys.argv[1]))
    states = [round_of(session.env_dict, dice) for _ in range(5)]
    before = greenlets()
    states += [round_of(session.env_dict, dice) for _ in range(int(sys.argv[2]))]
    after = greenlets()
    assert after <= before + 2, f"{before} greenlets became {after}"
    assert {"DONE", "USER_ABORTED"} <= set(states), states
    session.close()
