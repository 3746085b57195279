"""Finding classes by name, without importing what is not asked for."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from bliss_like.config import registry
from bliss_like.config.registry import ClassProblem, find_class, snake_case


@pytest.mark.parametrize(
    ("name", "module"),
    [("Diode", "diode"), ("SimulatedMCA", "simulated_mca"), ("MCAReader2D", "mca_reader2d"), ("IcePAP", "ice_pap")],
)
def test_snake_case(name: str, module: str) -> None:
    assert snake_case(name) == module


@pytest.fixture
def packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A directory on Python's path with the package `drivers`, in which classes are looked for by default."""
    files = {
        "drivers/__init__.py": "",
        "drivers/motors/__init__.py": "",
        "drivers/motors/ice_pap.py": "class IcePAP: pass\nclass Encoder: pass\n",
        "drivers/motors/galil.py": "class Galil: pass\nclass Encoder: pass\n",
        "drivers/motors/encoder.py": "class Box: pass\n",
        "drivers/counters/box.py": "class Box: pass\n",
        "drivers/broken.py": "raise RuntimeError('imported')\n",
        "elsewhere.py": "class Elsewhere: pass\n",
        "elsewhere-1.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: elsewhere\nVersion: 1.0\n",
        "elsewhere-1.0.dist-info/entry_points.txt": "[bliss_like.controllers]\nElsewhere = elsewhere:Elsewhere\n",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(registry, "DEFAULT_PACKAGE", "drivers")
    registry.classes_below.cache_clear()
    yield tmp_path
    registry.classes_below.cache_clear()
    for name in [name for name in sys.modules if name.partition(".")[0] in ("drivers", "elsewhere")]:
        del sys.modules[name]


def test_only_its_own_module_is_imported(packages: Path) -> None:
    assert find_class("IcePAP").__module__ == "drivers.motors.ice_pap"
    assert {name for name in sys.modules if name.startswith("drivers.")} == {"drivers.motors", "drivers.motors.ice_pap"}


def test_the_module_of_the_same_name_wins(packages: Path) -> None:
    assert find_class("Box").__module__ == "drivers.counters.box"


def test_several_modules(packages: Path) -> None:
    with pytest.raises(ClassProblem) as raised:
        find_class("Encoder")
    assert str(raised.value) == (
        "class 'Encoder' is in several modules; add 'module: motors.galil' or 'module: motors.ice_pap'"
    )
    assert find_class("Encoder", module="motors.galil").__module__ == "drivers.motors.galil"
    assert find_class("Encoder", module="ice_pap").__module__ == "drivers.motors.ice_pap"


def test_a_module_by_its_full_name(packages: Path) -> None:
    assert find_class("Elsewhere", module="elsewhere").__module__ == "elsewhere"
    with pytest.raises(ClassProblem, match="no module 'motors.galill', neither in drivers nor of its own"):
        find_class("Galil", module="motors.galill")
    with pytest.raises(ClassProblem, match="no module 'galill', neither in .*, did you mean 'galil'?"):
        find_class("Galil", module="galill")


def test_a_package(packages: Path) -> None:
    assert find_class("Galil", package="drivers.motors").__module__ == "drivers.motors.galil"
    assert find_class("Encoder", package="drivers.motors.galil").__module__ == "drivers.motors.galil"
    with pytest.raises(ClassProblem, match="no class 'Box' in drivers.motors nor in drivers.motors.box"):
        find_class("Box", package="drivers.motors")


def test_the_module_may_be_called_as_the_class_in_small_letters(packages: Path) -> None:
    (packages / "drivers/countercard.py").write_text("class CounterCard: pass\n")
    assert find_class("CounterCard", package="drivers").__module__ == "drivers.countercard"


def test_a_class_that_an_installed_package_declares(packages: Path) -> None:
    assert find_class("Elsewhere").__module__ == "elsewhere"


def test_errors_of_a_module_are_its_own(packages: Path) -> None:
    with pytest.raises(RuntimeError, match="imported"):
        find_class("Galil", module="drivers.broken")
