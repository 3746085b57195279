"""Runs when `epics_demo` is set up: three scans that show what stands in the beam, ready to be typed."""


def see_pinhole(**options):
    """A gaussian peak at 0 with a sigma of 5."""
    return ascan(pinhole, -10, 10, 20, 0.1, pinhole_det, ring_current, **options)


def see_edge(**options):
    """A step from dark to light at 5."""
    return ascan(edge, 0, 10, 20, 0.1, edge_det, ring_current, **options)


def see_slit(**options):
    """A plateau that ends at 7.5."""
    return ascan(slit, 0, 15, 20, 0.1, slit_det, ring_current, **options)
