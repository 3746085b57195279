"""The page on what follows scans, run in the session that it speaks of."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from bliss_like.session import Session
from tests.docs.blocks import blocks_of

PAGE = "docs/live-results.md"


@pytest.fixture
def names(opened: Callable[[str], Session]) -> dict[str, Any]:
    session = opened("demo_session")
    for axis in session.objects.axes:
        axis.velocity, axis.acceleration = 1000, 10_000
    return session.env_dict


def block(first: str) -> str:
    return next(text for text in blocks_of(PAGE, "python") if first in text)


def test_statistics_and_fits(names: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> None:
    exec(block("LiveStats"), names)
    told = capsys.readouterr().out
    assert told.splitlines()[0].startswith("sim_ct_gauss  cen 0.000 mm  fwhm 2.36") and told.endswith("goes there\n")
    exec(block("LiveFit"), names)
    told = capsys.readouterr().out
    assert told.startswith("gaussian of sim_ct_gauss along robx, scan 2, 51 points\n  center ")
    assert len(names["y"]) == 200
    exec(block("def decay"), names)
    exec(block('weights="counting"'), names)


def test_tables_and_progress(names: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> None:
    exec(block("LiveTable"), names)
    title, *rest = capsys.readouterr().out.splitlines()
    assert title.startswith("Scan 1  ascan robx 0 1 3 0.01") and len(title) == 60
    assert "   #      dt[s]  robx[mm]       diode" in rest and rest[-1].startswith("Scan 1 done: 4 points in ")
    exec(block("LiveProgress"), names)
    assert "100 %  4/4  " in capsys.readouterr().out
    assert names["progress"].last.done == 4


def test_a_callback_of_ones_own(names: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> None:
    names["ascan"](names["robx"], -3, 3, 12, 0.001, names["sim_ct_gauss"])
    exec(block("BestEffort"), names)
    assert "goto_cen() goes there" in capsys.readouterr().out
    names["robx"].move(0)
    exec(block("class Alarm"), names)
    told = capsys.readouterr().out.splitlines()
    assert "scan 1: sim_ct_gauss is 1000 at point 6" in told
    assert told[0].startswith("scan 2: sim_ct_gauss is 1000 at point ")
