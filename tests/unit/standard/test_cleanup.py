"""cleanup and error_cleanup: what is put back, and when."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from bliss_like.errors import UsageError, UserAbort
from bliss_like.standard import capture_exceptions, cleanup, error_cleanup, mv
from bliss_like.standard.cleanup import axis

Motors = Callable[..., Any]


@pytest.fixture
def robx(motors: Motors) -> Any:
    found = motors(robx={"velocity": 100, "acceleration": 1000}).axes["robx"]
    mv(found, 1)
    return found


def change(robx: Any) -> None:
    robx.velocity, robx.acceleration, robx.limits = 50, 500, (-10, 10)
    mv(robx, 2)


def test_all_of_an_axis_is_put_back(robx: Any) -> None:
    with cleanup(robx, restore_list=(axis.POS, axis.VEL, axis.ACC, axis.LIM)):
        change(robx)
    assert (robx.position, robx.velocity, robx.acceleration) == pytest.approx((1, 100, 1000))
    assert robx.limits == (-float("inf"), float("inf"))


def test_only_what_is_asked_for_is_put_back(robx: Any) -> None:
    with cleanup("robx", restore_list=[axis.VEL]):
        change(robx)
    assert (robx.position, robx.velocity, robx.acceleration) == pytest.approx((2, 100, 500))


def test_an_axis_is_stopped(robx: Any) -> None:
    with cleanup(robx):
        robx.move(1000, wait=False)
        assert robx.is_moving
    assert not robx.is_moving and robx.position < 1000


@pytest.mark.parametrize("error", [ValueError("wrong"), UserAbort()])
def test_error_cleanup_acts_on_errors_and_aborts_only(robx: Any, error: BaseException) -> None:
    with error_cleanup(robx, restore_list=(axis.POS,)):
        mv(robx, 2)
    assert robx.position == pytest.approx(2)
    with pytest.raises(type(error)), error_cleanup(robx, restore_list=(axis.POS,)):
        mv(robx, 3)
        raise error
    assert robx.position == pytest.approx(2)


def test_functions_are_called_and_things_stopped(capsys: pytest.CaptureFixture[str]) -> None:
    done: list[str] = []

    class Pump:
        name = "pump"

        def stop(self) -> None:
            done.append("stopped")

    def close_shutter() -> None:
        done.append("closed")

    with cleanup(Pump(), close_shutter, verbose=True):
        assert done == []
    assert done == ["stopped", "closed"]
    assert capsys.readouterr().out == "stopping pump\ncalling close_shutter\n"


def test_a_step_that_fails_does_not_keep_the_others_from_being_done() -> None:
    done: list[str] = []

    def fail() -> None:
        raise RuntimeError("stuck")

    with pytest.raises(RuntimeError, match="stuck") as failure, cleanup(fail, lambda: done.append("second")):
        pass
    assert done == ["second"]
    assert failure.value.__notes__ == ["It came in the clean-up, calling fail."]


def test_what_cannot_be_cleaned_up_is_refused_before(robx: Any) -> None:
    with pytest.raises(UsageError, match="argument 2: expected an axis, a function or what can be stopped, got 3"):
        with cleanup(robx, 3):
            pytest.fail("it was let in")
    with pytest.raises(
        UsageError, match=r"restore_list: expected a list, as in restore_list=\(axis.POS,\), got <axis.POS"
    ):
        cleanup(robx, restore_list=axis.POS).__enter__()  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="restore_list: expected axis.POS"):
        with cleanup(robx, restore_list=["position"]):  # type: ignore[list-item]
            pytest.fail("it was let in")


def test_each_step_is_tried() -> None:
    with pytest.raises(ValueError, match="first"), capture_exceptions(raise_index=0) as capture:
        with capture():
            raise ValueError("first")
        with capture():
            raise KeyError("second")
        assert [str(error) for error in capture.failed] == ["first", "'second'"]


def test_captured_errors_need_not_be_raised_but_an_abort_is() -> None:
    with capture_exceptions(raise_index=None) as capture, capture():
        raise ValueError("nobody cares")
    assert len(capture.failed) == 1
    with pytest.raises(UserAbort), capture_exceptions(raise_index=None) as capture, capture():
        raise UserAbort
