"""Something that compressed air brings into the beam or out of it: one output of a box, and two switches that tell."""

from __future__ import annotations

from pydantic import Field

from bliss_like.config.models import ObjectConfig, Reference
from bliss_like.devices.actuator import AbstractActuator, ActuatorState


class BoxActuator(AbstractActuator):
    """In the beam when the output is on."""

    class Config(ObjectConfig):
        box: Reference = Field(description="of the plugs: an IoBox, or what has its get and set")
        output: str = Field(description="brings it in when on")
        in_input: str = Field(description="on when it is in")
        out_input: str = Field(description="on when it is out")
        timeout: float = Field(default=5.0, gt=0, description="seconds that it may take on its way")

    def __init__(self, name: str, config: Config) -> None:
        super().__init__(name, config.timeout)
        self._config = config
        self._box = config.box

    def _set_in(self) -> None:
        self._box.set(self._config.output, 1)

    def _set_out(self) -> None:
        self._box.set(self._config.output, 0)

    def _state(self) -> ActuatorState:
        is_in, is_out = self._box.get(self._config.in_input, self._config.out_input)
        if is_in and is_out:
            return ActuatorState.FAULT
        return ActuatorState.IN if is_in else ActuatorState.OUT if is_out else ActuatorState.MOVING
