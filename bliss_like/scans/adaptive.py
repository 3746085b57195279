"""Scans whose steps follow a counter: many points on the flanks of a peak, few where nothing happens."""

from __future__ import annotations

import logging
import math
from typing import Any, Unpack

from bliss_like.devices.counter import Counter
from bliss_like.devices.naming import full_name_of, name_of
from bliss_like.scanning.acquisition import AcquisitionSlave
from bliss_like.scanning.acquisition.adaptive import AdaptiveSteps, AdaptiveStepTriggerMaster
from bliss_like.scanning.chain_nodes import iter_counters
from bliss_like.scanning.presets import ScanPreset
from bliss_like.scanning.scan import Scan

from .arguments import (
    Change,
    Countable,
    Flag,
    Intervals,
    Length,
    Motor,
    Part,
    Position,
    Seconds,
    StepOptions,
    number,
    wrong,
)
from .build import Recipe, begin
from .command import scan_command

__all__ = ["adaptive_ascan", "adaptive_dscan"]

_log = logging.getLogger(__name__)


@scan_command
def adaptive_ascan(
    motor: Motor,
    start: Position,
    stop: Position,
    min_step: Length,
    max_step: Length,
    target_delta: Change,
    count_time: Seconds,
    counter: Countable,
    *counters: Countable,
    backstep: Flag = True,
    threshold: Part = 0.8,
    max_points: Intervals = 1000,
    **options: Unpack[StepOptions],
) -> Scan | None:
    """Scan an axis in steps such that a counter changes by about `target_delta` from point to point.

    :param min_step, max_step: shortest and longest step, in the axis' unit.
    :param target_delta: wanted change of the counter in one step, in its unit.
    :param counter: what is followed; `counters` are counted with it.
    :param backstep: go back when a step was too long; the point that was taken is kept.
    :param threshold: too long is a step of which less than this part would have done.
    :param max_points: the scan ends there, with a warning.
    """
    recipe = Recipe("adaptive_ascan", **options)
    steps = _steps(start, stop, min_step, max_step, target_delta, backstep, threshold)
    return _adaptive(recipe, motor, (start, stop), steps, count_time, (counter, *counters), max_points)


@scan_command
def adaptive_dscan(
    motor: Motor,
    start: Position,
    stop: Position,
    min_step: Length,
    max_step: Length,
    target_delta: Change,
    count_time: Seconds,
    counter: Countable,
    *counters: Countable,
    backstep: Flag = True,
    threshold: Part = 0.8,
    max_points: Intervals = 1000,
    **options: Unpack[StepOptions],
) -> Scan | None:
    """Scan an axis so around where it is, and bring it back; `start` and `stop` are relative."""
    recipe = Recipe("adaptive_dscan", **options)
    recipe.come_home = True
    steps = _steps(start, stop, min_step, max_step, target_delta, backstep, threshold)
    origin = motor._set_position
    ends = origin + start, origin + stop
    return _adaptive(recipe, motor, ends, steps, count_time, (counter, *counters), max_points)


def _steps(
    start: float, stop: float, min_step: float, max_step: float, target_delta: float, backstep: bool, threshold: float
) -> AdaptiveSteps:
    """:raises ScanUsageError: something is wrong with one of them."""
    if start == stop:
        raise wrong("stop", f"another position than start, {number(start)}", stop)
    if min_step > max_step:
        raise wrong("min_step", f"no more than max_step, {number(max_step)}", min_step)
    return AdaptiveSteps(min_step, max_step, target_delta, backstep, threshold)


def _adaptive(
    recipe: Recipe,
    motor: Any,
    ends: tuple[float, float],
    steps: AdaptiveSteps,
    count_time: float,
    counters: tuple[Any, ...],
    max_points: int,
) -> Scan | None:
    run, return_scan, recipe.run, recipe.return_scan = recipe.run, recipe.return_scan, False, True
    followed = _followed(counters[0])
    start, stop = map(float, ends)
    recipe.info.set_channel_meta(full_name_of(motor), start=start, stop=stop, axis_id=0)
    if not recipe.info["plots"]:
        recipe.info.add_curve_plot(x=full_name_of(motor))
    master = AdaptiveStepTriggerMaster(motor, start, stop, steps, max_points, stab_time=recipe.stab_time)
    words = (start, stop, steps.min_step, steps.max_step, steps.target_delta, count_time)
    title = f"adaptive_ascan {name_of(motor)} {' '.join(map(number, words))} {name_of(followed)}"
    keys: dict[str, Any] = {"stab_time": recipe.stab_time, "start": [start], "stop": [stop], "data_dim": 1}
    scan: Any = recipe.make(title, count_time, 0, counters, master, **keys)
    for node in scan.acq_chain.nodes_list:
        if isinstance(node, AcquisitionSlave) and node.has_reading:
            node.point_by_point()  # so that its data are there before the next step
        if followed in node._counters:
            master.follow(node._counters[followed][0])
    scan.add_preset(_Count(master))
    if run:
        begin(scan)
    return scan if return_scan else None


def _followed(counter: Any) -> Counter:
    """:raises ScanUsageError: it is not one counter that gives one number."""
    found = list(iter_counters(counter))
    if len(found) != 1 or found[0].shape != ():
        names = ", ".join(map(name_of, found))
        raise wrong("counter", "one counter that gives one number at each point", names or counter)
    return found[0]


class _Count(ScanPreset):
    """Says at the end how many points it took."""

    def __init__(self, master: AdaptiveStepTriggerMaster) -> None:
        self._master = master

    def stop(self, scan: Scan) -> None:
        master = self._master
        scan.update_info(npoints=master.nsteps)
        if master.is_cut_short:
            where = math.nan if not master._targets else next(iter(master._targets.values()))
            text = (
                f"ended after max_points={master.max_points} at {number(where)}, before {number(master.stop_position)}: "
                "take a larger min_step or target_delta, or more max_points"
            )
            scan.add_comment(text)
            _log.warning("%r %s", scan, text)
