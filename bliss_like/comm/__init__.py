"""Where BLISS has the lines to its devices: `from bliss.comm.util import get_comm` becomes `from bliss_like.comm.util import get_comm`."""
