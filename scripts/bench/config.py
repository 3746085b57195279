"""Configuration: reading the files, checking them, setting up a session, on the realistic beamline in `config/`.

    python -m scripts.bench.config [--bliss PYTHON]

Limits taken in the same run: reading the bytes, and ruamel's plain load of the same text, which forgets where a key stood.
`--bliss` names the Python of an environment with BLISS 2, which then runs the same program on the same files.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

from ruamel.yaml import YAML

from bliss_like.config import Config
from bliss_like.data.store import MemoryStore
from bliss_like.data.tree import Tree
from bliss_like.session import load_session
from scripts.bench.config_peer import against_bliss
from scripts.bench.start import process
from scripts.bench.table import Table, in_turn, seconds

ROOT = Path(__file__).resolve().parents[2]
BEAMLINE = ROOT / "config" / "beamline"
BIGGEST = "alignment"
TIMES = 10
LIBRARIES = "import gevent, numpy, pydantic"
SETUP = f"""
from bliss_like.config import get_config
from bliss_like.data.store import MemoryStore
from bliss_like.data.tree import Tree
from bliss_like.session import load_session
session = load_session("{BIGGEST}", get_config("config"))
if not session.setup(tree=Tree(MemoryStore())):
    raise SystemExit(session.error_report)
session.close()
"""
CHECK = """
import contextlib, io
from bliss_like.shell.main import main
with contextlib.redirect_stdout(io.StringIO()) as told:
    code = main(["config", "check", "config"])
if code:
    raise SystemExit(told.getvalue())
"""
EVERYTHING = '- {name: everything, class: Session, config-objects: ["*"]}\n'


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bliss", default="", help="Python of an environment with BLISS 2")
    bliss = parser.parse_args().bliss
    os.chdir(ROOT)
    with tempfile.TemporaryDirectory(prefix="bl-", dir="/tmp") as directory:
        home = Path(directory)
        os.environ["BLISS_LIKE_HOME"] = directory
        os.environ["XDG_CACHE_HOME"] = str(home / "cache")
        table = Table("work", "ours", "limit in the same run", "", "ratio")
        _files(table)
        _growth(table, copies(home / "once", 1), copies(home / "often", TIMES))
        _whole(table)
        if bliss:
            print()
            against_bliss(bliss, BEAMLINE, home)


def copies(root: Path, count: int) -> Path:
    """Write the realistic beamline `count` times below `root`, each with names of its own, and a session with all of it."""
    names = "|".join(sorted(Config(BEAMLINE).names_list, key=len, reverse=True))
    anywhere, where_it_is_named = re.compile(rf"()\b({names})\b(?!:\s)"), re.compile(rf"(\$|\bname: )({names})\b")
    for number in range(count):
        for path in BEAMLINE.rglob("*.yml"):
            if path.parent.name != "sessions":
                target = root / f"beamline{number}" / path.relative_to(BEAMLINE)
                target.parent.mkdir(parents=True, exist_ok=True)
                # Elsewhere than in groups `energy` may be a key, or a tag.
                name = anywhere if path.name == "groups.yml" else where_it_is_named
                target.write_text(name.sub(rf"\1\2_{number}", path.read_text()))
    (root / "everything.yml").write_text(EVERYTHING)
    return root


def cold(root: Path) -> float:
    """Return the seconds that reading a configuration takes that was never read before."""
    shutil.rmtree(os.environ["XDG_CACHE_HOME"], ignore_errors=True)
    return seconds(lambda: Config(root))


def setup(root: Path, name: str) -> float:
    """Return the seconds that a session needs to make all its objects; the files have been read."""
    config = Config(root)
    session = load_session(name, config)
    elapsed = seconds(lambda: session.setup(tree=Tree(MemoryStore())))
    if session.errors:
        raise SystemExit(session.error_report)
    config.close()
    return elapsed


def check(root: Path) -> float:
    config = Config(root)
    elapsed = seconds(config.check)
    if errors := config.check():
        raise SystemExit("\n".join(map(str, errors)))
    return elapsed


def _files(table: Table) -> None:
    files = sorted(BEAMLINE.rglob("*.yml"))
    texts = [path.read_text() for path in files]
    count, lines = len(Config(BEAMLINE).names_list), sum(text.count("\n") for text in texts)
    first, plain = in_turn(
        lambda: cold(BEAMLINE),
        lambda: seconds(lambda: [YAML(typ="safe", pure=True).load(text) for text in texts]),
    )
    work = f"{count} objects, {len(files)} files, {lines} lines, read the first time, ms"
    table.row(work, first, "ruamel, plain load", plain, first / plain)
    again, bytes_only = in_turn(
        lambda: seconds(lambda: Config(BEAMLINE)),
        lambda: seconds(lambda: [path.read_bytes() for path in files]),
    )
    table.row("read again, unchanged, ms", again, "reading the bytes", bytes_only, again / bytes_only)


def _growth(table: Table, small: Path, large: Path) -> None:
    """What an object costs must not depend on how many others there are."""
    works: dict[str, Callable[[Path], float]] = {
        "read the first time": cold,
        "read again": lambda root: seconds(lambda: Config(root)),
        "Config.check()": check,
        "setup of a session with all": lambda root: setup(root, "everything"),
    }
    few, many = (len(Config(root).names_list) for root in (small, large))
    for work, action in works.items():
        among_few, among_many = in_turn(lambda: action(small) / few, lambda: action(large) / many, runs=5)  # noqa: B023
        cells = (1e3 * among_many, f"among {few}", 1e3 * among_few, among_many / among_few)
        table.row(f"{work}, an object among {many}, µs", *cells)


def _whole(table: Table) -> None:
    """Whole processes, from the command to its end."""
    ours, check_all, libraries = in_turn(lambda: process(SETUP), lambda: process(CHECK), lambda: process(LIBRARIES))
    work = f"process: set up `{BIGGEST}` ({len(_object_names())} objects) and close it, ms"
    table.row(work, ours, "importing its libraries", libraries, ours / libraries)
    table.row(
        "process: bliss-like config check, ms", check_all, "importing its libraries", libraries, check_all / libraries
    )


def _object_names() -> list[str]:
    config = Config("config")
    session = load_session(BIGGEST, config)
    session.setup(tree=Tree(MemoryStore()))
    names = list(session.object_names)
    config.close()
    return names


if __name__ == "__main__":
    main()
