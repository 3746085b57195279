"""What docs/sessions.md says of sessions, typed in the session that it describes."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest

from bliss_like.config import Config, get_config
from bliss_like.data.server import EmbeddedServer
from bliss_like.session import current_session

PAGE = (Path(__file__).parents[2] / "docs/sessions.md").read_text()

OBJECTS = """
- {name: motors, class: SimulatedMotors, axes: [{name: robx, velocity: 100}, {name: roby, velocity: 100}]}
- {name: diodes, class: SimulatedDiodes, counters: [{name: diode}, {name: diode2}, {name: diode3}]}
- {name: optics, class: Session, config-objects: [robx]}
"""


@pytest.fixture
def config(redis_server: EmbeddedServer, short_directory: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Config]:
    """The session `eh1` as the page writes it, with a directory for scripts."""
    monkeypatch.setenv("BLISS_LIKE_HOME", str(short_directory / "home"))
    monkeypatch.chdir(short_directory)
    directory = short_directory / "config" / "sessions"
    directory.mkdir(parents=True)
    (yaml,) = re.findall(r"^```yaml\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    (directory / "eh1.yml").write_text(yaml.replace("/data/eh1", str(short_directory)))
    (directory / "eh1_setup.py").write_text(blocks()[0])
    (directory.parent / "objects.yml").write_text(OBJECTS)
    scripts = short_directory / "scripts"
    scripts.mkdir()
    (scripts / "my_scans.py").write_text("def fast_loop(counter):\n    return loopscan(2, 0, counter)\n")
    config = get_config(short_directory / "config")
    yield config
    config.close()


def blocks() -> list[str]:
    found = re.findall(r"^```python\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    assert len(found) == 8
    return found


def test_the_page(config: Config, short_directory: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _, setup, imports, tree, scripts, hooks, again, alone = blocks()
    outside: dict[str, object] = {}
    exec(setup, outside)
    assert capsys.readouterr().out.startswith("Session eh1: 5 objects in ")
    names = current_session.env_dict
    assert {"robx", "table_y", "diode", "diode2"} <= set(names) and "diode3" not in names
    names["home"]()
    exec(imports, {})
    exec(tree, outside)
    drawn = textwrap.dedent(re.search(r"^    eh1\n.*optics$", PAGE, re.MULTILINE)[0])  # type: ignore[index]
    assert capsys.readouterr().out == f"{drawn}\n"
    exec(scripts.replace("/data/eh1", str(short_directory)), names)
    assert current_session.scans[-1].scan_info["npoints"] == 2
    assert names["mine"].fast_loop.__name__ == "fast_loop" and "fast_loop" in names
    exec(hooks, names)
    names["ct"](0, names["diode"])
    assert capsys.readouterr().out == "begins: ct\nis over: ct DONE\n"
    exec(again, names)
    assert "nothing has changed" in capsys.readouterr().out
    current_session.hooks.session.register(names["diary"])
    current_session.close()
    assert capsys.readouterr().out == "good night, eh1\n"
    exec(alone, {})
    assert current_session.name == "__DEFAULT__"
    current_session.close()


def test_the_error_of_a_protected_name(config: Config) -> None:
    exec(blocks()[1], {})
    with pytest.raises(RuntimeError) as raised:
        current_session.names["diode"] = 3
    assert str(raised.value) in " ".join(PAGE.split())
