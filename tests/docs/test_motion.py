"""The page on motion: its code prints what it says, and its table has the keys that an axis has."""

from __future__ import annotations

import math
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gevent
import pytest

from bliss_like.config import get_config
from bliss_like.data.server import EmbeddedServer
from bliss_like.devices import motion_line
from bliss_like.devices.axis import AxisConfig
from bliss_like.errors import AxisDiscrepancy, AxisLimitError
from bliss_like.session import load_session
from tests.docs.blocks import PROJECT, write_files

PAGE = "docs/motion.md"
TEXT = (PROJECT / PAGE).read_text()

_CODE = re.compile(r"^```python\n(?!# \S+\.py\n)(.*?)^```\n(?:\n((?:    [^\n]*\n)+))?", re.MULTILINE | re.DOTALL)


def in_one_line(text: str) -> str:
    return " ".join(text.split())


@pytest.fixture
def names(home: Path, redis_server: EmbeddedServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, Any]]:
    monkeypatch.setenv("BLISS_LIKE_CONFIG", str(home / "config"))
    write_files(PAGE, home)
    config = get_config("config")
    session = load_session("motion_session", config)
    assert session.setup(), session.error_report
    yield session.env_dict
    session.close()
    config.close()


def test_the_code_prints_what_the_page_says(names: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> None:
    told = _CODE.findall(TEXT)
    assert len(told) > 10
    for code, output in told:
        capsys.readouterr()
        exec(code, names)
        shown = capsys.readouterr().out
        if "loopscan" not in code:
            assert shown.splitlines() == [line[4:] for line in output.splitlines()], code
        else:
            assert [line for line in output.splitlines() if line[4:] not in shown.splitlines()] == [], code


def test_what_is_refused(names: dict[str, Any]) -> None:
    sx, move = names["sx"], names["move"]
    sx.limits = (None, 2)
    with pytest.raises(AxisLimitError) as limit:
        sx.move(8)
    move(sx, 1)
    move(sx, 0)
    sx.controller.set_position(sx, 3000)
    with pytest.raises(AxisDiscrepancy) as moved:
        sx.move(1)
    for error in (limit, moved):
        assert str(error.value) in in_one_line(TEXT)


def test_another_process_watches(names: dict[str, Any]) -> None:
    names["sx"].move(1)
    motion_line.flush()
    script = f"{Path('watch.py').read_text()}\nprint('follows')\ninput()"
    with subprocess.Popen(
        [sys.executable, "-u", "-c", script],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": str(PROJECT)},
    ) as watching:
        assert watching.stdin is not None and watching.stdout is not None
        with gevent.Timeout(20):
            assert [watching.stdout.readline(), watching.stdout.readline()] == ["1.0\n", "follows\n"]
            names["sx"].position = 3
            motion_line.flush()
            assert "'offset': 2.0" in watching.stdout.readline()
        watching.communicate("\n", timeout=60)
        assert watching.returncode == 0


def test_all_keys_of_an_axis_are_in_the_table() -> None:
    rows = re.findall(r"^\| `(\w+)` \|(.*?)\|(.*?)\|", TEXT.partition("## All keys")[2], re.MULTILINE)
    expected = {field.alias or name: _default(field) for name, field in AxisConfig.model_fields.items()}
    assert {key: default.strip() for key, _, default in rows} == expected
    for key, unit, _ in rows:
        description = AxisConfig.model_fields.get(key)
        said = (description.description if description else None) or ""
        for word in ("units/s²", "units/s", "seconds", "dial units"):
            if said.startswith(word):
                short = {"units/s²": "u/s²", "units/s": "u/s", "seconds": "s", "dial units": "u, dial"}[word]
                assert unit.strip() == short, key
                break


def _default(field: Any) -> str:
    """As YAML has it; empty where there is none."""
    if field.is_required():
        return "needed"
    value = field.get_default(call_default_factory=True)
    if isinstance(value, float):
        return {math.inf: ".inf", -math.inf: "-.inf"}.get(value, f"{value:g}")
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None else str(value)
