"""The catalogue as a tree for Tiled: all scans, the newest first, searched by its index; in each scan its channels.

What is asked of Tiled becomes a `Query`, and only the scans of the page that is looked at are read.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any

from starlette.exceptions import HTTPException
from tiled import queries
from tiled.adapters.container import ContainerAdapter
from tiled.iterviews import ItemsView, KeysView, ValuesView
from tiled.queries import QueryValueError
from tiled.query_registration import QueryTranslationRegistry
from tiled.structures.container import ContainerStructure
from tiled.structures.core import Spec

from bliss_like.data import catalogue
from bliss_like.data.catalogue import Query, ScanRecord
from bliss_like.data.catalogue_query import Condition
from bliss_like.errors import CatalogueError, DataError

from .tiled_data import GONE, ChannelArray, ScalarTable

TOO_MUCH = 400
TABLE = "scalars"
"""Key of the table in each scan."""

_SCAN = [Spec("BlissLikeScan", version="1")]
_IN_TIME = ("_", "start_time", "start_timestamp")


class _Container(ContainerAdapter[Any]):
    """What both have in common: views that are read by the slice."""

    def keys(self) -> Any:
        return KeysView(lambda: len(self), lambda *how: (key for key, _ in self._slice(*how)))

    def items(self) -> Any:
        return ItemsView(lambda: len(self), self._slice)

    def values(self) -> Any:
        return ValuesView(lambda: len(self), self._slice)

    def _slice(
        self, start: int, stop: int | None, direction: int, page_size: int | None = None
    ) -> Iterator[tuple[str, Any]]:
        """Yield keys and what they are for, counted from the end if `direction` is negative."""
        raise NotImplementedError


class CatalogueTree(_Container):
    """All scans, or those that fit a search."""

    query_registry = QueryTranslationRegistry()

    def __init__(self, query: Query | None = None) -> None:
        super().__init__(ContainerStructure(keys=[]), metadata={"description": "scans of bliss_like, the newest first"})
        self._query = query or Query()

    @property
    def specs(self) -> list[Spec]:
        return [Spec("BlissLikeCatalogue", version="1")]

    @property
    def sorting(self) -> list[tuple[str, int]]:
        return [("_", -1 if self._query.oldest_first else 1)]

    def __len__(self) -> int:
        return catalogue.count(self._query)

    def __iter__(self) -> Iterator[str]:
        return (key_of(record) for record in catalogue.run(self._query, strict=False))

    def __getitem__(self, key: str) -> ScanTree:
        """Return a scan by its key, by uid or its beginning, by number or name."""
        try:
            record = _found(key)
        except CatalogueError as error:
            raise KeyError(str(error)) from None
        if self._query.columns or self._query.conditions or self._query.text or self._query.limit is not None:
            here = replace(self._query, columns={**self._query.columns, "uid": [record.uid]})
            if not catalogue.count(here):
                raise KeyError(key)
        return ScanTree(record)

    def _slice(
        self, start: int, stop: int | None, direction: int, page_size: int | None = None
    ) -> Iterator[tuple[str, ScanTree]]:
        limits = [limit for limit in (stop, self._query.limit) if limit is not None]
        query = replace(self._query, limit=min(limits, default=None))
        if direction < 0:
            query = replace(query, oldest_first=not query.oldest_first)
        return ((key_of(record), ScanTree(record)) for record in catalogue.run(query, strict=False)[start:])

    def read(self, fields: list[str] | None = None) -> Any:
        """:raises HTTPException: always; scans are read one by one."""
        raise HTTPException(TOO_MUCH, "expected the path of one scan: all of them cannot be read at once")

    def search(self, query: Any) -> CatalogueTree:
        """Return the tree of those scans that fit, too.

        :raises QueryValueError: the question makes no sense.
        """
        try:
            narrowed: Query = self.query_registry(query, self._query)
        except CatalogueError as error:
            raise QueryValueError(str(error)) from error
        return CatalogueTree(narrowed)

    def sort(self, sorting: Sequence[tuple[str, int]]) -> CatalogueTree:
        """Return the tree in another order: of time, by `_` as it is here, or by `start_time` the oldest first."""
        if not sorting:
            return self
        key, direction = sorting[0]
        if key not in _IN_TIME:
            return self
        return CatalogueTree(replace(self._query, oldest_first=direction < 0 if key == "_" else direction > 0))


class ScanTree(_Container):
    """One scan: its channels by short name where only one has it, and a table of those whose points are single values.

    :param only: keys; None: all.
    """

    def __init__(self, record: ScanRecord, only: list[str] | None = None) -> None:
        super().__init__(ContainerStructure(keys=[]), specs=_SCAN)
        self.record = record
        self._only = only

    def metadata(self) -> dict[str, Any]:
        """Return the scan's `scan_info`; of one that runs, as it is now."""
        try:
            return self._node.info if self.record.is_running else self.record.info
        except HTTPException:
            return self.record.info

    @cached_property
    def _node(self) -> Any:
        """The scan's node.

        :raises HTTPException: its data are neither in the server nor in its file.
        """
        try:
            return self.record.node
        except DataError as error:
            raise HTTPException(GONE, str(error)) from error

    @cached_property
    def _channels(self) -> dict[str, Any]:
        nodes = self._node.channels()
        short = [node.short_name for node in nodes] + [TABLE]
        return {node.short_name if short.count(node.short_name) == 1 else node.fullname: node for node in nodes}

    async def approx_len(self) -> int | None:
        """Return how many there are without a look at the data, which lists of scans do without."""
        channels = self.record.info.get("channels")
        return 1 + len(channels) if channels and not self.record.is_running else None

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __iter__(self) -> Iterator[str]:
        """Yield the keys; none if the data are gone: a list of scans is shown all the same."""
        with contextlib.suppress(HTTPException):
            yield from [key for key in (TABLE, *self._channels) if self._only is None or key in self._only]

    def read(self, fields: list[str] | None = None) -> ScanTree:
        """Return the scan with these keys only; None: with all."""
        return self if fields is None else ScanTree(self.record, fields)

    def __getitem__(self, key: str) -> ChannelArray | ScalarTable:
        """Return the table, or a channel by its key or its full name."""
        if key == TABLE:
            return ScalarTable(self._node)
        for name, node in self._channels.items():
            if key in (name, node.fullname):
                return ChannelArray(name, node, self.record.info.get("channels", {}).get(node.fullname, {}))
        raise KeyError(key)

    def _slice(
        self, start: int, stop: int | None, direction: int, page_size: int | None = None
    ) -> Iterator[tuple[str, ChannelArray | ScalarTable]]:
        return ((key, self[key]) for key in list(self)[::direction][start:stop])


def key_of(record: ScanRecord) -> str:
    """Return the key of a scan: `12_ascan_3f2a91bc`, its name and the beginning of its uid."""
    return f"{record.name.replace('/', '_')}_{record.uid[:8]}"


def _found(key: str) -> ScanRecord:
    """Return the scan of a key, or of what `catalogue.get` takes.

    :raises CatalogueError: there is none.
    """
    for record in catalogue.find(uid=f"{key.rpartition('_')[2]}*"):
        if key_of(record) == key:
            return record
    return catalogue.get(key)


# -- questions -----------------------------------------------------------------------------------------------------------


def _with(query: Query, key: str, operator: str, value: Any) -> Query:
    return replace(query, conditions=[*query.conditions, Condition(key, operator, value)])


def _in_catalogue(operator: str) -> Callable[[Any, Query], Query]:
    return lambda asked, query: _with(query, asked.key, operator, asked.value)


def _comparison(asked: Any, query: Query) -> Query:
    sign = {"lt": "<", "le": "<=", "gt": ">", "ge": ">="}[asked.operator.value]
    return _with(query, asked.key, sign, asked.value)


def _contains(asked: Any, query: Query) -> Query:
    if asked.key in ("motors", "counters"):
        return _with(query, f"{asked.key}.{asked.value}", "!=", None)
    return _with(query, asked.key, "=", asked.value)


def _regex(asked: Any, query: Query) -> Query:
    sensitive = asked.case_sensitive in (True, "true", "True")
    return _with(query, asked.key, "~", asked.pattern if sensitive else f"(?i){asked.pattern}")


def _like(asked: Any, query: Query) -> Query:
    signs = {"%": ".*", "_": "."}
    pattern = "".join(signs.get(char, re.escape(char)) for char in asked.pattern)
    return _with(query, asked.key, "~", f"(?is)^{pattern}$")


def _key_present(asked: Any, query: Query) -> Query:
    exists = asked.exists in (True, "true", "True")
    return _with(query, asked.key, "!=" if exists else "=", None)


def _full_text(asked: Any, query: Query) -> Query:
    return replace(query, text=f"{query.text} {asked.text}".strip())


def _keys(asked: Any, query: Query) -> Query:
    return _with(query, "uid", "in", [record.uid for key in asked.keys for record in _one(key)])


def _one(key: str) -> list[ScanRecord]:
    try:
        return [_found(key)]
    except CatalogueError:
        return []


def _family(asked: Any, query: Query) -> Query:
    return query if asked.value == "container" else replace(query, limit=0)


def _specs(asked: Any, query: Query) -> Query:
    names = {spec.name for spec in _SCAN}
    fits = set(asked.include) <= names and not names & set(asked.exclude)
    return query if fits else replace(query, limit=0)


for _kind, _translated in {
    queries.Eq: _in_catalogue("="),
    queries.NotEq: _in_catalogue("!="),
    queries.In: _in_catalogue("in"),
    queries.NotIn: _in_catalogue("not in"),
    queries.Comparison: _comparison,
    queries.Contains: _contains,
    queries.Regex: _regex,
    queries.Like: _like,
    queries.KeyPresent: _key_present,
    queries.FullText: _full_text,
    queries.KeysFilter: _keys,
    queries.StructureFamilyQuery: _family,
    queries.SpecsQuery: _specs,
}.items():
    CatalogueTree.query_registry.register(_kind, _translated)
