"""Devices that take their time to be made or to connect."""

from __future__ import annotations

from typing import Any

import gevent
from gevent.event import Event

from bliss_like.config.models import ObjectConfig, Reference
from bliss_like.devices.signal import connect_together, open_signal
from bliss_like.errors import NotConnectedError

closed: list[str] = []


class Meeting:
    """A place where everybody waits until `count` are there."""

    def __init__(self) -> None:
        self.count = 0
        self.here: set[str] = set()
        self.all_here = Event()

    def expect(self, count: int) -> None:
        self.count, self.here, self.all_here = count, set(), Event()

    def wait(self, name: str) -> None:
        self.here.add(name)
        if len(self.here) == self.count:
            self.all_here.set()
        if not self.all_here.wait(30):
            raise TimeoutError(f"only {', '.join(sorted(self.here))} came")


making, connecting = Meeting(), Meeting()


class Sociable:
    """Is made when all others are being made too; `fails` then."""

    class Config(ObjectConfig):
        fails: bool = False

    def __init__(self, name: str, config: Config) -> None:
        self.name = name
        making.wait(name)
        if config.fails:
            raise ConnectionError("no answer")

    def __connect__(self, timeout: float) -> None:
        connecting.wait(self.name)
        if self.name == "lonely":
            raise NotConnectedError(f"no answer from host lonely within {timeout:g} s")

    def __close__(self) -> None:
        closed.append(self.name)


class Signals:
    """Connects to addresses."""

    class Config(ObjectConfig):
        addresses: list[str]

    def __init__(self, name: str, config: Config) -> None:
        self._signals = [open_signal(address) for address in config.addresses]

    def __connect__(self, timeout: float) -> None:
        connect_together(self._signals, timeout)


class Careless:
    """Does not look at the time while it connects."""

    class Config(ObjectConfig):
        pass

    def __init__(self, name: str, config: Any) -> None:
        pass

    def __connect__(self, timeout: float) -> None:
        gevent.sleep(3600)


class Named:
    """Notes when it is closed; may need another object."""

    class Config(ObjectConfig):
        needs: Reference | None = None
        colour: str = ""

    def __init__(self, name: str, config: Config) -> None:
        self.name = name
        self.needs = config.needs

    def __close__(self) -> None:
        closed.append(self.name)
