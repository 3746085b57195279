"""`bliss.common.encoder`: encoders."""

from bliss_like.devices.encoder import Encoder

__all__ = ["Encoder"]
