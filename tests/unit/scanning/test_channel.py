"""What channels take, what they refuse, and how they are wired."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from bliss_like.data.events import NodeKind
from bliss_like.errors import ChannelValueError, ScanError
from bliss_like.scanning.channel import AcquisitionChannel, AcquisitionChannelList


class ListSink:
    """A sink that keeps points in a list."""

    def __init__(self) -> None:
        self.points: list[Any] = []

    @property
    def length(self) -> int:
        return len(self.points)

    def append(self, point: Any) -> None:
        self.points.append(point)

    def extend(self, block: np.ndarray) -> None:
        self.points.extend(block)


def bound(channel: AcquisitionChannel) -> ListSink:
    sink = ListSink()
    channel.bind("eh1:1_scan:timer:c", sink)
    return sink


@pytest.mark.parametrize(
    ("dtype", "shape", "data", "points"),
    [
        (float, (), 1.5, [1.5]),
        (float, (), 3, [3.0]),
        (float, (), np.float32(0.5), [0.5]),
        (float, (), [1, 2], [1.0, 2.0]),
        (float, (), np.arange(3), [0.0, 1.0, 2.0]),
        (float, (), [], []),
        (int, (), 7, [7]),
        (int, (), True, [1]),
        (np.uint8, (), 255, [255]),
        (bool, (), True, [True]),
        (str, (), "eh1:tmp", ["eh1:tmp"]),
        (str, (), ["a", "bcd"], ["a", "bcd"]),
        (np.float32, (2,), [1, 2], [[1, 2]]),
        (np.float32, (2,), [[1, 2], [3, 4]], [[1, 2], [3, 4]]),
        (int, (2, 2), np.eye(2, dtype=int), [[[1, 0], [0, 1]]]),
        (float, (-1,), [1, 2, 3], [[1, 2, 3]]),
        (float, (-1,), [[1, 2], [3, 4]], [[1, 2], [3, 4]]),
        (float, (-1, 2), [[1, 2]], [[[1, 2]]]),
    ],
)
def test_points_and_blocks(dtype: Any, shape: tuple[int, ...], data: Any, points: list[Any]) -> None:
    channel = AcquisitionChannel("ctl:c", dtype, shape)
    sink = bound(channel)
    channel.emit(data)
    assert [np.asarray(point).tolist() for point in sink.points] == points
    assert channel.length == len(points)


@pytest.mark.parametrize(
    ("dtype", "shape", "data", "said"),
    [
        (float, (), [[1.0]], r"shape \(\).*\(1, 1\)"),
        (float, (), "text", "float64.*<U4"),
        (float, (), 1j, "float64.*complex128"),
        (int, (), 1.5, "int64.*float64"),
        (np.uint8, (), 300, r"uint8.*int64 \(\[300\]\)"),
        (np.uint8, (), -1, "uint8"),
        (str, (), 1, "<U0.*int64"),
        (float, (3,), [1, 2], r"\(3,\).*\(npoints, 3\).*shape \(2,\)"),
        (float, (-1,), 1.0, r"shape \(\)"),
        (float, (-1, 2), [[[1, 2, 3]]], r"\(1, 1, 3\)"),
        (float, (-1,), [[1], [1, 2]], "not a regular array"),
        (np.int32, (), 2**31, "expected values of dtype int32"),
        (np.uint8, (2,), np.array([1, 256]), "expected values of dtype uint8"),
        (np.uint64, (), -1, "expected values of dtype uint64"),
        (np.int64, (), np.uint64(2**63), "expected values of dtype int64"),
        (np.int64, (), np.ma.masked_array([1, 2], [False, True]), "expected values of int64, got masked ones"),
    ],
)
def test_values_that_do_not_fit_are_refused(dtype: Any, shape: tuple[int, ...], data: Any, said: str) -> None:
    channel = AcquisitionChannel("ctl:c", dtype, shape)
    sink = bound(channel)
    with pytest.raises(ChannelValueError, match=said) as raised:
        channel.emit(data)
    assert "ctl:c" in str(raised.value)
    assert sink.points == []


def test_a_buffer_that_is_used_again_does_not_change_what_was_emitted() -> None:
    channel = AcquisitionChannel("cam:image", int, (2, 2))
    sink = bound(channel)
    buffer = np.zeros((2, 2), int)
    channel.emit(buffer)
    channel.emit(buffer[np.newaxis])
    buffer[:] = 7
    assert not np.any(sink.points)


def test_names_and_description() -> None:
    channel = AcquisitionChannel("cam:roi1:sum", np.dtype(">i4"), (), unit="ph", reference=True)
    assert (channel.name, channel.fullname, channel.short_name) == ("cam:roi1:sum", "cam:roi1:sum", "sum")
    assert channel.get_description() == {
        "fullname": "cam:roi1:sum",
        "dtype": "<i4",
        "shape": [],
        "unit": "ph",
        "reference": True,
    }
    assert AcquisitionChannel("scans", str, data_node_type=NodeKind.NODE_REF_CHANNEL).dtype.kind == "U"


def test_a_channel_that_runs_keeps_its_dtype_and_shape() -> None:
    channel = AcquisitionChannel("ctl:c", float)
    channel.shape, channel.dtype = [3], "i4"  # type: ignore[assignment]  as BLISS' scripts do
    assert (channel.shape, channel.dtype) == ((3,), np.dtype("<i4"))
    with pytest.raises(ChannelValueError, match="expected one point of shape"):
        channel.emit(np.int64(1))
    channel.shape, channel.dtype = (), np.int64
    sink = bound(channel)
    channel.emit(np.int64(1))
    channel.shape, channel.dtype = (), np.int64
    for name, value in (("shape", (3,)), ("dtype", str)):
        with pytest.raises(ChannelValueError, match=f"ctl:c.*its {name} is .*cannot become .* after 1 points"):
            setattr(channel, name, value)
    assert sink.points == [1]
    channel.release()
    channel.shape = (2,)


def test_masked_values_are_not_numbers() -> None:
    channel = AcquisitionChannel("ctl:c", float)
    sink = bound(channel)
    channel.emit(np.ma.masked)
    channel.emit(np.ma.masked_array([1, 2], [False, True]))
    channel.emit(np.ma.masked_array([3, 4]))
    np.testing.assert_array_equal(np.ravel(sink.points), [np.nan, 1, np.nan, 3, 4])


@pytest.mark.parametrize("dtype", [np.longdouble, object, "no such dtype", "M8[s]"])
def test_dtypes_that_cannot_be_published(dtype: Any) -> None:
    with pytest.raises(ChannelValueError, match="ctl:c"):
        AcquisitionChannel("ctl:c", dtype)


def test_names_that_cannot_be_nodes() -> None:
    with pytest.raises(ValueError, match="channel name 'a b'"):
        AcquisitionChannel("ctl:a b")


def test_points_outside_a_scan_are_not_lost_silently() -> None:
    channel = AcquisitionChannel("ctl:c")
    with pytest.raises(ScanError, match="ctl:c.*not part of a running scan"):
        channel.emit(1.0)
    bound(channel)
    channel.emit(1.0)
    channel.release()
    with pytest.raises(ScanError, match="after the end"):
        channel.emit(2.0)
    assert channel.length == 1


def test_listeners_get_blocks() -> None:
    channel = AcquisitionChannel("ctl:c", float, (2,))
    bound(channel)
    heard: list[tuple[str, list[Any]]] = []

    def listen(emitter: AcquisitionChannel, block: np.ndarray) -> None:
        heard.append((emitter.name, block.tolist()))

    channel.connect(listen)
    channel.emit([1, 2])
    channel.emit([[3, 4], [5, 6]])
    channel.disconnect(listen)
    channel.emit([7, 8])
    assert heard == [("ctl:c", [[1.0, 2.0]]), ("ctl:c", [[3.0, 4.0], [5.0, 6.0]])]


def test_a_duplicate_emits_the_same_converted() -> None:
    source = AcquisitionChannel("ctl:c", int, (), unit="ct")
    copy = source.duplicate("double", lambda block: block * 2.0, float)
    bound(source)
    sink = bound(copy)
    source.emit(3)
    source.emit([4, 5])
    assert sink.points == [6.0, 8.0, 10.0]
    assert (copy.dtype, copy.unit) == (np.dtype(float), "ct")


def test_a_slow_channel_is_repeated_with_a_fast_one() -> None:
    slow, fast = AcquisitionChannel("axis:slow"), AcquisitionChannel("axis:fast")
    slow_sink, fast_sink = bound(slow), bound(fast)
    slow.repeat_with(fast)
    with pytest.raises(ChannelValueError, match="emitted nothing yet"):
        fast.emit(0.0)
    slow.emit(10.0)
    fast.emit([1.0, 2.0])
    slow.emit(20.0)
    fast.emit(3.0)
    assert slow_sink.points == [10.0, 10.0, 20.0]
    assert fast_sink.points == [0.0, 1.0, 2.0, 3.0]
    with pytest.raises(ScanError, match="already"):
        slow.repeat_with(fast)


def test_emitting_on_several_channels() -> None:
    channels = AcquisitionChannelList([AcquisitionChannel("ctl:a"), AcquisitionChannel("ctl:b")])
    a, b = (bound(channel) for channel in channels)
    channels.update({"a": 1.0, "ctl:b": [2.0]})
    channels.update_from_iterable([3.0, 4.0])
    channels.update_from_array(np.array([[5.0, 6.0], [7.0, 8.0]]))
    assert a.points == [1.0, 3.0, 5.0, 7.0]
    assert b.points == [2.0, 4.0, 6.0, 8.0]
    with pytest.raises(KeyError, match="no channel 'c'"):
        channels.update({"a": 0.0, "c": 1.0})
    with pytest.raises(ChannelValueError, match="expected 2 values.*got 1"):
        channels.update_from_iterable([1.0])
    assert len(a.points) == 4


@pytest.mark.parametrize("hold_first", [True, False])
def test_points_are_held_until_they_are_kept_or_dropped(hold_first: bool) -> None:
    channel = AcquisitionChannel("timer:c", float)
    heard: list[float] = []
    channel.connect(lambda _, block: heard.extend(block))
    if hold_first:
        channel.hold()
    sink = bound(channel)
    channel.hold()
    channel.emit(1.0)
    channel.drop()
    channel.emit(2.0)
    channel.emit([3, 4])
    assert (channel.held, channel.length, sink.points, heard) == ([2, 3, 4], 0, [], [])
    channel.keep()
    assert (channel.held, channel.length, sink.points, heard) == ([], 3, [2, 3, 4], [2, 3, 4])
    channel.emit(5.0)
    assert (channel.held, sink.points) == ([5], [2, 3, 4])
    channel.release()
    assert channel.held == []
    with pytest.raises(ScanError, match="got points after the end of its scan"):
        channel.emit(6.0)


def test_held_points_of_variable_shape_and_of_text() -> None:
    spectrum, text = AcquisitionChannel("a:b", int, (-1,)), AcquisitionChannel("a:t", str)
    for channel, points in ((spectrum, [[1, 2], [3]]), (text, ["a", "bcd"])):
        sink = bound(channel)
        channel.hold()
        for point in points:
            channel.emit_point(point)
        channel.keep()
        assert [np.asarray(point).tolist() for point in sink.points] == points


def test_what_follows_another_channel_cannot_be_held() -> None:
    slow, fast = AcquisitionChannel("a:slow"), AcquisitionChannel("a:fast")
    slow.repeat_with(fast)
    with pytest.raises(ScanError, match="'a:slow' follows another channel, its points cannot be taken again"):
        slow.hold()
    slow.keep()
    slow.drop()
    assert slow.held == []
