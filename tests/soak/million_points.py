"""One long loopscan in a session of a patched process: prints its pace, what memory it left, and what can be read, in JSON."""

from gevent.monkey import patch_all

patch_all(thread=False, queue=False)

import gc  # noqa: E402
import json  # noqa: E402
import sys  # noqa: E402

import numpy as np  # noqa: E402

from bliss_like.session import load_session  # noqa: E402
from tests.soak.many_scans import resident_kib  # noqa: E402


def main(npoints: int) -> None:
    session = load_session("test_session")
    assert session.setup(), session.error_report
    names = session.env_dict
    names["loopscan"](npoints // 10, 0, names["diode"])
    gc.collect()
    before = resident_kib()
    scan = names["loopscan"](npoints, 0, names["diode"])
    gc.collect()
    grown = resident_kib() - before
    epochs, diode = scan.get_data("epoch"), scan.get_data("diode")
    tenth = npoints // 10
    rates = [tenth / (part[-1] - part[0]) for part in (epochs[:tenth], epochs[-tenth:])]
    said = {
        "npoints": [len(epochs), len(diode)],
        "in_order": bool((np.diff(epochs) >= 0).all()),
        "first_rate": rates[0],
        "last_rate": rates[1],
        "grown_kib": grown,
    }
    print(json.dumps(said), file=sys.stderr, flush=True)
    session.close()


if __name__ == "__main__":
    main(int(sys.argv[1]))
