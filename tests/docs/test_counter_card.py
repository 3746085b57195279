"""docs/how-to/counter-card.md: its card, on a box that answers over TCP, in scans with and without gates."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from time import monotonic

import pytest

from bliss_like.config import Config
from bliss_like.controllers.simulated.servers.lines import serve
from bliss_like.errors import DeviceError
from bliss_like.scanning.parameters import ParameterError
from bliss_like.scanning.scan import Scan
from bliss_like.scans import loopscan
from tests.docs.blocks import blocks_of, write_files
from tests.unit.scanning.making import memory_environment

PAGE = "docs/how-to/counter-card.md"


class Box:
    """Counts 100 and 200 in each point, a gate comes as soon as one is over."""

    def __init__(self) -> None:
        self.requests: list[str] = []
        self.mode, self.npoints, self.count_time = "", 0, 0.0
        self.begun: list[float] = []

    def answer(self, request: str) -> str:
        self.requests.append(request)
        match request.split():
            case ["ARM", mode, npoints, count_time]:
                self.mode, self.npoints, self.count_time = mode, int(npoints), float(count_time)
                now = monotonic()
                self.begun = [now + n * self.count_time for n in range(self.npoints)] if mode == "GATE" else []
            case ["COUNT"]:
                self.begun.append(monotonic())
            case ["POINTS?", first]:
                there = sum(monotonic() >= begun + self.count_time for begun in self.begun)
                return " ".join(["100,200"] * (there - int(first)))
            case ["STOP"]:
                pass
            case _:
                return "ERROR"
        return "OK"


@pytest.fixture
def box() -> Box:
    return Box()


@pytest.fixture
def config(home: Path, box: Box) -> Iterator[Config]:
    server = serve(box.answer)
    write_files(PAGE, home)
    yaml = home / "config/card.yml"
    yaml.write_text(yaml.read_text().replace("5027", str(server.server_port)))
    config = Config("config")
    assert config.check() == []
    with memory_environment():
        yield config
    config.close()
    server.stop(timeout=1)


def test_points_by_triggers_and_by_gates(config: Config, box: Box) -> None:
    names = {"loopscan": loopscan, "card": config.get("card")}
    by_triggers, by_gates = blocks_of(PAGE, "python")[1].split("gated =")
    for typed, mode in ((by_triggers, "TIME"), (f"gated ={by_gates}", "GATE")):
        box.requests.clear()
        exec(typed, names)
        scan: Scan = names["scan"]  # type: ignore[assignment]
        assert scan.get_data("monitor").tolist() == [100] * 3 and scan.get_data("apd").tolist() == [200] * 3
        assert (box.requests[0], box.requests[-1]) == (f"ARM {mode} 3 0.01", "STOP")
        assert box.requests.count("COUNT") == (3 if mode == "TIME" else 0)
    assert loopscan(1, 0.01, config.get("apd")).get_data("card:channels:apd").tolist() == [200]


def test_what_is_wrong_with_its_settings(config: Config) -> None:
    card = config.get("card")
    with pytest.raises(ParameterError, match="unknown parameter 'gaet', did you mean 'gate'?"):
        loopscan(1, 0.01, card, chain_settings=[{"device": card, "acquisition_settings": {"gaet": True}}])
    with pytest.raises(DeviceError, match=r"card \(tcp://localhost:\d+\) refused 'ARM': ERROR"):
        card.do("ARM")
