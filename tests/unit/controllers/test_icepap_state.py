"""Status words of an IcePAP, in words."""

from __future__ import annotations

import pytest

from bliss_like.controllers.icepap_state import DISABLED_BY, ENDED_BY, axis_state

AT_REST = 0x00A00203
"""Present, alive, ready, with power."""


def names(status: int) -> set[str]:
    return set(axis_state(status).names)


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (AT_REST, {"READY"}),
        (0x00A03203, {"READY", "OUT_OF_WINDOW", "WARNING"}),
        (AT_REST & ~0x200, set()),  # neither ready nor moving
        (AT_REST | 1 << 10, {"MOVING"}),
        (AT_REST | 1 << 11, {"MOVING", "SETTLING"}),
        (AT_REST | 1 << 18, {"READY", "LIMPOS"}),
        (AT_REST | 1 << 19, {"READY", "LIMNEG"}),
        (AT_REST | 1 << 20, {"READY", "HOME"}),
        (AT_REST | 1 << 22, {"READY", "VERSIONS_DIFFER"}),
        (AT_REST & ~(1 << 23), {"OFF"}),
        (AT_REST & ~(1 << 23) | 1 << 10, {"MOVING", "OFF"}),
        (AT_REST | 1 << 2, {"PROGRAMMING"}),
        (AT_REST | 2 << 2, {"TEST"}),
        (AT_REST | 3 << 2, {"FAULT", "FAILED"}),
        (0, {"FAULT", "OFF", "NOT_ALIVE"}),
        (AT_REST & ~2, {"FAULT", "NOT_ALIVE"}),
        (AT_REST | 2 << 4, {"FAULT", "OFF", "HARDWARE_ALARM"}),
        (AT_REST | 7 << 4, {"OFF", "SOFTWARE"}),
        (AT_REST | 1 << 14, {"READY", "STOPPED"}),
        (AT_REST | 3 << 14 | 1 << 18, {"READY", "LIMPOS", "STOPPED_BY_LIMPOS"}),
        (AT_REST | 9 << 14, {"READY", "FAULT", "MOTOR_FAILURE"}),
        (AT_REST | 9 << 14 | 1 << 10, {"MOVING"}),  # the code is that of the motion before
        (AT_REST | 7 << 14, {"READY"}),  # a code without meaning
    ],
)
def test_what_a_status_word_says(status: int, expected: set[str]) -> None:
    assert names(status) == expected


@pytest.mark.parametrize("code", DISABLED_BY)
def test_an_axis_that_is_disabled_is_off_and_says_by_what(code: int) -> None:
    name, description = DISABLED_BY[code]
    assert {"OFF", name} <= names(AT_REST | code << 4)
    assert "READY" not in names(AT_REST | code << 4)
    assert f"{name} ({description})" in axis_state(AT_REST | code << 4).current_states()


@pytest.mark.parametrize("code", ENDED_BY)
def test_an_axis_says_what_ended_its_motion(code: int) -> None:
    assert {"READY", ENDED_BY[code][0]} <= names(AT_REST | code << 14)
