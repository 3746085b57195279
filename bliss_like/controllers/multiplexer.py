"""A multiplexer: which of its inputs each output of a box passes on, by name. The box speaks lines of text over TCP.

Scans ask for routes instead of cables: `mux.switch("detector_gate", "timer")`. The state of all outputs can be kept under
a name and brought back, also after a restart.
"""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import Field

from bliss_like.backends.line import Line
from bliss_like.config.models import ObjectConfig, Reference, StrictModel
from bliss_like.config.settings import ObjectSettings
from bliss_like.config.suggestion import did_you_mean
from bliss_like.devices.switch import Switch
from bliss_like.errors import DeviceError


class Multiplexer:
    """BLISS' names: `switch getOutputStat getGlobalStat getPossibleValues storeCurrentStat restoreStat`."""

    class Output(StrictModel):
        name: str
        plug: int = Field(ge=1, description="number of the output on the box")
        inputs: dict[str, int] = Field(description="name: number of the input on the box; 0: nothing")

    class Config(ObjectConfig):
        address: str = Field(description="of the box: tcp://host:port")
        outputs: list[Multiplexer.Output] = Field(min_length=1)

    def __init__(self, name: str, config: Config) -> None:
        self.name = name
        self._outputs = {output.name: output for output in config.outputs}
        self._kept = ObjectSettings.of(config, suffix=":stats")
        self._line = Line(config.address, name=name)

    def switch(self, output: str, value: str) -> None:
        """Let an output pass on the input of that name.

        :raises DeviceError: there is no such output or input, or the box did not take it.
        """
        wanted = self._output(output)
        request = f"ROUTE {wanted.plug} {self._input(wanted, value)}"
        answer = self._line.ask(request)
        if answer != "OK":
            raise DeviceError(f"{self.name} did not switch {output} to {value}: {request!r} was answered {answer!r}")

    def getOutputStat(self, output: str) -> str:
        """The name of the input that an output passes on."""
        wanted = self._output(output)
        number = self._line.ask_for(int, f"?ROUTE {wanted.plug}")
        return {plug: name for name, plug in wanted.inputs.items()}.get(number, f"input {number}, which has no name")

    def getGlobalStat(self) -> dict[str, str]:
        """The names of the inputs that all outputs pass on, by output."""
        return {output: self.getOutputStat(output) for output in self._outputs}

    def getPossibleValues(self, output: str) -> list[str]:
        """The names of the inputs that an output may pass on."""
        return list(self._output(output).inputs)

    def getAllPossibleValues(self) -> dict[str, list[str]]:
        return {output: self.getPossibleValues(output) for output in self._outputs}

    # -- what was kept

    def storeCurrentStat(self, name: str) -> None:
        """Keep the present state of all outputs under a name."""
        self._kept[name] = self.getGlobalStat()

    def restoreStat(self, name: str) -> None:
        """Bring back what was kept under a name.

        :raises DeviceError: nothing was; or one of its outputs or inputs is no more: then nothing is switched.
        """
        kept = self._kept.get(name)
        if kept is None:
            raise DeviceError(
                f"{self.name} has kept nothing as {name!r}; there is: {', '.join(self._kept) or 'nothing'}"
            )
        for output, value in kept.items():
            self._input(self._output(output), value)
        for output, value in kept.items():
            self.switch(output, value)

    def getSavedStats(self) -> list[str]:
        return list(self._kept)

    def removeSavedStats(self, *names: str) -> None:
        self._kept.remove(*names)

    def _output(self, name: str) -> Output:
        if name not in list(self._outputs):
            hint = did_you_mean(name, self._outputs)
            raise DeviceError(f"{self.name} has no output {name!r}{hint}; there are: {', '.join(self._outputs)}")
        return self._outputs[name]

    def _input(self, output: Output, name: str) -> int:
        if name not in list(output.inputs):
            hint, there = did_you_mean(name, output.inputs), ", ".join(output.inputs)
            raise DeviceError(f"{self.name}: output {output.name} has no input {name!r}{hint}; there are: {there}")
        return output.inputs[name]

    def __info__(self) -> str:
        return "\n".join(
            [f"{self.name} ({self._line.address})", *(f"  {o}: {v}" for o, v in self.getGlobalStat().items())]
        )

    def __close__(self) -> None:
        self._line.close()


class MultiplexerSwitch(Switch):
    """One output of a multiplexer: `gate.set("timer")`, `gate.get()`, `gate.states_list()`."""

    class Config(ObjectConfig):
        multiplexer: Reference
        output: str

    def __init__(self, name: str, config: Config) -> None:
        super().__init__(name)
        self._multiplexer, self._output = config.multiplexer, config.output

    def _set(self, state: str) -> None:
        self._multiplexer.switch(self._output, state)

    def _get(self) -> str:
        return str(self._multiplexer.getOutputStat(self._output))

    def _states_list(self) -> Sequence[str]:
        return list(self._multiplexer.getPossibleValues(self._output))
