"""docs/how-to/mca.md: what it types at the prompt, its simulated analyser, and its driver on a box that answers over TCP."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bliss_like.config import Config, get_config
from bliss_like.controllers.simulated.servers.lines import serve
from bliss_like.data.store import MemoryStore
from bliss_like.data.tree import Tree
from bliss_like.errors import DeviceError
from bliss_like.scanning.scan import Scan
from bliss_like.session import load_session
from tests.docs.blocks import PROJECT, blocks_of, write_files
from tests.unit.scanning.making import chain_of

PAGE = "docs/how-to/mca.md"


@pytest.fixture
def names(home: Path) -> Iterator[dict[str, Any]]:
    config = get_config(PROJECT / "config")
    session = load_session("demo_session", config)
    assert session.setup(tree=Tree(MemoryStore())), session.error_report
    yield session.env_dict
    session.close()
    config.close()


def test_what_is_typed(names: dict[str, Any]) -> None:
    prompt, presets, cables, _ = blocks_of(PAGE, "python")
    for axis in (names["roby"], names["robz"]):
        axis.velocity, axis.acceleration = 1e5, 1e7
    exec(prompt, names)
    mca = names["mca"]
    assert set(mca.rois) == {"Ca", "Fe", "Mn", "Ti"}
    assert mca.rois["Ti"] == (430, 470)
    last, line = names["SCANS"][-1], names["SCANS"][-2]
    iron = last.get_data("Fe_det0").reshape(9, 11)
    assert iron[3, 3] > 3 * iron[8, 0]  # roby and robz at 0
    assert [channel.name for channel in line.channels if "mca" in channel.name] == ["mca:Fe_det0"]
    assert abs(line.get_data("Fe_det0").argmax() - 15) < 8
    exec(presets, names)
    assert names["scan"].get_data("events_det0").tolist() == [2000]
    assert mca.preset_value is None
    exec(cables, names)
    from bliss_like.scanning.acquisition.timer import SoftwareTimerMaster

    scan = Scan(chain_of(SoftwareTimerMaster(0, npoints=1), names["slave"]), "fly")
    scan.run()
    assert len(scan.get_data("Fe_det0")) == 50


class Box:
    """What answers as the pulse processors do; its points come at once, `npulses` gates with each question for points."""

    def __init__(self) -> None:
        self.log: list[str] = []
        self.size, self.ready, self.npoints, self.stuck = 0, 0, 0, False

    def __call__(self, request: str) -> str:
        self.log.append(request)
        match request.split():
            case ["SIZE", size]:
                self.size = int(size)
            case ["TRIGGER", mode, npoints]:
                self.mode, self.npoints = mode, int(npoints)
            case ["PRESET", "REALTIME", _]:
                pass
            case ["START"]:
                self.ready = 1 if self.mode == "SOFTWARE" else 0
            case ["BUSY?"]:
                return str(int(self.stuck or (self.mode == "GATE" and self.ready < self.npoints)))
            case ["POINTS?"]:
                if self.mode == "GATE":
                    self.ready = min(self.npoints, self.ready + 2)
                return str(self.ready)
            case ["STATISTICS?", _, element]:
                return f"0.5 0.4 {1000 * int(element)} 800"
            case ["SPECTRUM?", point, element]:
                return " ".join(str(int(point) + int(element)) for _ in range(self.size))
            case ["STOP"]:
                self.stuck = False
            case _:
                return "ERROR"
        return "OK"


def test_the_driver(home: Path) -> None:
    write_files(PAGE, home)
    box = Box()
    server = serve(box)
    yaml = home / "config" / "pulse_processor.yml"
    yaml.write_text(yaml.read_text().replace("5026", str(server.server_port)))
    (home / "config" / "s.yml").write_text("{name: s, class: Session, config-objects: [pulses, sdd]}")
    (home / "config" / "axes.yml").write_text("{name: m, class: SimulatedMotors, axes: [{name: robx}, {name: roby}]}")
    config = Config("config")
    assert config.check() == []
    session = load_session("s", config)
    assert session.setup(tree=Tree(MemoryStore())), session.error_report
    names = session.env_dict
    try:
        the_scans_of_the_driver(names, box)
        assert len(names["ct"](0.001, names["sdd"]).get_data("Fe")) == 1
    finally:
        session.close()
        config.close()
        server.stop()


def the_scans_of_the_driver(names: dict[str, Any], box: Box) -> None:
    pulses, loopscan = names["pulses"], names["loopscan"]
    scan = loopscan(2, 0.01, pulses)
    assert box.log[:4] == ["SIZE 1024", "TRIGGER SOFTWARE 2", "PRESET REALTIME 0.01", "START"]
    assert scan.get_data("spectrum_det2").tolist() == [[2] * 1024] * 2
    start, stop = pulses.rois["Cu"]
    assert scan.get_data("Cu").tolist() == [3 * (stop - start)] * 2
    assert scan.get_data("icr_det2").tolist() == [4000] * 2
    assert scan.get_data("deadtime_det1") == pytest.approx(0.2)
    gate = [{"device": pulses, "acquisition_settings": {"trigger_mode": "GATE", "polling_time": 0.001}}]
    scan = loopscan(5, 0, pulses.counters.Cu_det1, chain_settings=gate)
    assert scan.get_data("Cu_det1").tolist() == [(point + 1) * (stop - start) for point in range(5)]
    assert box.log[-1] == "STOP"
    with pytest.raises(
        DeviceError, match="pulses: preset_mode: EVENTS is not supported; expected one of REALTIME, LIVE"
    ):
        pulses.preset_mode = "EVENTS"
    box.stuck, pulses.timeout = True, 0.02
    with pytest.raises(DeviceError, match="pulses has not finished point 0 within 0.03 s"):
        loopscan(1, 0.01, pulses)
    assert box.log[-1] == "STOP" and not box.stuck
