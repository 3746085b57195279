"""Metadata of scans: positions of the axes, and what users and devices want to be written."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from time import perf_counter
from typing import TYPE_CHECKING, Any

from bliss_like.data.codec import to_json
from bliss_like.devices.naming import name_of
from bliss_like.errors import ScanUsageError

from .acquisition import MetaTiming
from .chain import AcquisitionChain
from .greenlets import run_all

if TYPE_CHECKING:
    from .scan import Scan

_log = logging.getLogger(__name__)

SLOW = 0.15
"""Seconds after which gathering is worth a warning."""

Source = Mapping[str, Any] | Callable[["Scan"], Mapping[str, Any] | None]


class ScanMetaCategory:
    """Named pieces of metadata of one kind, e.g. "instrument".

    :ivar timing: when they are gathered.
    """

    def __init__(self, name: str, timing: MetaTiming = MetaTiming.START) -> None:
        self.name = name
        self.timing = timing
        self._sources: dict[str, Source] = {}
        self.seconds: dict[str, float] = {}
        """How long each piece took last time."""

    def set(self, key: Any, source: Source) -> None:
        """Write `source`, or what it returns when called with the scan, below the name of `key`.

        :param key: a name, or an object that has one.
        :raises ScanUsageError: neither a mapping nor callable.
        """
        if not (callable(source) or isinstance(source, Mapping)):
            raise ScanUsageError(
                f"metadata {self.name}.{_name(key)}: expected a dict or a function of the scan, got {source!r}"
            )
        self._sources[_name(key)] = source

    def remove(self, key: Any) -> None:
        self._sources.pop(_name(key), None)

    def names(self) -> list[str]:
        return list(self._sources)

    def gather(self, scan: Scan) -> dict[str, Any]:
        """Return the metadata by name; what fails is left out with a warning: it must not cost the scan."""
        found: dict[str, Any] = {}

        def gather_one(name: str, source: Source) -> None:
            began = perf_counter()
            try:
                value = source(scan) if callable(source) else source
                if value:
                    found[name] = _storable(value)
            except Exception:  # noqa: BLE001  logged
                _log.exception("metadata %s.%s of scan %s are missing", self.name, name, scan.name)
            self.seconds[name] = perf_counter() - began

        run_all([_call(gather_one, name, source) for name, source in self._sources.items()])
        return {name: found[name] for name in self._sources if name in found}


class ScanMeta:
    """What the user wants to be written with every scan: `scan_meta.instrument.set("slits", {"gap": 0.1})`."""

    def __init__(self, categories: Iterable[str] = ("instrument", "positioners", "technique")) -> None:
        self._categories: dict[str, ScanMetaCategory] = {}
        self.add_categories(categories)

    def add_categories(self, names: Iterable[str]) -> None:
        for name in names:
            self._categories.setdefault(name, ScanMetaCategory(name))

    def remove_categories(self, names: Iterable[str]) -> None:
        for name in names:
            self._categories.pop(name, None)

    def categories_names(self) -> list[str]:
        return list(self._categories)

    def __getattr__(self, name: str) -> ScanMetaCategory:
        try:
            return self.__dict__["_categories"][name]  # type: ignore[no-any-return]
        except KeyError:
            raise AttributeError(f"no metadata category {name!r}; there are: {', '.join(self._categories)}") from None

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *self._categories]

    def gather(self, scan: Scan, timing: MetaTiming) -> dict[str, Any]:
        """Return what is to be gathered at `timing`, by category and name."""
        began = perf_counter()
        wanted = [category for category in self._categories.values() if category.timing & timing]
        found = {category.name: metadata for category in wanted if (metadata := category.gather(scan))}
        if (seconds := perf_counter() - began) > SLOW:
            _log.warning("scan %s: metadata took %.2f s; metadata_profiling() says which", scan.name, seconds)
        return found

    def metadata_profiling(self) -> dict[str, float]:
        """Return the seconds that each piece took last time, the slowest first."""
        seconds = {f"{c.name}.{name}": value for c in self._categories.values() for name, value in c.seconds.items()}
        return dict(sorted(seconds.items(), key=lambda item: -item[1]))


def positions(axes: Iterable[Any], when: str) -> dict[str, Any]:
    """Return user and dial positions of the axes at `when` ("start" or "end"), and their units at the start.

    An axis that cannot be read has None: it must not cost the scan. One that is disabled is not asked, and nobody is told
    of it again.
    """
    axes = list(axes)
    user: dict[Any, Any] = {}
    dial: dict[Any, Any] = {}

    def read(axis: Any) -> None:
        if getattr(axis, "disabled", False):
            return
        try:
            found = {"user": axis.position, "dial": getattr(axis, "dial", None)}
            user[axis], dial[axis] = _storable(found).values()
        except Exception as error:  # noqa: BLE001  logged in a line: a dead controller may have many axes
            what = f"{type(error).__name__}: {error}"
            _log.warning("axis %s: its position is missing in the scan's metadata: %s", name_of(axis), what)

    run_all([_call(read, axis) for axis in axes])
    found: dict[str, Any] = {
        f"positioners_{when}": {name_of(axis): user.get(axis) for axis in axes},
        f"positioners_dial_{when}": {name_of(axis): dial[axis] for axis in axes if dial.get(axis) is not None},
    }
    if when == "start":
        found["positioners_units"] = {name_of(axis): getattr(axis, "unit", None) for axis in axes}
    return found


def device_metadata(chain: AcquisitionChain, timing: MetaTiming) -> dict[str, Any]:
    """Return what the acquisition objects say of their devices, by name; what fails is left out with a warning."""
    found = {}
    for node in chain.nodes_list:
        try:
            metadata = node.get_acquisition_metadata(timing=timing)
            if metadata:
                found[node.name] = _storable(metadata)
        except Exception as error:  # noqa: BLE001  logged
            _log.warning("metadata of %s are missing in the scan: %s: %s", node.name, type(error).__name__, error)
    return found


def merge(into: dict[str, Any], more: Mapping[str, Any]) -> dict[str, Any]:
    """Merge nested mappings into `into`, and return the top keys of it that changed."""
    for key, value in more.items():
        known = into.get(key)
        if isinstance(known, dict) and isinstance(value, Mapping):
            value = known | merge(dict(known), value)
        into[key] = value
    return {key: into[key] for key in more}


def _storable(metadata: Mapping[str, Any]) -> dict[str, Any]:
    """Return metadata as a dict.

    :raises TypeError: something in them cannot be published, which would cost the scan its end.
    """
    to_json(metadata)
    return dict(metadata)


def _name(key: Any) -> str:
    return key if isinstance(key, str) else str(key.name)


def _call(function: Callable[..., object], *args: Any) -> Callable[[], object]:
    return lambda: function(*args)
