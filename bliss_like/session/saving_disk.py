"""SCAN_SAVING and the disk: whether the next scan can be saved, and which numbers are taken there."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from bliss_like.errors import SavingError
from bliss_like.writers.formats import find_format

from . import disk
from .disk import Numbers
from .places import Places
from .policies.config import NO_WRITER, writer_problem

if TYPE_CHECKING:
    from .saving import ScanSaving

_logger = logging.getLogger(__name__)

T = TypeVar("T")

_NEXUS = "nexus"
_PAUSE = 600.0
"""Seconds before a warning is told again."""

_MB = 1_000_000


@dataclass(frozen=True)
class Found:
    """What is there where the next scan goes."""

    free: int
    is_volatile: bool
    exists: bool


class SavingDisk:
    """What one SCAN_SAVING knows of the disk."""

    def __init__(self, saving: ScanSaving) -> None:
        self._saving = saving
        self._numbers: dict[Path, Numbers] = {}
        self._tried: set[Path] = set()
        """Directories in which something was written by this process."""
        self._told: dict[str, float] = {}

    def look(self, function: Callable[[], T], patience: float = disk.PATIENCE) -> T:
        """:raises SavingError: files cannot be made where they are to go, with the way out."""
        try:
            return disk.look(self._saving.get_path(), function, patience)
        except disk.NoPlace as error:
            raise SavingError(f"{error}; {self._saving.elsewhere}") from error

    def create(self, path: Path) -> None:
        self.look(partial(disk.make_directory, path, self._saving.directory_mode))

    # -- before a scan ---------------------------------------------------------------------------------------------------

    def check(self) -> None:
        """:raises SavingError: the next scan cannot be saved."""
        saving, writer = self._saving, self._saving.writer
        if problem := writer_problem(writer):
            raise SavingError(f"SCAN_SAVING.writer: {problem}")
        saving.claim()
        if writer == NO_WRITER:
            return
        places = saving.places()
        root, file = places.root, places.file(self.extension(writer))
        found = self.look(partial(self._prepare, root, file, saving.directory_mode, root not in self._tried))
        self._tried.add(root)
        self._check_room(root, found.free / _MB)
        if found.is_volatile:
            base = saving.base_path
            message = f"files below {base} are gone when the computer starts again: {saving.elsewhere}"
            self._warn(f"volatile {base}", message)

    @staticmethod
    def _prepare(root: Path, file: Path, mode: str, try_it: bool) -> Found:
        disk.make_directory(root, mode)
        disk.check_writable(root, file, try_it)
        return Found(disk.free_bytes(root), disk.is_volatile(root), file.exists())

    def _check_room(self, root: Path, free: float) -> None:
        least, low = self._saving.min_free_mb, self._saving.warn_free_mb
        if free < least:
            raise SavingError(
                f"{root}: {free:.0f} MB are free on this disk, a scan needs {least:g} MB; remove what is not needed, or: "
                f"{self._saving.elsewhere}, SCAN_SAVING.min_free_mb = ... dares it"
            )
        if free < low:
            message = f"{root}: only {free:.0f} MB are free on this disk"
            message += f"; scans are refused below {least:g} MB" if least else ""
            self._warn(f"low {root}", message)

    def _warn(self, about: str, message: str) -> None:
        """Warn, once in a while: scans may follow each other quickly."""
        now = time.monotonic()
        if now - self._told.get(about, -_PAUSE) >= _PAUSE:
            self._told[about] = now
            _logger.warning("%s", message)

    # -- numbers ---------------------------------------------------------------------------------------------------------

    def last_number(self) -> int:
        """:raises SavingError: the file is not one of scans, or its server does not answer."""
        known = self._known_numbers(self._saving.writer, self._saving.places())
        try:
            return self.look(partial(disk.last_of, known))
        except OSError as error:
            raise SavingError(
                f"{error.filename or self._saving.get_path()}: {disk.reason(error)}; {self._saving.elsewhere}"
            ) from error

    def describe(self, scan_number: int | None) -> dict[str, Any]:
        """Return what the info of a scan says of saving; the number counts as taken."""
        saving, writer, places = self._saving, self._saving.writer, self._saving.places()
        described: dict[str, Any] = {"data_writer": writer, "data_policy": saving.policy}
        if dataset := saving.dataset():
            described["dataset"] = dict(dataset)
        if scan_number is not None:
            for numbers in self._known_numbers(writer, places):
                numbers.take(scan_number)
            written = saving.scan_number_format % scan_number
            described["images_path"] = str(places.images_of_all(written))
        if writer != NO_WRITER:
            described["filename"] = str(places.file(self.extension(writer)))
            described["base_path"] = str(places.base)
            described["master_files"] = saving.master_files
            described["writer_options"] = dict(saving.writer_options)
        return described

    def _known_numbers(self, writer: str, places: Places) -> list[Numbers]:
        return [numbers for numbers in (self._of_file(writer, places), self._of_images(places)) if numbers is not None]

    def _of_file(self, writer: str, places: Places) -> Numbers | None:
        if writer == NO_WRITER:
            return None
        file = places.file(self.extension(writer))
        if file not in self._numbers:
            if writer == _NEXUS:
                from bliss_like.writers import nexus_numbers  # h5py, in the main thread: it starts a process

                self._numbers[file] = Numbers(
                    file, partial(nexus_numbers.last_number, file), partial(nexus_numbers.has_number, file)
                )
            elif (last := getattr(find_format(writer), "last_number", None)) is not None:
                self._numbers[file] = Numbers(file, partial(last, file), lambda _: True)
        return self._numbers.get(file)

    def _of_images(self, places: Places) -> Numbers | None:
        saving = self._saving
        numbered = places.numbered_images()
        if numbered is None:
            return None
        directory, pattern = numbered
        if directory not in self._numbers:
            self._numbers[directory] = disk.numbers_of_images(
                directory,
                pattern,
                lambda number: saving.places().images_of_all(saving.scan_number_format % number),
            )
        return self._numbers[directory]

    # -- for people ------------------------------------------------------------------------------------------------------

    def find(self, patience: float = 2.0) -> Found:
        """Return what is there; nothing is made.

        :raises SavingError: the file server does not answer.
        """
        root, file = Path(self._saving.get_path()), Path(self._saving.data_fullpath)
        return self.look(lambda: Found(disk.free_bytes(root), disk.is_volatile(root), file.exists()), patience)

    @staticmethod
    def extension(writer: str) -> str:
        """Return what the names of files of a format end with."""
        return ".h5" if writer in (_NEXUS, NO_WRITER) else str(getattr(find_format(writer), "extension", ".h5"))
