"""SCAN_DISPLAY: what the shell shows of a scan while it runs; kept with the session."""

from __future__ import annotations

from typing import Any

from bliss_like.config.settings import HashSetting
from bliss_like.config.suggestion import did_you_mean
from bliss_like.config.table import table
from bliss_like.errors import UsageError
from bliss_like.scanning.environment import environment
from bliss_like.scanning.plot_choice import get_table_counters, set_table_counters

PLOTS = ("off", "spark", "plot")

_DEFAULTS: dict[str, Any] = {"auto": True, "table": True, "counters": [], "plot": "off", "statistics": True}
_ABOUT = {
    "auto": "whether scans are shown while they run",
    "table": "whether there is a row for each point",
    "counters": "those of the table; []: all, or those of plotselect",
    "plot": "'spark', a line; 'plot', a plot that grows; 'off'",
    "statistics": "whether peaks and centres are told at the end",
}
_chosen: dict[str, dict[str, Any]] = {}
"""What was chosen, by the name of the session; an empty one as long as there is none."""


class ScanDisplaySettings:
    """Each is an attribute: `SCAN_DISPLAY.plot = "spark"`; a scan that runs follows at once, with `counters` the next one."""

    auto: bool
    table: bool
    counters: list[str]
    plot: str
    statistics: bool

    def __getattr__(self, name: str) -> Any:
        if name not in _DEFAULTS:
            raise AttributeError(
                f"SCAN_DISPLAY has no {name!r}{did_you_mean(name, _DEFAULTS)}; there are {', '.join(_DEFAULTS)}"
            )
        return get_table_counters() if name == "counters" else _kept().get(name, _DEFAULTS[name])

    def __setattr__(self, name: str, value: Any) -> None:
        """:raises UsageError: there is no such thing to choose, or not so."""
        if name not in _DEFAULTS:
            raise UsageError(
                f"SCAN_DISPLAY has no {name!r}{did_you_mean(name, _DEFAULTS)}; there are {', '.join(_DEFAULTS)}"
            )
        if name == "counters":
            set_table_counters(*([] if value is None else value if isinstance(value, list | tuple) else [value]))
            return
        if name == "plot" and value not in PLOTS:
            raise UsageError(f"SCAN_DISPLAY.plot: expected one of {', '.join(map(repr, PLOTS))}, got {value!r}")
        if name != "plot" and not isinstance(value, bool):
            raise UsageError(f"SCAN_DISPLAY.{name}: expected True or False, got {value!r}")
        _keep(name, value)

    def __dir__(self) -> list[str]:
        return list(_DEFAULTS)

    def __info__(self) -> str:
        return table(("SCAN_DISPLAY", "now", ""), [(name, getattr(self, name), _ABOUT[name]) for name in _DEFAULTS])

    def __repr__(self) -> str:
        return f"<SCAN_DISPLAY: {', '.join(f'{name}={getattr(self, name)!r}' for name in _DEFAULTS)}>"


SCAN_DISPLAY = ScanDisplaySettings()


def _kept() -> dict[str, Any]:
    """Return what was chosen, which is asked of the server once in a session."""
    session = environment.settings_name
    if session not in _chosen:
        _chosen.clear()
        _chosen[session] = HashSetting(f"{session}:scan_display").get_all() if session else {}
    return _chosen[session]


def _keep(name: str, value: Any) -> None:
    _kept()[name] = value
    if environment.settings_name:
        HashSetting(f"{environment.settings_name}:scan_display")[name] = value
