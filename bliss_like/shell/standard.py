"""`bliss.shell.standard`: verbs and scans."""

from bliss_like.common.standard import *  # noqa: F403
from bliss_like.common.standard import __all__ as __all__
