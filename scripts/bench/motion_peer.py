"""The other process of `motion.py`: follows an axis that another session moves, or stops it; prints one JSON object.

    python -m scripts.bench.motion_peer setting|event|stop AXIS

It prints "ready" when it is, and begins with the next line that it is given.
"""

from __future__ import annotations

from gevent import monkey

monkey.patch_all(thread=False, queue=False)

import json  # noqa: E402
import sys  # noqa: E402
import time  # noqa: E402

from bliss_like.config import get_config  # noqa: E402
from bliss_like.config.settings import HashSetting  # noqa: E402
from bliss_like.devices import events, motion_line  # noqa: E402
from bliss_like.devices.events import AxisEvent  # noqa: E402
from bliss_like.session import load_session  # noqa: E402

Seen = list[tuple[float, float]]
"""When, by `time.time()`, and which position."""

DURATION = 2.0
STEP = 0.002


def by_setting(name: str) -> Seen:
    """What the setting says at any time, as a plain script reads it."""
    setting = HashSetting(name)
    setting.get("position")
    _say_ready()
    seen = []
    end = time.monotonic() + DURATION
    while time.monotonic() < end:
        position = setting.get("position")
        seen.append((time.time(), position))
        time.sleep(STEP)
    return seen


def by_event(name: str) -> Seen:
    """What the axis of another session tells, when it does."""
    session = load_session("watching", get_config())
    session.setup()
    seen: Seen = []

    def hear(position: float) -> None:
        seen.append((time.time(), position))

    events.connect(session.env_dict[name], AxisEvent.POSITION, hear)
    _say_ready()
    time.sleep(DURATION)
    session.close()
    return seen


def by_stopping(name: str) -> Seen:
    """When the axis was asked to stop."""
    motion_line.follow()
    _say_ready()
    asked = time.time()
    motion_line.request_stop(name)
    return [(asked, 0.0)]


def _say_ready() -> None:
    print("ready", flush=True)
    sys.stdin.readline()


if __name__ == "__main__":
    json.dump({"setting": by_setting, "event": by_event, "stop": by_stopping}[sys.argv[1]](sys.argv[2]), sys.stdout)
