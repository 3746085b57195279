"""What is shown of the last scan at the prompt."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator

import pytest

from bliss_like import standard
from bliss_like.devices.counter import SamplingCounter
from bliss_like.devices.motor_controller import MotorController
from bliss_like.errors import ScanError, ScanUsageError, UsageError
from bliss_like.scans import amesh, ascan, loopscan
from bliss_like.standard import cen, fwhm, goto_cen, goto_custom, goto_peak, peak, plotselect, where
from tests.unit.scanning.making import Values

from .conftest import Known

OF_A_SCAN = "cen com peak trough fwhm goto_cen goto_com goto_peak goto_min where".split()
WITH_FUNCTION = ("find_position", "goto_custom")

Motors = Callable[..., MotorController]


@pytest.fixture(autouse=True)
def nothing_chosen() -> Iterator[None]:
    yield
    plotselect()


@pytest.fixture
def diode(known: Known, motors: Motors) -> SamplingCounter:
    motors(robx={"unit": "mm"}, roby={})
    robx = known["robx"]
    return SamplingCounter("diode", Values("diodes", lambda: [math.exp(-((robx.position - 0.25) ** 2) * 2)]))


def test_answers_say_where_they_come_from(
    known: Known, diode: SamplingCounter, capsys: pytest.CaptureFixture[str]
) -> None:
    ascan(known["robx"], -3, 3, 60, 0, diode)
    assert cen() == pytest.approx(0.25, abs=0.01)
    assert peak(diode) == pytest.approx(0.25)
    assert fwhm("diode", "robx") == pytest.approx(1.177, abs=0.02)
    assert capsys.readouterr().out == "diode, scan 1: ascan robx -3 3 60 0\n" * 3


def test_where(known: Known, diode: SamplingCounter, capsys: pytest.CaptureFixture[str]) -> None:
    robx = known["robx"]
    ascan(robx, -3, 3, 60, 0, diode)
    robx.move(1)
    where()
    lines = capsys.readouterr().out.splitlines()
    assert lines[:2] == ["diode, scan 1: ascan robx -3 3 60 0", "       robx[mm]"]
    shown = {line.split()[0]: float(line.split()[1]) for line in lines[2:]}
    assert list(shown) == ["start", "end", "peak", "cen", "com", "fwhm", "now"]
    assert (shown["start"], shown["end"], shown["now"]) == (-3, 3, 1)
    assert shown["cen"] == pytest.approx(0.25, abs=0.01)


def test_where_in_a_mesh_and_in_time(known: Known, diode: SamplingCounter, capsys: pytest.CaptureFixture[str]) -> None:
    robx, roby = known["robx"], known["roby"]
    loopscan(3, 0, diode)
    where()
    lines = capsys.readouterr().out.splitlines()
    assert "elapsed_time[s]" in lines[1]
    assert lines[4].split() == ["peak", "none"]
    assert not any(line.startswith("now") for line in lines)
    amesh(robx, -3, 3, 12, roby, 0, 1, 2, 0, diode)
    where()
    lines = capsys.readouterr().out.splitlines()
    assert lines[1].split() == ["robx[mm]", "roby"]
    assert all(len(line) < 80 for line in lines)


def test_moves_are_told(known: Known, diode: SamplingCounter, capsys: pytest.CaptureFixture[str]) -> None:
    robx = known["robx"]
    ascan(robx, -3, 3, 60, 0, diode)
    goto_cen()
    first, second = capsys.readouterr().out.splitlines()
    assert first == "the centre of diode, scan 1: ascan robx -3 3 60 0"
    assert re.fullmatch(r"robx from 3.0000 to 0.2\d\d\d mm", second)
    assert robx.position == pytest.approx(0.25, abs=0.01)
    goto_custom(lambda x, y: x[0])
    assert robx.position == -3


def test_nobody_goes_to_noise_unawares(
    known: Known, diode: SamplingCounter, capsys: pytest.CaptureFixture[str]
) -> None:
    robx, values = known["robx"], iter([5.1, 4.2, 5.9, 4.4, 6.2, 4.3, 5.0])
    noise = SamplingCounter("dark", Values("darks", lambda: [next(values)]))
    ascan(robx, 0, 6, 6, 0, noise)
    assert peak() == 4
    where()
    assert capsys.readouterr().out.count("may be noise: nothing stands out of it\n") == 2
    for go in (goto_peak, goto_cen, standard.goto_com, standard.goto_min):
        with pytest.raises(
            ScanError, match="dark cannot be told from the noise of its 7 points; nothing moved; .* robx = "
        ):
            go()
    assert robx.position == 6
    goto_peak(force=True)
    assert robx.position == 4
    goto_custom(lambda x, y: x[2])
    assert robx.position == 2


def test_what_is_wrong_is_told(known: Known, diode: SamplingCounter) -> None:
    with pytest.raises(ScanError, match="none of the last 0 scans"):
        goto_peak()
    with pytest.raises(UsageError, match=r"usage: goto_peak\(counter=None, axis=None, scan=None, \*, force=False\)"):
        goto_peak(diode, None, None, None)  # type: ignore[call-arg]
    ascan(known["robx"], 0, 1, 20, 0, SamplingCounter("flat", Values("flats", lambda: [1.0])))
    with pytest.raises(ScanError, match="nothing moved"):
        goto_cen()
    assert known["robx"].position == 1


@pytest.mark.parametrize("name", [*OF_A_SCAN, *WITH_FUNCTION])
def test_wrong_calls(known: Known, diode: SamplingCounter, name: str) -> None:
    ascan(known["robx"], 0, 1, 20, 0, diode)
    command = getattr(standard, name)
    func = (lambda x, y: x[0],) if name in WITH_FUNCTION else ()
    wrong: list[tuple[tuple[object, ...], dict[str, object], str]] = [
        ((*func, 3), {}, "expected a counter, an axis or a name, got 3; there are axis:robx"),
        ((*func, known["robx"]), {}, "expected a counter, got .*robx.*; an axis is named with axis="),
        ((*func, [diode]), {}, "expected a counter, an axis or a name, got .*diode"),
        ((*func, "dioed"), {}, "no channel 'dioed'; there are axis:robx, .*diodes:diode"),
        ((*func, diode, known["roby"]), {}, "none of the last 1 scans has roby"),
        ((*func, diode), {"scan": 1}, "scan: expected a scan, as in .*, got 1"),
        ((*func, diode), {"scan": known["robx"]}, "scan: expected a scan, .*; an axis is named with axis="),
        ((*func, diode), {"cuonter": 1}, rf"{name}: .*cuonter.*\nusage: {name}\("),
    ]
    if func:
        wrong += [
            ((3, diode), {}, "expected a function of positions and values, got 3"),
            ((diode,), {}, "expected a function of positions and values, got diode"),
            ((), {}, rf"{name}: missing .*'func'\nusage: {name}\(func, "),
        ]
    for args, keywords, told in wrong:
        with pytest.raises((ScanError, UsageError), match=told):
            command(*args, **keywords)
    assert known["robx"].position == 1


@pytest.mark.parametrize("name", ["plotselect", "plotinit", "meshselect"])
@pytest.mark.parametrize("wrong", [3, "", len, None, object()])
def test_what_cannot_be_plotted(name: str, wrong: object) -> None:
    with pytest.raises(ScanUsageError, match=f"{name}: argument 2: expected a counter, an axis or a name, got "):
        getattr(standard, name)("diode", wrong)


def test_all_of_them_are_at_the_prompt() -> None:
    names = "cen com peak trough fwhm find_position goto_cen goto_com goto_peak goto_min goto_custom where"
    assert {*names.split(), "plotselect", "plotinit", "meshselect"} <= set(standard.__all__)
