"""Runs when eh1 is set up."""

from bliss.setup_globals import *
from bliss.common.scans import loopscan

print("eh1")
