"""Filters of hutch 1: `load_script("filters")`."""

OUT, IN = 0, 12


def filters(*chosen):
    """Put the chosen filters into the beam and take all others out: `filters(eh1_al1, eh1_mo1)`, `filters()` for none."""
    every = [eh1_al1, eh1_al2, eh1_al3, eh1_mo1, eh1_mo2]
    for axis in every:
        axis.move(IN if axis in chosen else OUT)
