"""Scans that cameras make by themselves, without a timer."""

from __future__ import annotations

from typing import Any

from bliss_like.errors import ScanUsageError

from ..chain import AcquisitionChain
from ..default_chain import ChainBuilder, counters_for
from ..scan import Scan


def take_images(
    expotime: float, nbframes: int = 1, *limadevs: Any, save: bool = False, run: bool = True, **parameters: Any
) -> Scan:
    """Let cameras take images, each as fast as it can; return the scan.

    :param expotime: seconds of one image.
    :param limadevs: cameras, or their counters; none means those of the active measurement group.
    :param parameters: of the acquisition, e.g. `acq_trigger_mode`, `saving_mode`; of one camera only as
        `<its name>={...}`; `title=` that of the scan.
    :raises ScanUsageError: nothing there is a camera, or a parameter is wrong; nothing was done.
    """
    title = parameters.pop("title", f"limatake {expotime:g} {nbframes}")
    builder = ChainBuilder(counters_for(limadevs))
    nodes = [node for node in builder.get_top_level_nodes() if hasattr(node.controller, "prepare_exposure")]
    if not nodes:
        raise ScanUsageError("expected cameras, or counters of some, there is none among what was given")
    names = {node.controller.name for node in nodes}
    common = {key: value for key, value in parameters.items() if key not in names}
    chain = AcquisitionChain(parallel_prepare=True)
    for node in nodes:
        usual = {"acq_trigger_mode": "INTERNAL_TRIGGER", "acq_expo_time": expotime, "acq_nb_frames": nbframes}
        own = parameters.get(node.controller.name, {})
        wanted = {**usual, **common, **own}
        node.set_parameters(acq_params=node.get_default_chain_parameters({"npoints": wanted["acq_nb_frames"]}, wanted))
        chain.add(node)
    info = {"type": "limatake", "title": title, "npoints": nbframes, "count_time": expotime}
    scan = Scan(chain, "limatake", scan_info=info, save=save)
    if run:
        scan.run()
    return scan
