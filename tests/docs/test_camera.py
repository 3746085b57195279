"""The pages on cameras: the commands in a session, the driver with a detector behind it, the listener."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bliss_like.config import get_config
from bliss_like.data.node import get_session_node
from bliss_like.data.server import EmbeddedServer
from bliss_like.scans import loopscan
from bliss_like.session import Session, load_session
from tests.docs.blocks import PROJECT, blocks_of
from tests.unit.scanning.making import memory_environment


@pytest.fixture
def session(redis_server: EmbeddedServer, short_directory: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Session]:
    monkeypatch.setenv("BLISS_LIKE_HOME", str(short_directory))
    config = get_config(PROJECT / "config")
    session = load_session("demo_session", config)
    assert session.setup(), session.error_report
    session.scan_saving.base_path = short_directory / "data"
    yield session
    session.close()
    config.close()


def test_using_a_camera_and_listening(session: Session, capsys: pytest.CaptureFixture[str]) -> None:
    commands, settings, _ = blocks_of("docs/how-to/camera.md", "python")
    # The same commands, with fewer points and shorter exposures.
    commands = commands.replace("20, 0.1", "2, 0.005").replace("20, robz, -1, 1, 2,", "2, robz, -1, 1, 2,")
    for axis in ("roby", "robz"):
        session.env_dict[axis].velocity *= 20
    exec(commands, session.env_dict)
    scans = list(session.scans)
    assert [scan.name for scan in scans] == ["ct", "ascan", "amesh", "limatake"]
    assert scans[1].get_data("ring_avg").shape == (3,)
    assert scans[2].get_data("camera:image").shape == (9, 256, 256)
    directory = Path(session.scan_saving.get_path())
    assert [path.name for path in sorted(directory.rglob("*.h5"))] == ["camera_0000.h5"]
    exec(settings, session.env_dict)
    listening = blocks_of("docs/data.md", "python")[1]
    node = get_session_node("demo_session")

    class Past:
        def walk_events(self, **filters: Any) -> Any:
            return node.walk_events(wait=False, **filters)

    capsys.readouterr()
    exec(listening, {"session": Past()})
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 9 and lines[8].split()[0].endswith("camera_0000.h5?path=/entry_0000/measurement/data&index=8")


class Detector:
    """What a vendor's library might be."""

    width, height, error = 6, 4, ""
    exposed = in_memory = 0

    def setup(self, *settings: Any) -> None:
        self.exposed = self.in_memory = 0

    def arm(self) -> None: ...

    def soft_trigger(self) -> None:
        self.exposed = self.in_memory = self.exposed + 1

    def abort(self) -> None: ...

    def frame(self, number: int) -> np.ndarray:
        return np.full((4, 6), number, np.uint16)


def test_the_driver() -> None:
    names: dict[str, Any] = {"connect": lambda address: Detector(), "__name__": "my_camera"}
    source = blocks_of("docs/how-to/camera.md", "python")[2].removeprefix("from __future__ import annotations\n")
    exec(source, names)
    camera = names["MyCamera"]("mine", names["MyCamera"].Config(name="mine", address="x"))
    camera.roi_counters["r"] = 0, 0, 2, 2
    with memory_environment():
        scan = loopscan(3, 0, camera, save=False)
        assert scan.get_data("mine:image")[:, 0, 0].tolist() == [0, 1, 2] == (scan.get_data("r_sum") / 4).tolist()
