"""The algebra of user, dial, offset, sign, steps, limits and backlash, through everything that a user can do in any order."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from bliss_like.devices.axis import Axis
from bliss_like.errors import AxisLimitError
from tests.unit.devices.making import make_axis

places = st.floats(-1000, 1000).map(lambda place: round(place, 3))
ways = st.floats(-100, 100).map(lambda way: round(way, 3))
steps = st.sampled_from([1.0, -1.0, 10.0, -3.0, 0.25, 2000.0])


@dataclass
class Model:
    """What an axis is, in two lines: user = sign * dial + offset, dial = register / steps; limits are of the dial."""

    steps: float
    sign: int = 1
    register: float = 0.0
    offset: float = 0.0
    low: float = -math.inf
    high: float = math.inf
    backlash: float = 0.0

    @property
    def dial(self) -> float:
        return self.register / self.steps

    @property
    def user(self) -> float:
        return self.sign * self.dial + self.offset

    def to_user(self, dial: float) -> float:
        return self.sign * dial + self.offset

    def to_dial(self, user: float) -> float:
        return self.sign * (user - self.offset)

    @property
    def limits(self) -> tuple[float, float]:
        low, high = sorted([self.to_user(self.low), self.to_user(self.high)])
        return low, high

    def allows(self, user: float) -> bool | None:
        """None: too near to a limit to say."""
        low, high = self.limits
        if min(abs(user - low), abs(user - high)) < 1e-5:
            return None
        return low < user < high

    def may_move(self, user: float) -> bool | None:
        allowed = self.allows(user)
        if allowed and self.backlash and (user - self.user) * self.backlash < 0:
            return self.allows(user - self.backlash)
        return allowed


class Scales(RuleBasedStateMachine):
    axis: Axis
    model: Model

    @initialize(steps=steps, sign=st.sampled_from([1, -1]))
    def make(self, steps: float, sign: int) -> None:
        self.axis = make_axis("robx", steps_per_unit=steps, sign=sign)
        self.model = Model(steps, sign)

    def _move(self, user: float, call: Any) -> None:
        model, before = self.model, self.axis.position
        allowed = model.may_move(user)
        if allowed is None or abs(user - model.user) < 1e-5:
            return
        if allowed:
            call()
            model.register = model.to_dial(user) * model.steps
        else:
            with pytest.raises(AxisLimitError):
                call()
            assert self.axis.position == before

    @rule(user=places)
    def move(self, user: float) -> None:
        self._move(user, lambda: self.axis.move(user))

    @rule(way=ways)
    def rmove(self, way: float) -> None:
        self._move(self.model.user + way, lambda: self.axis.rmove(way))

    @rule(user=places)
    def set_position(self, user: float) -> None:
        self.axis.position = user
        self.model.offset += user - self.model.user

    @rule(dial=places)
    def set_dial(self, dial: float) -> None:
        self.axis.dial = dial
        user = self.model.user
        self.model.register = dial * self.model.steps
        self.model.offset = user - self.model.sign * dial

    @rule(offset=places)
    def set_offset(self, offset: float) -> None:
        self.axis.offset = offset
        self.model.offset = offset

    @rule(sign=st.sampled_from([1, -1]))
    def set_sign(self, sign: int) -> None:
        self.axis.sign = sign
        self.model.sign = sign

    @rule(one=places, other=places)
    def set_limits(self, one: float, other: float) -> None:
        if one != other:
            self.axis.limits = low, high = min(one, other), max(one, other)
            self.model.low, self.model.high = sorted([self.model.to_dial(low), self.model.to_dial(high)])

    @rule(one=places, other=places)
    def set_dial_limits(self, one: float, other: float) -> None:
        if one != other:
            self.axis.dial_limits = self.model.low, self.model.high = min(one, other), max(one, other)

    @rule(user=places | st.none(), is_low=st.booleans())
    def set_one_limit(self, user: float | None, is_low: bool) -> None:
        low, high = self.model.limits
        if is_low:
            low = -math.inf if user is None else user
        else:
            high = math.inf if user is None else user
        if not low < high - 1e-6:
            return
        if is_low:
            self.axis.low_limit = user  # type: ignore[assignment]
        else:
            self.axis.high_limit = user  # type: ignore[assignment]
        self.model.low, self.model.high = sorted([self.model.to_dial(low), self.model.to_dial(high)])

    @rule(backlash=st.sampled_from([0.0, 5.0, -7.0]))
    def set_backlash(self, backlash: float) -> None:
        self.axis.backlash = backlash
        self.model.backlash = backlash

    @rule()
    def sync(self) -> None:
        self.axis.sync_hard()

    @rule(steps=steps)
    def restart_with_other_steps(self, steps: float) -> None:
        model, settings = self.model, self.axis.settings
        sign = self.axis.config.sign
        self.axis = make_axis(
            "robx", steps_per_unit=steps, sign=sign, initial_position=model.register / steps, backlash=0.0
        )
        self.axis.settings = settings
        user, ratio = model.user, model.steps / steps
        model.steps = steps
        model.offset = user - model.sign * model.dial
        model.low, model.high = sorted([model.low * ratio, model.high * ratio])

    @invariant()
    def agree(self) -> None:
        if not hasattr(self, "axis"):
            return
        axis, model = self.axis, self.model
        near = {"rel": 1e-9, "abs": 1e-5}
        assert axis.position == pytest.approx(model.user, **near)
        assert axis.dial == pytest.approx(model.dial, **near)
        assert axis.offset == pytest.approx(model.offset, **near)
        assert (axis.sign, axis.backlash) == (model.sign, model.backlash)
        assert axis.limits == pytest.approx(model.limits, **near)
        assert axis.dial_limits == pytest.approx((model.low, model.high), **near)
        assert axis._set_position == pytest.approx(model.user, **near)
        assert axis.controller.read_position(axis) == pytest.approx(model.register, rel=1e-9, abs=1e-2)
        assert axis.dial2user(axis.user2dial(123.0)) == pytest.approx(123.0)


TestScales = Scales.TestCase
