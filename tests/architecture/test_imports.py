"""What the import contracts in setup.cfg cannot say: who patches, and what an import loads."""

from __future__ import annotations

import ast
import configparser
import subprocess
import sys
from pathlib import Path

import bliss_like

PACKAGE = Path(bliss_like.__file__).parent
ROOT = PACKAGE.parent

ENTRY_POINTS = {"bliss_like/shell/main.py"}
"""The modules that may patch: those that are a process' first."""

LISTENERS = ("writers", "exporters", "live", "web")


def imports_of(tree: ast.AST) -> set[str]:
    """Return the dotted names that a module imports, anywhere in it."""
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def loaded_by(statement: str) -> set[str]:
    """Return the top-level packages that a fresh interpreter has loaded after `statement`."""
    script = f"import sys; {statement}; print(*{{name.partition('.')[0] for name in sys.modules}})"
    return set(
        subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout.split()
    )


def test_only_entry_points_patch() -> None:
    patching = {
        str(path.relative_to(ROOT))
        for path in PACKAGE.rglob("*.py")
        if "gevent.monkey" in imports_of(ast.parse(path.read_text()))
    }
    assert patching <= ENTRY_POINTS


def test_importing_the_package_loads_nothing() -> None:
    assert loaded_by("import bliss_like").isdisjoint({"gevent", "redis", "numpy", "h5py", "yaml", "ruamel", "pydantic"})


def test_the_data_layer_loads_no_gevent() -> None:
    modules = ", ".join(
        f"bliss_like.data.{path.stem}" for path in sorted((PACKAGE / "data").glob("*.py")) if path.stem != "__init__"
    )
    assert loaded_by(f"import {modules}").isdisjoint({"gevent", "h5py", "epics", "ruamel", "pydantic"})


def test_what_follows_scans_needs_little() -> None:
    terminal = {"gevent", "ptpython", "prompt_toolkit", "pygments", "jedi", "asyncio"}
    heavy = {"lmfit", "scipy", "pydantic", "ruamel", "h5py", "louie", "redis"}
    every_name = "import bliss_like.live as live; [getattr(live, name) for name in live.__all__]"
    assert loaded_by(every_name).isdisjoint(terminal | heavy)
    assert loaded_by("import bliss_like.shell.watching").isdisjoint(terminal | heavy)


def test_settings_need_little() -> None:
    heavy = {"gevent", "pydantic", "ruamel", "redis", "h5py", "louie"}
    assert loaded_by("from bliss_like.config.settings import *").isdisjoint(heavy)


def test_the_prompt_loads_no_lexers_of_other_languages_and_leaves_them_as_they_are() -> None:
    script = """
import sys
from bliss_like.shell.light_help import light_help
with light_help():
    import bliss_like.shell.repl
print("pygments.lexers.markup" in sys.modules)
from pygments.lexers import RstLexer
print(RstLexer.__name__)
"""
    run = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True, cwd=ROOT)
    assert run.stdout.split() == ["False", "RstLexer"]


def test_a_session_loads_what_it_uses_when_it_uses_it() -> None:
    unused = {"redis", "ruamel", "h5py", "epics", "ptpython", "prompt_toolkit", "jedi", "asyncio"}
    assert loaded_by("import bliss_like.session").isdisjoint(unused)


def test_axes_and_the_names_of_bliss_need_little() -> None:
    unused = {"redis", "ruamel", "h5py", "epics", "icepap", "scipy", "ptpython", "prompt_toolkit", "jedi", "asyncio"}
    of_bliss = [
        f"bliss_like.{package}.{path.stem}"
        for package in ("common", "comm")
        for path in sorted((PACKAGE / package).glob("*.py"))
        if path.stem != "__init__"
    ]
    for modules in ("bliss_like.devices.axis", ", ".join(of_bliss)):
        assert loaded_by(f"import {modules}").isdisjoint(unused)
    assert "numpy" not in loaded_by("import bliss_like.comm.util")


def test_listeners_are_under_contract() -> None:
    contracts = configparser.ConfigParser()
    contracts.read(ROOT / "setup.cfg")
    known_to_listeners = contracts["importlinter:contract:listeners"]["source_modules"].split()
    unknown_to_producers = contracts["importlinter:contract:producers"]["forbidden_modules"].split()
    packages = {f"bliss_like.{name}" for name in LISTENERS if (PACKAGE / name).is_dir()}
    assert packages <= set(known_to_listeners)
    assert packages <= set(unknown_to_producers)


def test_the_layers_that_people_read_are_those_that_are_checked() -> None:
    contracts = configparser.ConfigParser()
    contracts.read(ROOT / "setup.cfg")
    layers = contracts["importlinter:contract:layers"]["layers"].replace("(", "").replace(")", "").split("\n")
    assert f"    {' > '.join(filter(None, layers))}\n" in (ROOT / "CONTRIBUTING.md").read_text()
