"""What users want to be written with every scan, by category."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from pprint import pformat
from typing import TYPE_CHECKING, Any

from bliss_like.data.scan_info_schema import misfit
from bliss_like.errors import ScanError, ScanUsageError

from .acquisition import META_TIMING, MetaTiming
from .environment import environment
from .gathering import Gatherer, storable

if TYPE_CHECKING:
    from .scan import Scan

__all__ = ["META_TIMING", "ScanMeta", "ScanMetaCategory", "get_user_scan_meta"]

CATEGORIES = ("instrument", "positioners", "technique", "sample")

Source = Mapping[str, Any] | Callable[["Scan"], Mapping[str, Any] | None]


class ScanMetaCategory:
    """Pieces of metadata that stand together below one key of `scan_info`.

    :ivar timing: when they are gathered.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.timing = MetaTiming.START
        self._sources: dict[str, Source] = {}

    def set(self, name_or_device: Any, values: Source) -> None:
        """Write `values` with every scan: `scan_meta.instrument.set("slits", {"slits": {"gap": 0.1}})`.

        :param name_or_device: what to call this piece, to replace or remove it: a name, or an object that has one.
        :param values: a dict, or a function of the scan that returns one, which is called anew for each scan.
        :raises ScanUsageError: no name; neither a dict nor a function; something in the dict cannot be stored, or is a key of
            the schema with a wrong value.
        """
        name = self._name(name_or_device)
        if not callable(values):
            try:
                storable(values)
            except (TypeError, ValueError) as error:
                raise ScanUsageError(
                    f"metadata {self.name}.{name}: expected a dict of what JSON can hold, or a function of the scan "
                    f"that returns one: {error}"
                ) from None
            if problem := misfit({self.name: values}):
                raise ScanUsageError(f"metadata {self.name}.{name}: {problem}")
        self._sources[name] = values

    def is_set(self, name_or_device: Any) -> bool:
        """Return whether there is a piece of that name."""
        return self._name(name_or_device) in self._sources

    def remove(self, name_or_device: Any) -> None:
        """Forget a piece; nothing happens when there is none of that name."""
        self._sources.pop(self._name(name_or_device), None)

    @property
    def keys(self) -> list[str]:
        """Names of the pieces."""
        return list(self._sources)

    @property
    def metadata(self) -> dict[str, Source]:
        return dict(self._sources)

    def clear(self) -> None:
        """Forget all pieces."""
        self._sources.clear()

    def _name(self, name_or_device: Any) -> str:
        name = name_or_device if isinstance(name_or_device, str) else getattr(name_or_device, "name", None)
        if not isinstance(name, str) or not name:
            raise ScanUsageError(
                f"metadata {self.name}: expected a name, or an object that has one, got {name_or_device!r}"
            )
        return name

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name}: {', '.join(self._sources) or 'nothing'}>"

    def __info__(self) -> str:
        return f"{self.name}, gathered at {self.timing.name}\n{pformat(self._sources)}"


class ScanMeta:
    """`scan_meta.instrument.set(...)`, `.technique`, `.sample`, `.positioners`, and what `add_categories` adds."""

    def __init__(self, categories: Iterable[str] = CATEGORIES) -> None:
        self._categories: dict[str, ScanMetaCategory] = {}
        self.gatherer = Gatherer()
        self.add_categories(categories)

    def add_categories(self, names: Iterable[str]) -> None:
        """Add keys of `scan_info` that metadata may stand below.

        :raises ScanUsageError: not a list of names, or one that has another meaning in `scan_info`.
        """
        wanted = list(names) if isinstance(names, Iterable) and not isinstance(names, str) else [names]
        for name in wanted:
            if isinstance(names, str) or not isinstance(name, str) or not name.isidentifier() or name.startswith("_"):
                raise ScanUsageError(f'metadata categories: expected a list of names, ["sample"], got {names!r}')
            if name in _TAKEN:
                raise ScanUsageError(f"metadata categories: {name!r} is a key of scan_info with another meaning")
        for name in wanted:
            self._categories.setdefault(name.lower(), ScanMetaCategory(name.lower()))

    def remove_categories(self, names: Iterable[str]) -> None:
        """Forget categories, with all that was set in them."""
        for name in names:
            self._categories.pop(name.lower(), None)

    def categories_names(self) -> list[str]:
        return sorted(self._categories)

    def used_categories_names(self) -> list[str]:
        """Return the categories that something was set in."""
        return [name for name in self.categories_names() if self._categories[name].keys]

    def clear(self) -> None:
        """Forget all that was set."""
        for category in self._categories.values():
            category.clear()

    def copy(self) -> ScanMeta:
        """Return another one with the same content."""
        copy = ScanMeta(self._categories)
        for name, category in self._categories.items():
            copy._categories[name].timing = category.timing
            for key, values in category.metadata.items():
                copy._categories[name].set(key, values)
        return copy

    def sources(self, timing: MetaTiming) -> Iterator[tuple[str, str, Source]]:
        """Yield category, name and content of what is to be gathered at `timing`."""
        for category in self._categories.values():
            if category.timing & timing:
                for name, values in category.metadata.items():
                    yield category.name, name, values

    def metadata_profiling(self) -> dict[str, float]:
        """Return the seconds that each piece took in the last scan, the slowest first."""
        return dict(sorted(self.gatherer.seconds.items(), key=lambda item: -item[1]))

    def __getattr__(self, name: str) -> ScanMetaCategory:
        try:
            return self.__dict__["_categories"][name]  # type: ignore[no-any-return]
        except KeyError:
            known = ", ".join(self.__dict__.get("_categories", ()))
            raise AttributeError(
                f"no metadata category {name!r}; there are: {known}; scan_meta.add_categories([{name!r}]) adds it"
            ) from None

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *self._categories]

    def __info__(self) -> str:
        used = [self._categories[name] for name in self.used_categories_names()]
        return (
            "\n\n".join(category.__info__() for category in used) or f"nothing is set of {', '.join(self._categories)}"
        )


_TAKEN = frozenset(
    ["acquisition_chain", "channels", "devices", "plots", "comments", "title", "name", "type", "state", "save", "start"]
    + ["stop", "npoints", "group", "metadata_missing", "schema_version", "sequence_info", "configuration"]
)


def get_user_scan_meta() -> ScanMeta:
    """Return what the users of the active session want to be written with its scans.

    :raises ScanError: there is no session.
    """
    if environment.scan_meta is None:
        raise ScanError(
            "metadata of scans belong to a session, there is none: load_session(<name>).setup() comes first"
        )
    return environment.scan_meta
