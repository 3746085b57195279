"""A motor behind a TCP port: the example motor of the package lewis. Copy it for a motor that speaks lines of text.

lewis -k lewis.examples example_motor -p "stream: {bind_address: 127.0.0.1, port: 9999}"
"""

from __future__ import annotations

from pydantic import Field

from bliss_like.backends.line import Line
from bliss_like.devices.axis import Axis, AxisConfig
from bliss_like.devices.axis_state import AxisState
from bliss_like.devices.motor_controller import MotorController, MotorControllerConfig
from bliss_like.devices.move import Motion
from bliss_like.errors import DeviceError


class LewisMotor(MotorController):
    """One motor, 0 to 250 mm; it takes no new target while it moves. All its commands::

    T=<mm>  T=<mm>           start; or `err: ` and why not
    T?      <mm>             the target
    P?      <mm>             where it is
    S?      idle | moving
    H       T=<mm>,P=<mm>    stop: the target becomes where it is
    """

    class Config(MotorControllerConfig):
        address: str = Field(description="tcp://host:port")
        axes: list[AxisConfig] = Field(min_length=1, max_length=1)

    def __init__(self, name: str, config: Config) -> None:
        super().__init__(name, config)
        self._line = Line(config.address, terminator=b"\r\n", name=name)

    def connect_axis(self, axis: Axis, timeout: float) -> None:
        self._line.ask("S?", timeout)

    def read_position(self, axis: Axis) -> float:
        return self._line.ask_for(float, "P?")

    def state(self, axis: Axis) -> AxisState:
        status, position, target = self._line.ask_many(["S?", "P?", "T?"])
        if status not in ("idle", "moving"):
            raise self._line.unexpected("S?", status, "expected idle or moving")
        # idle away from its target: it has only just been told to move
        return AxisState("READY" if status == "idle" and position == target else "MOVING")

    def start_one(self, motion: Motion) -> None:
        command = f"T={motion.target_pos:.6f}"
        answer = self._line.ask(command)
        if not answer.startswith("T="):
            raise DeviceError(f"{self._line} refused {command!r}: {answer}")

    def stop(self, axis: Axis) -> None:
        self._line.insist(f"stopping {axis.name}", lambda: self._line.ask("H"))

    def raw_write_read(self, message: str | bytes) -> str | bytes:
        return self._line.ask(message)

    def __close__(self) -> None:
        super().__close__()
        self._line.close()
