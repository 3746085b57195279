"""The chain of the standard scans: [axes ->] timer -> what the counters need."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from bliss_like.devices.counter import (
    Counter,
    CounterController,
    IntegratingCounterController,
    SamplingCounterController,
)
from bliss_like.errors import ChainError, ScanUsageError

from .acquisition import AcquisitionMaster, AcquisitionObject
from .acquisitions.integrating import IntegratingCounterAcquisitionSlave
from .acquisitions.sampling import SamplingCounterAcquisitionSlave
from .acquisitions.timer import SoftwareTimerMaster
from .chain import AcquisitionChain
from .chain_nodes import ChainBuilder, ChainNode, Params, iter_counters, register_acquisition
from .environment import environment
from .presets import ChainPreset

__all__ = ["ChainBuilder", "ChainNode", "DefaultAcquisitionChain", "register_acquisition"]


def _sampling(controller: CounterController, acq: Params, ctrl: Params, _: Params) -> AcquisitionObject:
    return SamplingCounterAcquisitionSlave(controller, ctrl_params=ctrl, **acq)  # type: ignore[arg-type]


def _integrating(controller: CounterController, acq: Params, ctrl: Params, _: Params) -> AcquisitionObject:
    return IntegratingCounterAcquisitionSlave(controller, ctrl_params=ctrl, **acq)  # type: ignore[arg-type]


register_acquisition(SamplingCounterController, _sampling)
register_acquisition(IntegratingCounterController, _integrating)


class DefaultAcquisitionChain:
    """Builds the chains of the standard scans; its settings hold until they are changed."""

    def __init__(self) -> None:
        self._settings: dict[CounterController, Mapping[str, Any]] = {}
        self._presets: dict[str, ChainPreset] = {}

    def set_settings(self, settings: Sequence[Mapping[str, Any]]) -> None:
        """Say how devices take part in standard scans.

        :param settings: each {"device": a controller or counter, "acquisition_settings": {...}, "master": a controller},
            the last two optional.
        :raises ChainError: a key that is not known, no device, or a device that is its own master.
        """
        known: dict[CounterController, Mapping[str, Any]] = {}
        for setting in settings:
            unknown = sorted(set(setting) - {"device", "acquisition_settings", "master"})
            if unknown or "device" not in setting:
                raise ChainError(
                    f"settings of the default chain: expected device, acquisition_settings, master, got {sorted(setting)}"
                )
            known[_controller(setting["device"])] = setting
        for controller in known:
            seen = {controller}
            above = known[controller].get("master")
            while above is not None:
                if _controller(above) in seen:
                    raise ChainError(f"settings of the default chain: {controller.name} would be triggered by itself")
                seen.add(_controller(above))
                above = known.get(_controller(above), {}).get("master")
        self._settings = known

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

    def reset(self) -> None:
        """Forget settings and presets."""
        self._settings = {}
        self._presets = {}

    def get(
        self, scan_pars: Mapping[str, Any], counter_args: Iterable[Any], top_master: AcquisitionMaster | None = None
    ) -> AcquisitionChain:
        """Return the chain of a standard scan; its timer is `chain.timer`.

        :param scan_pars: `count_time` in seconds, `npoints` (0 for no end), `sleep_time` in seconds or None.
        :param counter_args: anything that has counters; nothing means the active measurement group.
        :raises ScanUsageError: no counters, or something that has none.
        """
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
        for node in builder.get_top_level_nodes():
            self._place(chain, timer, node, builder, scan_params)
        for preset in self._presets.values():
            chain.add_preset(preset)
        return chain

    def _place(
        self, chain: AcquisitionChain, timer: AcquisitionMaster, node: ChainNode, builder: ChainBuilder, pars: Params
    ) -> AcquisitionObject:
        """Put the acquisition object of a node, with those below it, under its master; return it."""
        if node.acquisition_obj is not None:
            return node.acquisition_obj
        for one in (node, *node.children):
            acq_params = self._settings.get(one.controller, {}).get("acquisition_settings", {})
            one.set_parameters(acq_params=one.get_default_chain_parameters(pars, acq_params))
        setting = self._settings.get(node.controller, {})
        master: AcquisitionObject = timer
        if setting.get("master") is not None:
            master = self._place(chain, timer, builder.node_of(_controller(setting["master"])), builder, pars)
            node.set_parent_parameters(builder.node_of(_controller(setting["master"])).acquisition_parameters)
        if not isinstance(master, AcquisitionMaster):
            raise ChainError(
                f"settings of the default chain: {setting['master']!r} cannot trigger {node.controller.name}"
            )
        chain.add(master, node)
        return node.create_acquisition_object()


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
        raise ScanUsageError("No counters for scan: give some, or enable some in the active measurement group")
    return counters


def default_chain() -> DefaultAcquisitionChain:
    """Return the session's default chain, or a plain one."""
    if environment.default_chain is None:
        environment.default_chain = DefaultAcquisitionChain()
    return environment.default_chain


def _encoders(top_master: AcquisitionMaster | None) -> list[Counter]:
    def found() -> Iterator[Counter]:
        for axis in getattr(top_master, "axes", ()):
            counter = getattr(getattr(axis, "encoder", None), "counter", None)
            if isinstance(counter, Counter):
                yield counter

    return list(found())


def _controller(device: Any) -> CounterController:
    if isinstance(device, CounterController):
        return device
    if isinstance(device, Counter):
        return device.controller
    raise ChainError(f"settings of the default chain: expected a counter or a controller, got {device!r}")
