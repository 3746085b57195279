"""Where the points of a channel go instead of to the publisher: nowhere, aside, or again with every point of another."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from bliss_like.errors import ChannelValueError, ScanError

if TYPE_CHECKING:
    from .channel import AcquisitionChannel, Array


class Nowhere:
    """The sink of a channel whose scan is not running."""

    def __init__(self, channel: AcquisitionChannel, why: str) -> None:
        self.length = 0
        self._message = f"channel {channel.fullname!r} {why}"

    def append(self, point: Any) -> None:
        raise ScanError(self._message)

    def extend(self, block: Array) -> None:
        raise ScanError(self._message)


class Draft:
    """Points that are kept back."""

    def __init__(self, dtype: np.dtype[Any]) -> None:
        self.blocks: list[Array] = []
        self._dtype = dtype

    def append(self, point: Any) -> None:
        self.blocks.append(np.array([point], self._dtype))

    def extend(self, block: Array) -> None:
        self.blocks.append(block)


class Repeater:
    """Keeps the last value of a channel and emits it as often as another channel emits."""

    def __init__(self, channel: AcquisitionChannel) -> None:
        self.length = 0
        self._channel = channel
        self._value: Any = None

    def append(self, point: Any) -> None:
        self._value = point

    def extend(self, block: Array) -> None:
        if len(block) != 1:
            raise ChannelValueError(
                f"channel {self._channel.fullname!r} is repeated with another one: expected one point at a time, "
                f"got {len(block)}"
            )
        self._value = block[0]

    def repeat(self, leader: AcquisitionChannel, block: Array) -> None:
        if self._value is None:
            raise ChannelValueError(
                f"channel {self._channel.fullname!r} has emitted nothing yet, so it cannot follow {leader.fullname!r}"
            )
        sink = self._channel._sink
        sink.extend(np.array([self._value] * len(block), self._channel.dtype))
