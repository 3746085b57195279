"""Which counters people want to see, and to find positions with: `plotselect`, `meshselect`, `plotinit`, and in tables.

A choice is a list of names of channels, or patterns; it is kept in the settings `<beamline>:<session>:plotselect`, `meshselect`,
`plotinit` and `tableselect`, and every scan that saves metadata tells it in `scan_info["display_extra"]`: a plot or a table in
another process follows the one or the other.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from bliss_like.config.settings import SimpleObjSetting
from bliss_like.data.scan_data import means
from bliss_like.devices.naming import full_name_of
from bliss_like.devices.numbers import brief
from bliss_like.errors import ScanError, ScanUsageError

from .acquisition import is_axis
from .chain_nodes import iter_counters
from .environment import environment

if TYPE_CHECKING:
    from .scan import Scan

_alone: dict[str, list[str]] = {}
"""The choices as long as there is no session."""


def plotselect(*counters: Any) -> None:
    """Choose the counters that are plotted, and that `cen`, `goto_peak` and the like use; nothing: none is chosen.

    :param counters: counters, axes, what has counters, names of channels (`diode`, `simulation:diode`) or patterns (`*roi1`);
        a name may be of a counter that is not there now.
    :raises ScanUsageError: something is none of these.
    """
    _keep("plotselect", names_of("plotselect", counters))


def meshselect(*counters: Any) -> None:
    """Choose the same for meshes only; nothing: those of `plotselect`."""
    _keep("meshselect", names_of("meshselect", counters))


def plotinit(*counters: Any) -> None:
    """Choose what is plotted of the next scan, and only of that one."""
    _keep("plotinit", names_of("plotinit", counters))


def get_plotted_counters() -> list[str]:
    """Return what `plotselect` has chosen."""
    return _kept("plotselect")


def get_next_plotted_counters() -> list[str]:
    """Return what will be plotted of the next scan."""
    return _kept("plotinit") or _kept("plotselect")


def get_table_counters() -> list[str]:
    """Return what tables show; empty: what is plotted."""
    return _kept("tableselect")


def set_table_counters(*counters: Any) -> None:
    """Choose what tables show; arguments and errors as of `plotselect`."""
    _keep("tableselect", names_of("SCAN_DISPLAY.counters", counters))


@contextmanager
def plotted(scan: Scan) -> Iterator[None]:
    """The context of a scan that tells in its info what is to be plotted of it, and what tables show."""
    if scan.with_metadata:
        names = _kept("plotinit")
        if names:
            _keep("plotinit", [])
        names = names or (_is_mesh(scan) and _kept("meshselect")) or _kept("plotselect")
        chosen = {"plotselect": names, "table": _kept("tableselect")}
        if told := {key: patterns for key, patterns in chosen.items() if patterns}:
            scan.update_info(display_extra={**scan.scan_info.get("display_extra", {}), **told})
    yield


def names_of(command: str, given: tuple[Any, ...]) -> list[str]:
    """Return the names of the channels that are meant; texts as they are."""
    names: list[str] = []
    for number, each in enumerate(given, 1):
        if isinstance(each, str) and each.strip():
            names.append(each.strip())
        elif is_axis(each):
            names.append(full_name_of(each))
        elif isinstance(each, list | tuple):
            names += names_of(command, tuple(each))
        else:
            try:
                names += [full_name_of(counter) for counter in iter_counters(each)]
            except ScanUsageError:
                raise ScanUsageError(
                    f"{command}: argument {number}: expected a counter, an axis or a name, got {brief(each)}"
                ) from None
    return list(dict.fromkeys(names))


def chosen_counter(scan: Scan) -> str:
    """Return the channel of a scan that is meant when no counter is named: the chosen one, else the only one.

    :raises ScanError: there are none or several; the message names them.
    """
    there = _scalars(scan)
    wanted = (_is_mesh(scan) and _kept("meshselect")) or _kept("plotselect")
    found = [name for name in there if any(means(pattern, name) for pattern in wanted)]
    if len(found) == 1 or (not found and len(there) == 1):
        return (found or there)[0]
    short = ", ".join(name.rpartition(":")[2] for name in found or there)
    if found:
        raise ScanError(
            f"several counters selected: {short}; name one, as in cen({found[0]!r}), or plotselect one of them"
        )
    if not there:
        raise ScanError(f"{scan.label} has no counter that gives one number at each point")
    missed = (
        f"{', '.join(wanted)}, which plotselect chose, is not in {scan.label}" if wanted else "no counter is selected"
    )
    raise ScanError(f"{missed}; name one, as in cen({there[0]!r}), or plotselect one of {short}")


def _is_mesh(scan: Scan) -> bool:
    return int(scan.scan_info.get("data_dim") or 1) > 1


def _scalars(scan: Scan) -> list[str]:
    """Return the first channel of each counter of a scan that gives one number at each point, encoders of its axes aside."""
    encoders = [getattr(axis, "encoder", None) for axis in scan.scanned_axes]
    counted = [item for node in scan.acq_chain.nodes_list for item in node._counters.items()]
    firsts = [channels[0] for counter, channels in counted if channels and not any(counter is one for one in encoders)]
    return [channel.fullname for channel in firsts if channel.shape == () and channel.dtype.kind in "fiub"]


def _setting(name: str) -> SimpleObjSetting:
    return SimpleObjSetting(f"{environment.settings_name}:{name}", default_value=[])


def _kept(name: str) -> list[str]:
    return list(_setting(name).get() if environment.settings_name else _alone.get(name, []))


def _keep(name: str, names: list[str]) -> None:
    if environment.settings_name:
        _setting(name).set(names)
    else:
        _alone[name] = names
