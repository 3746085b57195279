"""Scripts of the beamline and of users: what they may do, where their names go, what is said when they fail."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bliss_like import setup_globals
from bliss_like.data.tree import Tree
from bliss_like.errors import ProtectedName, ScriptError, SessionError
from bliss_like.session import Session

from .conftest import MakeSession


@pytest.fixture
def session(make_session: MakeSession, tree: Tree, tmp_path: Path) -> Session:
    """A session with robx, whose users' scripts are in the directory `mine`."""
    mine = tmp_path / "mine"
    mine.mkdir()
    session = make_session(f"config-objects: [robx, diode]\ndefault-userscript-dir: {mine}")
    assert session.setup(tree=tree), session.error_report
    return session


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def run(session: Session, text: str) -> Any:
    """Run a line as the prompt does."""
    return session.names.run(compile(text, "<prompt>", "eval"))


# -- scripts of the beamline -------------------------------------------------------------------------------------------


def test_load_script(session: Session, tmp_path: Path) -> None:
    path = tmp_path / "config" / "sessions" / "scripts" / "align.py"
    write(path, "def where(): return robx.name, made\nmade = __file__\n")
    assert run(session, "load_script('align')") is True
    assert run(session, "where()") == ("robx", str(path))
    write(path, "made = 'anew'")
    assert run(session, "load_script('align.py')") is True
    assert run(session, "where()") == ("robx", "anew")
    assert "__file__" not in session.env_dict


def test_scripts_beside_the_setup_file_and_of_included_sessions(
    make_session: MakeSession, tree: Tree, tmp_path: Path
) -> None:
    write(tmp_path / "else" / "setup.py", "load_script('one')\nload_script('two')\nload_script('three', 's')\n")
    write(tmp_path / "else" / "scripts" / "one.py", "one = 'else'")
    sessions = tmp_path / "config" / "sessions" / "scripts"
    for name in ("one", "two", "three"):
        write(sessions / f"{name}.py", f"{name} = 'sessions'")
    session = make_session(
        "include-sessions: [other]", objects=f"{{name: other, class: Session, setup-file: {tmp_path}/else/setup.py}}"
    )
    assert session.setup(tree=tree), session.error_report
    names = session.env_dict
    assert (names["one"], names["two"], names["three"]) == ("else", "sessions", "sessions")
    names["load_script"]("one")
    assert names["one"] == "sessions"


def test_a_script_that_fails_says_where(session: Session, tmp_path: Path) -> None:
    scripts = tmp_path / "config" / "sessions" / "scripts"
    write(scripts / "bad.py", "def fail():\n    return 1 / 0\n\nfail()\n")
    with pytest.raises(
        ScriptError, match=r"^config/sessions/scripts/bad.py:2: ZeroDivisionError: division by zero$"
    ) as raised:
        run(session, "load_script('bad')")
    assert isinstance(raised.value.__cause__, ZeroDivisionError)
    write(scripts / "bad.py", "a = 1\nb = (\n")
    with pytest.raises(ScriptError, match=r"^config/sessions/scripts/bad.py:2: SyntaxError: '\(' was never closed$"):
        run(session, "load_script('bad')")
    write(scripts / "bad.py", "a = 1\nrobx = 3\n")
    with pytest.raises(ScriptError, match=r"bad.py:2: ProtectedName: robx is protected and cannot be modified"):
        run(session, "load_script('bad')")


def test_a_script_that_exits_ends_and_not_the_session(session: Session, tmp_path: Path) -> None:
    script = tmp_path / "mine" / "leaves.py"
    write(script, "import sys\na = 1\nsys.exit()\na = 2\n")
    run(session, "user_script_run('leaves')")
    run(session, "user_script_load('leaves')")
    assert session.env_dict["user"].a == 1
    write(script, "import sys\nsys.exit('no sample')\n")
    with pytest.raises(ScriptError, match=r"mine/leaves.py:2: SystemExit: no sample$"):
        run(session, "user_script_run('leaves')")


def test_a_setup_file_that_exits(make_session: MakeSession, tree: Tree, tmp_path: Path) -> None:
    write(tmp_path / "config" / "sessions" / "setup.py", "import sys\nsys.exit('no beam')\n")
    session = make_session("config-objects: [robx]\nsetup-file: ./setup.py")
    assert not session.setup(tree=tree)
    assert "setup.py:2: SystemExit: no beam" in str(session.error_report)


def test_a_script_that_is_not_there(session: Session, tmp_path: Path) -> None:
    write(tmp_path / "config" / "sessions" / "scripts" / "align.py", "")
    with pytest.raises(
        ScriptError,
        match="^no script 'algin', did you mean 'align'?; looked in config/sessions/scripts$".replace("?;", r"\?;"),
    ):
        run(session, "load_script('algin')")
    with pytest.raises(ScriptError, match="expected the name of a script, came 5"):
        run(session, "load_script(5)")


def test_a_setup_file_goes_on_after_a_script_that_failed(make_session: MakeSession, tree: Tree, tmp_path: Path) -> None:
    write(tmp_path / "config" / "sessions" / "scripts" / "bad.py", "1 / 0")
    session = make_session(
        "setup-file: ./s_setup.py", setup="well = load_script('bad')\nuser_script_load('none')\nafter = 1"
    )
    assert session.setup(tree=tree) is False
    assert session.env_dict["well"] is False and session.env_dict["after"] == 1
    bad, none = map(str, session.errors)
    assert bad == "config/sessions/scripts/bad.py:1: ZeroDivisionError: division by zero"
    assert none.startswith("config/sessions/s_setup.py:2: no script 'none'; looked in ")


# -- scripts of users --------------------------------------------------------------------------------------------------


def test_user_names_stay_apart(session: Session, tmp_path: Path) -> None:
    write(
        tmp_path / "mine" / "scans.py",
        "from math import pi\ncount = 3\ndef whereabouts(): return robx.name, count\n_own = 4\n",
    )
    write(tmp_path / "mine" / "sub" / "more.py", "more = 1")
    run(session, "user_script_load('scans')")
    run(session, "user_script_load('sub/more')")
    assert run(session, "user.whereabouts()") == ("robx", 3)
    assert run(session, "repr(user)") == "<what user scripts have defined: pi, count, whereabouts, _own, more>"
    assert not {"count", "whereabouts", "more"} & set(session.env_dict)


def test_a_second_load_is_afresh(session: Session, tmp_path: Path) -> None:
    write(tmp_path / "mine" / "scans.py", "one = 1\ntwo = 2\n")
    write(tmp_path / "mine" / "other.py", "three = 3\n")
    for name in ("scans", "other"):
        run(session, f"user_script_load('{name}')")
    write(tmp_path / "mine" / "scans.py", "one = 'new'\n")
    run(session, "user_script_load('scans')")
    assert vars(session.env_dict["user"]) == {"one": "new", "three": 3}


def test_a_load_that_fails_leaves_what_was_there(session: Session, tmp_path: Path) -> None:
    write(tmp_path / "mine" / "scans.py", "one = 1\n")
    run(session, "user_script_load('scans')")
    write(tmp_path / "mine" / "scans.py", "one = 2\noops\n")
    with pytest.raises(ScriptError, match=r"^mine/scans.py:2: NameError: name 'oops' is not defined$"):
        run(session, "user_script_load('scans')")
    assert vars(session.env_dict["user"]) == {"one": 1}


def test_where_names_go(session: Session, tmp_path: Path) -> None:
    write(tmp_path / "mine" / "scans.py", "one = 1\n")
    apart = run(session, "user_script_load('scans', export_global=False)")
    assert apart.one == 1 and "user" not in session.env_dict
    run(session, "user_script_load('scans', export_global='ada')")
    assert run(session, "ada.one") == 1 and "user" not in session.env_dict
    run(session, "user_script_load('scans', True)")
    assert run(session, "one") == 1
    with pytest.raises(ProtectedName, match="robx is protected"):
        run(session, "user_script_load('scans', 'robx')")
    with pytest.raises(SessionError, match="export_global: expected a name, True or False, came 'a b'"):
        run(session, "user_script_load('scans', 'a b')")


def test_user_scripts_cannot_change_the_session(session: Session, tmp_path: Path) -> None:
    robx = session.env_dict["robx"]
    for text in ("robx = 3", "def f():\n  global robx\n  robx = 3\nf()"):
        write(tmp_path / "mine" / "scans.py", text)
        for export in ("True", "'user'"):
            with pytest.raises(ScriptError, match="robx is protected and cannot be modified"):
                run(session, f"user_script_load('scans', {export})")
    assert session.env_dict["robx"] is robx


def test_user_script_run(session: Session, tmp_path: Path) -> None:
    write(tmp_path / "mine" / "go.py", "seen.append(robx.name)\nnew = 1\n")
    session.env_dict["seen"] = []
    run(session, "user_script_run('go')")
    assert session.env_dict["seen"] == ["robx"] and "new" not in session.env_dict


def test_user_script_list(session: Session, tmp_path: Path) -> None:
    for name in ("b.py", "a.py", "sub/c.py", ".hidden/d.py", "e.txt"):
        write(tmp_path / "mine" / name, "")
    found = run(session, "user_script_list()")
    assert found == ["a", "b", "sub/c"] == run(session, "user_script_load()")
    assert found.__info__() == f"Scripts in {tmp_path}/mine\n  a\n  b\n  sub/c"


def test_the_home_of_user_scripts_is_kept(session: Session, tree: Tree, tmp_path: Path) -> None:
    home = tmp_path / "home of ada"
    assert run(session, "user_script_homedir()") == str(tmp_path / "mine")
    for wrong in (str(home), "mine"):
        with pytest.raises(SessionError, match=f"expected an absolute directory that exists, came '{wrong}'"):
            run(session, f"user_script_homedir({wrong!r})")
    home.mkdir()
    assert run(session, f"user_script_homedir({str(home)!r})") == str(home)
    session.close()
    session.setup(tree=tree)
    assert run(session, "user_script_homedir()") == str(home)
    assert run(session, "user_script_homedir(reset=True)") == str(tmp_path / "mine")


# -- setup_globals -----------------------------------------------------------------------------------------------------


def test_setup_globals(session: Session) -> None:
    from bliss_like.setup_globals import robx  # type: ignore[attr-defined]

    assert robx is session.env_dict["robx"]
    session.env_dict["mine"] = 1
    names: dict[str, Any] = {}
    exec("from bliss_like.setup_globals import *", names)
    assert names["mine"] == 1 and names["ascan"] is session.env_dict["ascan"]
    assert {"robx", "mine"} <= set(dir(setup_globals))
    with pytest.raises(SessionError, match=r"session 's' has no 'robbx', did you mean 'robx'\?"):
        from bliss_like.setup_globals import robbx  # type: ignore[attr-defined]  # noqa: F401


def test_setup_globals_without_a_session() -> None:
    with pytest.raises(SessionError, match="no session is active: start a shell with"):
        from bliss_like.setup_globals import roby  # type: ignore[attr-defined]  # noqa: F401
    assert not hasattr(setup_globals, "__path__")


def test_a_script_that_says_what_the_session_says_already(session: Session, tmp_path: Path) -> None:
    write(tmp_path / "mine" / "same.py", "from bliss_like.setup_globals import robx\nnumber = 3\nnothing = None\n")
    run(session, "user_script_load('same', export_global=True)")
    run(session, "user_script_load('same')")
    apart = run(session, "user_script_load('same', export_global=False)")
    assert (apart.number, apart.nothing) == (3, None)
    assert vars(session.env_dict["user"]) == vars(apart) == {"number": 3, "nothing": None}


def test_the_name_of_what_is_in_no_session(session: Session, tmp_path: Path) -> None:
    (tmp_path / "config" / "more.yml").write_text(
        "- {name: spare, class: SimulatedMotors, axes: [{name: spare_x}]}\n- {name: bad, class: SimulatedMotors}\n"
    )
    session.config.reload()
    told = (
        r"^name 'spare_x' is not defined: it is in config/more.yml:1:\d+, but not in this session: add it to "
        r"config-objects of s, then resetup\(\)$"
    )
    with pytest.raises(NameError, match=told):
        run(session, "spare_x")
    yaml = tmp_path / "config" / "sessions" / "s.yml"
    yaml.write_text("name: s\nclass: Session\nconfig-objects: [spare_x, bad]\n")
    session.resetup()
    assert run(session, "spare_x.name") == "spare_x"
    with pytest.raises(NameError, match="'bad' is not defined: it could not be made, ERROR_REPORT says why"):
        run(session, "bad")


def test_the_own_name_of_what_has_an_alias(session: Session, tmp_path: Path) -> None:
    session.aliases.add("table", session.env_dict["robx"])
    with pytest.raises(NameError, match=r"^name 'robx' is not defined: it is called table in this session$"):
        run(session, "robx.position")
    with pytest.raises(NameError, match=r"^name 'tabel' is not defined, did you mean 'table'\?$"):
        run(session, "tabel")
    with pytest.raises(NameError, match=r"^name 'rob' is not defined$"):
        run(session, "rob")
    write(tmp_path / "mine" / "old.py", "def where():\n    return robx.position\n\nwhere()")
    with pytest.raises(ScriptError, match=r"old.py:2: NameError: name 'robx' is not defined: it is called table"):
        run(session, "user_script_load('old')")
    session.aliases.remove("table")
    assert run(session, "robx.name") == "robx"


def test_names_that_are_ordinary_words_are_free(session: Session) -> None:
    assert callable(session.env_dict["peak"])
    session.names.run(compile("peak = 3", "<prompt>", "exec"))
    assert run(session, "peak") == 3
