"""Runs when `test_session` is set up; what is defined here joins the names of the session."""

optics = [robx, roby, robz]


def home():
    """Move the optics to 0, one axis after the other."""
    for axis in optics:
        axis.move(0)
