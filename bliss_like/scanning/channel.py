"""Channels: named streams of points that acquisition objects emit.

A channel checks and converts; where its points go is the business of the sink that the scan binds to it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence, Sized
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from bliss_like.data.events import NodeKind
from bliss_like.data.paths import check_name
from bliss_like.data.publisher import PointSink
from bliss_like.devices.naming import channel_name
from bliss_like.errors import ChannelValueError, ScanError

from .sinks import Draft, Nowhere, Repeater

Array = np.ndarray[Any, Any]
Listener = Callable[["AcquisitionChannel", Array], object]
"""Called with a channel and the block of points that it has just emitted, shape (npoints, *shape)."""

_AS_THEY_ARE: dict[np.dtype[Any], tuple[type, ...]] = {
    np.dtype(float): (float, np.float64),
    np.dtype(np.int64): (np.int64,),  # no int: it may be too large
    np.dtype(bool): (bool, np.bool_),
    np.dtype(str): (str, np.str_),
}
"""Types of scalars that a channel of that dtype takes without looking any closer."""


class AcquisitionChannel:
    """One named stream of points of fixed dtype.

    :param name: `<controller>:<counter>` or `axis:<axis>`; its last part, or the alias of that device, names the node.
    :param shape: of one point; `()` for a scalar, -1 for a dimension that may differ from point to point.
    :param reference: the points stand for something kept elsewhere (a file, a node).
    """

    def __init__(
        self,
        name: str,
        dtype: DTypeLike = float,
        shape: Sequence[int] = (),
        description: Mapping[str, Any] | None = None,
        reference: bool = False,
        unit: str | None = None,
        data_node_type: str = NodeKind.CHANNEL,
    ) -> None:
        self.original_name = name
        self.fullname = channel_name(name)
        self.dtype: np.dtype[Any] = _dtype(name, dtype)
        self.shape: tuple[int, ...] = tuple(shape)
        self.description = {"reference": reference, **(description or {})}
        self.reference = reference
        self.unit = unit
        self.kind = NodeKind(data_node_type)
        self.path = ""
        self.decimals: int | None = None
        """Of its numbers, for people."""
        self.is_derived = False
        """Whether its points are calculated from those of others while these are emitted."""
        check_name(self.short_name, "channel")
        self._listeners: list[Listener] = []
        self._sink: PointSink = Nowhere(self, "is not part of a running scan")
        self._append: Callable[[Any], None] = self._sink.append
        self._extend: Callable[[Array], None] = self._sink.extend
        self._repeater: Repeater | None = None
        self._draft: Draft | None = None

    def __setattr__(self, name: str, value: Any) -> None:
        """:raises ChannelValueError: it is the dtype or the shape, and points have been announced with another one."""
        if name in ("dtype", "shape"):
            value = _dtype(self.fullname, value) if name == "dtype" else tuple(int(n) for n in value)
            if not isinstance(sink := getattr(self, "_sink", None), Nowhere | None) and value != getattr(self, name):
                raise ChannelValueError(
                    f"channel {self.fullname!r}: its scan has been told that its {name} is {getattr(self, name)}, it cannot "
                    f"become {value} after {sink.length} points; -1 in a shape stands for a size that changes"
                )
        super().__setattr__(name, value)
        if name in ("dtype", "shape"):
            is_scalar = not getattr(self, "shape", ())
            self._fast_types = frozenset(_AS_THEY_ARE.get(self.dtype, ()) if is_scalar else ())

    @property
    def name(self) -> str:
        return self.fullname

    @property
    def short_name(self) -> str:
        return self.fullname.rpartition(":")[2]

    @property
    def stored_dtype(self) -> np.dtype[Any]:
        """Of what the store gets of a point."""
        return self.dtype

    @property
    def stored_shape(self) -> tuple[int, ...]:
        return self.shape

    @property
    def length(self) -> int:
        """Number of points emitted in the present scan."""
        return self._sink.length

    def emit(self, data: Any) -> None:
        """Publish points.

        :param data: one point, shape `self.shape`, or a block, shape (npoints, *self.shape); in `self.unit`.
        :raises ChannelValueError: the shape or the dtype does not fit the declaration.
        """
        if type(data) in self._fast_types:
            self._append(data)
            if self._listeners:
                self._tell(np.array([data], self.dtype))
        else:
            self._emit_checked(data)

    def emit_point(self, data: Any) -> None:
        """Publish one point of shape `self.shape`, where a block would be a mistake.

        :raises ChannelValueError: the shape or the dtype does not fit the declaration.
        """
        if type(data) in self._fast_types:
            self.emit(data)
        else:
            self._emit_checked(data, may_be_block=False)

    def checked(self, data: Any, may_be_block: bool = True) -> Array:
        """Return what `emit` would publish of `data`, or `emit_point` where it may be no block; nothing is published.

        :raises ChannelValueError: they would not.
        """
        values = self._convert(data)
        if values.ndim == len(self.shape) and self._fits(values.shape):
            return values
        if may_be_block and values.ndim == len(self.shape) + 1 and (not len(values) or self._fits(values.shape[1:])):
            return values
        block_too = f" or a block of shape (npoints, {', '.join(map(str, self.shape))})" if may_be_block else ""
        raise ChannelValueError(
            f"channel {self.fullname!r}: expected one point of shape {self.shape}{block_too}, "
            f"got {type(data).__name__} of shape {values.shape}"
        )

    def _emit_checked(self, data: Any, may_be_block: bool = True) -> None:
        values = self.checked(data, may_be_block)
        if values.ndim == len(self.shape):
            self._append(values[()] if values.ndim else values.item())
            block = values[np.newaxis]
        elif len(values):
            self._extend(values)
            block = values
        else:
            return
        if self._listeners:
            self._tell(block)

    def _fits(self, shape: tuple[int, ...]) -> bool:
        return shape == self.shape or all(n in (-1, m) for n, m in zip(self.shape, shape, strict=True))

    def _convert(self, data: Any) -> Array:
        """Return `data` as an array of our own dtype that nobody else changes.

        :raises ChannelValueError: the values cannot be represented.
        """
        if isinstance(data, np.ma.MaskedArray) and np.ma.is_masked(data):
            if self.dtype.kind not in "fc":
                raise ChannelValueError(f"channel {self.fullname!r}: expected values of {self.dtype}, got masked ones")
            data = np.ma.filled(data.astype(self.dtype), np.nan)
        try:
            values = np.asarray(data)
        except ValueError as error:
            raise ChannelValueError(f"channel {self.fullname!r}: not a regular array: {error}") from None
        if values.dtype != self.dtype:
            values = self._cast(values)
        # Whoever reads a device into one buffer again and again must not change what was emitted.
        if values.flags.writeable and isinstance(data, np.ndarray) and np.may_share_memory(values, data):
            values = values.copy()
        return np.ascontiguousarray(values) if values.ndim else values

    def _cast(self, values: Array) -> Array:
        is_text, to_text = values.dtype.kind in "US", self.dtype.kind in "US"
        if is_text and to_text:
            return values.astype(self.dtype.kind)
        if self.dtype.kind in "iu" and values.dtype.kind in "iu":
            cast = values.astype(self.dtype)
            if (cast == values).all():
                return cast
        elif values.size == 0 or (not to_text and np.can_cast(values.dtype, self.dtype, "same_kind")):
            return values.astype(self.dtype)
        raise ChannelValueError(
            f"channel {self.fullname!r}: expected values of dtype {self.dtype}, got {values.dtype}"
            f" ({np.array2string(values.ravel()[:3], separator=', ')}{' ...' if values.size > 3 else ''})"
        )

    def _tell(self, block: Array) -> None:
        if self._draft is not None:
            return
        for listener in self._listeners:
            listener(self, block)

    # -- wiring ----------------------------------------------------------------------------------------------------

    def connect(self, listener: Listener) -> None:
        """Call `listener` with every block that is emitted; what it raises, `emit` raises."""
        self._listeners.append(listener)

    def disconnect(self, listener: Listener) -> None:
        self._listeners.remove(listener)

    def bind(self, path: str, sink: PointSink) -> None:
        """Send what is emitted from now on to `sink`; `path` is the db_name of the node."""
        self.path = path
        self._sink = sink
        if self._repeater is None and self._draft is None:
            self._append, self._extend = sink.append, sink.extend

    def release(self) -> None:
        """Take no more points: the scan is over."""
        length = self.length
        self._sink = Nowhere(self, f"got points after the end of its scan, {self.path}")
        self._sink.length = length
        self._append, self._extend = self._sink.append, self._sink.extend
        self._draft = None

    # -- points that may be taken again

    def hold(self) -> None:
        """Keep back what is emitted from now on: `keep` publishes it, `drop` forgets it.

        :raises ScanError: this channel follows another.
        """
        if self._repeater is not None:
            raise ScanError(f"channel {self.fullname!r} follows another channel, its points cannot be taken again")
        self._draft = Draft(self.dtype)
        self._append, self._extend = self._draft.append, self._draft.extend

    @property
    def held(self) -> list[Any]:
        """The points that are kept back."""
        return [point for block in self._draft.blocks for point in block] if self._draft is not None else []

    def keep(self) -> None:
        """Publish the points that were kept back."""
        if self._draft is None:
            return
        blocks, self._draft.blocks = self._draft.blocks, []
        for block in blocks:
            self._sink.extend(block)
            for listener in self._listeners:
                listener(self, block)

    def drop(self) -> None:
        """Forget the points that were kept back."""
        if self._draft is not None:
            self._draft.blocks.clear()

    def duplicate(
        self, name: str | None = None, conversion: Callable[[Array], Any] | None = None, dtype: DTypeLike | None = None
    ) -> AcquisitionChannel:
        """Return a new channel that emits what this one does, converted.

        :param conversion: gets a block, shape (npoints, *shape), and returns one.
        """
        copy = AcquisitionChannel(
            name or self.fullname, self.dtype if dtype is None else dtype, self.shape, unit=self.unit
        )
        copy.is_derived = True
        self.connect(lambda channel, block: copy.emit(conversion(block) if conversion else block))
        return copy

    def repeat_with(self, leader: AcquisitionChannel) -> None:
        """Hold back what is emitted here, and emit its last value once for every point of `leader`.

        :raises ScanError: this channel follows another already.
        """
        if self._repeater is not None:
            raise ScanError(
                f"channel {self.fullname!r} follows another channel already, it cannot follow {leader!r} too"
            )
        self._repeater = Repeater(self)
        self._append, self._extend = self._repeater.append, self._repeater.extend
        leader.connect(self._repeater.repeat)

    def get_description(self) -> dict[str, Any]:
        """Return what the channel's node says of it, in JSON types."""
        return {
            "fullname": self.fullname,
            "dtype": self.dtype.str,
            "shape": list(self.shape),
            "unit": self.unit,
            **self.description,
        }

    def __repr__(self) -> str:
        return f"<AcquisitionChannel {self.fullname} {self.dtype} {self.shape}>"


def _dtype(name: str, dtype: DTypeLike) -> np.dtype[Any]:
    try:
        known = np.dtype(dtype)
    except TypeError as error:
        raise ChannelValueError(f"channel {name!r}: {dtype!r} is no dtype: {error}") from None
    if known.kind not in "biufcUS" or known.char in "gG":
        raise ChannelValueError(f"channel {name!r}: expected numbers of 64 bits at most or strings, got dtype {known}")
    return known.newbyteorder("<")


class AcquisitionChannelList(list[AcquisitionChannel]):
    """The channels of one acquisition object, with ways to emit on all of them."""

    def update(self, values: Mapping[str, Any]) -> None:
        """Emit by the name, full or short, of a channel.

        :raises KeyError: there is no such channel.
        """
        by_name = {channel.short_name: channel for channel in self} | {channel.fullname: channel for channel in self}
        if not values.keys() <= by_name.keys():
            by_name = self.by_name()
        for name in values:
            if name not in by_name:
                raise KeyError(f"no channel {name!r}; there are: {', '.join(channel.name for channel in self)}")
        for name, data in values.items():
            by_name[name].emit(data)

    def by_name(self) -> dict[str, AcquisitionChannel]:
        """Return the channels by full and short name, and by those that an alias replaced: a device knows no alias."""
        found: dict[str, AcquisitionChannel] = {}
        for name in ("fullname", "short_name", "original_name"):
            for channel in self:
                found.setdefault(getattr(channel, name), channel)
        for channel in self:
            found.setdefault(channel.original_name.rpartition(":")[2], channel)
        return found

    def update_from_iterable(self, values: Iterable[Any]) -> None:
        """Emit one item on each channel, in their order.

        :raises ChannelValueError: there are not as many values as channels.
        """
        row = values if isinstance(values, Sized) else list(values)
        if len(row) != len(self):
            raise ChannelValueError(f"expected {len(self)} values, one for each of {list(self)}, got {len(row)}")
        for channel, data in zip(self, row, strict=True):
            channel.emit(data)

    def update_from_array(self, values: Array) -> None:
        """Emit the columns of an array of shape (npoints, number of channels)."""
        self.update_from_iterable(np.asarray(values).swapaxes(0, 1))
