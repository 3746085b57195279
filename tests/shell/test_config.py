"""`bliss-like config ...` as a person and a CI job run it: what is printed, and the exit codes."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

COMMAND = [sys.executable, "-m", "bliss_like.shell.main", "config"]
PROJECT = Path(__file__).parents[2]

GOOD = "- {name: motors, class: SimulatedMotors, axes: [{name: robx}]}\n- {name: eh1, class: Session, config-objects: [robx]}\n"
BAD = "- {name: motors, class: SimulatedMotors, axes: [{name: robx, velocty: 3}]}\n"


@pytest.fixture
def beamline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("PYTHONPATH", str(PROJECT))
    monkeypatch.delenv("BLISS_LIKE_CONFIG", raising=False)
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "a.yml").write_text(GOOD)
    monkeypatch.chdir(tmp_path)
    return tmp_path / "config"


def run(*arguments: str, code: int = 0) -> str:
    """Run the command, expect its exit code; return what it printed."""
    asked = subprocess.run([*COMMAND, *arguments], capture_output=True, text=True, timeout=60)
    assert asked.returncode == code, asked.stdout + asked.stderr
    assert "Traceback" not in asked.stderr
    return asked.stdout + asked.stderr


def test_check(beamline: Path) -> None:
    assert run("check") == "3 objects in 1 file: no errors\n"
    (beamline / "b.yml").write_text(BAD.replace("motors", "more").replace("robx", "roby"))
    told = "config/b.yml:1:60: axis 'roby': unknown key 'velocty', did you mean 'velocity'?\n"
    assert run("check", code=1) == f"{told}5 objects in 2 files: 1 error\n"
    assert run("check", str(beamline), code=1).startswith(told)


def test_check_of_one_file(beamline: Path) -> None:
    (beamline / "b.yml").write_text(BAD.replace("motors", "more").replace("robx", "roby"))
    assert run("check", "config/a.yml") == "3 objects in 1 file: no errors\n"
    assert run("check", "config/b.yml", code=1).endswith("2 objects in 1 file: 1 error\n")
    assert json.loads(run("check", "config/a.yml", "--json")) == {"objects": 3, "files": 1, "errors": []}


def test_check_for_programs(beamline: Path) -> None:
    (beamline / "a.yml").write_text(BAD)
    assert json.loads(run("check", "--json", code=1)) == {
        "objects": 2,
        "files": 1,
        "errors": [
            {
                "file": str(beamline / "a.yml"),
                "line": 1,
                "column": 62,
                "message": "axis 'robx': unknown key 'velocty', did you mean 'velocity'?",
            }
        ],
    }


def test_files_that_cannot_be_written(beamline: Path) -> None:
    assert run("schema", "-o", "nowhere/schema.json", code=1) == (
        "bliss-like: nowhere/schema.json: No such file or directory\n"
    )
    (beamline / "motors").write_text("a file, no directory")
    told = run("new", "axis", "roby", "--file", "config/motors/roby.yml", code=1)
    assert told == f"bliss-like: {beamline / 'motors'}: File exists\n"


def test_no_configuration(beamline: Path) -> None:
    assert "no configuration directory" in run("check", "nowhere", code=1)
    assert "usage:" in run("chek", code=2)
    assert "belong to --from-bliss" in run("check", "--diff", code=1)


def test_the_environment_names_the_configuration(beamline: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BLISS_LIKE_CONFIG", str(beamline))
    monkeypatch.chdir(beamline.parent.parent)
    assert "no errors" in run("check")


def test_show(beamline: Path) -> None:
    lines = run("show", "robx").splitlines()
    assert lines[0] == "axis 'robx'  config/a.yml:1:49"
    assert "  item of    motors" in lines
    assert any(line.split()[:3] == ["name", "robx", "config/a.yml:1:50"] for line in lines)
    assert any(line.split()[:3] == ["steps_per_unit", "1", "default"] for line in lines)
    assert "  would make robx" in run("show", "eh1")
    assert "did you mean 'robx'" in run("show", "robxx", code=1)


def test_tree(beamline: Path) -> None:
    (beamline / "b.yml").write_text("name: [\n")
    assert run("tree", code=1).splitlines() == [
        "config",
        "├── a.yml",
        "│   ├── motors  SimulatedMotors  axes: robx",
        "│   └── eh1     Session",
        "└── b.yml  ✗ 1 error",
        "3 objects in 2 files: 1 error; bliss-like config check lists them",
    ]


def test_a_beginner_goes_from_nothing_to_a_checked_session(beamline: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    empty = beamline.parent / "empty"
    empty.mkdir()
    monkeypatch.chdir(empty)
    assert "the directory of your configuration, made now" in run("new", "axis", "robx")
    assert "bliss-like config new session" in run("new", "counter", "diode")
    assert "bliss-like -s eh1" in run("new", "session", "eh1")
    assert "add roby to the config-objects of a session: eh1 (config/sessions/eh1.yml:" in run("new", "axis", "roby")
    assert "already taken" in run("new", "axis", "robx", code=1)
    assert "no errors" in run("check")


def test_schema(beamline: Path) -> None:
    assert json.loads(run("schema"))["title"] == "Configuration of a beamline"
    assert "s.json: written" in run("schema", "--output", "s.json")
    assert json.loads((beamline.parent / "s.json").read_text()) == json.loads(run("schema"))


BLISS = "- plugin: emotion\n  class: Mockup\n  name: m\n  axes:\n    - name: x\n      display_digits: 1\n"


def test_from_bliss(beamline: Path) -> None:
    (beamline / "a.yml").write_text(BLISS)
    assert run("check", "--from-bliss") == (
        "config/a.yml:1:3: Mockup 'm'\n"
        "  class: Mockup -> SimulatedMotors\n"
        "  x: display_digits: not yet here, kept as a comment\n"
        "\n"
        "Converted: 2 objects in 1 file: no errors\n"
        "1 block: 0 unchanged, 1 changed, 0 without a counterpart yet\n"
        "Kept as comments: display_digits (1)\n"
        "Nothing was written; --diff shows the changes, --write DIR writes a converted copy\n"
    )
    assert (beamline / "a.yml").read_text() == BLISS


def test_from_bliss_as_a_diff(beamline: Path) -> None:
    (beamline / "a.yml").write_text(BLISS)
    assert run("check", "--from-bliss", "--diff").splitlines() == [
        "--- a/a.yml",
        "+++ b/a.yml",
        "@@ -1,6 +1,6 @@",
        " - plugin: emotion",
        "-  class: Mockup",
        "+  class: SimulatedMotors",
        "   name: m",
        "   axes:",
        "     - name: x",
        "-      display_digits: 1",
        "+      # not yet here: display_digits: 1",
    ]


def test_from_bliss_written(beamline: Path) -> None:
    (beamline / "a.yml").write_text(f"{BLISS}- {{class: Galil, axes: [{{name: y}}]}}\n")
    assert "1 without a counterpart yet (Galil)" in run("check", "--from-bliss", "--write", "new", code=1)
    assert "no errors" in run("check", "new")
    assert "not empty" in run("check", "--from-bliss", "--write", "new", code=1)


def test_it_is_a_plain_process(beamline: Path) -> None:
    script = (
        "import sys; from bliss_like.shell.main import main; main(['config', 'check']);"
        "from gevent import monkey; print(monkey.is_module_patched('socket'), 'ptpython' in sys.modules)"
    )
    asked = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60)
    assert asked.stdout.splitlines()[-1] == "False False"
