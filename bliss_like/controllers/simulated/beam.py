"""What stands in the way of a simulated beam."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Annotated, Any

from pydantic import AfterValidator

from bliss_like.config.models import Reference, expect
from bliss_like.config.references import WrongReference
from bliss_like.devices.shutter import BaseShutter


def _in_the_way(value: Any) -> Any:
    what = "a shutter or a set of filters"
    try:
        return expect(value, what, "is_open")
    except WrongReference:
        return expect(value, what, "transmission")


InBeam = Annotated[Reference, AfterValidator(_in_the_way)]
"""A key that leads to a shutter, or to anything else that has a transmission."""


def transmission(devices: Iterable[Any]) -> float:
    """Return what shutters and filters in the beam let through together, from 0 to 1."""
    return math.prod(
        float(device.is_open if isinstance(device, BaseShutter) else device.transmission) for device in devices
    )
