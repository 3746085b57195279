"""docs/how-to/regulation.md, typed in a session that has its devices; the water bath answers over TCP."""

from __future__ import annotations

import shutil
import socketserver
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bliss_like.config import Config
from bliss_like.data.store import MemoryStore
from bliss_like.data.tree import Tree
from bliss_like.session import load_session
from tests.docs.blocks import PROJECT, blocks_of, write_files
from tests.waiting import wait_until_cooperative

PAGE = "docs/how-to/regulation.md"


class Bath(socketserver.StreamRequestHandler):
    """The water bath of the page: it has the temperature that it is set to, at once."""

    def handle(self) -> None:
        setpoint = 20.0
        for line in self.rfile:
            match line.decode().split():
                case ["SET", value]:
                    setpoint, answer = float(value), "OK"
                case ["SET?"] | ["TEMP?", "1"]:
                    answer = f"{setpoint:g}"
                case ["POWER?"]:
                    answer = "1.5"
                case _:
                    answer = "ERROR"
            self.wfile.write(answer.encode() + b"\n")


@pytest.fixture
def bath_port() -> Iterator[int]:
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Bath) as server:
        server.daemon_threads = True
        serving = threading.Thread(target=server.serve_forever)
        serving.start()
        yield server.server_address[1]
        server.shutdown()
        serving.join(30)


@pytest.fixture
def names(home: Path, bath_port: int) -> Iterator[dict[str, Any]]:
    write_files(PAGE, home)
    shutil.copytree(PROJECT / "config" / "small", home / "config" / "small")
    oven, bath = home / "config" / "oven.yml", home / "config" / "bath.yml"
    oven.write_text(oven.read_text().replace("  losses", "  speed: 50\n  losses"))
    bath.write_text(bath.read_text().replace("5026", str(bath_port)))
    objects = "[oven_*, soft_*, bath_*, blower*, sample_*, diode]"
    (home / "config" / "s.yml").write_text(f"{{name: s, class: Session, config-objects: {objects}}}")
    config = Config("config")
    session = load_session("s", config)
    assert session.setup(tree=Tree(MemoryStore())), session.error_report
    yield session.env_dict
    session.close()
    config.close()


def test_the_page(names: dict[str, Any]) -> None:
    usage, _ = blocks_of(PAGE, "python")
    exec(usage, names)
    scan = names["scan"]
    assert scan.scan_info["title"] == "ascan oven_temp 35 45 2 0.1"
    assert scan.get_data("oven_loop").tolist() == [35, 40, 45]
    assert scan.get_data("oven_sensor") == pytest.approx([35, 40, 45], abs=0.6)
    assert not names["oven_loop"].is_regulating()


def test_the_soft_loop_of_the_page(names: dict[str, Any]) -> None:
    names["soft_temp"].move(24)
    wait_until_cooperative(lambda: names["soft_heater"].read() > 0)  # not at once after it was too warm
    names["soft_loop"].stop_regulation()
    assert names["soft_heater"].read() == 0
    names["blower_output"].set_value(2)
    assert names["blower"].position == 2
    assert names["sample_input"].read() == pytest.approx(295, abs=1)


def test_the_box_of_your_own(names: dict[str, Any]) -> None:
    loop = names["bath_loop"]
    loop.setpoint = 20.3
    wait_until_cooperative(lambda: 20 < loop.working_setpoint <= 20.3)
    loop.wait(60)
    assert (names["bath_sensor"].read(), names["bath_heater"].read(), loop.axis.position) == (20.3, 1.5, 20.3)


def test_limits_set_by_hand_are_kept(names: dict[str, Any]) -> None:
    axis = names["oven_temp"]
    axis.limits = 20, 50
    with pytest.raises(ValueError, match="oven_temp: 51 is above its high limit 50"):
        names["oven_loop"].setpoint = 51
    assert axis.settings.is_shared
    axis.apply_config(reload=True)
    assert axis.limits == (20, 600)
