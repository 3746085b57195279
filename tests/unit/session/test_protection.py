"""Names that the session gives: rebound by nobody, in whatever way it is tried."""

from __future__ import annotations

import time
from types import SimpleNamespace
from typing import Any

import pytest

from bliss_like import standard
from bliss_like.data.tree import Tree
from bliss_like.errors import ProtectedName
from bliss_like.scanning import scan_tools
from bliss_like.session.protection import Names

from .conftest import MakeSession


@pytest.fixture
def names() -> Names:
    names = Names({})
    names.give({"diode": "a counter", "ct": print})
    return names


def run(names: Names, text: str) -> Any:
    return names.run(compile(text, "<test>", "exec"))


REBINDING = [
    "diode = 3",
    "import os as diode",
    "from math import pi as diode",
    "def diode(): pass",
    "class diode: pass",
    "for diode in [1]: pass",
    "with open('/dev/null') as diode: pass",
    "(diode := 3)",
    "diode += '3'",
    "diode, other = 1, 2",
    "del diode",
    "globals()['diode'] = 3",
    "def change():\n  global diode\n  diode = 3\nchange()",
    "def change():\n  global diode\n  del diode\nchange()",
    "try:\n  1 / 0\nexcept ZeroDivisionError as diode:\n  pass",
]


@pytest.mark.parametrize("text", REBINDING)
def test_refused(names: Names, text: str) -> None:
    with pytest.raises(ProtectedName) as raised:
        run(names, text)
    assert isinstance(raised.value, RuntimeError)  # what scripts written for BLISS expect
    assert str(raised.value) == (
        "diode is protected and cannot be modified: it belongs to the session. Take another name, or allow it with "
        "current_session.unprotect('diode')"
    )
    assert names["diode"] == "a counter"


def test_what_a_function_rebinds_is_undone_even_if_it_fails(names: Names) -> None:
    with pytest.raises(ZeroDivisionError):
        run(names, "def change():\n  global diode\n  diode = 3\n  1 / 0\nchange()")
    assert names["diode"] == "a counter"


FREE = [
    "mine = 1\nmine = 2\ndel mine",
    "diode = diode",
    "from builtins import print as ct",
    "def function(diode): return diode\nfunction(3)",
    "class Thing:\n  diode = 3",
    "[diode for diode in range(3)]",
    "def count(): return [diode for _ in 'ab'], ct\nassert count() == (['a counter'] * 2, print)",
]


@pytest.mark.parametrize("text", FREE)
def test_allowed(names: Names, text: str) -> None:
    run(names, text)
    assert names["diode"] == "a counter"


def test_what_is_imported_under_its_name_from_elsewhere_in_the_package(names: Names) -> None:
    names.give({"goto_cen": standard.goto_cen})
    run(names, "from bliss_like.scanning.scan_tools import goto_cen")
    assert names["goto_cen"] is scan_tools.goto_cen
    for text in ("goto_cen = 3", "from bliss_like.scanning.scan_tools import com as goto_cen", "def goto_cen(): pass"):
        with pytest.raises(ProtectedName):
            run(names, text)
    assert names["goto_cen"] is scan_tools.goto_cen


def test_the_value_of_an_expression(names: Names) -> None:
    assert names.run(compile("diode.upper()", "<test>", "eval")) == "A COUNTER"


def test_functions_have_the_plain_dict_as_globals(names: Names) -> None:
    run(names, "def find(): return mine\nmine = 5")
    assert names["find"].__globals__ is names.namespace and type(names.namespace) is dict
    assert names["find"]() == 5


def test_unprotect_and_protect(names: Names) -> None:
    names.unprotect("diode")
    run(names, "diode = 'mine'")
    names.protect("diode")
    with pytest.raises(ProtectedName):
        run(names, "diode = 3")
    with pytest.raises(ProtectedName, match="mine is not protected: it can be changed"):
        names.unprotect("mine")
    with pytest.raises(ProtectedName, match="there is no mine to protect: give the name to something first"):
        names.protect("mine")
    names.take_all_back()
    assert names["diode"] == "mine" and "ct" not in names  # the user's value stays


def test_a_loop_at_the_prompt_is_not_slowed_down_much(names: Names) -> None:
    code = compile("x = 0\nfor i in range(20_000): x += i", "<test>", "exec")
    began = time.thread_time()
    names.run(code)
    assert time.thread_time() - began < 0.2  # 10 us a turn, 30 times what it takes


def test_in_setup_files(make_session: MakeSession, tree: Tree) -> None:
    session = make_session(
        "setup-file: ./s_setup.py\nconfig-objects: [diode]",
        setup="before = 1\ndiode = 3\nafter = 2",
    )
    assert session.setup(tree=tree) is False
    assert session.error_report.startswith("Traceback")
    (error,) = session.errors
    assert str(error) == (
        "config/sessions/s_setup.py:2: ProtectedName: diode is protected and cannot be modified: it belongs to the "
        "session. Take another name, or allow it with current_session.unprotect('diode')"
    )
    assert session.env_dict["diode"].name == "diode" and session.env_dict["before"] == 1


def test_a_session_gives_names_up_when_asked(make_session: MakeSession, tree: Tree) -> None:
    setup = "current_session.unprotect('diode')\ndiode = 3\nmine = 4\ncurrent_session.protect('mine')"
    session = make_session("setup-file: ./s_setup.py\nconfig-objects: [diode]", setup=setup)
    assert session.setup(tree=tree), session.error_report
    assert session.env_dict["diode"] == 3
    with pytest.raises(ProtectedName):
        session.names["mine"] = 5
    session.close()
    assert {"diode", "mine"} <= set(session.env_dict) and "ct" not in session.env_dict


def test_everyday_names_give_way(make_session: MakeSession, tree: Tree) -> None:
    session = make_session(
        "config-objects: [bench, diode]\nsetup-file: ./s_setup.py\naliases:\n- {original_name: diode, alias_name: log}\n",
        setup="def rand():\n    return 4\n",
        objects="{name: more, class: SimulatedMotors, axes: [{name: bench}]}",
    )
    assert session.setup(tree=tree), session.error_report
    names = session.env_dict
    assert names["bench"].position == 0 and names["log"].name == "diode" and names["rand"]() == 4
    names["SoftAxis"]("power", SimpleNamespace(position=3.0), position="position", move="position")
    assert names["power"].position == 3
    assert names["sqrt"](4) == 2 and session.names["info"](names["bench"])
    session.names["info"] = "mine"
    session.resetup(verbose=False)
    assert session.names["info"] == "mine" and names["bench"].position == 0
