"""A box of digital inputs and outputs that speaks lines of text over TCP; valves, filters and lamps hang on it.

`?IN` and `?OUT` are answered by all of them at once, as a hexadecimal number whose lowest bit is plug 1.
"""

from __future__ import annotations

from typing import Any

from pydantic import Field

from bliss_like.backends.line import Line
from bliss_like.config.models import ObjectConfig
from bliss_like.config.suggestion import did_you_mean
from bliss_like.errors import DeviceError


class IoBox:
    """Plugs by name: `box.get("rv1_open", "rv1_closed")`, `box.set("rv1", 1)`."""

    class Config(ObjectConfig):
        address: str = Field(description="tcp://host:port")
        inputs: dict[str, int] = Field(default_factory=dict, description="name: number of the plug, from 1")
        outputs: dict[str, int] = Field(default_factory=dict, description="name: number of the plug, from 1")

    def __init__(self, name: str, config: Config) -> None:
        self.name = name
        self._config = config
        self._line = Line(config.address, name=name)

    def get(self, *names: str) -> Any:
        """Return the bool of one input or output, or a list of those of several, read together."""
        banks = {"?IN": self._config.inputs, "?OUT": self._config.outputs}
        where = {name: query for query, plugs in banks.items() for name in plugs}
        for name in names:
            self._check(name, where)
        queries = sorted({where[name] for name in names})
        with self._line.exchange():
            bits = {query: self._line.ask_for(lambda answer: int(answer, 16), query) for query in queries}
        values = [bool(bits[where[name]] >> banks[where[name]][name] - 1 & 1) for name in names]
        return values[0] if len(values) == 1 else values

    def set(self, *names_and_values: Any) -> None:
        """Switch outputs, in their order: `set("rv1", 1, "lamp", 0)`.

        :raises DeviceError: there is no such output, or the box did not take it.
        """
        if len(names_and_values) % 2:
            raise DeviceError(f"{self.name}.set: expected name, value, name, value...; got {names_and_values}")
        pairs = list(zip(names_and_values[::2], names_and_values[1::2], strict=True))
        for name, _ in pairs:
            self._check(name, self._config.outputs)
        for name, value in pairs:
            self._switch(name, value)

    def insist(self, name: str, value: Any) -> None:
        """Switch one output, and if the box does not hear it, again as soon as it does: for what must be in the end."""
        self._check(name, self._config.outputs)
        self._line.insist(f"switching {name}", lambda: self._switch(name, value))

    def _switch(self, name: str, value: Any) -> None:
        request = f"OUT {self._config.outputs[name]} {int(bool(value))}"
        answer = self._line.ask(request)
        if answer != "OK":
            raise self._line.unexpected(request, answer, "expected OK")

    def _check(self, name: str, known: dict[str, Any]) -> None:
        if name not in known:
            hint = did_you_mean(name, known)
            raise DeviceError(f"{self.name} has no plug {name!r}{hint}; there are: {', '.join(known) or 'none'}")

    def __info__(self) -> str:
        names = [*self._config.inputs, *self._config.outputs]
        values = self.get(*names) if len(names) > 1 else [self.get(*names)] if names else []
        return "\n".join(
            [f"{self.name} ({self._line.address})", *(f"  {n}: {int(v)}" for n, v in zip(names, values, strict=True))]
        )

    def __close__(self) -> None:
        self._line.close()
