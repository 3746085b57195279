"""Runs when `demo_session` is set up: every name of the session is there already, and what is defined here joins it."""


def align(axis, start, stop, intervals=40, count_time=0.02):
    """Scan an axis through the beam and move it to where the counter `sim_ct_gauss` was highest; return that position."""
    scan = ascan(axis, start, stop, intervals, count_time, sim_ct_gauss)
    data = scan.get_data()
    best = data[axis][data[sim_ct_gauss].argmax()]
    axis.move(best)
    return best
