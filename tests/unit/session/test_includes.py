"""Sessions that include sessions: whose objects, in which order, and what cannot be."""

from __future__ import annotations

from pathlib import Path

import pytest

from bliss_like.data.tree import Tree
from bliss_like.session import Session

from .conftest import MakeSession


@pytest.fixture
def note(tmp_path: Path) -> None:
    """Setup files that note in which order they run."""
    directory = tmp_path / "config" / "sessions"
    directory.mkdir(parents=True)
    for name in ("a", "b", "c"):
        (directory / f"{name}.py").write_text(f"order = [*globals().get('order', []), '{name}']\nlast = __file__\n")


def nested(make_session: MakeSession, keys: str = "config-objects: [robx]\ninclude-sessions: [a, c]") -> Session:
    return make_session(
        f"setup-file: ./s_setup.py\n{keys}",
        setup="order = [*order, 's']",
        objects="""
        - {name: a, class: Session, config-objects: [diode, first_mg], include-sessions: [b], setup-file: sessions/a.py}
        - {name: b, class: Session, config-objects: [roby, diode2], exclude-objects: [mca], setup-file: sessions/b.py}
        - {name: c, class: Session, config-objects: [mca, robx, second_mg], setup-file: sessions/c.py}
        """,
    )


@pytest.mark.usefixtures("note")
def test_what_is_included_comes_first(make_session: MakeSession, tree: Tree) -> None:
    session = nested(make_session)
    assert session.setup(tree=tree), session.error_report
    assert session.object_names == ["roby", "diode2", "diode", "first_mg", "mca", "robx", "second_mg"]
    assert session.env_dict["order"] == ["b", "a", "c", "s"]
    assert session.active_measurement_group is session.env_dict["first_mg"]


@pytest.mark.usefixtures("note")
def test_the_own_measurement_group_is_active(make_session: MakeSession, tree: Tree) -> None:
    session = nested(make_session, "config-objects: [second_mg]\ninclude-sessions: [a]")
    assert session.setup(tree=tree), session.error_report
    assert session.active_measurement_group is session.env_dict["second_mg"]


@pytest.mark.usefixtures("note")
def test_a_session_excludes_what_it_includes(make_session: MakeSession, tree: Tree) -> None:
    session = nested(make_session, "config-objects: [robx]\nexclude-objects: [roby, '*_mg']\ninclude-sessions: [a, c]")
    assert session.setup(tree=tree), session.error_report
    assert session.object_names == ["diode2", "diode", "mca", "robx"]  # b excludes mca from what b has, no more


@pytest.mark.usefixtures("note")
def test_the_tree(make_session: MakeSession, tree: Tree) -> None:
    session = nested(make_session)
    drawn = "s\n├── a\n│   └── b\n└── c"
    assert str(session.sessions_tree) == drawn
    session.setup(tree=tree)
    assert session.sessions_tree.__info__() == drawn


WRONG = {
    "include-sessions: [s]": "4:20: Session 's': include-sessions: sessions that include each other: s -> s; take one of "
    "them out",
    "include-sessions: [a, robx]": "4:23: Session 's': include-sessions: 'robx' is no session but an axis: write "
    "it in config-objects",
    "include-sessions: [a, d]": "4:23: Session 's': include-sessions: no session 'd'; there are: a, b, c",
    "include-sessions: [a, b]": "4:23: Session 's': include-sessions: 'b' is included twice: s -> a -> b and s -> b; once "
    "is enough",
}


@pytest.mark.usefixtures("note")
@pytest.mark.parametrize("keys", WRONG)
def test_what_cannot_be_included(make_session: MakeSession, tree: Tree, keys: str) -> None:
    session = nested(make_session, keys)
    assert session.setup(tree=tree) is False
    told = [f"config/sessions/s.yml:{WRONG[keys]}"]
    assert [str(error) for error in session.errors if "include-sessions" in str(error)] == told
    assert [str(error) for error in session.config.check()] == told
    if "[a" in keys:
        assert session.env_dict["order"] == ["b", "a", "s"]


@pytest.mark.parametrize(
    "keys",
    ["config-objects: [robz, a]", "exclude-objects: ['q*', robx]", "setup-file: nowhere.py", "include-sessions: [b]"],
)
def test_the_check_says_what_the_setup_says(make_session: MakeSession, tree: Tree, keys: str) -> None:
    session = make_session(keys, objects="- {name: a, class: Session}")
    assert session.setup(tree=tree) is False
    assert list(map(str, session.errors)) == list(map(str, session.config.check())) != []


def test_sessions_in_a_circle(make_session: MakeSession, tree: Tree) -> None:
    session = make_session(
        "include-sessions: [a]",
        objects="""
        - {name: a, class: Session, config-objects: [diode], include-sessions: [b]}
        - {name: b, class: Session, config-objects: [robx], include-sessions: [a]}
        """,
    )
    assert session.setup(tree=tree) is False
    assert session.error_report == (
        "config/more.yml:3:72: Session 'b': include-sessions: sessions that include each other: s -> a -> b -> a; "
        "take one of them out"
    )
    assert session.object_names == ["robx", "diode"]


def test_an_included_session_with_a_wrong_key(make_session: MakeSession, tree: Tree) -> None:
    session = make_session(
        "config-objects: [robx]\ninclude-sessions: [a]", objects="{name: a, class: Session, setup_fil: x}"
    )
    assert session.setup(tree=tree) is False
    assert (
        session.error_report == "config/more.yml:1:27: Session 'a': unknown key 'setup_fil', did you mean 'setup-file'?"
    )
    assert session.object_names == ["robx"]


def test_aliases_of_included_sessions(make_session: MakeSession, tree: Tree) -> None:
    session = make_session(
        "config-objects: [robx]\naliases: [{original_name: robx, alias_name: theta}]\ninclude-sessions: [a]",
        objects="{name: a, class: Session, config-objects: [diode], aliases: [{original_name: diode, alias_name: i0}]}",
    )
    assert session.setup(tree=tree), session.error_report
    names = session.env_dict
    assert names["theta"].name == "robx" and names["i0"].name == "diode"
    assert "robx" not in names and "diode" not in names
