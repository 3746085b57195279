"""The closed loop of an axis: the hardware holds its position by its encoder."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from bliss_like.errors import ConfigError

if TYPE_CHECKING:
    from bliss_like.devices.axis import Axis
    from bliss_like.devices.axis_config import ClosedLoopConfig


class ClosedLoopState(enum.Enum):
    """What the controller does with the position of an axis."""

    UNKNOWN = "unknown"
    ON = "on"
    OFF = "off"
    MANUAL = "manual"


class ClosedLoop:
    """`axis.closed_loop`; its parameters, those that the controller requires, are attributes: `roby.closed_loop.kp = 2`."""

    def __init__(self, axis: Axis, config: Mapping[str, Any] | ClosedLoopConfig) -> None:
        self._axis = axis
        self._config = {key: value for key, value in dict(config).items() if value is not None}

    @property
    def parameters(self) -> list[str]:
        return list(self._axis.controller.get_closed_loop_requirements())

    @property
    def state(self) -> ClosedLoopState:
        self._axis.make_ready()
        state = self._axis.controller.get_closed_loop_state(self._axis)
        return state if isinstance(state, ClosedLoopState) else ClosedLoopState(str(state).lower())

    def on(self) -> None:
        self._activate(True)

    def off(self) -> None:
        self._activate(False)

    def _activate(self, on: bool) -> None:
        axis = self._axis
        axis.refuse_change()
        axis.make_ready()
        axis.controller.activate_closed_loop(axis, on)
        axis.settings.store(closed_loop={**self._kept(), "state": "on" if on else "off"})
        axis.sync_hard()

    def _kept(self) -> dict[str, Any]:
        return dict(self._axis.settings.now().get("closed_loop") or {})

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_") or name not in self.parameters:
            raise AttributeError(
                f"the closed loop of {self._axis.name} has no {name!r}; it has {', '.join(self.parameters)}"
            )
        self._axis.make_ready()
        return self._axis.controller.get_closed_loop_param(self._axis, name)

    def __setattr__(self, name: str, value: Any) -> None:
        if name.startswith("_"):
            object.__setattr__(self, name, value)
            return
        axis = self._axis
        if name not in self.parameters:
            raise AttributeError(f"the closed loop of {axis.name} has no {name!r}; it has {', '.join(self.parameters)}")
        axis.make_ready()
        axis.controller.set_closed_loop_param(axis, name, value)
        axis.settings.store(closed_loop={**self._kept(), name: value})

    def push(self) -> None:
        """Give the hardware the parameters that were set last, else those of the configuration, and the state.

        :raises ConfigError: a parameter is missing.
        """
        axis, now = self._axis, {**self._config, **self._kept()}
        missing = [name for name in self.parameters if name not in now]
        unknown = [name for name in now if name not in (*self.parameters, "state")]
        if missing or unknown:
            what = f"lacks {', '.join(missing)}" if missing else f"has the unknown {', '.join(unknown)}"
            raise ConfigError(
                f"axis {axis.name!r}: its closed_loop {what}; expected state, {', '.join(self.parameters)}"
            )
        for name in self.parameters:
            axis.controller.set_closed_loop_param(axis, name, now[name])
        state = now.get("state")
        if state is not None and str(state) not in ("manual",):
            axis.controller.activate_closed_loop(axis, state in ("on", True))

    def __info__(self) -> str:
        values = ", ".join(f"{name} {getattr(self, name)}" for name in self.parameters)
        return f"closed loop of {self._axis.name}: {self.state.value}{', ' if values else ''}{values}"
