"""`bliss-like verify`: whether all that was published is on disk and can be read. A plain process."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

from bliss_like.data.counting import counted
from bliss_like.live.look import Role

from .style import paint
from .words import SCANS

if TYPE_CHECKING:
    from argparse import _SubParsersAction

    from bliss_like.data.verify import Verification


def add_parser(commands: _SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = commands.add_parser(
        "verify",
        help="check that scans are on disk, whole and readable",
        description="Compare scans with their files point by point while the server has them; else read the files, and the images "
        "that they refer to, and compare with what they say of themselves. The exit code is 1 if something is wrong.",
    )
    parser.add_argument(
        "scans",
        nargs="*",
        metavar="SCAN|FILE|DIRECTORY",
        help=f"{SCANS}; a directory with --checksums; nothing: all on the server",
    )
    parser.add_argument("--session", default="", help="scans of this session")
    parser.add_argument(
        "--checksums",
        nargs="?",
        const="check",
        choices=["check", "update"],
        help="also compare the directory of each dataset with its SHA256SUMS, which is written where there is none; update: write it again",
    )
    parser.set_defaults(run=run, words="scans")


def run(chosen: argparse.Namespace) -> int:
    """Verify; return the exit code.

    :raises BlissLikeError: a scan or a file is not to be found.
    """
    directories = [word for word in chosen.scans if os.path.isdir(word)]
    words = [word for word in chosen.scans if word not in directories]
    whole = True
    count = 0
    for found in _verified(words, chosen.session) if words or not directories else ():
        _show(found)
        count += 1
        whole = whole and found.is_whole
        if found.file:
            directories.append(os.path.dirname(os.path.abspath(found.file)))
    if not (count or directories):
        print("bliss-like verify: no scan is on the server; name files, or scans of the catalogue", file=sys.stderr)
        return 1
    if chosen.checksums:
        for directory in dict.fromkeys(directories):
            whole = _checksums(directory, update=chosen.checksums == "update") and whole
    elif set(directories) & set(chosen.scans):
        print("bliss-like verify: a directory is checked with --checksums", file=sys.stderr)
        return 2
    return 0 if whole else 1


def _verified(words: list[str], session: str) -> Iterator[Verification]:
    from bliss_like.data.past import PastScans, is_file, known_store, scans_named
    from bliss_like.data.saved_store import SavedStore
    from bliss_like.data.verify import verify_file, verify_scan

    store = known_store()
    if not words:
        on_server = [
            node
            for node in PastScans(store, session)
            if not (isinstance(node.store, SavedStore) or node.name.startswith("_"))
        ]
        yield from map(verify_scan, reversed(on_server))
    for word in words:
        if is_file(word):
            file, _, entry = word.partition("::")
            yield from verify_file(file, entry)
        else:
            yield from map(verify_scan, scans_named([word], store, session))


def _show(found: Verification) -> None:
    mark = paint("ok   ", Role.GOOD) if found.is_whole else paint("WRONG", Role.ERROR)
    print(f"{mark} {found}", flush=True)
    for text in (*found.faults, *found.notes):
        print(f"      {text}", flush=True)


def _checksums(directory: str, *, update: bool) -> bool:
    """Compare a directory with its manifest, or write one; return whether nothing is wrong."""
    from bliss_like.data.checksums import MANIFEST, check_manifest, write_manifest

    if update or not os.path.exists(os.path.join(directory, MANIFEST)):
        count = write_manifest(directory)
        print(f"{paint('ok   ', Role.GOOD)} {directory}: checksums of {counted(count, 'file')} written to {MANIFEST}")
        return True
    found = check_manifest(directory)
    mark = paint("ok   ", Role.GOOD) if found.is_whole else paint("WRONG", Role.ERROR)
    print(f"{mark} {directory}: {counted(found.same, 'file')} as in {MANIFEST}")
    for what, names in (("changed", found.changed), ("missing", found.missing)):
        for name in names:
            print(f"      {what}: {name}")
    if found.new:
        print(f"      {counted(len(found.new), 'file')} not in it yet: --checksums update writes it again")
    return found.is_whole
