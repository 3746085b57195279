"""Where exported files go: a directory, an open file, memory, or nowhere. All files of a job appear at its end, or none.

A file is written under another name beside its own, and renamed. Nothing that is there already is touched unless asked.
"""

from __future__ import annotations

import io
import os
import shutil
import tempfile
import uuid
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO, Protocol, cast

from bliss_like.errors import ExportError

_TWICE = "two files would have this name; add what tells them apart to the template: {scan_nb}, {channel}, {event.seq_num}, {i}"


class Target(Protocol):
    """Takes the files of one job, by names relative to it."""

    single: bool
    """Whether it has room for one file only."""

    @property
    def sizes(self) -> Mapping[str, int]:
        """Bytes of each file, by name; complete after `commit`."""

    def create(self, name: str, *, seek: bool = False) -> BinaryIO:
        """Return a new file, which the target closes if nobody has.

        :param seek: it must be possible to go back in it, and to read it.
        :raises ExportError: there is one of that name, or it is no name.
        """

    def path(self, name: str) -> str:
        """Return a path for libraries that open files themselves: nothing is there; it becomes the file `name`."""

    def commit(self) -> None:
        """Bring all files to their place."""

    def abandon(self) -> None:
        """Leave nothing."""


class Files:
    """Files below a directory, which is made if it is not there."""

    single = False

    def __init__(self, directory: Path | str, overwrite: bool = False) -> None:
        self.directory, self.overwrite = Path(directory), overwrite
        self.sizes: dict[str, int] = {}
        self._parts: dict[Path, Path] = {}
        """Where a file is until all are done, by its final path."""
        self._open: list[BinaryIO] = []
        self._made: list[Path] = []
        """Directories that were not there."""

    def __str__(self) -> str:
        return str(self.directory)

    def create(self, name: str, *, seek: bool = False) -> BinaryIO:
        part = self._claim(name)
        file = open(part, "x+b")  # noqa: SIM115 - closed by whoever writes, or at the end
        self._open.append(file)
        return file

    def path(self, name: str) -> str:
        return str(self._claim(name))

    def _claim(self, name: str) -> Path:
        final = self.directory / check_name(name)
        if final in self._parts:
            raise ExportError(f"{final}: {_TWICE}")
        if not self.overwrite and os.path.lexists(final):
            raise ExportError(
                f"{final}: it is there already; choose another name (--output, --template), or --overwrite"
            )
        if final.is_dir():
            raise ExportError(f"{final}: a directory has this name; choose another one (--output, --template)")
        self._make_directory(final.parent)
        part = self._parts[final] = final.parent / f".{uuid.uuid4().hex}.part{final.suffix}"
        return part

    def _make_directory(self, directory: Path) -> None:
        missing = [above for above in (directory, *directory.parents) if not above.exists()]
        for path in reversed(missing):
            path.mkdir(exist_ok=True)
            self._made.append(path)

    def commit(self) -> None:
        placed: list[Path] = []
        try:
            for file in self._open:
                file.close()
            for final, part in self._parts.items():
                self._place(part, final)
                placed.append(final)
        except BaseException:
            for final in placed:
                if not self.overwrite:
                    final.unlink(missing_ok=True)
            raise
        self.sizes = {str(final): final.stat().st_size for final in self._parts}
        self._parts, self._made = {}, []

    def _place(self, part: Path, final: Path) -> None:
        if self.overwrite:
            os.replace(part, final)
            return
        try:
            os.link(part, final)  # which, unlike renaming, refuses a name that was taken meanwhile
        except FileExistsError:
            raise ExportError(f"{final}: another program has written it meanwhile; choose another name") from None
        except OSError:  # a file system without links
            with open(final, "x"):
                os.replace(part, final)
        else:
            os.unlink(part)

    def abandon(self) -> None:
        for file in self._open:
            with suppress(OSError):
                file.close()
        for part in self._parts.values():
            for left in (part, *part.parent.glob(f".{part.name}*")):  # also what a library keeps beside its file
                left.unlink(missing_ok=True)
        for directory in reversed(self._made):
            with suppress(OSError):
                directory.rmdir()
        self._parts, self._made = {}, []


class Memory:
    """Files in memory: `contents`, by name, after `commit`."""

    single = False

    def __init__(self) -> None:
        self.contents: dict[str, bytes] = {}
        self._buffers: dict[str, _Kept] = {}
        self._directory = _TemporaryDirectory()

    def __str__(self) -> str:
        return "memory"

    @property
    def sizes(self) -> dict[str, int]:
        return {name: len(content) for name, content in self.contents.items()}

    def create(self, name: str, *, seek: bool = False) -> BinaryIO:
        self._check_new(name)
        buffer = self._buffers[name] = _Kept()
        return buffer

    def path(self, name: str) -> str:
        self._check_new(name)
        return self._directory.path(name)

    def _check_new(self, name: str) -> None:
        if check_name(name) in {*self._buffers, *self._directory.paths}:
            raise ExportError(f"{name}: {_TWICE}")

    def commit(self) -> None:
        self.contents = {name: buffer.getvalue() for name, buffer in self._buffers.items()}
        self.contents |= {name: Path(path).read_bytes() for name, path in self._directory.paths.items()}
        self._directory.remove()

    def abandon(self) -> None:
        self._buffers = {}
        self._directory.remove()


class Stream:
    """One file that somebody else has opened, for bytes; its name does not matter."""

    single = True

    def __init__(self, file: BinaryIO) -> None:
        self.sizes: dict[str, int] = {}
        self._file = file
        self._spool: BinaryIO | None = None
        self._taken = False
        self._directory = _TemporaryDirectory()

    def __str__(self) -> str:
        return f"output {getattr(self._file, 'name', 'to an open file')}"

    def create(self, name: str, *, seek: bool = False) -> BinaryIO:
        if not seek:
            self._take(name)
            return cast(BinaryIO, _Passing(self._file))
        self._spool = open(self.path(name), "w+b")  # noqa: SIM115 - closed at the end
        return self._spool

    def path(self, name: str) -> str:
        self._take(name)
        return self._directory.path(name)

    def _take(self, name: str) -> None:
        if self._taken:
            raise ExportError(f"{self}: has room for one file, {name} is another; name a directory as output")
        self._taken = True

    def commit(self) -> None:
        self._close_spool()
        for path in self._directory.paths.values():
            with open(path, "rb") as source:
                shutil.copyfileobj(source, self._file)
        self._file.flush()
        self.abandon()

    def abandon(self) -> None:
        self._close_spool()
        self._directory.remove()

    def _close_spool(self) -> None:
        if self._spool is not None:
            self._spool.close()


class DryRun(Files):
    """What would be written below a directory: sizes, and every error but those of the disk."""

    def __init__(self, directory: Path | str, overwrite: bool = False) -> None:
        super().__init__(directory, overwrite)
        self._counters: dict[Path, _Counter | Path] = {}
        self._directory = _TemporaryDirectory()

    def create(self, name: str, *, seek: bool = False) -> BinaryIO:
        final = self._claim(name)
        if seek:
            path = Path(self._directory.path(name))
            self._counters[final] = path
            file = open(path, "x+b")  # noqa: SIM115 - closed at the end
            self._open.append(file)
            return file
        counter = self._counters[final] = _Counter()
        return cast(BinaryIO, counter)

    def path(self, name: str) -> str:
        final = self._claim(name)
        path = self._directory.path(name)
        self._counters[final] = Path(path)
        return path

    def _claim(self, name: str) -> Path:
        super()._claim(name)
        final = self.directory / name
        self._parts[final] = final  # nothing is there under another name
        return final

    def _make_directory(self, directory: Path) -> None:
        above = next(path for path in (directory, *directory.parents) if path.exists())
        if not (above.is_dir() and os.access(above, os.W_OK)):
            raise ExportError(
                f"{directory}: cannot be written to: {above} is no directory, or its permissions forbid it"
            )

    def commit(self) -> None:
        for file in self._open:
            file.close()
        self.sizes = {
            str(final): counter.stat().st_size if isinstance(counter, Path) else counter.size
            for final, counter in self._counters.items()
        }
        self._directory.remove()

    def abandon(self) -> None:
        for file in self._open:
            file.close()
        self._directory.remove()


def check_name(name: str) -> str:
    """Return the name of a file below a directory.

    :raises ExportError: it is none, or leads out of there.
    """
    parts = PurePosixPath(name).parts
    if not parts or name.startswith("/") or name.endswith("/") or ".." in parts or "\0" in name:
        raise ExportError(f"name of a file {name!r}: expected one below the output directory, without '..'")
    return name


class _Kept(io.BytesIO):
    """A buffer whose content outlives its closing."""

    def close(self) -> None:
        self.seek(0)


class _Passing:
    """Passes on what is written, at once, and leaves the file open."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.closed = False

    def __enter__(self) -> _Passing:
        return self

    def __exit__(self, *error: object) -> None: ...

    def write(self, data: Any) -> int:
        self._file.write(data)
        self._file.flush()
        return len(data)

    def flush(self) -> None: ...

    def close(self) -> None: ...

    def writable(self) -> bool:
        return True

    def readable(self) -> bool:
        return False

    def seekable(self) -> bool:
        return False


class _Counter(_Passing):
    """Counts what is written."""

    def __init__(self) -> None:
        self.size = 0
        self.closed = False

    def write(self, data: Any) -> int:
        size = memoryview(data).nbytes
        self.size += size
        return size


class _TemporaryDirectory:
    """Paths in a directory of their own, made when the first one is asked for."""

    def __init__(self) -> None:
        self.paths: dict[str, str] = {}
        self._directory = ""

    def path(self, name: str) -> str:
        self._directory = self._directory or tempfile.mkdtemp(prefix="bliss-like-export-")
        path = self.paths[name] = os.path.join(self._directory, f"{len(self.paths)}{Path(name).suffix}")
        return path

    def remove(self) -> None:
        if self._directory:
            shutil.rmtree(self._directory, ignore_errors=True)
        self.paths, self._directory = {}, ""
