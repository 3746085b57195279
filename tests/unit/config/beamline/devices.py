"""An object with typed keys, one that refers to others, a container of items, and one that cannot be made."""

from __future__ import annotations

from typing import Any, Literal, Self

import gevent
from pydantic import Field, PositiveFloat, field_validator, model_validator

from bliss_like.config.config import get_config
from bliss_like.config.models import ItemConfig, ObjectConfig, Reference, StrictModel

closed: list[str] = []
"""Names of what was closed, in that order."""

made: list[str] = []
"""Names of what was made, in that order."""


class Region(StrictModel):
    left: int = Field(ge=0)
    width: int = Field(gt=0)


class Lamp:
    class Config(ObjectConfig):
        velocity: PositiveFloat = 1.0
        colour: Literal["red", "green"] = "red"
        host: str = ""
        count: int = 1
        on: bool = False
        regions: list[Region] = Field(default_factory=list)
        settings: dict[str, Any] = Field(default_factory=dict)
        labels: str | list[str] = ""

        @field_validator("host")
        @classmethod
        def _no_space(cls, host: str) -> str:
            if " " in host:
                raise ValueError("a host has no spaces")
            return host

    def __init__(self, name: str, config: Config) -> None:
        made.append(name)
        self.name = name
        self.config = config
        self.velocity = config.velocity

    def __close__(self) -> None:
        closed.append(self.name)


class Mirror:
    class Config(ObjectConfig):
        lamp: Reference
        others: list[Reference] = Field(default_factory=list)
        by_side: dict[str, Reference] = Field(default_factory=dict)
        spare: Reference | None = None
        speed: float = 0.0

    def __init__(self, name: str, config: Config) -> None:
        made.append(name)
        self.name = name
        self.lamp = config.lamp
        self.others = config.others
        self.by_side = config.by_side
        self.spare = config.spare
        self.speed = config.speed


class BoxAxisConfig(ItemConfig):
    velocity: float = 1.0
    steps_per_unit: float
    encoder: Reference | None = None

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.steps_per_unit == 0:
            raise ValueError("steps_per_unit must not be 0")
        return self


class BoxAxis:
    def __init__(self, name: str, box: Box, config: BoxAxisConfig) -> None:
        self.name = name
        self.box = box
        self.config = config


class Box:
    class Config(ObjectConfig):
        host: str = "localhost"
        axes: list[BoxAxisConfig] = Field(default_factory=list)
        channels: list[dict[str, Any]] = Field(default_factory=list)

    def __init__(self, name: str, config: Config) -> None:
        made.append(name)
        self.name = name
        self.config = config
        self.axes = {item.name: BoxAxis(item.name, self, item) for item in config.axes}

    def get_item(self, name: str) -> BoxAxis:
        return self.axes[name]

    def __close__(self) -> None:
        closed.append(self.name)


class Broken:
    class Config(ObjectConfig):
        pass

    def __init__(self, name: str, config: Config) -> None:
        raise ConnectionError("no answer from 10.0.0.1")


class Silent:
    class Config(ObjectConfig):
        pass

    def __init__(self, name: str, config: Config) -> None:
        raise gevent.Timeout(3)


class BadlyClosing(Lamp):
    def __close__(self) -> None:
        super().__close__()
        raise RuntimeError("the lamp is stuck")


class Asking:
    """Asks the configuration for another object while it is being made."""

    class Config(ObjectConfig):
        for_: str = Field(alias="for")

    def __init__(self, name: str, config: Config) -> None:
        self.got = get_config().get(config.for_)


class Undeclared:
    """Has no `Config`."""
