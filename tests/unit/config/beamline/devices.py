"""An object with typed keys, one that refers to others, a container of items, and one that cannot be made."""

from __future__ import annotations

from typing import Any, Literal, Self

import gevent
from gevent.event import Event
from pydantic import Field, PositiveFloat, field_validator, model_validator

from bliss_like.config.config import get_config
from bliss_like.config.models import ItemConfig, LazyReference, ObjectConfig, Reference, StrictModel

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

    def __close__(self) -> None:
        closed.append(self.name)


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


gates: dict[str, Event] = {}
"""What the constructor of a `Gated` object waits for, by its name."""

started: list[str] = []
"""Names of the `Gated` objects whose constructor has begun."""


class Gated(Lamp):
    """Takes as long to be made as the test likes."""

    class Config(Lamp.Config):
        lamp: Reference | None = None
        asks: str = ""
        fails: bool = False

    def __init__(self, name: str, config: Config) -> None:
        started.append(name)
        if name in gates:
            gates[name].wait(60)
        if config.fails:
            raise ConnectionError("no answer")
        if config.asks:
            get_config().get(config.asks)
        super().__init__(name, config)


class Spawning:
    """Asks for others in greenlets of its own while it is being made."""

    class Config(ObjectConfig):
        asks: list[str] = Field(default_factory=list)

    def __init__(self, name: str, config: Config) -> None:
        self.name = name
        greenlets = [gevent.spawn(get_config().get, other) for other in config.asks]
        gevent.joinall(greenlets, raise_error=True)


class Watching:
    """Asks for another one in a greenlet that goes on when it has been made."""

    class Config(ObjectConfig):
        asks: str

    def __init__(self, name: str, config: Config) -> None:
        self.name = name
        self.go = Event()
        self.watch = gevent.spawn(self._watch, config.asks)

    def _watch(self, other: str) -> object:
        self.go.wait()
        return get_config().get(other)


class AskingBox(Box):
    """Asks the configuration for its own items."""

    def __init__(self, name: str, config: Box.Config) -> None:
        super().__init__(name, config)
        for item in config.axes:
            get_config().get(item.name)


class Partner:
    """Knows another one that may know it."""

    class Config(ObjectConfig):
        partner: LazyReference

    def __init__(self, name: str, config: Config) -> None:
        self.name = name
        self.partner = config.partner


class TakesTooLittle:
    """Its constructor takes no configuration."""

    Config = ObjectConfig

    def __init__(self, name: str) -> None:
        self.name = name
