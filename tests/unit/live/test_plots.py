"""Which plots are made of a scan, whatever it says of itself."""

from __future__ import annotations

from typing import Any

import pytest

from bliss_like.live.plots import PlotChoice, plots_of
from bliss_like.live.scan import LiveCallback, LiveScan
from tests.unit.live.making import Told, feed

AXIS: dict[str, Any] = {"axis_id": 0, "axis_points": 5, "axis_kind": "forth"}
SLOW: dict[str, Any] = {"axis_id": 1, "axis_points": 3, "axis_kind": "step"}
CURVE = {"kind": "curve-plot", "x": "axis:robx", "items": []}


class Kept(LiveCallback):
    def begin(self, scan: LiveScan) -> None:
        self.scan = scan


def scan_of(*channels: str, **info: Any) -> LiveScan:
    special = {
        "axis:robx": AXIS,
        "axis:roby": SLOW,
        "mca:spectrum": {"shape": (1024,)},
        "mca:energy": {"shape": (1024,)},
        "cam:image": {"shape": (4, 6)},
        "cam:saved": {"kind": "lima", "shape": (4, 6)},
        "notes:text": {"dtype": "U10"},
    }
    told = Told({name: special.get(name, {}) for name in channels}, **{"npoints": 5, **info})
    kept = Kept()
    feed(kept, told.begin())
    return kept.scan


def choices(*channels: str, **info: Any) -> list[PlotChoice]:
    return plots_of(scan_of(*channels, **info))


TITLE = "ascan robx 0 1 10 0.1"
LINE = PlotChoice("curve", TITLE, "axis:robx", y=("diodes:i0", "diodes:i1"))


def test_counters_over_the_axis() -> None:
    names = ("axis:robx", "timer:elapsed_time", "timer:epoch", "diodes:i0", "diodes:i1")
    assert choices(*names, plots=[CURVE]) == choices(*names) == [LINE]


def test_the_chosen_counter_only() -> None:
    chosen = {"plotselect": ["*i1"]}
    assert choices("axis:robx", "diodes:i0", "diodes:i1", display_extra=chosen)[0].y == ("diodes:i1",)


def test_what_is_proposed_with_its_scales() -> None:
    items = [
        {"kind": "curve", "y": "diodes:i1", "y_axis": "right"},
        {"kind": "curve", "y": "diodes:i0", "y_axis": "left"},
        {"kind": "curve", "y": "diodes:i9"},
    ]
    (plot,) = choices("axis:robx", "diodes:i0", "diodes:i1", plots=[{**CURVE, "name": "both", "items": items}])
    assert plot == PlotChoice("curve", "both", "axis:robx", y=("diodes:i1", "diodes:i0"), right=("diodes:i1",))


def test_a_mesh() -> None:
    names = ("axis:robx", "axis:roby", "diodes:i0")
    scatter = {"kind": "scatter-plot", "x": "axis:robx", "y": "axis:roby", "items": []}
    expected = [PlotChoice("scatter", TITLE, "axis:robx", "axis:roby", ("diodes:i0",), grid=(5, 3))]
    assert choices(*names, plots=[scatter], data_dim=2) == choices(*names, data_dim=2) == expected
    assert choices(*names)[0].kind == "curve"


def test_time_without_an_axis_and_numbers_of_points_without_time() -> None:
    assert choices("timer:elapsed_time", "diodes:i0")[0].x == "timer:elapsed_time"
    assert choices("diodes:i0")[0].x == ""


def test_one_point_is_no_curve() -> None:
    assert choices("timer:elapsed_time", "diodes:i0", npoints=1) == []


def test_spectra_and_images_have_plots_of_their_own() -> None:
    found = choices("diodes:i0", "mca:spectrum", "cam:image", "cam:saved", "notes:text", npoints=1)
    assert [(plot.kind, plot.y) for plot in found] == [
        ("spectrum", ("mca:spectrum",)),
        ("image", ("cam:image",)),
        ("image", ("cam:saved",)),
    ]


def test_a_spectrum_over_another_one() -> None:
    plot = {"kind": "1d-plot", "name": "MCA", "x": "mca:energy", "items": [{"y": "mca:spectrum"}]}
    (first, second) = choices("mca:energy", "mca:spectrum", plots=[plot])
    assert first == PlotChoice("spectrum", "MCA", "mca:energy", y=("mca:spectrum",))
    assert second.y == ("mca:energy",)


@pytest.mark.parametrize(
    "plots",
    [
        None,
        "curve",
        {"kind": "curve-plot"},
        [None, 3, "x", {}, {"kind": []}],
        [{"kind": "curve-plot"}],
        [{"kind": "curve-plot", "x": 7, "items": 7}],
        [{"kind": "curve-plot", "x": "nowhere", "items": [{"y": "nothing"}, None, {"y": 3}]}],
        [{"kind": "scatter-plot", "x": "axis:robx", "y": "nowhere"}],
        [{"kind": "scatter-plot", "x": "axis:robx", "y": "axis:robx", "items": [{"value": "diodes:i0"}]}],
        [{"kind": "1d-plot", "items": [{"y": "mca:spectrum"}]}],
        [{"kind": "image-plot", "name": 7}],
        [{"kind": "of a later version", "items": [{"y": "diodes:i0"}]}],
    ],
)
def test_infos_that_nobody_has_checked(plots: Any) -> None:
    (plot,) = choices("axis:robx", "diodes:i0", "diodes:i1", plots=plots, data_dim="two")
    assert plot.kind == "curve" and plot.y[0] == "diodes:i0"


def test_nothing_at_all() -> None:
    assert choices() == []
