"""The simulated piezo against its formulas, on a clock that the test moves; and the language of its amplifier."""

from __future__ import annotations

import math
import statistics

import pytest

from bliss_like.controllers.simulated.piezo_stack import PiezoStack
from bliss_like.controllers.simulated.servers.piezo import PiezoAmplifier


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def stack(clock: Clock) -> PiezoStack:
    return PiezoStack(clock, slew_rate=1000, lag=0.01)


def test_the_servo_follows_a_ramp_with_its_lag(stack: PiezoStack, clock: Clock) -> None:
    stack.switch(True)
    stack.move(50)
    clock.now += 0.04
    assert stack.position == pytest.approx(40 - 10 * (1 - math.exp(-4)))
    clock.now += 0.01
    at_the_end_of_the_ramp = 10 * (1 - math.exp(-5))
    assert stack.position == pytest.approx(50 - at_the_end_of_the_ramp)
    clock.now += 0.02
    assert stack.position == pytest.approx(50 - at_the_end_of_the_ramp * math.exp(-2))
    clock.now += 1
    assert stack.position == pytest.approx(50)


def test_it_is_on_target_once_it_was_within_the_window_for_the_settling_time(stack: PiezoStack, clock: Clock) -> None:
    stack.switch(True)
    clock.now += 1
    assert stack.on_target
    stack.move(50)
    entered = None
    for _ in range(20_000):
        clock.now += 1e-5
        if entered is None and abs(stack.position - 50) <= stack.window:
            entered = clock.now
        if stack.on_target:
            break
    assert entered is not None
    assert clock.now - entered == pytest.approx(stack.settling_time, abs=5e-5)


def test_a_halt_stays_where_it_is(stack: PiezoStack, clock: Clock) -> None:
    stack.switch(True)
    stack.move(50)
    clock.now += 0.03
    at = stack.position
    stack.halt()
    clock.now += 1
    assert stack.position == pytest.approx(at)


@pytest.mark.parametrize("servo", [True, False])
def test_another_velocity_is_no_jump(stack: PiezoStack, clock: Clock, servo: bool) -> None:
    stack.switch(servo)
    stack.move(80)
    for wait, rate in ((0.02, 100), (0.1, 2000), (3, 1), (1, 1000)):
        clock.now += wait
        before = stack.position
        stack.set_slew_rate(rate)
        assert stack.position == pytest.approx(before, abs=1e-6)
    assert stack.on_target == servo


def test_without_servo_the_way_back_is_another(clock: Clock) -> None:
    stack = PiezoStack(clock, creep=0)

    def positions(*volts: float) -> list[float]:
        seen = []
        for each in volts:
            stack.move(each)
            clock.now += 1
            assert stack.voltage == each
            seen.append(stack.position)
        return seen

    forth = positions(20, 40, 60, 80)
    back = positions(100, 80, 60, 40, 20)[1:]
    width = 2 * stack.play * stack.hysteresis
    assert [b - f for f, b in zip(forth, reversed(back), strict=True)] == pytest.approx([width] * 4)


def test_without_servo_it_creeps_with_the_logarithm_of_time(clock: Clock) -> None:
    stack = PiezoStack(clock, hysteresis=0, creep=0.02)
    stack.move(50)
    seen = []
    for clock.now in (101, 110, 200):
        seen.append(stack.position - 50)
    assert seen == pytest.approx([50 * 0.02 * math.log10(1 + t / 0.01) for t in (1, 10, 100)])
    before = stack.position
    stack.halt()
    assert stack.position == pytest.approx(before)


def test_the_servo_is_switched_without_a_jump(clock: Clock) -> None:
    stack = PiezoStack(clock)
    stack.move(50)
    clock.now += 3
    for servo in (True, False, True, True):
        before = stack.position
        stack.switch(servo)
        clock.now += 1
        assert stack.position == pytest.approx(before)


def test_the_noise_of_the_readings(clock: Clock) -> None:
    stack = PiezoStack(clock, noise=0.01)
    readings = [stack.reading for _ in range(2000)]
    assert statistics.mean(readings) == pytest.approx(0, abs=1e-3)
    assert statistics.stdev(readings) == pytest.approx(0.01, rel=0.1)


def test_the_language(clock: Clock) -> None:
    amplifier = PiezoAmplifier(clock=clock)
    said = [
        ("SVO A 1", None, 0),
        ("MOV A 12.5", None, 0),
        ("MOV A 100.1", None, 7),
        ("SVA A 5", None, 5),
        ("MOV B 5", None, 5),
        ("MOV A", None, 1),
        ("MOV A x", None, 1),
        ("VEL A -1", None, 17),
        ("HLT A", None, 10),
        ("POS? X", None, 15),
        ("MOV", None, 15),
        ("HELLO", None, 2),
        ("SVO? A", "A=1", 0),
        ("SVO? B", "B=0", 0),
        ("TMX? A", "A=100.0000", 0),
        ("ONT? A", "A=0", 0),
    ]
    for line, answer, error in said:
        assert (line, amplifier.answer(line), amplifier.answer("ERR?")) == (line, answer, str(error))
    clock.now += 1
    assert amplifier.answer("ONT? A") == "A=1"
