"""All scans that were ever saved, searched in milliseconds::

    from bliss_like.data import catalogue

    catalogue.search(since="yesterday", motors="roby", where={"technique.energy": (">", 7.1)})
    catalogue.last(10)
    catalogue.get(12).get_data("diode")

Beside the data of each base path there is an index, which the writers of scans keep. It is made of what the files say, and
can be made again from them (`rebuild`). Which base paths there are stands in the user's directory, or in
`$BLISS_LIKE_CATALOGUE` (several with a colon between).
"""

from __future__ import annotations

import contextlib
import heapq
import logging
import os
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from bliss_like.errors import CatalogueError

from .catalogue_facts import UNTOLD, fitting
from .catalogue_index import Index
from .catalogue_query import Condition, Query, all_keys, conditions, meant
from .catalogue_results import Results, ScanRecord
from .catalogue_times import When, timestamp
from .events import SavedScan
from .server import user_directory

_log = logging.getLogger(__name__)

VARIABLE: Final = "BLISS_LIKE_CATALOGUE"

Words = str | Iterable[str]
"""One or several; of several values of a column one must fit, of several motors or counters all."""


def search(
    text: str = "",
    *,
    since: When | None = None,
    until: When | None = None,
    session: Words = (),
    sample: Words = (),
    type: Words = (),
    motors: Words = (),
    counters: Words = (),
    user: Words = (),
    proposal: Words = (),
    dataset: Words = (),
    state: Words = (),
    where: Mapping[str, Any] | str | Sequence[str] = (),
    limit: int | None = None,
    roots: Iterable[str | os.PathLike[str]] | None = None,
) -> Results:
    """Find scans; all that is given must fit. Names may be patterns with * and ?.

    :param text: words that are in title, comments, name or sample.
    :param since: started then or later, `"2 h"`, `"today"`, `"2026-11-20"`, a datetime...; `until`: then or earlier.
    :param where: metadata, `{"technique.energy": (">", 7.1), "npoints": 10}` or `"technique.energy > 7.1"`, or several
        of these. Keys are those of `scan_info` with dots between, or fields of a record; operators `=` `!=` `<` `<=` `>`
        `>=` `in` `not in` `~` (regular expression) `contains`; None as the value is for a key that is not there.
    :param roots: search these base paths only.
    :raises CatalogueError: a time or a condition is none, no scan has such a key, or an index cannot be read.
    """
    words = {"session": session, "sample": sample, "type": type, "user": user}
    words |= {"proposal": proposal, "dataset": dataset, "state": state}
    used = [f"{part}.{name}" for part, names in (("motors", motors), ("counters", counters)) for name in _words(names)]
    query = Query(
        columns={column: _words(wanted) for column, wanted in words.items() if wanted},
        conditions=[*conditions(where), *(Condition(key, "!=", None) for key in used)],
        text=text,
        since=None if since is None else timestamp(since),
        until=None if until is None else timestamp(until, end=True),
        limit=limit,
    )
    return run(query, roots)


def last(count: int = 10) -> Results:
    """Return the newest scans."""
    return run(Query(limit=count))


def find(
    *, uid: str | None = None, number: int | None = None, db_name: str | None = None, name: str | None = None
) -> Results:
    """Return the scans with that uid, number, db_name or name, newest first."""
    wanted = {"uid": uid, "number": number, "db_name": db_name, "name": name}
    given = {column: [value] for column, value in wanted.items() if value is not None}
    if not given:
        raise CatalogueError("find: expected a uid, a number, a db_name or a name, got none of them")
    return run(Query(columns=given))


def get(scan: int | str, session: str | None = None) -> ScanRecord:
    """Return one scan: by number, name or type the newest one that has it, by uid (or its beginning), by db_name.

    :param session: of several with that number or name, the newest of this session; by default, of any.
    :raises CatalogueError: there is none.
    """
    if (found := next(called(scan, session or ""), None)) is not None:
        return found
    among = {"session": [session]} if session else {}
    newest = "; the newest is " + str(everything[0]) if (everything := run(Query(columns=among, limit=1))) else ""
    raise CatalogueError(f"no scan {scan!r}{f' of session {session}' if session else ''} in the catalogue{newest}")


def called(scan: int | str, session: str = "") -> Iterator[ScanRecord]:
    """Yield the scans that are called so, the newest first; if several kinds of names fit, by the first one that does.

    :param scan: number, uid, db_name, name (`12_ascan`, `ascan`), type, or the beginning of a uid.
    """
    among = {"session": [session]} if session else {}
    for columns in _ways(scan):
        found = False
        for record in run(Query(columns={**among, **columns})):
            if "name" not in columns or scan in (record.name, record.name.lstrip("_").partition("_")[2]):
                found = True
                yield record
        if found:
            return


def _ways(scan: int | str) -> Iterator[dict[str, list[int | str]]]:
    if isinstance(scan, int):
        yield {"number": [scan]}
        return
    if scan.isdigit() and len(scan) < 16:
        yield {"number": [int(scan)]}
    for column, values in (("uid", [scan]), ("db_name", [scan]), ("name", [scan, f"*_{scan}"]), ("type", [scan])):
        yield {column: list(values)}
    if len(scan) >= 6:
        yield {"uid": [f"{scan}*"]}


# -- indexes -----------------------------------------------------------------------------------------------------------


def run(query: Query, roots: Iterable[str | os.PathLike[str]] | None = None, *, strict: bool = True) -> Results:
    """Return what fits, of all base paths.

    :param strict: False gives nothing where a key is asked for that no scan has.
    :raises CatalogueError: no scan has a key that is asked for, or an index cannot be read.
    """
    indexes: list[Index] = []
    found: list[list[tuple[int, int]]] = []
    known: set[str] = set()
    for index, connection in _opened(roots):
        if query.conditions:
            known |= set(all_keys(connection))
        found.append([(scan, len(indexes)) for scan in query.scans(connection)])
        indexes.append(index)
    if strict:
        _check_keys(query, known)
    merged = found[0] if len(found) == 1 else heapq.merge(*found, reverse=not query.oldest_first)
    rows = [(indexes[number], scan) for scan, number in merged]
    return Results(rows[: query.limit], "" if rows else _hint(query, known))


def count(query: Query) -> int:
    """Return how many scans fit, of all base paths.

    :raises CatalogueError: an index cannot be read.
    """
    total = sum(query.count(connection) for _, connection in _opened(None))
    return total if query.limit is None else min(total, query.limit)


def _opened(roots: Iterable[str | os.PathLike[str]] | None) -> Iterator[tuple[Index, sqlite3.Connection]]:
    """Yield the indexes of base paths. One of several that cannot be read is left out, and the log says so."""
    indexes = [index for index in map(Index, known_roots() if roots is None else roots) if roots or index.exists]
    for index in indexes:
        with contextlib.ExitStack() as stack:
            try:
                connection = stack.enter_context(index.reading())
            except CatalogueError as error:
                if len(indexes) == 1:
                    raise
                _log.warning("scans are left out: %s", error)
                continue
            yield index, connection


def _check_keys(query: Query, known: set[str]) -> None:
    for condition in query.conditions if known else ():
        key, part = condition.key, condition.key.split(".")[0]
        if key not in known and part not in (*UNTOLD, "motors", "counters"):
            raise CatalogueError(f"no scan of the catalogue has a key {key!r}{meant(key, sorted(known))}")


def _hint(query: Query, known: set[str]) -> str:
    for condition in query.conditions:
        part, _, name = condition.key.partition(".")
        if part in ("motors", "counters"):
            names = [key.partition(".")[2] for key in known if key.startswith(part + ".")]
            if not fitting(names, name):
                return f": none has used {name!r} as one of its {part}{meant(name, sorted(names))}"
    return ""


def _words(words: Words) -> list[str]:
    return [words] * bool(words) if isinstance(words, str) else [str(word) for word in words]


# -- where the indexes are ---------------------------------------------------------------------------------------------


def known_roots() -> list[Path]:
    """Return the base paths that are searched."""
    if own := os.environ.get(VARIABLE):
        return [Path(root) for root in own.split(os.pathsep) if root]
    with contextlib.suppress(OSError):
        return [Path(root) for root in dict.fromkeys(_list().read_text().splitlines()) if root]
    return []


def remember(root: str | os.PathLike[str]) -> None:
    """Note a base path in the user's directory, so that it is searched from now on."""
    root = str(Path(root).absolute())
    if os.environ.get(VARIABLE) or Path(root) in known_roots():
        return
    with contextlib.suppress(OSError):  # it can be said by $BLISS_LIKE_CATALOGUE all the same
        _list().parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with _list().open("a") as file:
            file.write(root + "\n")


def _list() -> Path:
    return user_directory() / "catalogues"


def root_of(info: Mapping[str, Any]) -> Path:
    """Return the base path of the data of a scan, by its info: where its index is, or will be.

    It is `base_path` of the info; else the nearest directory above the file that has an index, or is a known base path;
    else the directory of the file.

    :raises CatalogueError: the info has no `filename`: the scan is not saved.
    """
    name, said = info.get("filename"), info.get("base_path")
    if not isinstance(name, str) or not os.path.isabs(name):
        raise CatalogueError(f"scan {info.get('name')}: it has no place in a catalogue, as it is not saved")
    above = Path(name).parents
    if isinstance(said, str) and Path(said) in above:
        return Path(said)
    known = known_roots()
    return next((directory for directory in above if directory in known or Index(directory).exists), above[0])


def record(
    root: str | os.PathLike[str], info: Mapping[str, Any], saved: SavedScan | None = None, db_name: str = ""
) -> None:
    """Enter a scan into the index of a base path, or what is new of it: for writers, at its start and at its end.

    :param db_name: of the scan, if `saved` does not say it.
    :raises CatalogueError: the index cannot be written; the scan is none the worse for it.
    """
    try:
        Index(root).record(info, saved, db_name)
    except (OSError, ValueError, TypeError) as error:
        raise CatalogueError(f"{root}: the scan cannot be entered into the catalogue: {error}") from error
    remember(root)


__all__ = [
    "CatalogueError", "Query", "Results", "ScanRecord", "count", "find", "get", "known_roots", "last", "record", "remember", "root_of", "search",
]  # fmt: skip
