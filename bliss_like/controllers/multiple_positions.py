"""Places by name: each label stands for positions of one or several axes."""

from __future__ import annotations

from functools import partial
from typing import Any, Self

from pydantic import Field, model_validator

from bliss_like.config.models import ObjectConfig, StrictModel
from bliss_like.config.suggestion import did_you_mean
from bliss_like.devices.axis_config import AxisReference
from bliss_like.devices.axis_group import AxisGroup
from bliss_like.devices.metadata import HasMetadataForScan
from bliss_like.errors import DeviceError

UNKNOWN = "unknown"


class MultiplePositions(HasMetadataForScan):
    """`foils.move("Cu_20")`, `foils.Cu_20()`, `foils.position`."""

    class Target(StrictModel):
        axis: AxisReference
        destination: float = Field(description="user units of the axis")
        tolerance: float = Field(default=0.01, gt=0, description="user units of the axis")

    class Position(StrictModel):
        label: str
        description: str = ""
        target: list[MultiplePositions.Target] = Field(min_length=1)

    class Config(ObjectConfig):
        positions: list[MultiplePositions.Position] = Field(min_length=1)
        move_in_parallel: bool = Field(default=True, description="all axes together; else one after another, as listed")

        @model_validator(mode="after")
        def _check(self) -> Self:
            labels = [position.label for position in self.positions]
            twice = sorted({label for label in labels if labels.count(label) > 1})
            if twice:
                raise ValueError(f"positions: label {', '.join(twice)} comes twice")
            if UNKNOWN in labels:
                raise ValueError(f"positions: {UNKNOWN!r} is what is said between the positions, it can be no label")
            return self

    def __init__(self, name: str, config: Config) -> None:
        self.name = name
        self._config = config
        self._positions = {position.label: position for position in config.positions}
        self._group = AxisGroup(*dict.fromkeys(target.axis for p in config.positions for target in p.target))

    @property
    def positions_list(self) -> list[str]:
        """The labels."""
        return list(self._positions)

    @property
    def motors(self) -> dict[str, Any]:
        return dict(self._group.axes)

    @property
    def position(self) -> str:
        """The label of where the axes are; `unknown` in between and in motion."""
        if self._group.is_moving:
            return UNKNOWN
        where = {axis: axis.position for axis in self._group.axes.values()}
        for label, position in self._positions.items():
            if all(abs(where[target.axis] - target.destination) <= target.tolerance for target in position.target):
                return label
        return UNKNOWN

    def scan_metadata(self) -> dict[str, Any]:
        """Return what every scan of the session is told."""
        return {"position": self.position}

    @property
    def state(self) -> str:
        """READY or MOVING, or what keeps an axis from being READY."""
        state = self._group.state
        return next((name for name in ("MOVING", "READY") if name in state), str(state))

    def move(self, label: str, wait: bool = True) -> None:
        """Go there; errors as for `Axis.move`.

        :raises DeviceError: there is no such label.
        """
        if label not in list(self._positions):
            hint = did_you_mean(label, self._positions)
            raise DeviceError(f"{self.name} has no position {label!r}{hint}; there are: {', '.join(self._positions)}")
        targets = {target.axis: target.destination for target in self._positions[label].target}
        if self._config.move_in_parallel or len(targets) == 1:
            self._group.move(targets, wait=wait)
            return
        if not wait:
            raise DeviceError(f"{self.name} moves its axes one after another (move_in_parallel: false): it has to wait")
        for axis, destination in targets.items():
            axis.move(destination)

    def stop(self) -> None:
        self._group.stop()

    def wait(self) -> None:
        """Return when the axes stand still."""
        self._group.wait_move()

    def __getattr__(self, label: str) -> Any:
        if label in self.__dict__.get("_positions", {}):
            return partial(self.move, label)
        raise AttributeError(f"{type(self).__name__} {self.__dict__.get('name', '')} has no {label!r}")

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *(label for label in self._positions if label.isidentifier())]

    def __info__(self) -> str:
        now = self.position
        lines = [f"{self.name}: {now}"]
        for label, position in self._positions.items():
            where = ", ".join(f"{target.axis.name} {target.destination:g}" for target in position.target)
            lines.append(f"  {'*' if label == now else ' '} {label}: {where}  {position.description}".rstrip())
        return "\n".join(lines)
