"""How small is the focus? `load_script("knife_edge")`, in hutch 2 and in the alignment."""


def focus_size(axis, counter, width=20, intervals=40, count_time=0.02):
    """Scan a knife through the focus; return its full width at half maximum, in the unit of the axis."""
    scan = dscan(axis, -width / 2, width / 2, intervals, count_time, counter)
    counts = scan.get_data(counter)
    counts = counts - counts.min()
    bright = (counts >= counts.max() / 2).sum()
    return float(bright * width / intervals)
