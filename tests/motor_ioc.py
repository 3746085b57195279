"""An IOC with motor records, for tests: what such a record does, without any of its code, over Channel Access.

    python -m tests.motor_ioc --prefix rec: --list-pvs --interfaces 127.0.0.1

Each test that it serves also passes on the motor record of the EPICS community (release 7), see `tests/ioc/test_epics_motors.py`.
With MOTORS_MOVE in its environment the motors are on their way to 15 when it starts, as if they had moved on while it was
away. The hardware of each motor: switches at the dial positions -30 and 30, a home switch at 0.1, steps of 0.001.
"""

from __future__ import annotations

import math
import os
from typing import Any

from caproto import ChannelType, SkipWrite
from caproto.server import PVGroup, SubGroup, ioc_arg_parser, pvproperty, run

SWITCHES = (-30.0, 30.0)
HOME = 0.1
STEP = 0.001
TICK = 0.02


def number(name: str, value: float = 0.0, **keys: Any) -> Any:
    return pvproperty(name=f".{name}", value=float(value), **keys)


def flag(name: str, value: int = 0, **keys: Any) -> Any:
    return pvproperty(name=f".{name}", value=value, **keys)


def choice(name: str, *words: str, value: int = 0, **keys: Any) -> Any:
    return pvproperty(name=f".{name}", value=words[value], enum_strings=words, dtype=ChannelType.ENUM, **keys)


class Motor(PVGroup):
    VAL, RBV, DVAL, DRBV = (number(name, units="mm") for name in ("VAL", "RBV", "DVAL", "DRBV"))
    OFF, DIR = number("OFF"), choice("DIR", "Pos", "Neg")
    FOFF, SET = choice("FOFF", "Variable", "Frozen"), choice("SET", "Use", "Set")
    HLM, LLM, DHLM, DLLM = number("HLM", 20), number("LLM", -20), number("DHLM", 20), number("DLLM", -20)
    DMOV, MOVN, HLS, LLS, LVIO, MISS = (
        flag("DMOV", 1),
        flag("MOVN"),
        flag("HLS"),
        flag("LLS"),
        flag("LVIO"),
        flag("MISS"),
    )
    STOP, JOGF, JOGR, HOMF, HOMR = flag("STOP"), flag("JOGF"), flag("JOGR"), flag("HOMF"), flag("HOMR")
    SPMG, CNEN = choice("SPMG", "Stop", "Pause", "Move", "Go", value=3), choice("CNEN", "Disable", "Enable", value=1)
    VELO, VBAS, VMAX, ACCL, JVEL = (
        number("VELO", 5),
        number("VBAS", 0.1),
        number("VMAX", 20),
        number("ACCL", 0.1),
        number("JVEL", 2),
    )
    MSTA, MRES, RDBD, BDST, RTRY = (
        number("MSTA", 0x822),
        number("MRES", STEP),
        number("RDBD", 0.002),
        number("BDST"),
        flag("RTRY", 3),
    )
    DESC = pvproperty(name=".DESC", value="a motor of the tests")
    VERS, DTYP, STAT, SEVR = number("VERS", 7), choice("DTYP", "Tests"), flag("STAT"), flag("SEVR")
    stuck = pvproperty(name=":stuck", value=0, doc="the hardware does not move, whatever it is told")

    _halt = False

    # -- scales --------------------------------------------------------------------------------------------------------

    @property
    def sign(self) -> int:
        return 1 if self.DIR.value == "Pos" else -1

    def to_user(self, dial: float) -> float:
        return self.sign * dial + self.OFF.value

    def to_dial(self, user: float) -> float:
        return (user - self.OFF.value) * self.sign

    @OFF.putter
    async def OFF(self, _: Any, offset: float) -> float:
        await self.rescale(self.sign, offset)
        return offset

    @DIR.putter
    async def DIR(self, _: Any, word: Any) -> Any:
        sign = 1 if word in ("Pos", 0) else -1
        offset = self.RBV.value - sign * self.DRBV.value  # the user position stays
        await self.rescale(sign, offset)
        await self.OFF.write(offset, verify_value=False)
        return word

    async def rescale(self, sign: int, offset: float) -> None:
        low, high = sorted(sign * limit + offset for limit in (self.DLLM.value, self.DHLM.value))
        await self.HLM.write(high, verify_value=False)
        await self.LLM.write(low, verify_value=False)
        for user, dial in ((self.VAL, self.DVAL), (self.RBV, self.DRBV)):
            await user.write(sign * dial.value + offset, verify_value=False)

    @HLM.putter
    async def HLM(self, _: Any, limit: float) -> None:
        await (self.DHLM if self.sign > 0 else self.DLLM).write(self.to_dial(limit), verify_value=False)

    @LLM.putter
    async def LLM(self, _: Any, limit: float) -> None:
        await (self.DLLM if self.sign > 0 else self.DHLM).write(self.to_dial(limit), verify_value=False)

    @DHLM.putter
    async def DHLM(self, _: Any, limit: float) -> None:
        await (self.HLM if self.sign > 0 else self.LLM).write(self.to_user(limit), verify_value=False)

    @DLLM.putter
    async def DLLM(self, _: Any, limit: float) -> None:
        await (self.LLM if self.sign > 0 else self.HLM).write(self.to_user(limit), verify_value=False)

    @DVAL.putter
    async def DVAL(self, _: Any, dial: float) -> float:
        if self.SET.value == "Set":
            if self.FOFF.value == "Variable":
                await self.OFF.write(self.RBV.value - self.sign * dial)
            await self.place(dial)
        else:
            await self.go(dial, self.VELO.value)
        return dial

    @VELO.putter
    async def VELO(self, _: Any, velocity: float) -> float:
        return min(max(velocity, self.VBAS.value), self.VMAX.value or math.inf)

    # -- motion --------------------------------------------------------------------------------------------------------

    @VAL.putter
    async def VAL(self, _: Any, target: float) -> float:
        await self.DMOV.write(0)
        held = self.SPMG.value in ("Stop", "Pause")
        outside = self.LLM.value != self.HLM.value and not self.LLM.value <= target <= self.HLM.value
        await self.LVIO.write(int(outside))
        if outside or held:
            await self.DMOV.write(1)
            raise SkipWrite
        await self.go(self.to_dial(target), self.VELO.value)
        return self.RBV.value if self._halt else target

    @STOP.putter
    async def STOP(self, _: Any, value: int) -> int:
        self._halt = True
        return 0

    @SPMG.putter
    async def SPMG(self, _: Any, word: Any) -> Any:
        if word in ("Stop", 0):
            self._halt = True
        return word

    @JOGF.putter
    async def JOGF(self, _: Any, value: int) -> int:
        return await self.jog(value, 1)

    @JOGR.putter
    async def JOGR(self, _: Any, value: int) -> int:
        return await self.jog(value, -1)

    async def jog(self, value: int, way: int) -> int:
        if value and not (self.HLS if way > 0 else self.LLS).value:
            await self.go(way * self.sign * math.inf, lambda: self.JVEL.value)
        elif not value:
            self._halt = True
        return 0

    @HOMF.putter
    async def HOMF(self, _: Any, value: int) -> int:
        return await self.home(self.HLS)

    @HOMR.putter
    async def HOMR(self, _: Any, value: int) -> int:
        return await self.home(self.LLS)

    async def home(self, switch: Any) -> int:
        if not switch.value:
            await self.go(HOME, self.VELO.value)
            await self.MSTA.write(int(self.MSTA.value) | 0x4000)
        return 0

    async def go(self, target: float, velocity: Any) -> None:
        self._halt = False
        await self.DMOV.write(0)
        await self.MOVN.write(1)
        await self.travel(target, velocity if callable(velocity) else lambda: velocity)
        missed = math.isfinite(target) and not self._halt and abs(self.DRBV.value - target) > self.RDBD.value
        await self.MISS.write(int(missed and not self.HLS.value and not self.LLS.value))
        await self.MOVN.write(0)
        await self.DMOV.write(1)

    async def travel(self, target: float, velocity: Any) -> None:
        target = round(target / STEP) * STEP if math.isfinite(target) else target
        low, high = (
            limit if self.DLLM.value != self.DHLM.value else math.inf for limit in (self.DLLM.value, self.DHLM.value)
        )
        if not math.isfinite(target) and math.isfinite(high):
            target = min(max(target, low), high)
        while not self._halt:
            await self.async_lib.library.sleep(TICK)
            if self.SPMG.value == "Pause":
                continue
            if self.stuck.value:
                return
            way, step = target - self.DRBV.value, velocity() * TICK
            await self.place(target if abs(way) <= step else self.DRBV.value + math.copysign(step, way))
            if self.DRBV.value == target or self.DRBV.value == math.copysign(SWITCHES[1], way):
                return

    async def place(self, dial: float) -> None:
        dial = min(max(dial, SWITCHES[0]), SWITCHES[1])
        await self.DRBV.write(dial)
        await self.RBV.write(self.to_user(dial))
        ends = [int(dial == SWITCHES[0]), int(dial == SWITCHES[1])]
        for switch, pressed in zip((self.LLS, self.HLS), ends[:: self.sign], strict=True):
            if switch.value != pressed:
                await switch.write(pressed)

    @DMOV.startup
    async def DMOV(self, _: Any, async_lib: Any) -> None:
        self.async_lib = async_lib
        if "MOTORS_MOVE" in os.environ:
            await self.go(15, 0.25)


class Motors(PVGroup):
    m1 = SubGroup(Motor, prefix="m1")
    m2 = SubGroup(Motor, prefix="m2")


if __name__ == "__main__":
    options, run_options = ioc_arg_parser(default_prefix="rec:", desc="Motor records for tests")
    run(Motors(**options).pvdb, **run_options)
