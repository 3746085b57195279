"""A reader that opens a file again and again: python -m tests.files.reading PATH LOCKING TIMES.

LOCKING is `default` (h5py.File(path, "r"), as anybody would) or `none`. Prints in JSON how often, and what went wrong.
"""

from __future__ import annotations

import json
import re
import sys
from collections import Counter

import h5py

from tests.files.points import lengths


def main(path: str, locking: str, times: int) -> None:
    seen, what = Counter(opens=0, datasets=0, shrunk=0, wrong=0, errors=0), Counter[str]()
    options = {} if locking == "default" else {"locking": False}
    longest: dict[str, int] = {}
    for _ in range(times):
        try:
            with h5py.File(path, "r", **options) as h5:
                for name in list(h5)[-2:]:
                    found = lengths(h5[name], 7)
                    seen["datasets"] += len(found)
                    for dataset, count in found.items():
                        seen["shrunk"] += count < longest.get(f"{name}/{dataset}", 0)
                        longest[f"{name}/{dataset}"] = count
            seen["opens"] += 1
        except Exception as error:  # whatever a reader may meet
            seen["wrong" if "has wrong values" in str(error) else "errors"] += 1
            what[re.sub(r"\d+", "N", str(error))[:150]] += 1
    print(json.dumps({"what": what.most_common(5), **seen, "points": sum(longest.values())}))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
