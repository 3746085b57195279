"""SAMPLE and USER: said at the prompt, kept with the session, written with every scan."""

from __future__ import annotations

import pytest

from bliss_like.data.tree import Tree
from bliss_like.errors import UsageError
from bliss_like.session import Session, load_session
from bliss_like.session.described import Described

from .conftest import MakeSession


@pytest.fixture
def session(make_session: MakeSession, tree: Tree) -> Session:
    session = make_session("config-objects: [diode, robx]")
    assert session.setup(tree=tree), session.error_report
    return session


def test_it_is_written_with_every_scan(session: Session) -> None:
    names = session.env_dict
    names["SAMPLE"]("lysozyme 3", description="hanging drop", temperature=100)
    names["USER"].name = "Anna Weber"
    info = names["loopscan"](1, 0, names["diode"]).node.info
    assert info["sample"] == {"name": "lysozyme 3", "description": "hanging drop", "temperature": 100}
    assert (info["user_name"], info["user"]) == ("Anna Weber", {"name": "Anna Weber"})


def test_what_a_scan_is_given_is_stronger(session: Session) -> None:
    names = session.env_dict
    names["SAMPLE"]("lysozyme", temperature=100)
    session.user_scan_meta.sample.set("humidity", {"humidity": 0.4, "temperature": 90})
    info = names["loopscan"](1, 0, names["diode"], scan_info={"sample": "buffer"}).node.info
    assert info["sample"] == {"name": "buffer", "temperature": 90, "humidity": 0.4}


def test_it_is_kept(session: Session, tree: Tree) -> None:
    session.sample("lysozyme")
    session.close()
    again = load_session("s")
    again.setup(tree=tree)
    assert again.env_dict["SAMPLE"].name == "lysozyme"


def test_saying_it(session: Session) -> None:
    sample = session.sample
    assert sample.name is None and "nothing is said" in sample.__info__()
    sample("gold", thickness=3)
    sample["thickness"] = 4
    sample.description = "foil"
    assert sample.to_dict() == {"name": "gold", "thickness": 4, "description": "foil"}
    assert "gold" in sample.__info__() and list(sample) == ["name", "thickness", "description"]
    sample.description = None
    del sample["thickness"]
    assert sample.to_dict() == {"name": "gold"}
    sample("silver")
    assert repr(sample) == "<SAMPLE: name='silver'>"
    sample.clear()
    assert sample.to_dict() == {}


def test_what_cannot_be_kept_is_refused_and_nothing_changes(session: Session) -> None:
    sample = session.sample
    sample("gold")
    with pytest.raises(UsageError, match=r"SAMPLE.name: expected a text, got 3"):
        sample.name = 3  # type: ignore[assignment]
    with pytest.raises(UsageError, match="SAMPLE: sample.handle: expected JSON types"):
        sample("silver", handle=object())
    with pytest.raises(
        UsageError, match=r"SAMPLE has no 'nmae', did you mean 'name'\?; SAMPLE\['nmae'\] = ... adds it"
    ):
        sample.nmae = "silver"  # type: ignore[attr-defined]
    with pytest.raises(UsageError, match="expected a name in the brackets, got 3"):
        sample[3] = 4  # type: ignore[index]
    with pytest.raises(AttributeError, match="SAMPLE has no 'temperature'"):
        _ = sample.temperature
    assert sample.to_dict() == {"name": "gold"}


def test_without_a_session_it_is_in_memory() -> None:
    user = Described("user", "nobody")
    user.name = "Anna"
    assert user.to_dict() == {"name": "Anna"}
