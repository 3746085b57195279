"""Thousands of short scans in one session of a patched process: prints, now and then, what the process holds, in JSON."""

from gevent.monkey import patch_all

patch_all(thread=False, queue=False)

import gc  # noqa: E402
import json  # noqa: E402
import os  # noqa: E402
import sys  # noqa: E402
import threading  # noqa: E402
import time  # noqa: E402

import gevent  # noqa: E402
import greenlet  # noqa: E402

from bliss_like.data.redis_store import connect  # noqa: E402
from bliss_like.session import load_session  # noqa: E402


def resident_kib() -> int:
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS"))


def server_says(section: str, name: str) -> int:
    text = connect().call("INFO", section).decode()
    return next(int(line.partition(":")[2]) for line in text.splitlines() if line.startswith(name + ":"))


def census(nscans: int, seconds: float) -> dict[str, float]:
    gc.collect()
    gevent.sleep(0.05)
    gc.collect()
    return {
        "scans": nscans,
        "greenlets": sum(isinstance(each, greenlet.greenlet) and bool(each) for each in gc.get_objects()),
        "threads": threading.active_count(),
        "files": len(os.listdir("/proc/self/fd")),
        "connections": server_says("clients", "connected_clients"),
        "keys": int(connect().call("DBSIZE")),
        "objects": len(gc.get_objects()),
        "resident_kib": resident_kib(),
        "seconds_per_scan": seconds,
    }


def main(nscans: int, step: int) -> None:
    session = load_session("test_session")
    assert session.setup(), session.error_report
    names = session.env_dict
    scans = [
        lambda: names["loopscan"](2, 0, names["diodes"]),
        lambda: names["ascan"](names["robx"], 0, 0.001, 2, 0, names["diode"], names["thermo_sample"]),
        lambda: names["ct"](0, names["diode"], names["sim_ct_gauss"]),
    ]
    for first in range(0, nscans, step):
        began = time.perf_counter()
        for number in range(first, first + step):
            scans[number % len(scans)]()
        print(json.dumps(census(first + step, (time.perf_counter() - began) / step)), file=sys.stderr, flush=True)
    session.close()


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
