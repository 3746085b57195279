"""The how-to pages, followed to the letter."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bliss_like.config import Config, get_config
from bliss_like.data.server import EmbeddedServer
from bliss_like.data.store import MemoryStore
from bliss_like.data.tree import Tree
from bliss_like.errors import AxisLimitError, DeviceError
from bliss_like.scanning.scan import Scan
from bliss_like.session import Session, load_session
from tests.docs.blocks import PROJECT, blocks_of, write_files
from tests.ports import free_port
from tests.waiting import wait_until


@contextmanager
def fake_box(home: Path) -> Iterator[int]:
    """The box of the page, as a program; yields its port."""
    port = free_port()
    command = [sys.executable, "-m", "my_beamline.fake_box", "--port", str(port)]
    environment = {**os.environ, "PYTHONPATH": f"{PROJECT}:{home}"}
    box = subprocess.Popen(command, cwd=home, env=environment, stderr=subprocess.DEVNULL)
    wait_until(lambda: listens(port))
    try:
        yield port
    finally:
        box.kill()
        box.wait(30)


def listens(port: int) -> bool:
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
        return True
    return False


def set_up(name: str, config: Config) -> Session:
    session = load_session(name, config)
    assert session.setup(tree=Tree(MemoryStore())), session.error_report
    return session


def test_new_device(home: Path) -> None:
    write_files("docs/how-to/new-device.md", home)
    with fake_box(home) as port:
        follow_the_page(home, port)


def follow_the_page(home: Path, port: int) -> None:
    shutil.copytree(PROJECT / "config" / "small", home / "config" / "small")
    table = home / "config" / "table.yml"
    table.write_text(table.read_text().replace("5025", str(port)))
    (home / "config" / "s.yml").write_text("{name: s, class: Session, config-objects: [table_x, table_z, diode]}")
    config = Config("config")
    names = set_up("s", config).env_dict
    names["table_x"].move(1.5)
    assert (names["table_x"].position, names["table_x"].velocity) == (1.5, 2)
    assert "velocity  2 mm/s\n" in f"{names['table_x'].__info__()}\n"
    scan = names["ascan"](names["table_z"], 1, 2, 4, 0.001, names["diode"])
    assert scan.get_data("axis:table_z").tolist() == [1, 1.25, 1.5, 1.75, 2]
    table_x = names["table_x"]
    table_x.controller.stop(table_x)
    refused = f"table (tcp://localhost:{port}) refused 'HOME 1': ERROR unknown command"
    with pytest.raises(DeviceError, match=re.escape(refused)):
        table_x.controller.do("HOME 1")
    config.close()


def test_what_the_page_says_of_a_misspelt_device(home: Path) -> None:
    write_files("docs/how-to/new-device.md", home)
    table = home / "config" / "table.yml"
    table.write_text(table.read_text().replace("channel: 1", "chanel: 1"))
    (error,) = Config("config").check()
    assert "unknown key 'chanel', did you mean 'channel'?" in str(error)


def test_new_session(home: Path, redis_server: EmbeddedServer) -> None:
    write_files("docs/how-to/new-session.md", home)
    shutil.copytree(PROJECT / "config" / "small", home / "config" / "small")
    *_, without_prompt = blocks_of("docs/how-to/new-session.md", "python")
    names: dict[str, Any] = {}
    try:
        exec(without_prompt, names)
    finally:
        get_config().close()
    session = names["session"]
    assert session.error_report == ""
    assert [scan.scan_info["title"] for scan in session.scans] == ["ascan robx -1 1 10 0.01"]


def test_trajectories(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_files("docs/how-to/trajectory.md", home)
    (home / "config" / "s.yml").write_text("{name: s, class: Session, config-objects: [stage_x, stage_y]}")
    config = Config("config")
    names = set_up("s", config).env_dict
    together, again = blocks_of("docs/how-to/trajectory.md", "python")
    exec(together, names)
    assert capsys.readouterr().out == "4.0 0.0\n"
    with pytest.raises(AxisLimitError, match=r"stage_x: the position 6 is above its high limit 5; .* at node 1"):
        names["TrajectoryGroup"](
            names["Trajectory"](names["stage_x"], names["np"].array([(0, 0, 0), (6, 0, 5)], dtype=names["PVT"]))
        ).prepare()
    exec(again, names)
    pulses = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert [float(where) for _, where in pulses] == pytest.approx([0, 0, 0])
    assert float(pulses[2][0]) - float(pulses[0][0]) == pytest.approx(0.8, abs=1e-3)
    config.close()


def test_calculated_counters(home: Path) -> None:
    page = "docs/how-to/calc-counters.md"
    write_files(page, home)
    names_of = "['i0*', 'i1*', absorption, transmitted, difference, net]"
    (home / "config" / "s.yml").write_text(f"{{name: s, class: Session, config-objects: {names_of}}}")
    config = Config("config")
    assert config.check() == []
    names = set_up("s", config).env_dict
    formula, background, _, channels = blocks_of(page, "python")
    exec(formula, names)
    assert names["scan"].get_data("absorption") == pytest.approx([np.log(4)] * 5, abs=0.05)
    assert set(names["absorption"].constants.to_dict().values()) == {120, 1000}
    exec(background, names)
    assert names["net"].background == {}
    scan = names["loopscan"](2, 0.01, names["i1_true"], names["transmitted"])
    assert scan.get_data("i1_true") == pytest.approx([5e4 / 0.9] * 2, rel=0.05)
    assert scan.get_data("transmitted") == pytest.approx([0.25] * 2, rel=0.05)
    assert not {"i1_lost", "difference"} & {channel.short_name for channel in scan.channels}
    exec(channels, names)
    doubled = Scan(names["chain"], "doubled")
    doubled.run()
    np.testing.assert_allclose(doubled.get_data("i0_doubled"), 2 * doubled.get_data("i0"))
    config.close()


def test_pseudo_axes(home: Path) -> None:
    write_files("docs/how-to/pseudo-axes.md", home)
    (home / "config" / "s.yml").write_text(
        "{name: s, class: Session, config-objects: ['s1*', 'beam_*', 'mirror_*', seen]}"
    )
    diodes = "{name: d, class: SimulatedDiodes, counters: [{name: seen}]}"
    (home / "config" / "diodes.yml").write_text(diodes)
    config = Config("config")
    assert config.check() == []
    names = set_up("s", config).env_dict
    moving, _ = blocks_of("docs/how-to/pseudo-axes.md", "python")
    exec(moving, names)
    assert (names["s1u"].position, names["s1d"].position, names["s1vg"].position) == (2, 0.5, 2.5)
    with pytest.raises(AxisLimitError, match="s1u.*s1vg"):
        names["s1vg"].move(12)
    with pytest.raises(DeviceError, match="s1vg is calculated and has no velocity"):
        names["s1vg"].velocity = 1
    scan = names["ascan"](names["beam_height"], 2, 4, 4, 0, names["seen"])
    assert scan.get_data("axis:beam_height") == pytest.approx(np.linspace(2, 4, 5))
    assert names["mirror_angle"].position == pytest.approx(np.arctan(4 / 500) / 2e-3)
    config.close()
