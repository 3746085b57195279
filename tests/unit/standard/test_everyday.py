"""What is typed without thinking of it."""

from __future__ import annotations

import re

import numpy as np
import pytest

from bliss_like.common import standard
from bliss_like.standard import everyday
from bliss_like.standard.everyday import bench, info

from .conftest import Known


def test_what_objects_say_of_themselves(known: Known) -> None:
    class Shutter:
        def __info__(self) -> str:
            return "open"

    known["safshut"] = Shutter()
    assert info(known["safshut"]) == info("safshut") == "open"
    assert info([1, 2]) == "[1, 2]" and info("nothing of that name") == "'nothing of that name'"
    assert info(3.5).__info__() == "3.5"
    assert info(Shutter) == repr(Shutter)


def test_how_long_something_takes(capsys: pytest.CaptureFixture[str]) -> None:
    with bench() as one:
        everyday.sleep(0.002)
    assert 0.002 <= one.seconds < 30
    assert re.fullmatch(r"Execution time: \d+\.\d{3} m?s\n", capsys.readouterr().out)
    with pytest.raises(ZeroDivisionError), bench("division"):
        _ = 1 / 0
    assert capsys.readouterr().out.startswith("division: ")


def test_functions_take_arrays_and_are_where_bliss_has_them() -> None:
    assert standard.sin(standard.pi / 2) == 1
    assert list(standard.sqrt(np.array([4.0, 9.0]))) == [2, 3]
    assert set(everyday.__all__) <= set(standard.__all__)
