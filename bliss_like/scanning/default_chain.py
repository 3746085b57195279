"""The chain of the standard scans: [axes ->] timer -> what the counters need."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from bliss_like.config.table import table
from bliss_like.devices.calc_counter import CalcCounterController
from bliss_like.devices.counter import (
    Counter,
    CounterController,
    IntegratingCounterController,
    SamplingCounterController,
)
from bliss_like.devices.counter_controller import Params, register_acquisition
from bliss_like.errors import ChainError, ScanUsageError

from .acquisition import AcquisitionMaster, AcquisitionObject
from .acquisition.calc import CalcCounterAcquisitionSlave
from .acquisition.integrating import IntegratingCounterAcquisitionSlave
from .acquisition.sampling import SamplingCounterAcquisitionSlave
from .acquisition.timer import PeriodicTimerMaster, SoftwareTimerMaster
from .chain import AcquisitionChain
from .chain_nodes import CalcCounterChainNode, ChainBuilder, ChainNode, iter_counters, naming
from .environment import environment
from .presets import ChainPreset

ChainSettings = Iterable[Mapping[str, Any]]
"""Each {"device": a controller or counter, "acquisition_settings": {...}, "master": a controller, "every": seconds}."""

__all__ = [
    "DEFAULT_CHAIN",
    "ChainBuilder",
    "ChainNode",
    "ChainSettings",
    "DefaultAcquisitionChain",
    "register_acquisition",
]


def _sampling(controller: CounterController, acq: Params, ctrl: Params, _: Params) -> AcquisitionObject:
    params = SamplingCounterAcquisitionSlave.validate_params(acq, ctrl)
    return SamplingCounterAcquisitionSlave(controller, ctrl_params=ctrl, **params)


def _integrating(controller: CounterController, acq: Params, ctrl: Params, _: Params) -> AcquisitionObject:
    params = IntegratingCounterAcquisitionSlave.validate_params(acq, ctrl)
    return IntegratingCounterAcquisitionSlave(controller, ctrl_params=ctrl, **params)


def _calculating(controller: CounterController, acq: Params, ctrl: Params, _: Params) -> AcquisitionObject:
    devices = acq.pop("acq_devices")
    return CalcCounterAcquisitionSlave(controller, devices, acq, ctrl_params=ctrl)  # type: ignore[arg-type]


register_acquisition(SamplingCounterController, _sampling)
register_acquisition(IntegratingCounterController, _integrating)
register_acquisition(CalcCounterController, _calculating)


@dataclass(frozen=True)
class _Setting:
    """How one controller takes part in standard scans."""

    acquisition: Mapping[str, Any]
    master: CounterController | None
    every: float | None = None
    """Seconds from one point to the next, where it has a rate of its own."""


class DefaultAcquisitionChain:
    """DEFAULT_CHAIN: builds the chains of the standard scans; its settings hold until they are changed.

    A single scan that wants something else takes it as `chain_settings=`.
    """

    def __init__(self) -> None:
        self._settings: dict[CounterController, _Setting] = {}
        self._presets: dict[str, ChainPreset] = {}

    def set_settings(self, settings: ChainSettings) -> None:
        """Say how devices take part in standard scans; what was said before is forgotten.

        :param settings: each {"device": a controller or counter, "acquisition_settings": {...}, "master": a controller that
            triggers it} or, in the place of the master, {"every": seconds}: a rate of its own. All but the device is optional.
        :raises ChainError: a key that is not known, no device, no seconds, or a device that is its own master.
        """
        self._settings = _checked(settings)

    def add_preset(self, preset: ChainPreset, name: str | None = None) -> None:
        """Put a preset into every standard scan; one of the same name, by default that of its class, is replaced."""
        if not isinstance(preset, ChainPreset):
            raise ChainError(f"expected a ChainPreset, got {preset!r}")
        self._presets[name or type(preset).__name__] = preset

    def remove_preset(self, preset: ChainPreset | None = None, name: str | None = None) -> None:
        """Take a preset out, by itself or by its name.

        :raises ChainError: it is not there.
        """
        found = [key for key, known in self._presets.items() if key == name or (preset is not None and known is preset)]
        if not found:
            there = ", ".join(self._presets) or "none"
            raise ChainError(f"the default chain has no preset {name or preset!r}; there are: {there}")
        for key in found:
            del self._presets[key]

    def without_presets(self) -> DefaultAcquisitionChain:
        """Return one with the same settings, and no presets."""
        plain = DefaultAcquisitionChain()
        plain._settings = dict(self._settings)
        return plain

    def reset(self) -> None:
        """Forget settings and presets."""
        self._settings = {}
        self._presets = {}

    def get(
        self,
        scan_pars: Mapping[str, Any],
        counter_args: Iterable[Any],
        top_master: AcquisitionMaster | None = None,
        settings: ChainSettings | None = None,
    ) -> AcquisitionChain:
        """Return the chain of a standard scan; its timer is `chain.timer`.

        :param scan_pars: `count_time` in seconds, `npoints` (0 for no end), `sleep_time` in seconds or None.
        :param counter_args: anything that has counters; nothing means the active measurement group.
        :param settings: of this chain alone, in the place of those that were set for the same devices.
        :raises ScanUsageError: no counters, or something that has none.
        :raises ChainError: the settings are wrong, as for `set_settings`.
        """
        known = _checked(settings, self._settings) if settings is not None else self._settings
        scan_params = {"count_time": 1.0, "npoints": 1, "sleep_time": None, **scan_pars}
        counters = counters_for(counter_args) + _encoders(top_master)
        timer = SoftwareTimerMaster(
            scan_params["count_time"], sleep_time=scan_params["sleep_time"], npoints=scan_params["npoints"]
        )
        chain = AcquisitionChain(parallel_prepare=True)
        chain.timer = timer
        if top_master is not None:
            chain.add(top_master, timer)
        else:
            chain.add(timer)
        builder = ChainBuilder(counters)
        placing = _Placing(chain, timer, builder, known, scan_params)
        for node in builder.get_top_level_nodes():
            placing.place(node)
        for preset in self._presets.values():
            chain.add_preset(preset)
        return chain

    def __info__(self) -> str:
        """Say what holds now."""
        if not self._settings:
            lines = ["DEFAULT_CHAIN: no settings; the timer triggers every controller"]
        else:
            rows = [
                (device.fullname, _told(setting.acquisition), _trigger(setting))
                for device, setting in self._settings.items()
            ]
            lines = ["DEFAULT_CHAIN", table(("controller", "acquisition settings", "triggered by"), rows)]
        presets = [f"preset {name}: {preset!r}" for name, preset in self._presets.items()]
        return "\n".join([*lines, *presets])


@dataclass(frozen=True)
class _Placing:
    """Puts acquisition objects into one chain, each under its master."""

    chain: AcquisitionChain
    timer: AcquisitionMaster
    builder: ChainBuilder
    settings: Mapping[CounterController, _Setting]
    scan_params: Params
    periodic: dict[float, PeriodicTimerMaster] = field(default_factory=dict)
    """Timers of their own rate, by that."""

    def place(self, node: ChainNode) -> AcquisitionObject:
        """Put the acquisition object of a node, with those below it, under its master; return it."""
        if node.acquisition_obj is not None:
            return node.acquisition_obj
        with naming(node.controller.name):
            return self._place(node)

    def _place(self, node: ChainNode) -> AcquisitionObject:
        setting = self.settings.get(node.controller, _AS_THE_SCAN)
        scan_params = self._params_of(setting.every)
        for one in node.walk():
            own = self.settings.get(one.controller, _AS_THE_SCAN)
            if own.every is not None and one is not node:
                raise ChainError(
                    f"settings of the default chain: {one.controller.name} is acquired with {node.controller.name}, say "
                    f"`every` of that"
                )
            acq_params = one.get_default_chain_parameters(scan_params, own.acquisition)
            if not isinstance(acq_params, Mapping):
                raise ChainError(
                    f"controller {one.controller.name!r}: expected a dict of parameters from get_default_chain_parameters, "
                    f"got {acq_params!r}"
                )
            one.set_parameters(acq_params=acq_params)
            self._place_inputs(one, node)
        master = self._master_of(node, setting)
        if not isinstance(master, AcquisitionMaster):
            raise ChainError(f"settings of the default chain: {setting.master!r} cannot trigger {node.controller.name}")
        self.chain.add(master, node)
        return node.create_acquisition_object()

    def _place_inputs(self, node: ChainNode, top: ChainNode) -> None:
        """Put what a node below `top` calculates from into the chain before it, so that it can listen to that."""
        for needed in node.dependencies.values() if isinstance(node, CalcCounterChainNode) else ():
            while needed.parent is not None:
                needed = needed.parent
            if needed is not top:
                self.place(needed)

    def _master_of(self, node: ChainNode, setting: _Setting) -> AcquisitionObject:
        """Return what triggers a node: what the settings say; else the timer, or for a calculation what its inputs share."""
        if setting.master is not None:
            above = self.builder.node_of(setting.master)
            master = self.place(above)
            node.set_parent_parameters(above.acquisition_parameters)
            return master
        if isinstance(node, CalcCounterChainNode):
            return self._master_of_inputs(node, setting)
        return self.timer if setting.every is None else self._timer_of(setting.every)

    @staticmethod
    def _master_of_inputs(node: CalcCounterChainNode, setting: _Setting) -> AcquisitionMaster:
        name = node.controller.name
        if setting.every is not None:
            raise ChainError(
                f"settings of the default chain: {name} is calculated when its inputs come, say `every` of those"
            )
        master = node.common_master()
        if master is None:
            names = ", ".join(each.name for each in node.dependencies)
            raise ChainError(
                f"settings of the default chain: {name} is calculated from {names}, which are counted at different rates: "
                "their points do not belong together; give all of them the same `every`, or none"
            )
        return master

    def _params_of(self, every: float | None) -> Params:
        """Return what a scan of that rate would be given."""
        if every is None:
            return self.scan_params
        return {**self.scan_params, "npoints": 0, "count_time": min(self.scan_params["count_time"], _COUNTED * every)}

    def _timer_of(self, every: float) -> PeriodicTimerMaster:
        timer = self.periodic.get(every)
        if timer is None:
            timer = self.periodic[every] = PeriodicTimerMaster(every)
            self.chain.add(timer)
        return timer


def counters_for(counter_args: Iterable[Any]) -> list[Counter]:
    """Return the counters of what a scan was given, or of the active measurement group.

    :raises ScanUsageError: there are none.
    """
    given = list(counter_args)
    if not given:
        group = environment.active_measurement_group()
        given = [] if group is None else [group]
    counters = list(dict.fromkeys(iter_counters(given)))
    if not counters:
        raise ScanUsageError(
            "No counters for scan: give some, or enable some in the active measurement group, ACTIVE_MG.enable_all()"
        )
    return counters


def default_chain() -> DefaultAcquisitionChain:
    """Return the session's default chain, or a plain one."""
    if environment.default_chain is None:
        environment.default_chain = DefaultAcquisitionChain()
    return environment.default_chain


class PresentDefaultChain:
    """Stands for the default chain of the session, whichever that is."""

    def __getattr__(self, name: str) -> Any:
        return getattr(default_chain(), name)

    def __dir__(self) -> list[str]:
        return dir(default_chain())

    def __repr__(self) -> str:
        return repr(default_chain())

    def __info__(self) -> str:
        return default_chain().__info__()


DEFAULT_CHAIN = PresentDefaultChain()


def _encoders(top_master: AcquisitionMaster | None) -> list[Counter]:
    """Return those of the axes that are scanned: they are counted without being asked for."""
    encoders = [getattr(axis, "encoder", None) for axis in getattr(top_master, "axes", ())]
    return [encoder for encoder in encoders if isinstance(encoder, Counter)]


def _checked(
    settings: ChainSettings, others: Mapping[CounterController, _Setting] | None = None
) -> dict[CounterController, _Setting]:
    """Return settings by controller, beside `others`.

    :raises ChainError: they are wrong.
    """
    known = dict(others or {})
    if isinstance(settings, Mapping | str) or not isinstance(settings, Iterable):
        raise ChainError(f"settings of the default chain: expected a list of dicts with {_EXPECTED}, got {settings!r}")
    for setting in settings:
        if not isinstance(setting, Mapping) or "device" not in setting or not set(setting) <= set(_KEYS):
            got = ", ".join(map(str, setting)) if isinstance(setting, Mapping) else repr(setting)
            raise ChainError(f"settings of the default chain: expected {_EXPECTED}, got {got}")
        acquisition = setting.get("acquisition_settings") or {}
        if not isinstance(acquisition, Mapping):
            raise ChainError(
                f"settings of the default chain: acquisition_settings: expected a dict, got {acquisition!r}"
            )
        above = setting.get("master")
        master = None if above is None else _controller(above)
        every = setting.get("every")
        if every is not None and (master is not None or not _is_period(every)):
            raise ChainError(
                "settings of the default chain: every: expected seconds, more than 0, and no master beside it, got "
                f"every: {every!r}, master: {above!r}"
            )
        known[_controller(setting["device"])] = _Setting(_plain(acquisition), master, every)
    for controller in known:
        seen = {controller}
        above = known[controller].master
        while above is not None:
            if above in seen:
                raise ChainError(f"settings of the default chain: {controller.name} would be triggered by itself")
            seen.add(above)
            above = known[above].master if above in known else None
    return known


_KEYS = ("device", "acquisition_settings", "master", "every")
_EXPECTED = "device, and perhaps acquisition_settings and master or every"
_AS_THE_SCAN = _Setting({}, None)
_COUNTED = 0.9
"""The part of its period that a device of its own rate counts at most: the rest is for its readout."""


def _is_period(every: object) -> bool:
    return isinstance(every, int | float) and not isinstance(every, bool) and 0 < every < float("inf")


def _trigger(setting: _Setting) -> str:
    """Say what triggers a device."""
    if setting.every is not None:
        return f"a timer of its own, every {setting.every:g} s"
    return setting.master.fullname if setting.master else "timer"


def _plain(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return dicts, also of what is a mapping of another kind, such as one of the configuration."""
    return {key: _plain(value) if isinstance(value, Mapping) else value for key, value in settings.items()}


def _told(settings: Mapping[str, Any]) -> str:
    return ", ".join(f"{name}={value!r}" for name, value in settings.items())


def _controller(device: Any) -> CounterController:
    if isinstance(device, CounterController):
        return device
    if isinstance(device, Counter):
        return device.controller
    raise ChainError(f"settings of the default chain: expected a counter or a controller, got {device!r}")
