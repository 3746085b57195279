"""Blocks that are not written yet: what is read through them is what was put last."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from bliss_like.hdf5.overlay import Overlay

writes = st.lists(st.tuples(st.integers(0, 60), st.binary(min_size=1, max_size=20)), max_size=30)


@given(writes, st.lists(st.tuples(st.integers(0, 70), st.integers(0, 30)), max_size=3))
def test_the_newest_bytes_win(blocks: list[tuple[int, bytes]], cuts: list[tuple[int, int]]) -> None:
    overlay, expected = Overlay(), bytearray(100)
    for number, (start, data) in enumerate(blocks):
        overlay.put(start, data)
        expected[start : start + len(data)] = data
        if number < len(cuts):
            first, length = cuts[number]
            overlay.cut(first, first + length)
            expected[first : first + length] = bytes(max(0, min(100, first + length) - first))
    got = bytearray(100)
    overlay.read_into(0, memoryview(got))
    assert got == expected
    part = bytearray(31)
    overlay.read_into(17, memoryview(part))
    assert part == expected[17:48]


def test_what_is_covered_by_one_block() -> None:
    overlay = Overlay()
    overlay.put(10, b"abcdef")
    assert overlay.covers(10, 16) and overlay.covers(12, 14)
    assert not overlay.covers(9, 12) and not overlay.covers(12, 17) and not overlay.covers(20, 21)


def test_blocks_come_in_the_order_in_which_they_were_put() -> None:
    overlay = Overlay()
    overlay.put(30, b"first")
    overlay.put(10, b"second")
    overlay.put(30, b"third")
    assert [(start, bytes(data)) for start, data in overlay.in_order()] == [(10, b"second"), (30, b"third")]
