"""Scans with a simulated camera of 256 x 256 pixels, and unsaved ones of 4 megapixels: what a point costs, and the server's memory.

python -m scripts.bench.images
"""

from __future__ import annotations

from gevent import monkey

monkey.patch_all(thread=False, queue=False)

from collections.abc import Iterator  # noqa: E402
from typing import Any  # noqa: E402

from bliss_like.data.redis_store import connect  # noqa: E402
from scripts.bench.session import bench_session  # noqa: E402
from scripts.bench.table import Table, seconds  # noqa: E402

CONFIGURATION = """
- name: motors
  class: SimulatedMotors
  axes:
    - {name: axis, steps_per_unit: 1000, velocity: .inf, acceleration: .inf}
    - {name: axis2, steps_per_unit: 1000, velocity: .inf, acceleration: .inf}
- {name: box, class: SimulatedDiodes, counters: [COUNTERS]}
- {name: cam, class: SimulatedCamera, axis_x: $axis, axis_y: $axis2, intensity: 2.0e+5, rois: {r: [100, 100, 56, 56]}}
- {name: large, class: SimulatedCamera, width: 2048, height: 2048}
- {name: bench, class: Session, config-objects: [axis, axis2, box, cam, large], scan_saving: {base_path: HOME/data, writer: "null"}}
"""


def main() -> None:
    counters = ", ".join(f"{{name: c{n}, value: 1}}" for n in range(10))
    with bench_session(CONFIGURATION.replace("COUNTERS", counters)) as names:
        table = Table("work", "")
        amesh, loopscan, axis, axis2, cam = (names[name] for name in ("amesh", "loopscan", "axis", "axis2", "cam"))
        size = 50  # of 100 x 100 points the cost of one is the same

        def mesh(*counters: Any, save: bool = False) -> float:
            run = lambda: amesh(axis, -1, 1, size - 1, axis2, -1, 1, size - 1, 0.0001, *counters, save=save)  # noqa: E731
            return 1e3 * seconds(run) / size**2

        frame = 1e3 * seconds(lambda: [cam.read_frames(0, 1) for _ in _triggered(cam, 200)]) / 200
        table.row("making a frame of 256 x 256, ms", frame)
        table.row("amesh 50 x 50, 10 counters, a point, ms", mesh(names["box"]))
        table.row("the same and a region of interest, ms", mesh(names["box"], cam.roi_counters))
        table.row("the same and images in a file, ms", mesh(names["box"], cam.roi_counters, cam.image, save=True))
        large = names["large"]
        table.row(
            "unsaved image of 4 megapixels, ms",
            1e3 * seconds(lambda: loopscan(60, 0.0001, large.image, save=False)) / 60,
        )
        memory = dict(line.split(":") for line in connect().call("INFO", "memory").decode().split() if ":" in line)
        table.row("memory of the server after 60 of them, MB", int(memory["used_memory"]) / 1e6)


def _triggered(camera: Any, number: int) -> Iterator[int]:
    """Yield once for each frame that can be read."""
    from bliss_like.controllers.camera.exposure import AcquisitionSettings

    camera.prepare_acquisition(AcquisitionSettings(number, 0.0, 0.0, "INTERNAL_TRIGGER_MULTI", 1))
    for n in range(number):
        camera.trigger()
        yield n


if __name__ == "__main__":
    main()
