"""Runs when `optics` is set up, and in the sessions that include it before their own setup files."""


def rocking_curve(width=120, intervals=60, count_time=0.02):
    """Scan the second crystal, in urad, leave it where the diode behind it was brightest and return that position."""
    scan = dscan(mono_pitch, -width / 2, width / 2, intervals, count_time, pd1)
    data = scan.get_data()
    best = data[mono_pitch][data[pd1].argmax()]
    mono_pitch.move(best)
    return best
