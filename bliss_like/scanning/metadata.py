"""Metadata of one scan: where the axes are, and what users and devices want to be written."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from functools import partial
from time import perf_counter
from typing import TYPE_CHECKING, Any

from bliss_like.data.scan_info import merged
from bliss_like.data.scan_info_schema import misfit
from bliss_like.devices import inquiry
from bliss_like.devices.axis_group import AxisGroup
from bliss_like.devices.counter import Counter
from bliss_like.devices.metadata import (
    HasMetadataForScan,
    HasMetadataForScanExclusive,
    has_scan_metadata,
    metadata_name,
)
from bliss_like.devices.naming import name_of

from .acquisition import AcquisitionObject, MetaTiming
from .environment import environment
from .gathering import Gatherer, Question
from .home_preset import HomePreset
from .nodes import driven_by
from .scan_meta import ScanMeta

if TYPE_CHECKING:
    from .scan import Scan

Info = dict[str, Any]
Place = tuple[str, ...]
"""Keys of `scan_info`, from the top."""


class Metadata:
    """Gathers the metadata of one scan, and merges them into its info; what the scan was given itself is stronger."""

    def __init__(self, scan: Scan) -> None:
        self._scan = scan
        self._meta = environment.scan_meta or ScanMeta()
        self._gatherer: Gatherer = self._meta.gatherer
        users = {*_OPEN_KEYS, *self._meta.categories_names()}
        self._given = {k: dict(v) for k, v in scan.scan_info.items() if k in users and isinstance(v, Mapping)}
        self._asked: set[int] = set()

    def gather(self, timing: MetaTiming, *, has_failed: bool = False) -> Info:
        """Return what is news in the scan's info: nested dicts, to be merged into it.

        :param has_failed: a device of the scan has: that is told, and what is missing now is only noted.
        """
        scan = self._scan
        self._gatherer.is_quiet = has_failed
        found: Info = {}
        missing: dict[str, str] = {}
        questions: dict[str, tuple[Place, Question]] = {}
        if timing is MetaTiming.START:
            found |= {key: value for key, value in environment.described().items() if value}
            found |= self._places_to_restore()
        if scan.with_metadata and timing is MetaTiming.START and (configured := self._configuration()):
            found["configuration"] = configured
        if scan.with_metadata:
            self._add_users(timing, questions, found)
            if timing is MetaTiming.START:
                self._gatherer.seconds.clear()
                self._add_objects(questions)
        self._add_devices(timing, questions)
        if scan.with_metadata and timing is not MetaTiming.PREPARED:
            when = "start" if timing is MetaTiming.START else "end"
            questions["positioners"] = ("positioners",), partial(self._positions, when, missing)
        asked = {label: question for label, (_, question) in questions.items()}
        for label, answer in self._gatherer.ask(asked, missing).items() if asked else ():
            _merge(found, questions[label][0], answer)
        news: Info = {key: merged(value, self._given.get(key, {})) for key, value in found.items()}
        if name := news.get("user", {}).get("name"):
            news["user_name"] = name
        if missing:
            news["metadata_missing"] = missing
        if scan.with_metadata and timing is MetaTiming.START:
            news["scan_meta_categories"] = self._meta.categories_names()
        scan.scan_info.update(merged(scan.scan_info, news))
        return news

    def _configuration(self) -> Mapping[str, Any]:
        nodes = self._scan.acq_chain.nodes_list
        counters = [counter for node in nodes for counter in getattr(node, "counters", ())]
        return environment.configuration([*driven_by(self._scan.acq_chain), *counters])

    # -- who is asked --------------------------------------------------------------------------------------------------

    def _add_users(self, timing: MetaTiming, questions: dict[str, tuple[Place, Question]], found: Info) -> None:
        for category, name, source in self._meta.sources(timing):
            if callable(source):
                questions[f"{category}.{name}"] = (category,), partial(_ask_user, category, source, self._scan)
            else:
                _merge(found, (category,), source)

    def _add_objects(self, questions: dict[str, tuple[Place, Question]]) -> None:
        for device in environment.metadata_sources():
            if isinstance(device, HasMetadataForScan) and not isinstance(device, HasMetadataForScanExclusive):
                self._add(questions, metadata_name(device), device)

    def _add_devices(self, timing: MetaTiming, questions: dict[str, tuple[Place, Question]]) -> None:
        for node in self._scan.acq_chain.nodes_list:
            if node.has_own("get_acquisition_metadata"):
                label = _free(f"instrument.{node.name}", questions)
                questions[label] = ("instrument", node.name), partial(_ask_node, node, timing)
            elif timing is MetaTiming.PREPARED:
                for device in _devices_of(node):
                    name = node.name if device is node.device or device in node.counters else metadata_name(device)
                    self._add(questions, name, device)

    def _add(self, questions: dict[str, tuple[Place, Question]], name: str, device: Any) -> None:
        if id(device) not in self._asked and has_scan_metadata(device) and not _is_silent(device):
            self._asked.add(id(device))
            name = str(getattr(device, "scan_metadata_name", None) or name)
            questions[_free(f"instrument.{name}", questions)] = ("instrument", name), device.scan_metadata

    # -- positions -----------------------------------------------------------------------------------------------------

    def _places_to_restore(self) -> Info:
        """Return where axes are that the scan brings back: whoever is there when it cannot any more has to know."""
        places: dict[str, float] = {}
        for preset in self._scan.presets:
            if isinstance(preset, HomePreset):
                with suppress(*inquiry.FAILURES):  # the preset itself meets it, and says so
                    places |= {name_of(axis): float(place) for axis, place in preset.places().items()}
        return {"restore_positions": places} if places else {}

    def _positions(self, when: str, missing: dict[str, str]) -> Info:
        """Return user and dial positions of the axes at `when`, "start" or "end", and their units at the start.

        Each controller is asked once. An axis that cannot be read has None; one that is disabled is not asked, and nobody
        is told of it.
        """
        axes = list(environment.axes())
        problems: dict[str, str] = {}
        seconds: dict[str, float] = {}
        user, dial = _read(axes, self._gatherer.patience, problems, seconds)
        self._gatherer.seconds |= {f"positioners, {name}": took for name, took in seconds.items()}
        labels = {f"positioners.{name_of(axis)}": axis for axis in axes}
        self._gatherer.note({f"positioners.{name}": why for name, why in problems.items()}, missing, labels)
        names = {axis: name_of(axis) for axis in axes}
        found: Info = {
            f"positioners_{when}": {name: user.get(axis) for axis, name in names.items()},
            f"positioners_dial_{when}": {name: dial[axis] for axis, name in names.items() if axis in dial},
        }
        if when == "start":
            found["positioners_units"] = {name: getattr(axis, "unit", None) for axis, name in names.items()}
        return found


_OPEN_KEYS = ("instrument", "technique", "sample", "user")


def _read(
    axes: Iterable[Any], patience: float, problems: dict[str, str], seconds: dict[str, float]
) -> tuple[dict[Any, float], dict[Any, float]]:
    user: dict[Any, float] = {}
    dial: dict[Any, float] = {}
    enabled = [axis for axis in axes if not getattr(axis, "disabled", False)]
    full = [axis for axis in enabled if hasattr(type(axis), "dial2user")]
    for reading in inquiry.read(full, patience * 0.45, states=False, seconds=seconds):
        if not reading.problem:
            user[reading.axis], dial[reading.axis] = reading.user, reading.dial
        elif not getattr(reading.axis, "disabled", False):
            problems[name_of(reading.axis)] = reading.problem
    for axis in enabled:
        if not hasattr(type(axis), "dial2user"):
            began = perf_counter()
            try:
                user[axis] = float(axis.position)
            except inquiry.FAILURES as error:
                problems[name_of(axis)] = f"{type(error).__name__}: {error}"
            seconds[name_of(axis)] = perf_counter() - began
    return user, dial


def _devices_of(node: AcquisitionObject) -> list[Any]:
    """Return all behind an acquisition object: axes with their controllers, or a controller with its counters."""
    if isinstance(node.device, AxisGroup):
        axes = list(node.device.axes.values())
        return [*axes, *(getattr(axis, "controller", None) for axis in axes)]
    return [node.device, *node.counters]


def _is_silent(device: Any) -> bool:
    """Return whether it has no `scan_metadata` of its own, but that of all counters."""
    return getattr(type(device), "scan_metadata", None) is Counter.scan_metadata


def _ask_user(
    category: str, source: Callable[[Scan], Mapping[str, Any] | None], scan: Scan
) -> Mapping[str, Any] | None:
    answer = source(scan)
    if isinstance(answer, Mapping) and (problem := misfit({category: answer})):
        raise ValueError(problem)
    return answer


def _ask_node(node: AcquisitionObject, timing: MetaTiming) -> Mapping[str, Any] | None:
    return node.get_acquisition_metadata(timing=timing)


def _free(label: str, taken: Mapping[str, Any]) -> str:
    while label in taken:
        label += "'"
    return label


def _merge(into: Info, place: Place, more: Mapping[str, Any]) -> None:
    """Merge `more` into what is at that place."""
    for key in reversed(place):
        more = {key: more}
    into.update(merged(into, more))
