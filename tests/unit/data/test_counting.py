"""How many points a scan is said to have."""

from __future__ import annotations

import pytest

from bliss_like.data.counting import counted, npoints_of


@pytest.mark.parametrize(
    ("lengths", "is_whole", "expected"),
    [
        ({"axis:robx": 5, "axis:timer:diode": 4}, False, 4),  # the fifth was only begun
        ({"axis:robx": 5, "axis:timer:diode": 4}, True, 5),
        ({"axis:robx": 5, "axis:timer:diode": 5, "axis:timer:mca:spectrum": 500}, False, 5),  # a faster one
        ({"axis:robx": 5, "axis:timer:diode": 4, "axis:timer:camera:image": 0}, False, 4),  # one that gave nothing
        ({"axis:robx": 1, "axis:timer:diode": 0}, False, 0),
        ({"timer:one:diode": 3}, False, 3),
        ({}, False, 0),
    ],
)
def test_a_point_that_not_all_have_is_none(lengths: dict[str, int], is_whole: bool, expected: int) -> None:
    of_a_scan = {f"eh1:7_ascan:{path}": length for path, length in lengths.items()}
    assert npoints_of(of_a_scan, "eh1:7_ascan", is_whole=is_whole) == expected


def test_in_words() -> None:
    assert [counted(1, "point"), counted(0, "scan"), counted(1, "point", 9), counted(9, "point", 9)] == [
        "1 point",
        "0 scans",
        "1 of 9 points",
        "9 points",
    ]
