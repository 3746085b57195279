"""A scan as a picture: which scan, which counters, how large."""

from __future__ import annotations

import shutil
from dataclasses import replace
from typing import Any

from bliss_like.config.suggestion import did_you_mean
from bliss_like.data.events import NodeKind
from bliss_like.data.node import ScanNode
from bliss_like.data.past import PastScans, known_store, named_scan
from bliss_like.devices.numbers import brief
from bliss_like.errors import ScanError, ScanUsageError, UsageError
from bliss_like.live.fits import Fit, fit_of_curve
from bliss_like.live.look import Look, Role, cut
from bliss_like.live.past import scan_of
from bliss_like.live.picture import Wish, dimensions_of, draw_scan, left_out, named_in, plot_of
from bliss_like.live.plots import PlotChoice
from bliss_like.live.scan import LiveChannel, LiveScan
from bliss_like.scanning.environment import environment
from bliss_like.scanning.plot_choice import get_plotted_counters, names_of
from bliss_like.scanning.scan import Scan

LEAST, MOST = 8, 24
"""Lines of a plot, unless somebody says how many."""


def picture(
    counter: Any, axis: Any, scan: Any, fit: Any, width: int | None, height: int | None, log: bool, with_look: Look
) -> str:
    """Return the lines of a plot; arguments and errors as of `plot_text`."""
    if scan is None and (
        isinstance(counter, Scan | ScanNode) or (isinstance(counter, int) and not isinstance(counter, bool))
    ):
        counter, scan = None, counter
    terminal = shutil.get_terminal_size()
    width = max(20, terminal.columns - 1) if width is None else _at_least("width", width, 20)
    height = min(MOST, max(LEAST, terminal.lines - 4)) if height is None else _at_least("height", height, 3)
    shown = scan_of(node_of(scan), fields=True)
    along = _channels(shown, "axis", axis)[0] if axis is not None else None
    chosen = plot_of(shown, _counters(shown, counter), along)
    fitted = None
    if fit is not None and fit is not False:
        chosen, fitted = _fitted(shown, chosen, fit)
    lines = draw_scan(shown, width, height, with_look, Wish(chosen, log, fit=fitted))
    if not lines:
        raise ScanError(
            f"{shown.label} ({shown.title}) has nothing to plot: neither several points, nor spectra or images"
        )
    if fitted is None and isinstance(counter, list | tuple | None) and (hidden := left_out(shown, height, chosen)):
        names = ", ".join(channel.name for channel in hidden)
        hint = f"plot({hidden[0].name!r}) and plotselect(...) show others: {names}"
        lines.append(with_look.paint(cut(hint, width, with_look.glyphs.ellipsis), Role.DIM))
    if fitted is not None:
        lines += fitted.report().splitlines()
    return "\n".join(lines)


def _fitted(scan: LiveScan, chosen: PlotChoice | None, wanted: Any) -> tuple[PlotChoice, Fit]:
    """Return the plot of one counter, and the fit of its curve.

    :raises ScanError: what is plotted is no curve.
    """
    channel = scan.channel(next(iter(chosen.y), "")) if chosen else None
    if chosen is None or chosen.kind != "curve" or channel is None:
        kind = f"a {chosen.kind} plot" if chosen else "nothing"
        raise ScanError(
            f"{scan.label} ({scan.title}): a fit is of a curve, and this is {kind}; plot(counter, axis, fit=...) makes one"
        )
    fitted = fit_of_curve(scan, channel, scan.channel(chosen.x) if chosen.x else None, wanted)
    return replace(chosen, y=(channel.fullname,)), fitted


def _at_least(what: str, value: Any, least: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise UsageError(f"{what}: expected a whole number, at least {least}, got {brief(value)}")
    return value


# -- which scan --------------------------------------------------------------------------------------------------------


def node_of(scan: Any) -> ScanNode:
    if scan is None:
        return _last()
    if isinstance(scan, Scan):
        return scan.node
    if isinstance(scan, ScanNode):
        return scan
    if isinstance(scan, str) or (isinstance(scan, int) and not isinstance(scan, bool)):
        return named_scan(str(scan), _store(), environment.session_name)
    raise UsageError(f"scan: expected a scan, its node, number, name or file, as in scan=12, got {brief(scan)}")


def _last() -> ScanNode:
    """Return the node of the last scan of the session, also of an earlier day."""
    for scan in reversed(environment.scans):
        if scan.kind is NodeKind.SCAN and scan.path:
            return scan.node
    past = PastScans(_store(), environment.session_name)
    found = next((node for node in past if node.type is NodeKind.SCAN and "replay_of" not in node.info), None)
    if found is None:
        raise ScanError("there is no scan yet; make one, or name one: plot(scan=12)")
    return found


def _store() -> Any:
    return getattr(environment.tree, "store", None) or known_store()


# -- which channels ----------------------------------------------------------------------------------------------------


def _counters(scan: LiveScan, given: Any) -> list[LiveChannel]:
    if given is not None:
        return _channels(scan, "counter", given)
    found = [each for name in get_plotted_counters() for each in named_in(scan, name).values()]
    return list(dict.fromkeys(found))


def _channels(scan: LiveScan, what: str, given: Any) -> list[LiveChannel]:
    if isinstance(given, list | tuple):
        return list(dict.fromkeys(channel for each in given for channel in _channels(scan, what, each)))
    names = [given] if isinstance(given, str) else _names(what, given)
    found = {name: channel for each in names for name, channel in named_in(scan, each).items()}
    if found:  # of a camera, which has several, rather the image than the sums of its regions
        return sorted(found.values(), key=lambda channel: -dimensions_of(channel))
    there = [channel.name for channel in named_in(scan, "*").values()]
    wanted = names[-1] if names else brief(given)
    hint = did_you_mean(wanted, there) or f"; there are: {', '.join(there) or 'none'}"
    raise ScanError(f"{scan.label} ({scan.title}) has no {wanted!r} that can be drawn{hint}")


def _names(what: str, given: Any) -> list[str]:
    try:
        return names_of("plot", (given,))
    except ScanUsageError:
        raise UsageError(f"{what}: expected a counter, an axis or a name, got {brief(given)}") from None
