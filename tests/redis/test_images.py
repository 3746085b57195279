"""Images of a scan in another process, while it runs and after it; what was set of a camera, in the next session."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from bliss_like.config import Config, get_config
from bliss_like.data.image_node import ImageNode
from bliss_like.data.node import get_session_node
from bliss_like.data.server import EmbeddedServer
from bliss_like.session import Session, load_session
from tests.patched import PATCHED
from tests.waiting import wait_until

PROJECT = Path(__file__).parents[2]

YAML = """
- {name: motors, class: SimulatedMotors, axes: [{name: roby, velocity: 1000, acceleration: 100000}]}
- {name: cam, class: SimulatedCamera, width: 48, height: 32, axis_x: $roby, intensity: 1.0e+5, sigma: 4, rois: {spot: [20, 8, 10, 16]}}
- {name: big, class: SimulatedCamera, width: 1024, height: 1024, dark: 1.0e+3}
- {name: other, class: Session, config-objects: [cam], scan_saving: {base_path: DIRECTORY}}
- {name: s, class: Session, config-objects: [roby, cam, big], scan_saving: {base_path: DIRECTORY}}
"""

AT_A_PROMPT = """
import sys
from bliss_like.session import load_session
session = load_session("s")
assert session.setup(), session.error_report
exec(sys.argv[1], session.env_dict)
session.close()
"""

LISTENER = """
import json, sys
from bliss_like.data.node import get_session_node
print("listening", flush=True)
heavy = {"gevent", "h5py", "ruamel", "pydantic", "louie"}
for event, node, data in get_session_node("s").walk_events(include_filter=["lima", "scan"]):
    if event.name == "NEW_DATA":
        for reference in data.data:
            print(json.dumps([reference.index, int(reference.read().sum()), reference.file]), flush=True)
    elif event.name == "END_SCAN":
        break
images = [child for child in node.channels() if child.type == "lima"][0]
print(json.dumps([len(images), list(images.get_image(1).shape), int(images[2].sum()), int(images[1:3].sum())]))
print(json.dumps(sorted(heavy & {name.partition(".")[0] for name in sys.modules})))
"""


@pytest.fixture(autouse=True)
def config(short_directory: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Config]:
    (short_directory / "config").mkdir()
    (short_directory / "config" / "all.yml").write_text(YAML.replace("DIRECTORY", str(short_directory / "data")))
    monkeypatch.setenv("BLISS_LIKE_HOME", str(short_directory / "here"))
    monkeypatch.setenv("BLISS_LIKE_CONFIG", str(short_directory / "config"))
    monkeypatch.setenv("PYTHONPATH", str(PROJECT))
    config = get_config(short_directory / "config")
    yield config
    config.close()


@pytest.fixture
def session(redis_server: EmbeddedServer) -> Iterator[Session]:
    session = load_session("s")
    assert session.setup(), session.error_report
    yield session
    session.close()


def test_another_process_reads_images_while_they_are_taken(session: Session, short_directory: Path) -> None:
    listener = subprocess.Popen([sys.executable, "-c", LISTENER], stdout=subprocess.PIPE, text=True)
    assert listener.stdout is not None and listener.stdout.readline()
    names = session.env_dict
    scan = names["ascan"](names["roby"], -1, 1, 4, 0.01, names["cam"])
    *lines, end, loaded = [json.loads(line) for line in listener.stdout]
    assert listener.wait(30) == 0
    images = scan.get_data("cam:image")
    sums = [int(image.sum()) for image in images]
    name = str(short_directory / "data/s/scan0001/cam_0000.h5")
    assert lines == [[n, sums[n], name] for n in range(5)]
    assert end == [5, [32, 48], sums[2], sums[1] + sums[2]] and loaded == ["h5py"]
    columns = np.arange(48) - 23.5
    centres = (images.sum(axis=1) * columns).sum(axis=1) / images.sum(axis=(1, 2))
    assert centres == pytest.approx([-10, -5, 0, 5, 10], abs=0.7)
    spot = scan.get_data("spot_sum")
    assert spot.argmax() == 2 and spot.tolist() == images[:, 8:24, 20:30].sum(axis=(1, 2)).tolist()


def test_what_was_set_is_there_in_the_next_session(redis_server: EmbeddedServer) -> None:
    command = """
cam.roi_counters["mine"] = 1, 2, 3, 4
cam.roi_profiles["p"] = 0, 0, 9, 9, "vertical"
cam.saving.mode = "ONE_FILE_PER_FRAME"
cam.image.rotation = 90
"""
    subprocess.run([sys.executable, "-c", AT_A_PROMPT, command], check=True, timeout=60)
    session = load_session("s")
    assert session.setup(), session.error_report
    try:
        cam = session.env_dict["cam"]
        assert list(cam.roi_counters) == ["spot", "mine"] and cam.roi_profiles.get_roi_mode("p") == "horizontal"
        assert cam.saving.mode == "ONE_FILE_PER_FRAME" and cam.image.shape == (48, 32)
        scan = session.env_dict["loopscan"](3, 0.001, cam)
        directory = Path(session.scan_saving.get_path()) / "scan0001"
        assert sorted(path.name for path in directory.iterdir()) == [f"cam_{n:04d}.h5" for n in range(3)]
        assert scan.get_data("mine_sum").shape == (3,)
    finally:
        session.close()


def test_large_images_of_a_session_that_is_killed(redis_server: EmbeddedServer, short_directory: Path) -> None:
    script = short_directory / "prompt.py"
    script.write_text(AT_A_PROMPT)
    process = subprocess.Popen([*PATCHED, str(script), "loopscan(100000, 0.001, big.image)"], cwd=PROJECT)

    def images() -> list[ImageNode]:
        nodes = get_session_node("s").walk("lima", wait=False)
        return [node for node in nodes if isinstance(node, ImageNode) and len(node) >= 3]

    try:
        wait_until(images, timeout=30)
        (node,) = images()
        assert node.get_image(1).shape == (1024, 1024)  # while it is written
    finally:
        process.kill()
        process.wait()
    assert node.is_saved and node.get_images(0, 3).shape == (3, 1024, 1024)
    assert len(node.references()) == len(node)
    assert node.get_image(-1).mean() > 0


def test_two_sessions_define_regions_at_once(session: Session) -> None:
    command = """
from bliss_like.session import load_session
session = load_session("other")
assert session.setup(), session.error_report
print("ready", flush=True)
input()
for n in range(60):
    session.env_dict["cam"].roi_counters[f"other{n}"] = 0, 0, 2, 2
session.close()
"""
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    process = subprocess.Popen([sys.executable, "-c", command], **pipes)  # type: ignore[call-overload]
    assert process.stdout.readline() == "ready\n"
    process.stdin.write("\n")
    process.stdin.flush()
    rois = session.env_dict["cam"].roi_counters
    for n in range(60):
        rois[f"mine{n}"] = 0, 0, 2, 2
    process.communicate()
    assert process.returncode == 0
    assert len(rois) == 1 + 2 * 60
