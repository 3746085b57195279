"""A macro as a user of BLISS has it: finds the beam, sets zero there, closes the slits around it, scans the energy."""
# ruff: noqa: F403, F405

from bliss.common.cleanup import axis as restore
from bliss.common.standard import *
from bliss.config.static import get_config
from bliss.setup_globals import *


def center_of_mass(scan, motor, counter):
    data = scan.get_data()
    x, y = data[motor.name], data[counter.name]
    return float((x * y).sum() / y.sum())


def center(motor, half_width, intervals, counter):
    """Scan over the beam, go to its center, and call that zero."""
    with error_cleanup(motor, restore_list=(restore.POS, restore.VEL)):
        motor.velocity = motor.velocity / 2
        scan = dscan(motor, -half_width, half_width, intervals, 0.001, counter)
        found = center_of_mass(scan, motor, counter)
        umv(motor, found)
        motor.position = 0
    motor.limits = -half_width, half_width
    return found


def close_slits(gap):
    umv(s1vg, gap, s1vo, 0)
    mvr(s1vo, 0.05)
    mv(s1vo, 0)
    if abs(s1vg.position - gap) > 1e-6:
        raise RuntimeError("the slits did not close")


def change_energy(new_energy):
    before = energy.position
    with cleanup(sz, restore_list=(restore.POS,), verbose=False):
        mvr(sz, 1)  # out of the beam, as long as the energy changes
        umv(energy, new_energy)
    return before


def align():
    print("beam at", round(center(sy, 2, 40, beam), 3))
    sy.sync_hard()
    try:
        mv(sy, 3)
    except ValueError as error:
        print("refused:", error)
    close_slits(0.2)
    change_energy(12)
    with rockit(sz, 0.2):
        ct(0.001, beam)
    for motor in (sy, sz):
        motor.wait_move()
        assert motor.state == "READY", motor.state
    sync(sy, sz)
    wm(sy, s1vg, energy)
    wa()
    return get_config().get("sy") is sy
