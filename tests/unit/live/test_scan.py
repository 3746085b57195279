"""What is kept of a scan that runs."""

from __future__ import annotations

import numpy as np
import pytest

from bliss_like.data.events import NewData, NewNode, NodeKind
from bliss_like.live.scan import LiveCallback, LiveChannel, LiveScan

from .making import Told


def channel(dtype: str = "<f8", limit: int = 8) -> LiveChannel:
    return LiveChannel(NewNode("s:c", NodeKind.CHANNEL, {"dtype": dtype, "shape": []}), limit)


@pytest.mark.parametrize("size", [1, 3, 7, 16, 100])
def test_of_many_points_every_second_or_fourth_is_kept(size: int) -> None:
    kept, points = channel(), np.arange(100.0)
    for begin in range(0, 100, size):
        kept.extend(begin, points[begin : begin + size])
    assert (kept.length, kept.last, kept.stride) == (100, 99.0, 16)
    assert kept.values.tolist() == points[::16].tolist()


@pytest.mark.parametrize("dtype", ["<f8", "<i8", "<U4", "|b1"])
def test_lost_points_are_counted_and_have_their_places(dtype: str) -> None:
    kept = channel(dtype)
    kept.extend(0, np.ones(3, dtype))
    kept.extend(10, np.ones(3, dtype))
    assert (kept.length, kept.lost, kept.stride) == (13, 7, 2)
    assert len(kept.values) == 7
    if dtype == "<f8":
        assert np.isnan(kept.values).tolist() == [False, False, True, True, True, False, False]


def test_points_that_come_again_count_once() -> None:
    kept = channel()
    kept.extend(0, np.arange(4.0))
    kept.extend(2, np.arange(2.0, 6.0))
    assert (kept.values.tolist(), kept.lost) == ([0, 1, 2, 3, 4, 5], 0)


def test_without_a_limit_only_the_last_point_is_kept() -> None:
    kept = channel(limit=0)
    kept.extend(0, np.arange(1000.0))
    assert (kept.length, kept.last, len(kept.values)) == (1000, 999.0, 0)


def test_curves_are_of_the_same_points_however_far_each_channel_is() -> None:
    told = Told({"axis:robx": {}, "diodes:diode": {}})
    scan = LiveScan.of(told.begin()[0], limit=8)  # type: ignore[arg-type]
    for event in told.begin():
        scan.accept(event)
    scan.accept(NewData(told.path_of("axis:robx"), 0, np.arange(20.0)))
    scan.accept(NewData(told.path_of("diodes:diode"), 0, np.arange(7.0)))
    robx, diode = scan.channels.values()
    x, y = scan.curves(robx, diode)
    assert scan.stride_of(robx, diode) == 4
    assert (x.tolist(), y.tolist()) == ([0, 4], [0, 4])


def test_a_million_points_of_twelve_channels_need_little_memory() -> None:
    told = Told({f"box:c{n}": {} for n in range(12)})
    begin = told.begin()
    scan = LiveScan.of(begin[0])  # type: ignore[arg-type]
    for event in begin:
        scan.accept(event)
    block = np.zeros(10_000)
    for channel in scan.channels.values():
        for index in range(0, 1_000_000, len(block)):
            channel.extend(index, block)
    kept = sum(channel.values.nbytes for channel in scan.channels.values())
    assert all(channel.length == 1_000_000 and channel.stride == 8 for channel in scan.channels.values())
    assert kept == 12 * 125_000 * 8


def test_channels_are_found_by_their_names() -> None:
    told = Told({"axis:robx": {}, "diodes:diode": {}})
    scan = LiveScan.of(told.begin()[0])  # type: ignore[arg-type]
    with pytest.raises(KeyError, match="no channel 'diode'; there are: none yet"):
        scan["diode"]
    for event in told.begin():
        scan.accept(event)
    assert scan["diode"] is scan["diodes:diode"] is scan.channel("diode")
    with pytest.raises(KeyError, match="no channel 'diod'; there are: robx, diode"):
        scan["diod"]


def test_nothing_is_left_of_scans_that_are_over() -> None:
    follower = LiveCallback()
    for number in range(3):
        told = Told({"axis:robx": {}, "diodes:diode": {}}, number=number)
        timer = NewNode(f"{told.path}:axis:timer", NodeKind.CONTAINER, {}, told.path)
        for event in [*told.begin(), timer, *told.points(robx=[1.0], diode=[2.0]), *told.end()]:
            follower.accept(event)
    assert [each for each in vars(follower.scans).values() if each] == [follower.scans.limit]
