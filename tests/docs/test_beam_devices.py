"""The page on shutters, filters and beam monitors, typed in the session that it speaks of."""

from __future__ import annotations

import socketserver
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bliss_like.session import Session
from tests.docs.blocks import blocks_of, write_files
from tests.unit.devices.making import make

PAGE = "docs/how-to/beam-devices.md"


@pytest.fixture
def names(opened: Callable[[str], Session], short_directory: Path) -> dict[str, Any]:
    session = opened("hutch1")
    session.scan_saving.base_path = short_directory / "data"
    for name, device in session.env_dict.items():
        if name.startswith(("eh1_al", "eh1_mo", "wba")) and hasattr(device, "velocity"):
            device.velocity, device.acceleration = 1000, 100_000
    return session.env_dict


def test_the_page(names: dict[str, Any]) -> None:
    shutter, preset, filters, auto_filter, places, monitors, _ = blocks_of(PAGE, "python")
    exec(shutter, names)
    assert names["eh1_fs"].is_closed
    exec(preset, names)
    assert names["eh1_fs"].is_closed
    assert len(names["scan"].get_data("apd")) == 5
    exec(filters, names)
    assert names["eh1_att"].bits == 0
    exec(auto_filter, names)
    assert names["scan"].get_data("apd").max() < 5e4 < names["scan"].get_data("apd_corr").max()
    assert {"eh1_autof_transm", "apd_corr", "eh1_autof_ratio"} <= {c.short_name for c in names["scan"].channels}
    exec(places, names)
    assert names["wba1_foils"].position == "empty"
    exec(monitors, names)
    assert names["xbpm1"].background == [0, 0, 0, 0]


class Box(socketserver.StreamRequestHandler):
    """The box of the shutter that the page makes."""

    def handle(self) -> None:
        state = b"closed"
        for line in self.rfile:
            if line.strip() != b"?":
                state = {b"open": b"open", b"close": b"closed"}[line.strip()]
            self.wfile.write((state if line.strip() == b"?" else b"ok") + b"\n")


def test_the_shutter_that_the_page_makes(home: Path) -> None:
    write_files(PAGE, home)
    from my_beamline.pump_shutter import PumpShutter  # type: ignore[import-not-found]

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Box) as server:
        server.daemon_threads = True
        serving = threading.Thread(target=server.serve_forever, args=(0.02,))
        serving.start()
        shutter = make(PumpShutter, "pump", address=f"tcp://127.0.0.1:{server.server_address[1]}")
        with shutter:
            assert shutter.is_open
        assert shutter.is_closed
        shutter._line.close()
        server.shutdown()
        serving.join(30)
