"""Runs when `hutch2` is set up, after `optics`."""

load_script("knife_edge")


def tomogram(turn=180, projections=36, exposure=0.02):
    """Turn the sample and take an image at each angle; return the scan."""
    mg_tomography.set_active()
    return ascan(srot, 0, turn, projections, exposure)
