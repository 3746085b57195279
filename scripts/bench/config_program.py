"""Read a configuration, make every object, read the files again; print the times, in s, as one JSON object.

    python config_program.py bliss_like.config | bliss.config.static

The very same program with BLISS, by path in an environment of its own: where the configuration is says the environment
(`BLISS_LIKE_CONFIG` a directory, `BEACON_HOST` a server).
"""

from __future__ import annotations

import json
import sys
import time
from importlib import import_module
from itertools import pairwise


def main(module: str) -> None:
    times = [time.perf_counter()]
    get_config = import_module(module).get_config
    times.append(time.perf_counter())
    config = get_config()
    times.append(time.perf_counter())
    names = config.names_list
    made = [config.get(name) for name in names] if "--make" in sys.argv else []
    times.append(time.perf_counter())
    if any(thing is None for thing in made):
        raise SystemExit("an object was not made")
    config.reload()
    times.append(time.perf_counter())
    steps = zip(("import", "read", "make", "reload"), pairwise(times), strict=True)
    json.dump({"objects": len(names), **{step: end - start for step, (start, end) in steps}}, sys.stdout)


if __name__ == "__main__":
    main(sys.argv[1])
