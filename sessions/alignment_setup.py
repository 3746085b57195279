"""Runs when `alignment` is set up, after `optics` and `hutch1`."""

load_script("knife_edge")

screens = [bv1_z, bv2_z, bv3_z]
IN, OUT = 50, 0


def look_at(screen):
    """Take one screen into the beam and all others out of it."""
    for other in screens:
        if other is not screen:
            other.move(OUT)
    screen.move(IN)
