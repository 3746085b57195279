"""Devices that have counters, and are no controller of counters themselves."""

from __future__ import annotations

from typing import ClassVar

from bliss_like.config.any_keys import AnyObjectConfig
from bliss_like.config.models import ObjectConfig
from bliss_like.devices.counter_namespace import counter_namespace


class CounterContainer:
    """A device whose `counters` are those of controllers behind it; scans and measurement groups take it for them."""

    Config: ClassVar[type[ObjectConfig]] = AnyObjectConfig
    """Its keys in YAML; a class that does not declare them, as those written for BLISS, looks into any."""

    @property
    def counters(self) -> counter_namespace:
        raise NotImplementedError(f"{type(self).__name__} must overload the property counters")
