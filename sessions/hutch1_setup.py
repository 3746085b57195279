"""Runs when `hutch1` is set up, after `optics`: `rocking_curve` is there, and so are the aliases."""

load_script("filters")


def rock(width=0.12, intervals=40, count_time=0.02):
    """Rock the sample through its reflection, in degrees, leave it at the centre of mass and return that position."""
    scan = dscan(eta, -width / 2, width / 2, intervals, count_time, apd, i0)
    data = scan.get_data()
    counts = data[apd]
    center = (data[eta] * counts).sum() / counts.sum()
    eta.move(center)
    return center
