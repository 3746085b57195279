"""Whether all that a scan has published is on disk and can be read: point by point against the server while that has it, else
against what the file itself says that there was."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from bliss_like.errors import BlissLikeError, DataError, NodeNotFound

from . import paths, saved, saving
from .codec import Array, to_json
from .events import NodeKind
from .images import read_references, to_references
from .node import ScanNode
from .saved_store import SavedStore
from .store import FIRST, LAST_SEQUENCE, StreamStore
from .structure import ChannelSpec, ScanStructure, merge_points

Check = Callable[[str, str], Sequence[str]]
"""Says what is wrong with the structure of an entry of a file: one sentence for each fault."""

_checkers: dict[str, Check | str] = {".h5": "bliss_like.writers.checker:check_structure"}
"""By suffix; a name, `module:function`, is imported when it is needed."""

IMAGES_AT_ONCE = 8
_READ_BYTES = 32 << 20


@dataclass
class Verification:
    """What was found of one scan."""

    scan: str
    file: str = ""
    entry: str = ""
    against: str = ""
    """What the file was compared with."""
    channels: int = 0
    points: int = 0
    images: int = 0
    """In files of detectors, that were read."""
    faults: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    """What is not wrong, but to be known."""

    @property
    def is_whole(self) -> bool:
        return not self.faults

    def __str__(self) -> str:
        where = f" in {self.file}::{self.entry}" if self.file else ""
        read = f"{self.channels} channels, {self.points} points, " if self.file else ""
        images = f"{self.images} images, " if self.images else ""
        count = len(self.faults)
        found = f"{read}{images}{self.against}" if self.is_whole else f"{count} fault{'s' if count > 1 else ''}"
        return f"{paths.name(self.scan) or self.scan}{where}: {found}"


def register_checker(suffix: str, check: Check | str) -> None:
    """Say what checks the structure of files whose names end like that."""
    _checkers[suffix] = check


def verify_scan(node: ScanNode) -> Verification:
    """Compare a scan with its file, or check the file if the server has the scan no more."""
    if isinstance(node.store, SavedStore):
        return verify_entry(node.store)
    found = Verification(node.db_name, against="as on the server")
    try:
        structure = node.structure.refresh()
    except NodeNotFound as error:
        found.faults.append(str(error))
        return found
    file = saved.find_saved(node.db_name, node.store, str(structure.info.get("uid", "")))
    if isinstance(file, SavedStore):
        _say_where(found, file)
        _guard(found, lambda: _compare(found, node.store, structure, file))
        _guard(found, lambda: _read_images(found, file))
        _check_structure(found)
    elif paths.name(node.db_name).startswith("_"):
        found.against = "not to be saved"
    else:
        found.faults.append(_why_not_saved(node, structure))
    return found


def verify_file(file: str, entry: str = "") -> list[Verification]:
    """Check the scans of a file, or one of them, as far as the file itself can tell.

    :raises DataError: it is no file of scans.
    """
    entries = [entry] if entry else saved.entries(file)
    found = []
    for name in entries:
        try:
            store = saved.open_saved(file, name)
        except DataError as error:
            found.append(Verification("", file, name, faults=[str(error)]))
        else:
            found.append(verify_entry(store))
    return found


def verify_entry(store: SavedStore) -> Verification:
    """Check one scan by what its file says of it."""
    found = Verification(store.scan, against="as many as the file says")
    _say_where(found, store)
    _guard(found, lambda: _read_all(found, store))
    _guard(found, lambda: _read_images(found, store))
    _check_structure(found)
    return found


def _say_where(found: Verification, file: SavedStore) -> None:
    found.file, found.entry = file.file, file.entry.strip("/")


def _guard(found: Verification, check: Callable[[], None]) -> None:
    """Make a fault of an error: what cannot be read is to be told with the rest."""
    try:
        check()
    except (BlissLikeError, OSError, ValueError, KeyError) as error:
        found.faults.append(str(error))


def _why_not_saved(node: ScanNode, structure: ScanStructure) -> str:
    said = saving.saved(node.store, [node.db_name])[0]
    if said and said.error:
        return f"not on disk: {said.error}"
    if said and said.file:
        return f"not on disk: its writer says that it is in {said.file}, where it is not to be found (any more)"
    if structure.end is None:
        return "not on disk yet: it is running"
    session = node.db_name.partition(":")[0]
    return f"not on disk: no writer has saved it; bliss-like recover {session} does, while the server has it"


# -- against the server --------------------------------------------------------------------------------------------------


def _compare(found: Verification, store: StreamStore, structure: ScanStructure, file: SavedStore) -> None:
    there = ScanStructure(file, structure.path).refresh()
    for node in structure.nodes.values():
        copy = there.nodes.get(node.path)
        if copy is None:
            found.faults.append(f"{node.path}: not in the file")
        elif (copy.kind, to_json(copy.info)) != (node.kind, to_json(node.info)):
            found.faults.append(f"{node.path}: the file says something else of it than was published")
    _compare_infos(found, structure, there)
    for channel in structure.channels():
        if channel.path in there.nodes:
            found.channels += 1
            _guard(found, lambda spec=ChannelSpec.of(channel): _compare_points(found, store, file, spec, structure))  # type: ignore[misc]


def _compare_infos(found: Verification, structure: ScanStructure, there: ScanStructure) -> None:
    if structure.end is None:
        found.notes.append("it is running: compared as far as it is on disk")
        return
    if there.end is None:
        found.faults.append("its end is not in the file: the file is not complete")
        return
    differing = [key for key, value in structure.info.items() if to_json(there.info.get(key)) != to_json(value)]
    if differing:
        found.faults.append(f"scan_info: other values in the file than were published: {', '.join(differing)}")


def _compare_points(
    found: Verification, store: StreamStore, file: SavedStore, spec: ChannelSpec, structure: ScanStructure
) -> None:
    last, written = (each.last_ids([spec.key])[0] for each in (store, file))
    published = structure.end.lengths.get(spec.path, 0) if structure.end else sum(last or FIRST)
    length = _stored(file, spec)
    if length < published and structure.end:
        found.faults.append(f"{spec.path}: {length} points in the file of the {published} that were published")
    elif written and sum(written) > published and structure.end:
        found.faults.append(f"{spec.path}: {sum(written)} points in the file, more than the {published} published")
    compared = 0
    for first, values in _blocks(store, spec):
        values = values[: max(0, length - first)]
        if not len(values):
            break
        copy = _between(file, spec, first, first + len(values))
        wrong = _first_difference(values, copy)
        if wrong is not None:
            found.faults.append(f"{spec.path}: point {first + wrong} is another one in the file than was published")
            break
        compared += len(values)
    found.points += length
    if compared < length and not any(spec.path in fault for fault in found.faults):
        _read_points(file, spec, 0, length - compared)
        found.notes.append(f"{spec.path}: {length - compared} points are no more on the server; they can be read")


def _first_difference(values: Array, copy: Sequence[Array]) -> int | None:
    """Return the index of the first point that differs in a bit; None: none does."""
    if isinstance(copy, np.ndarray) and copy.shape == values.shape and _same(values, copy):
        return None
    for index, value in enumerate(values):
        if index >= len(copy) or not _same(np.asarray(value), np.asarray(copy[index])):
            return index
    return None


def _same(value: Array, copy: Array) -> bool:
    if value.dtype.kind == "U":
        return bool(np.array_equal(value, copy))
    return value.dtype == copy.dtype and value.shape == copy.shape and value.tobytes() == copy.tobytes()


# -- the file alone ------------------------------------------------------------------------------------------------------


def _read_all(found: Verification, file: SavedStore) -> None:
    structure = ScanStructure(file, file.scan).refresh()
    if structure.end is None:
        found.faults.append(
            "it has no end: its writer has not finished; bliss-like recover does, while the server has the scan"
        )
    for channel in structure.channels():
        spec = ChannelSpec.of(channel)
        length = _stored(file, spec)
        expected = structure.end.lengths.get(spec.path, 0) if structure.end else length
        if length < expected:
            found.faults.append(f"{spec.path}: {length} points in the file of the {expected} that there were")
        found.channels += 1
        found.points += length
        _guard(found, lambda spec=spec, length=length: _read_points(file, spec, 0, length))  # type: ignore[misc]


def _read_points(file: SavedStore, spec: ChannelSpec, start: int, stop: int) -> None:
    """Read points, every chunk of them."""
    step = max(1, _READ_BYTES // max(1, spec.point_bytes))
    for first in range(start, stop, step):
        expected = min(stop, first + step) - first
        if (got := len(_between(file, spec, first, first + expected))) != expected:
            raise DataError(
                f"{spec.path}: points {first} to {first + expected - 1} of the file: only {got} can be read"
            )


def _read_images(found: Verification, file: SavedStore) -> None:
    """Read every image in the files of detectors that the scan refers to."""
    structure = ScanStructure(file, file.scan).refresh()
    for channel in structure.channels():
        if channel.kind is not NodeKind.IMAGE or not channel.info.get("reference"):
            continue
        spec = ChannelSpec.of(channel)
        shape = tuple(channel.info.get("image_shape", ()))
        for first in range(0, _stored(file, spec), IMAGES_AT_ONCE):
            try:
                references = to_references(_between(file, spec, first, first + IMAGES_AT_ONCE))
                for reference, image in zip(references, read_references(references), strict=True):
                    if shape and image.shape != shape:
                        raise DataError(
                            f"image {reference.index} of {reference.file}: expected the shape {shape}, it has {image.shape}"
                        )
                    found.images += 1
            except DataError as error:
                found.faults.append(f"{spec.path}: {error}")
                break


def _check_structure(found: Verification) -> None:
    check = next((check for suffix, check in _checkers.items() if found.file.endswith(suffix)), None)
    if isinstance(check, str):
        module, _, function = check.partition(":")
        check = getattr(importlib.import_module(module), function)
    if callable(check):
        found.faults += check(found.file, found.entry)


# -- points --------------------------------------------------------------------------------------------------------------


def _stored(file: SavedStore, spec: ChannelSpec) -> int:
    """Return how many points are in the file, which may be fewer than it says that there were."""
    last = file.last_before(spec.key, (LAST_SEQUENCE, LAST_SEQUENCE))
    return sum(last[0]) if last else 0


def _blocks(store: StreamStore, spec: ChannelSpec) -> Iterator[tuple[int, Array]]:
    """Yield the points that are in a store, a few at a time."""
    seen = FIRST
    count = max(1, min(1000, _READ_BYTES // max(1, spec.entry_size)))
    while entries := store.read({spec.key: seen}, count=count).get(spec.key):
        seen = (sum(entries[-1][0]) - 1, LAST_SEQUENCE)
        yield from merge_points(entries, spec)


def _between(file: SavedStore, spec: ChannelSpec, start: int, stop: int) -> Any:
    """Return points of a file: an array, or a list where their shapes differ."""
    blocks: list[Array] = []
    for first, values in merge_points(file.range(spec.key, (start, 0), (stop - 1, LAST_SEQUENCE)), spec):
        blocks.append(values[max(0, start - first) : stop - first])
    if len({block.shape[1:] for block in blocks}) > 1:
        return [point for block in blocks for point in block]
    return np.concatenate(blocks) if blocks else spec.no_points()
