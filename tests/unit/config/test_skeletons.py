"""Files to begin with: valid at once, never over something that is there."""

from __future__ import annotations

from pathlib import Path

import pytest

from bliss_like.config import get_config
from bliss_like.config.check import check
from bliss_like.config.skeletons import begin
from bliss_like.config.survey import Survey, open_survey
from bliss_like.data.store import MemoryStore
from bliss_like.data.tree import Tree
from bliss_like.errors import ConfigError
from bliss_like.session import load_session


@pytest.fixture
def survey(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Survey:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "config").mkdir()
    return open_survey("config")


def again(survey: Survey) -> Survey:
    return open_survey(survey.root)


def test_all_kinds_are_valid_at_once(survey: Survey) -> None:
    for kind in ("axis", "counter", "session"):
        begin(kind, "", again(survey))
    begin("session", "eh1", again(survey))
    now = again(survey)
    assert check(now.tree, now.root) == []
    objects = ["my_axis_controller", "my_axis", "my_counter_controller", "my_counter"]
    for name in ("eh1", "my_session"):
        assert now.class_of(name).names_made(now.entries[name].node, now) == objects  # type: ignore[union-attr]


def test_of_many_objects_a_session_has_axes_and_counters(survey: Survey) -> None:
    root = survey.root
    (root / "a_groups.yml").write_text(
        "".join(f"- {{name: mg{n}, class: MeasurementGroup, counters: []}}\n" for n in range(9))
    )
    for number in range(5):
        begin("axis", f"m{number}", again(survey))
        begin("counter", f"c{number}", again(survey))
    begin("session", "eh1", again(survey))
    now = again(survey)
    assert now.entries["eh1"].node["config-objects"] == ["m0", "m1", "m2", "m3", "c0", "c1", "c2", "c3"]


def test_a_new_session_saves_where_all_do(survey: Survey) -> None:
    begin("session", "eh1", survey)
    assert "base_path" not in again(survey).entries["eh1"].node["scan_saving"]


def test_they_work(survey: Survey, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BLISS_LIKE_HOME", str(tmp_path / "home"))
    for kind, name in (("axis", "robx"), ("counter", "diode"), ("session", "eh1")):
        begin(kind, name, again(survey))
    config = get_config(survey.root)
    session = load_session("eh1", config)
    try:
        assert session.setup(tree=Tree(MemoryStore())), session.error_report
        names = session.env_dict
        names["robx"].move(0.001)
        assert names["robx"].position == pytest.approx(0.001)
        assert names["loopscan"](2, 0.001, names["diode"]).get_data("diode").shape == (2,)
        assert callable(names["hello"])
    finally:
        session.close()
        config.close()


def test_a_session_without_objects(survey: Survey) -> None:
    written = begin("session", "eh1", survey)
    assert [str(file.relative_to(survey.root)) for file in written.files] == [
        "sessions/eh1.yml",
        "sessions/eh1_setup.py",
    ]
    now = again(survey)
    assert check(now.tree, now.root) == []


@pytest.mark.parametrize("kind", ["session", "axis", "counter"])
def test_nothing_is_written_over(survey: Survey, kind: str) -> None:
    (file, *_) = begin(kind, "thing", survey).files
    before = file.read_bytes()
    for known in (survey, again(survey)):  # by the file, and by the name
        with pytest.raises(ConfigError, match="is there already|already taken"):
            begin(kind, "thing", known)
    assert file.read_bytes() == before


def test_a_setup_file_that_is_there_stays(survey: Survey) -> None:
    setup = survey.root / "sessions" / "eh1_setup.py"
    setup.parent.mkdir()
    setup.write_text("mine")
    with pytest.raises(ConfigError, match="eh1_setup.py is there already and stays as it is"):
        begin("session", "eh1", survey)
    assert setup.read_text() == "mine"
    assert not (survey.root / "sessions" / "eh1.yml").exists()


WRONG = {
    "2x": "name '2x': expected letters, digits and '_', no digit first, such as 'robx'",
    "class": "name 'class' is a word of Python; take another, such as 'class_'",
    "a/b": "name 'a/b': expected letters",
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_names(survey: Survey, name: str) -> None:
    with pytest.raises(ConfigError, match=WRONG[name]):
        begin("axis", name, survey)


def test_wrong_files(survey: Survey) -> None:
    with pytest.raises(ConfigError, match="end with .yml"):
        begin("axis", "robx", survey, Path("config/robx.yaml"))
    with pytest.raises(ConfigError, match="outside of the configuration"):
        begin("axis", "robx", survey, Path("robx.yml"))
    begin("axis", "robx", survey, Path("config/optics/robx.yml"))
    assert "robx" in again(survey).entries
