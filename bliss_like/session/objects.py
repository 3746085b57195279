"""The objects that a session has made of its configuration."""

from __future__ import annotations

from collections.abc import Container, Iterable
from typing import Any

from bliss_like.scanning.acquisition import is_axis

from .making import Made
from .measurement_group import MeasurementGroup


class Objects(dict[str, Any]):
    """Objects by their names, in the order of the configuration."""

    @classmethod
    def of(cls, outcomes: Iterable[Made]) -> Objects:
        """Return those that could be made."""
        return cls({made.name: made.value for made in outcomes if made.error is None})

    def only(self, names: Container[str]) -> Objects:
        return Objects({name: made for name, made in self.items() if name in names})

    def without(self, names: Container[str]) -> list[str]:
        """Return its other names."""
        return [name for name in self if name not in names]

    @property
    def axes(self) -> list[Any]:
        return [made for made in self.values() if is_axis(made)]

    @property
    def measurement_groups(self) -> list[MeasurementGroup]:
        return [made for made in self.values() if isinstance(made, MeasurementGroup)]

    def first_measurement_group(self, preferred: Iterable[str]) -> MeasurementGroup | None:
        """Return the first group among the preferred names, else the first of all."""
        names = [*preferred, *self]
        return next((self[name] for name in names if isinstance(self.get(name), MeasurementGroup)), None)

    @property
    def metadata_sources(self) -> list[Any]:
        """The objects, and the controllers behind them, each once."""
        behind = [getattr(made, "controller", None) for made in self.values()]
        return list({id(device): device for device in [*self.values(), *behind] if device is not None}.values())
