"""Positions in the curves of scans, and the way there."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable
from typing import Any

import gevent
import numpy as np
import pytest

from bliss_like.devices.axis import Axis
from bliss_like.devices.counter import SamplingCounter
from bliss_like.devices.soft_axis import SoftAxis
from bliss_like.errors import AxisLimitError, ScanError, UserAbort
from bliss_like.live import LiveStats
from bliss_like.live.ending import ending
from bliss_like.scanning import scan_math
from bliss_like.scanning.scan import Scan, ScanState
from bliss_like.scans import a2scan, amesh, ascan, aspiral, dscan, loopscan
from tests.unit.devices.making import make_axis
from tests.unit.scanning.making import Values, in_background
from tests.waiting import wait_until_cooperative


@pytest.fixture
def robx() -> Axis:
    return make_axis("robx", unit="mm", low_limit=-100, high_limit=100)


@pytest.fixture
def roby() -> Axis:
    return make_axis("roby", low_limit=-100, high_limit=100)


def counter_of(read: Callable[[], float], name: str = "diode") -> SamplingCounter:
    return SamplingCounter(name, Values(f"{name}s", lambda: [read()]))


def beam(robx: Any, centre: float = 0.3, sigma: float = 0.7) -> SamplingCounter:
    """A counter that sees a Gaussian beam along an axis."""
    return counter_of(lambda: 5 + 100 * math.exp(-(((robx.position - centre) / sigma) ** 2) / 2))


def test_all_positions_of_a_scan(robx: Axis) -> None:
    diode = beam(robx)
    scan = ascan(robx, -3, 3, 60, 0, diode)
    assert scan.peak(diode) == pytest.approx(0.3)
    assert scan.cen(diode) == pytest.approx(0.3, abs=0.01)
    assert scan.com(diode) == pytest.approx(0.3, abs=0.01)
    assert scan.fwhm(diode) == pytest.approx(0.7 * 2.3548, abs=0.01)
    assert abs(scan.trough(diode)) == pytest.approx(3)
    assert scan.find_position(lambda x, y: x[0], diode) == -3
    assert scan.find_position(scan_math.cen, diode) == scan.cen(diode)


def test_counters_and_axes_by_name(robx: Axis, roby: Axis) -> None:
    diode = beam(robx)
    scan = ascan(robx, -3, 3, 60, 0, diode)
    for axis in (robx, "robx", "axis:robx", None):
        assert scan.peak("diode", axis) == pytest.approx(0.3)
    assert scan.cen(diode, return_axes=True) == {robx: scan.cen(diode)}
    assert scan.peak(diode, "elapsed_time") > 0
    with pytest.raises(ScanError, match="roby was not scanned; there is robx, elapsed_time"):
        scan.peak(diode, roby)
    with pytest.raises(ScanError, match="no channel 'diod'; there are"):
        scan.peak("diod")
    with pytest.raises(ScanError, match="expected a counter, got None"):
        scan.peak(None)


def test_moves_to_what_was_found(robx: Axis) -> None:
    diode = beam(robx)
    scan = ascan(robx, -3, 3, 60, 0, diode)
    goes: list[tuple[Callable[[Any], None], float]] = [
        (scan.goto_peak, 0.3),
        (scan.goto_cen, scan.cen(diode)),
        (scan.goto_com, scan.com(diode)),
        (scan.goto_min, scan.trough(diode)),
        (lambda counter: scan.goto_custom(lambda x, y: x[1], counter), -2.9),
    ]
    for go, target in goes:
        robx.move(10)
        go(diode)
        assert robx.position == pytest.approx(target)


def test_a_dscan_is_looked_at_where_it_was(robx: Axis) -> None:
    robx.move(0.5)
    diode = beam(robx)
    scan = dscan(robx, -3, 3, 60, 0, diode)
    assert robx.position == 0.5
    scan.goto_cen(diode)
    assert robx.position == pytest.approx(0.3, abs=0.02)


def test_several_axes(robx: Axis, roby: Axis) -> None:
    diode = beam(robx)
    scan = a2scan(robx, -3, 3, roby, 10, 16, 60, 0, diode)
    assert scan.cen(diode) == {robx: pytest.approx(0.3, abs=0.01), roby: pytest.approx(13.3, abs=0.01)}
    assert scan.cen(diode, roby) == pytest.approx(13.3, abs=0.01)
    scan.goto_peak(diode)
    assert (robx.position, roby.position) == (pytest.approx(0.3), pytest.approx(13.3))


def test_an_axis_that_did_not_move_stays(robx: Axis, roby: Axis) -> None:
    diode = beam(robx)
    scan = a2scan(robx, -3, 3, roby, 4, 4, 60, 0, diode)
    assert scan.cen(diode)[roby] == 4


@pytest.mark.parametrize("backnforth", [False, True])
def test_a_mesh(robx: Axis, roby: Axis, backnforth: bool) -> None:
    def read() -> float:
        return 3 + 100 * math.exp(-((robx.position - 0.5) ** 2 + (roby.position + 1) ** 2) / 2)

    diode = counter_of(read)
    scan = amesh(robx, -4, 4, 16, roby, -4, 4, 8, 0, diode, backnforth=backnforth)
    assert scan.peak(diode) == {robx: 0.5, roby: -1}
    assert scan.cen(diode) == {robx: pytest.approx(0.5, abs=0.01), roby: pytest.approx(-1, abs=0.01)}
    assert scan.com(diode) == {robx: pytest.approx(0.5, abs=0.02), roby: pytest.approx(-1, abs=0.02)}
    scan.goto_peak(diode)
    assert (robx.position, roby.position) == (0.5, -1)
    scan.goto_cen(diode, roby)
    assert roby.position == pytest.approx(-1, abs=0.01)


def test_a_mesh_whose_axes_do_not_come_exactly_to_their_places(robx: Axis) -> None:
    random = np.random.default_rng(3)
    place = [0.0]
    jittering = SoftAxis("jitter", place_keeper(place, random), export_to_session=False)
    diode = counter_of(lambda: math.exp(-((robx.position - 1) ** 2 + (place[0] - 2) ** 2) / 2))
    scan = amesh(robx, -4, 4, 16, jittering, -4, 4, 16, 0, diode)
    found = scan.cen(diode)
    assert found == {robx: pytest.approx(1, abs=0.02), jittering: pytest.approx(2, abs=0.02)}


def place_keeper(place: list[float], random: np.random.Generator) -> Any:
    class Keeper:
        @property
        def position(self) -> float:
            return place[0] + 0.01 * float(random.normal())

        @position.setter
        def position(self, value: float) -> None:
            place[0] = value

    return Keeper()


def test_time_has_a_centre_but_nobody_goes_there(robx: Axis) -> None:
    values = iter([0.0, 1.0, 5.0, 1.0, 0.0])
    scan = loopscan(5, 0, diode := counter_of(lambda: next(values)))
    times = scan.get_data("elapsed_time")
    assert scan.peak(diode) == times[2]
    assert scan.peak(diode, return_axes=True) == {"elapsed_time": times[2]}
    assert scan.peak(diode, axis="epoch") == scan.get_data("epoch")[2]
    with pytest.raises(ScanError, match="is at a time, elapsed_time, and nobody goes there; nothing moved"):
        scan.goto_peak(diode)
    with pytest.raises(ScanError, match="robx was not scanned; there is elapsed_time, epoch"):
        scan.goto_peak(diode, robx)


def test_where_nothing_is_nothing_moves(robx: Axis) -> None:
    scan = ascan(robx, 0, 3, 30, 0, diode := counter_of(lambda: 7.0))
    robx.move(1)
    assert math.isnan(scan.cen(diode))
    for go in (scan.goto_cen, scan.goto_peak, scan.goto_com, scan.goto_min):
        with pytest.raises(ScanError, match="of diode along robx is not a number, .*; nothing moved"):
            go(diode)
    assert robx.position == 1


@pytest.mark.parametrize("shape", ["noise", "peak", "edge"])
@pytest.mark.parametrize("npoints", [3, 5, 11, 16, 40])
def test_what_is_told_of_a_scan_is_where_one_can_go(robx: Axis, shape: str, npoints: int) -> None:
    random = np.random.default_rng(npoints)
    curves = {"noise": lambda x: 0.0, "peak": lambda x: 60 * math.exp(-(x**2)), "edge": lambda x: 60.0 * (x > 0.5)}
    diode = counter_of(lambda: 100 + curves[shape](robx.position) + float(random.normal()))
    for _ in range(8):
        stats = LiveStats()
        scan = ascan(robx, -3, 3, npoints - 1, 0, diode, subs=[stats])
        assert scan.stands_out(diode) == stats.is_clear == bool(ending(stats))
        if stats.is_clear:
            scan.goto_cen(diode)
            assert robx.position == pytest.approx(scan.cen(diode))
        elif math.isfinite(scan.peak(diode)):
            with pytest.raises(
                ScanError, match=r"the peak of diode cannot be told from .*; goto_\.\.\. with force=True goes"
            ):
                scan.goto_peak(diode)
            assert robx.position == 3
            scan.goto_peak(diode, force=True)
            assert robx.position == pytest.approx(scan.peak(diode))


def test_who_insists_goes_to_the_highest_point_of_noise(robx: Axis) -> None:
    random = np.random.default_rng(1)
    scan = ascan(robx, 0, 40, 40, 0, diode := counter_of(lambda: float(random.normal())))
    values, places = scan.get_data(diode), scan.get_data(robx)
    assert math.isnan(scan.peak(diode))
    with pytest.raises(ScanError, match=r"not a number, .* goto_peak\(force=True\) goes to the highest point"):
        scan.goto_peak(diode)
    scan.goto_peak(diode, force=True)
    assert robx.position == places[values.argmax()]
    scan.goto_min(diode, force=True)
    assert robx.position == places[values.argmin()]
    with pytest.raises(ScanError, match="the centre of diode along robx is not a number"):
        scan.goto_cen(diode, force=True)


def test_few_points_of_a_sharp_peak_are_one(robx: Axis) -> None:
    scan = ascan(robx, -2, 2, 4, 0, diode := counter_of(lambda: 3000 * math.exp(-((robx.position - 1) ** 2) * 9)))
    scan.goto_peak(diode)
    assert robx.position == 1


def test_a_function_that_says_nonsense(robx: Axis, caplog: pytest.LogCaptureFixture) -> None:
    diode = beam(robx)
    scan = ascan(robx, -1, 1, 10, 0, diode)
    with pytest.raises(ScanError, match="expected a function of positions and values, got 3"):
        scan.goto_custom(3, diode)  # type: ignore[arg-type]
    with pytest.raises(ScanError, match="expected to return a position, or a tuple that begins with one, got 'left'"):
        scan.goto_custom(lambda x, y: "left", diode)
    with pytest.raises(AxisLimitError, match="robx"):
        scan.goto_custom(lambda x, y: 1000, diode)
    assert robx.position == 1
    with caplog.at_level(logging.WARNING):
        scan.goto_custom(lambda x, y: 2, diode)
    assert robx.position == 2
    assert "outside the scanned range -1 .. 1 mm" in caplog.text


def test_a_scan_that_is_not_over(robx: Axis) -> None:
    diode = beam(robx)
    scan = ascan(robx, -1, 1, 10, 0, diode, run=False)
    with pytest.raises(ScanError, match="was not run yet"):
        scan.goto_peak(diode)
    slow = ascan(robx, -1, 1, 10, 10, diode, run=False)
    running = in_background(slow)
    slow.wait_state(ScanState.STARTING, timeout=5)
    with pytest.raises(ScanError, match="still runs: wait for its end"):
        slow.cen(diode)
    slow.abort()
    assert isinstance(running.get(timeout=5), UserAbort)


class Broken(Exception):
    pass


@pytest.mark.parametrize(("error", "state"), [(Broken("cable"), "KILLED"), (UserAbort("enough"), "USER_ABORTED")])
def test_a_scan_that_ended_early_has_the_points_that_are_there(robx: Axis, error: BaseException, state: str) -> None:
    def read() -> float:
        if robx.position > 1.5:
            raise error
        return math.exp(-((robx.position - 0.3) ** 2) * 4)

    scan = ascan(robx, -3, 3, 60, 0, diode := counter_of(read), run=False)
    with pytest.raises(type(error)):
        scan.run()
    assert scan.state.name == state
    assert scan.peak(diode) == pytest.approx(0.3)
    assert scan.cen(diode) == pytest.approx(0.3, abs=0.01)


def test_a_scan_that_failed_before_the_first_point(robx: Axis) -> None:
    def read() -> float:
        raise Broken("cable")

    scan = ascan(robx, -3, 3, 60, 0, diode := counter_of(read), run=False)
    with pytest.raises(Broken):
        scan.run()
    with pytest.raises(ScanError, match="has no points of diode: it ended as KILLED before the first"):
        scan.cen(diode)


def test_an_aborted_move_goes_back() -> None:
    slow = make_axis("robz", velocity=2, acceleration=1000)
    slow.position = 0
    counts = iter(range(100))
    scan = ascan(slow, 0, 0.02, 2, 0, diode := counter_of(lambda: float(next(counts))))
    slow.move(0)
    going = gevent.spawn(scan.goto_custom, lambda x, y: 50.0, diode)
    wait_until_cooperative(lambda: slow.position > 0.05)
    going.kill(UserAbort("stop"), block=False)
    going.join(timeout=5)
    assert isinstance(going.exception, UserAbort)
    assert slow.position == pytest.approx(0, abs=1e-3)


def test_counters_of_spectra_have_no_position(robx: Axis) -> None:
    class Spectrum(SamplingCounter):
        shape = (3,)

    scan = ascan(robx, 0, 1, 4, 0, spectrum := Spectrum("mca", Values("mcas", lambda: [np.arange(3.0)])))
    with pytest.raises(ScanError, match="mca has points of shape"):
        scan.cen(spectrum)


def test_methods_are_those_of_every_scan() -> None:
    for name in "fwhm peak trough com cen find_position goto_peak goto_min goto_com goto_cen goto_custom".split():
        assert callable(getattr(Scan, name))


def test_a_spiral(robx: Axis, roby: Axis) -> None:
    def read() -> float:
        return math.exp(-((robx.position - 0.5) ** 2 + (roby.position + 1) ** 2) / 2)

    scan = aspiral(robx, 0, 8, roby, 0, 8, 0.25, 0, diode := counter_of(read))
    assert scan.peak(diode) == {robx: pytest.approx(0.5, abs=0.3), roby: pytest.approx(-1, abs=0.3)}
    assert scan.cen(diode) == {robx: pytest.approx(0.5, abs=0.2), roby: pytest.approx(-1, abs=0.2)}
