"""mv and its relatives: what they move, what they show, what they refuse."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gevent
import pytest

from bliss_like.devices import naming
from bliss_like.errors import AxisFault, AxisLimitError, UsageError, UserAbort
from bliss_like.standard import move, mv, mvd, mvdr, mvr, rockit, umv, umvd, umvdr, umvr
from tests.waiting import wait_until

Motors = Callable[..., Any]


def positions(axes: dict[str, Any]) -> list[float]:
    return [round(axis.position, 9) for axis in axes.values()]


def test_axes_move_together_to_positions(motors: Motors) -> None:
    axes = motors(robx={}, roby={}).axes
    mv(axes["robx"], 1, axes["roby"], -2.5)
    assert positions(axes) == [1, -2.5]


def test_distances_are_counted_from_where_axes_were_sent(motors: Motors) -> None:
    axes = motors(robx={}, roby={}).axes
    mv("robx", 1, "roby", 2)
    mvr("robx", 0.5, "roby", -1)
    assert positions(axes) == [1.5, 1]


@pytest.mark.parametrize("verb", [mvd, umvd])
def test_dial_positions(motors: Motors, verb: Any) -> None:
    axis = motors(robx={"sign": -1}).axes["robx"]
    axis.offset = 10
    verb(axis, 2)
    assert axis.dial == pytest.approx(2)
    assert axis.position == pytest.approx(8)


@pytest.mark.parametrize("verb", [mvdr, umvdr])
def test_dial_distances(motors: Motors, verb: Any) -> None:
    axis = motors(robx={"sign": -1}).axes["robx"]
    axis.offset = 10
    verb(axis, 2)
    verb(axis, 3)
    assert axis.dial == pytest.approx(5)


def test_an_axis_without_a_position_is_called_by_its_name(motors: Motors) -> None:
    with pytest.raises(UsageError, match="got 1 argument; nothing follows robx\n"):
        mv(motors(robx={}).axes["robx"])


def test_move_takes_a_dict_and_keywords(motors: Motors) -> None:
    axes = motors(robx={}, roby={"sign": -1}).axes
    move({axes["robx"]: 1, "roby": 2})
    move({"robx": 1}, relative=True)
    move("roby", 3, dial=True)
    assert positions(axes) == [2, -3]


def test_move_need_not_wait(motors: Motors) -> None:
    axis = motors(robx={"velocity": 1}).axes["robx"]
    move(axis, 100, wait=False)
    assert axis.is_moving
    axis.stop()


def test_an_axis_is_known_by_its_name_and_its_alias(motors: Motors, known: dict[str, Any]) -> None:
    axis = motors(robx={}).axes["robx"]
    naming.set_alias("axis:robx", "bob")
    try:
        known["bob"] = known.pop("robx")
        mv("bob", 1)
        mv("robx", 2)
        assert axis.position == 2
    finally:
        naming.set_alias("axis:robx", None)


# -- what is shown -----------------------------------------------------------------------------------------------------


def test_plain_verbs_are_silent(motors: Motors, capsys: pytest.CaptureFixture[str]) -> None:
    motors(robx={})
    mv("robx", 1)
    assert capsys.readouterr().out == ""


def test_where_axes_came_to_rest_is_shown_once_when_nobody_watches(
    motors: Motors, capsys: pytest.CaptureFixture[str]
) -> None:
    controller = motors(robx={"unit": "mm", "sign": -1}, roby={})
    controller.axes["robx"].offset = 1
    umv("robx", 1.25, "roby", 2)
    lines = capsys.readouterr().out.splitlines()
    assert [line.split() for line in lines] == [
        ["robx[mm]", "roby"],
        ["user", "1.2500", "2.0000"],
        ["dial", "-0.2500", "2.0000"],
    ]


def test_a_relative_move_shows_too(motors: Motors, capsys: pytest.CaptureFixture[str]) -> None:
    motors(robx={})
    umvr("robx", 1)
    umvr("robx", 1)
    assert "2.0000" in capsys.readouterr().out


def test_move_shows_what_is_asked_for(motors: Motors, capsys: pytest.CaptureFixture[str]) -> None:
    motors(robx={})
    move("robx", 1)
    move("robx", 2, display_mode="none")
    assert capsys.readouterr().out == ""  # nobody watches
    move("robx", 3, display_mode="always")
    assert "3.0000" in capsys.readouterr().out


def test_a_move_that_fails_shows_where_the_axis_stands(motors: Motors, capsys: pytest.CaptureFixture[str]) -> None:
    motors(robx={"fault": "moving", "velocity": 100, "acceleration": 10000})
    with pytest.raises(AxisFault):
        umv("robx", 4)
    shown = capsys.readouterr().out
    assert "2.0000" in shown and "FAULT" in shown


def test_a_move_that_is_refused_shows_nothing(motors: Motors, capsys: pytest.CaptureFixture[str]) -> None:
    motors(robx={"high_limit": 5})
    with pytest.raises(AxisLimitError):
        umv("robx", 6)
    assert capsys.readouterr().out == ""


def test_an_interrupted_move_stops_and_shows_where(motors: Motors, capsys: pytest.CaptureFixture[str]) -> None:
    axis = motors(robx={"velocity": 1, "acceleration": 1000}).axes["robx"]
    outcome: list[BaseException] = []

    def command() -> None:
        try:
            umv(axis, 100)
        except UserAbort as abort:
            outcome.append(abort)

    running = gevent.spawn(command)
    wait_until(lambda: gevent.sleep(0) or axis.is_moving)
    running.kill(UserAbort("Ctrl-C"))
    assert len(outcome) == 1 and not axis.is_moving
    assert f"{axis.position:.4f}" in capsys.readouterr().out


# -- wrong calls -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("args", "expected"),
    [
        ((), "got 0 arguments"),
        (("robx",), "nothing follows 'robx'"),
        (("robx", 1, "roby"), "got 3 arguments"),
        (("robz", 1), "argument 1: the session has no axis 'robz', did you mean 'roby'?"),
        (("diode", 1), "argument 1: expected an axis, 'diode' is 'a counter' (str)"),
        ((3, 1), "argument 1: expected an axis or its name, got 3 (int)"),
        (("robx", 1, "robx", 2), "argument 3: robx is there twice"),
        (("robx", 1, "roby", "2"), "argument 4: position of roby: expected a number, got '2' (str)"),
        (("robx", float("nan")), "argument 2: position of robx: expected a number, got nan (float)"),
        (("robx", True), "expected a number, got True (bool)"),
        (("robx", None), "expected a number, got None"),
        (("robx", 10**400), "argument 2: position of robx: expected a number, got 1000000000"),
        (({"robx": 1, "robz": 2},), "key 2: the session has no axis 'robz', did you mean 'roby'?"),
        (({"robx": 1, "roby": "2"},), "value 2: position of roby: expected a number, got '2' (str)"),
    ],
)
def test_a_wrong_call_says_what_is_wrong_and_how_it_is_done(
    motors: Motors, known: dict[str, Any], args: tuple[Any, ...], expected: str
) -> None:
    axes = motors(robx={}, roby={}).axes
    known["diode"] = "a counter"
    with pytest.raises(UsageError) as refused:
        mv(*args)
    message = str(refused.value)
    assert message.startswith("mv: ") and expected in message
    assert message.endswith("\nusage: mv(axis, position, axis, position, ...)")
    assert positions(axes) == [0, 0]


def test_all_limits_are_checked_before_anything_moves(motors: Motors) -> None:
    axes = motors(robx={}, roby={"high_limit": 5}).axes
    with pytest.raises(AxisLimitError, match="roby"):
        mv("robx", 1, "roby", 6)
    assert positions(axes) == [0, 0]


def test_unknown_keywords_are_told(motors: Motors) -> None:
    motors(robx={})
    with pytest.raises(UsageError, match="unexpected keyword argument 'wiat'"):
        move("robx", 1, wiat=False)  # type: ignore[call-arg]
    with pytest.raises(UsageError, match="display_mode: expected one of 'auto', 'always', 'none', got 'loud'"):
        move("robx", 1, display_mode="loud")


# -- rockit ------------------------------------------------------------------------------------------------------------


def test_an_axis_rocks_and_comes_back(motors: Motors) -> None:
    axis = motors(robx={"velocity": 200, "acceleration": 1e5}).axes["robx"]
    mv(axis, 3)
    seen: set[int] = set()

    def has_been_at_both_ends() -> bool:
        gevent.sleep(0.001)
        seen.add(round(axis.position))
        return {1, 5} <= seen

    with rockit("robx", 4):
        wait_until(has_been_at_both_ends)
    assert axis.position == pytest.approx(3)
    assert not axis.is_moving and min(seen) >= 1 and max(seen) <= 5


def test_nothing_rocks_beyond_the_limits(motors: Motors) -> None:
    motors(robx={"high_limit": 1})
    with pytest.raises(AxisLimitError), rockit("robx", 4):
        pytest.fail("it was let in")


def test_rockit_says_what_is_wrong(motors: Motors) -> None:
    motors(robx={})
    for args, expected in [
        (("robx", 0), "total_move: expected a distance, got 0"),
        ((3, 1), "motor: expected an axis"),
    ]:
        with pytest.raises(UsageError, match=expected) as refused:
            rockit(*args)
        assert str(refused.value).endswith("usage: rockit(motor, total_move)")


def test_a_failure_while_rocking_is_told_in_the_end(motors: Motors) -> None:
    axis = motors(robx={"fault": "start"}).axes["robx"]
    with pytest.raises(Exception, match="refuses to start"), rockit(axis, 1):
        for _ in range(50):  # turns of the hub, in which it starts and fails
            gevent.sleep(0)
