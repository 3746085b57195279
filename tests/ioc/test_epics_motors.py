"""Axes on motor records: of `tests/motor_ioc.py`, or of a real IOC, which must behave the same.

For a real one, set BLISS_LIKE_MOTOR_RECORDS="127.0.0.1:5064 P:": its records P:m1 and P:m2 must have the fields that
`fresh` below writes to, motors of 1000 steps/mm, switches at +-30 mm and a home switch at 0.1 mm. They are moved!
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import gevent
import pytest

from bliss_like.controllers.epics_motor import EpicsMotors
from bliss_like.controllers.record_axis import RecordAxis
from bliss_like.devices import events
from bliss_like.devices.axis_group import move
from bliss_like.devices.events import AxisEvent
from bliss_like.devices.signal import Signal, open_signal
from bliss_like.errors import AxisFault, AxisLimitError, AxisStopped, DeviceError
from tests.unit.devices.making import Notes, make


def until(condition: Any, timeout: float = 30) -> None:
    """Let other greenlets run until it is true."""
    with gevent.Timeout(timeout):
        while not condition():
            gevent.sleep(0.01)


FRESH = {"SPMG": 3, "SET": 0, "FOFF": 0, "DIR": 0, "OFF": 0, "DHLM": 20, "DLLM": -20, "CNEN": 1}
SPEED = {"VMAX": 60, "VELO": 60, "VBAS": 0.1, "ACCL": 0.1, "JVEL": 10}


def fresh(address: str) -> None:
    """Bring a motor to 0, with the usual settings."""
    put(address, STOP=1)
    put(address, **FRESH, **SPEED)
    put(address, VAL=0)
    put(address, VELO=20)


def put(address: str, **fields: float) -> None:
    """Write fields all at once."""
    writing = [gevent.spawn(open_signal(f"{address}.{name}").put, value) for name, value in fields.items()]
    gevent.joinall(writing, timeout=60, raise_error=True)


@pytest.fixture
def m1(motor_records: str) -> Iterator[RecordAxis]:
    """An axis at 0."""
    fresh(f"{motor_records}m1")
    controller = make_motors(motor_records, "m1")
    yield controller.axes["m1"]
    controller.axes["m1"].stop()
    controller.__close__()


def make_motors(address: str, *names: str, **keys: Any) -> EpicsMotors:
    return make(EpicsMotors, "motors", axes=[{"name": name, "record": f"{address}{name}", **keys} for name in names])


def panel(axis: RecordAxis, name: str) -> Signal:
    """A field of the record as somebody else sees it."""
    return open_signal(axis.field(name).address)


# -- positions ---------------------------------------------------------------------------------------------------------


def test_every_move_ends_at_its_target_with_the_motor_at_rest(m1: RecordAxis) -> None:
    for target in (1, 1.5, 1.501, 4, 0):
        m1.move(target)
        assert panel(m1, "RBV").get() == pytest.approx(target, abs=1e-6)
        assert panel(m1, "DMOV").get() == 1
        assert m1.position == pytest.approx(target, abs=1e-6)


def test_a_move_within_a_step_and_one_to_where_it_is_end_at_once(m1: RecordAxis) -> None:
    m1.move(1)
    with gevent.Timeout(20):
        for target in (1, 1.0002, 1.0002, 1):
            m1.move(target)


def test_several_move_together(m1: RecordAxis, motor_records: str) -> None:
    fresh(f"{motor_records}m2")
    m1, m2 = make_motors(motor_records, "m1", "m2").axes.values()
    moving = gevent.spawn(move, m1, 5, m2, -5)
    until(lambda: m1.position > 0 and m2.position < 0)
    moving.get(timeout=30)
    assert (m1.position, m2.position) == pytest.approx((5, -5), abs=1e-6)


def test_the_session_and_the_panel_show_the_same(m1: RecordAxis) -> None:
    m1.move(2)
    panel(m1, "OFF").put(10)
    until(lambda: m1.offset == 10)
    assert (m1.position, m1.dial) == pytest.approx((12, 2))
    assert m1.limits == (-10, 30)
    m1.move(13)
    assert (panel(m1, "RBV").get(), panel(m1, "DRBV").get()) == pytest.approx((13, 3))
    m1.position = 5
    assert panel(m1, "OFF").get() == pytest.approx(2)
    assert (panel(m1, "RBV").get(), panel(m1, "DRBV").get()) == pytest.approx((5, 3))
    m1.sign = -1
    assert panel(m1, "DIR").get() == 1
    assert (m1.position, m1.dial, panel(m1, "RBV").get()) == pytest.approx((5, 3, 5))
    m1.rmove(1)
    assert (m1.position, m1.dial, panel(m1, "DRBV").get()) == pytest.approx((6, 2, 2))


def test_the_dial_is_set_and_the_user_position_stays(m1: RecordAxis) -> None:
    m1.move(3)
    for freeze_offset in (0, 1):
        panel(m1, "FOFF").put(freeze_offset)
        m1.dial = 1 + freeze_offset
        assert panel(m1, "DRBV").get() == pytest.approx(1 + freeze_offset)
        assert panel(m1, "RBV").get() == m1.position == pytest.approx(3)
        assert panel(m1, "SET").get() == 0
    m1.move(4)
    assert m1.dial == pytest.approx(3)
    m1.dial = 4  # as it was: the place of the switches is in dial units


def test_unit_and_tolerance_are_those_of_the_record(m1: RecordAxis, motor_records: str) -> None:
    assert m1.position == pytest.approx(0)
    assert (m1.unit, m1.tolerance) == ("mm", 0.002)
    other = make_motors(motor_records, "m1", unit="um", tolerance=0.5).axes["m1"]
    assert other.position == pytest.approx(0)
    assert (other.unit, other.tolerance) == ("um", 0.5)


def test_an_axis_that_was_something_else_before(m1: RecordAxis, motor_records: str) -> None:
    axis = make_motors(motor_records, "m1").axes["m1"]
    axis.settings.store(steps_per_unit=1000.0, target=3.0, offset=5.0, sign=-1, low_limit=0.0, high_limit=1.0)
    axis.move(2)
    assert (axis.position, axis.dial, axis.offset, axis.sign) == pytest.approx((2, 2, 0, 1))
    assert axis.limits == (-20, 20)


def test_what_the_record_has_is_not_in_the_configuration(motor_records: str) -> None:
    for key, field in (("sign", "DIR"), ("steps_per_unit", "MRES"), ("low_limit", "LLM"), ("high_limit", "HLM")):
        with pytest.raises(ValueError, match=f"{key} is the field {field} of the motor record: set it there"):
            make_motors(motor_records, "m1", **{key: 1})
    with pytest.raises(ValueError, match="expected the record alone, '.*m1': its fields are known"):
        make(EpicsMotors, "motors", axes=[{"name": "m1", "record": f"{motor_records}m1.VAL"}])


# -- limits ------------------------------------------------------------------------------------------------------------


def test_limits_are_those_of_the_record(m1: RecordAxis) -> None:
    assert m1.limits == (-20, 20)
    with pytest.raises(AxisLimitError, match="m1: 21 is above its high limit 20"):
        m1.move(21)
    panel(m1, "HLM").put(5)
    until(lambda: m1.limits == (-20, 5))
    m1.limits = -3, 8
    assert (panel(m1, "LLM").get(), panel(m1, "HLM").get()) == (-3, 8)
    m1.limits = None, None
    assert m1.limits == (-math.inf, math.inf)
    m1.move(21)
    with pytest.raises(ValueError, match="m1: a motor record has two soft limits or none, got 0 .. inf"):
        m1.low_limit = 0
    m1.limits = -20, 20


def test_limits_turn_with_the_sign(m1: RecordAxis) -> None:
    m1.limits = -3, 8
    m1.sign = -1
    assert m1.dial_limits == (-3, 8)
    assert m1.limits == (panel(m1, "LLM").get(), panel(m1, "HLM").get())


def test_a_target_that_the_record_refuses_is_told(m1: RecordAxis) -> None:
    """The limits change on the way of the request: the session could not know."""
    m1.limits = -20, 20
    motion = m1.get_motion(15)
    assert motion is not None
    panel(m1, "HLM").put(5)
    m1.controller.start_one(motion)
    with pytest.raises(
        AxisLimitError, match=r"m1: .*m1 refused 15 because of its soft limits -20 \.\. 5 \(LVIO\); it is at 0"
    ):
        until(lambda: m1.controller.state(m1).READY)
    m1.move(1)


def test_a_limit_switch_on_the_way_is_a_fault_and_the_way_back_is_free(m1: RecordAxis) -> None:
    m1.velocity = 60
    m1.limits = None, None
    m1.move(29)
    with pytest.raises(AxisFault, match="m1 did not arrive: it is at 30 mm and should be at 35 mm.*LIMPOS"):
        m1.move(35)
    assert m1.state.LIMPOS
    assert m1.state.READY
    m1.move(29)
    assert not m1.state.LIMPOS


# -- speed -------------------------------------------------------------------------------------------------------------


def test_velocity_and_acceleration(m1: RecordAxis) -> None:
    m1.velocity = 10.1
    assert panel(m1, "VELO").get() == m1.velocity == 10.1
    m1.acceleration = 20
    assert panel(m1, "ACCL").get() == pytest.approx(0.5)
    m1.velocity = 5.1
    assert m1.acceleration == pytest.approx(20)
    assert panel(m1, "ACCL").get() == pytest.approx(0.25)
    with pytest.raises(ValueError, match="m1: velocity 61 .*60"):
        m1.velocity = 61
    assert panel(m1, "VELO").get() == 5.1


# -- stopping, others --------------------------------------------------------------------------------------------------


def test_stop_from_another_greenlet(m1: RecordAxis) -> None:
    m1.velocity = 1
    moving = gevent.spawn(m1.move, 15)
    until(lambda: m1.position > 0)
    m1.stop()
    with pytest.raises(AxisStopped, match="m1 on its way to 15"):
        moving.get(timeout=30)
    assert 0 < panel(m1, "RBV").get() < 15
    assert panel(m1, "DMOV").get() == 1
    m1.move(1)


def test_a_killed_move_leaves_the_motor_at_rest(m1: RecordAxis) -> None:
    m1.velocity = 1
    moving = gevent.spawn(m1.move, 15)
    until(lambda: m1.position > 0)
    moving.kill(timeout=30)
    assert panel(m1, "DMOV").get() == 1
    assert panel(m1, "RBV").get() < 15


def test_a_panel_moves_the_motor_and_the_session_sees_it(m1: RecordAxis) -> None:
    assert m1.state.READY
    m1.velocity = 1
    positions, states = Notes(), Notes()
    events.connect(m1, AxisEvent.POSITION, positions.take)
    events.connect(m1, AxisEvent.STATE, states.take)
    moving = gevent.spawn(panel(m1, "VAL").put, 5)
    until(lambda: m1.is_moving)
    with pytest.raises(AxisFault, match="m1.* MOVING"):
        m1.move(1)
    moving.get(timeout=30)
    until(lambda: not m1.is_moving and positions and positions[-1] == pytest.approx(5))
    until(lambda: states and states[-1].READY)
    assert positions == sorted(positions)
    assert len(positions) > 3
    assert any(state.MOVING for state in states)
    m1.rmove(1)
    assert m1.position == pytest.approx(6)


def test_a_move_of_the_panel_can_be_stopped(m1: RecordAxis) -> None:
    m1.velocity = 1
    moving = gevent.spawn(panel(m1, "VAL").put, 15)
    until(lambda: m1.is_moving)
    m1.stop()
    moving.get(timeout=30)
    assert m1.position < 15
    panel(m1, "VAL").put(0)
    assert m1.position == pytest.approx(0)  # the stop was for the move before


def test_a_move_that_the_panel_stops_says_so_soon(m1: RecordAxis) -> None:
    m1.velocity = 1
    moving = gevent.spawn(m1.move, 15)
    until(lambda: m1.position > 0.2)
    panel(m1, "STOP").put(1, wait=False)
    with pytest.raises(AxisFault, match="m1 did not arrive: .* Somebody else has stopped it, or it has stalled"):
        moving.get(timeout=30)
    m1.move(0)


@pytest.mark.parametrize("word, name", [("Pause", "paused"), ("Stop", "stopped")])
def test_a_panel_that_holds_the_motor(m1: RecordAxis, word: str, name: str) -> None:
    m1.velocity = 1
    moving = gevent.spawn(m1.move, 15)
    until(lambda: m1.position > 0)
    panel(m1, "SPMG").put(word, wait=False)
    with pytest.raises(
        AxisFault, match=f"m1 was {name} on its way, at .*, by SPMG of .*m1. .*put SPMG to Go, and move again"
    ):
        moving.get(timeout=30)
    with pytest.raises(AxisFault, match="m1 cannot be moved: its state is PAUSED .*put its SPMG to Go"):
        m1.move(1)
    position = m1.position
    panel(m1, "SPMG").put("Go")
    until(lambda: m1.state.READY)
    gevent.sleep(0.1)
    assert m1.position == position  # what was held is not carried out now
    m1.move(1)


def test_a_record_in_the_mode_set_is_not_moved(m1: RecordAxis) -> None:
    assert m1.state.READY
    panel(m1, "SET").put("Set")
    until(lambda: not m1.state.READY)
    with pytest.raises(AxisFault, match="m1 cannot be moved: its state is SETTING .*put its SET to Use"):
        m1.move(1)
    panel(m1, "SET").put("Use")
    until(lambda: m1.state.READY)
    m1.move(1)


def test_power(m1: RecordAxis) -> None:
    assert m1.state.READY
    m1.off()
    assert panel(m1, "CNEN").get() == 0
    assert m1.state.OFF
    with pytest.raises(AxisFault, match="m1 cannot be moved: its state is OFF .*m1.on\\(\\) gives it its power"):
        m1.move(1)
    m1.on()
    m1.move(1)


# -- home, jog, limit search -------------------------------------------------------------------------------------------


def test_home(m1: RecordAxis) -> None:
    m1.move(3)
    m1.home()
    assert m1.position == pytest.approx(0.1)
    assert "HOMED" in m1.state


@pytest.mark.parametrize("sign, way", [(1, 1), (1, -1), (-1, 1)])
def test_jog(m1: RecordAxis, sign: int, way: int) -> None:
    m1.sign = sign
    m1.jog(2 * way)
    until(lambda: m1.position * way > 0.1)
    assert panel(m1, "JVEL").get() == 2
    m1.jog(10 * way)
    until(lambda: m1.position * way > 1)
    assert panel(m1, "JVEL").get() == 10
    m1.stop()
    assert panel(m1, "DMOV").get() == 1
    assert panel(m1, "VELO").get() == 20


def test_a_jog_turns_back(m1: RecordAxis) -> None:
    m1.jog(2)
    until(lambda: m1.position > 0.1)
    m1.jog(-3)
    until(lambda: m1.position < 0)
    m1.stop()


def test_a_jog_into_the_soft_limits_is_not_even_asked_for(m1: RecordAxis) -> None:
    """The record would keep it, and start to the other side when its limits are changed."""
    m1.move(15)
    with pytest.raises(
        AxisLimitError, match=r"m1: .*m1 starts no JOGF at 15, less than one second \(at JVEL 10\) from its"
    ):
        m1.jog(10)
    m1.limits = -19, 20
    gevent.sleep(0.1)
    assert m1.position == pytest.approx(15)


def test_a_place_becomes_zero_at_the_end_of_a_jog(m1: RecordAxis) -> None:
    m1.jog(5, reset_position=0)
    until(lambda: m1.position > 1)
    m1.stop()
    fields = [panel(m1, name).get() for name in ("RBV", "DRBV", "OFF")]
    assert [m1.position, m1.dial, *fields] == pytest.approx([0] * 5)
    m1.home()
    m1.dial = 0.1  # as it was


def test_limit_search(m1: RecordAxis) -> None:
    m1.velocity = 60
    m1.limits = None, None
    m1.move(-28)
    m1.hw_limit(-1)
    assert m1.state.LIMNEG
    assert m1.dial == pytest.approx(-30)
    with pytest.raises(
        AxisFault, match="m1: .*m1 did not start when JOGR was written to it, at -30. Limit switches: LLS"
    ):
        m1.hw_limit(-1)


def test_a_limit_search_that_soft_limits_end_says_so(m1: RecordAxis) -> None:
    m1.limits = -14, 20
    with pytest.raises(
        AxisFault, match=r"m1: the search of its limit switch ended at .* without it. Soft limits of .*-14 \.\. 20"
    ):
        m1.hw_limit(-1)


def test_what_people_are_shown(m1: RecordAxis) -> None:
    info = m1.controller.get_info(m1)
    assert "m1.SPMG  Go" in info
    assert "m1.RBV   0" in info
    assert "motor record" in m1.controller.get_id(m1)
    assert m1.field("BDST").get() == 0


def test_an_absent_field_of_the_hardware_is_told(m1: RecordAxis) -> None:
    with pytest.raises(DeviceError, match="m1.NONE was not found"):
        open_signal(f"{m1.field('VAL').address[:-4]}.NONE", timeout=0.3).get()
