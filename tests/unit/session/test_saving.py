"""Paths of files and the node below which scans appear."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bliss_like.config import get_config
from bliss_like.data import paths
from bliss_like.data.tree import Tree
from bliss_like.errors import SessionError
from bliss_like.scanning.environment import environment
from bliss_like.session import load_session
from bliss_like.session.saving import ScanSaving, ScanSavingConfig
from tests.places import data_of_test, scans_of

from .conftest import MakeSession


def saving(base_path: str = "/tmp/scans", template: str = "{session}/", session: str = "test_session") -> ScanSaving:
    config = ScanSavingConfig(base_path=base_path, template=template)
    return ScanSaving(session, config)


def test_by_default() -> None:
    scan_saving = saving()
    assert scan_saving.get_path() == "/tmp/scans/test_session"
    assert scan_saving.container == "test_session:tmp:scans"


@pytest.mark.parametrize(
    ("base_path", "template", "path", "container"),
    [
        ("/data", "{session}/raw", "/data/test_session/raw", "test_session:data:raw"),
        ("/data/test_session/", "", "/data/test_session", "test_session:data"),
        ("/", "/", "/", "test_session"),
        ("/data/my beam", "a:{session}x", "/data/my beam/a:test_sessionx", "test_session:data:my_beam:a_test_sessionx"),
        ("/data/../mnt", ".", "/mnt", "test_session:mnt"),
    ],
)
def test_paths_and_nodes(base_path: str, template: str, path: str, container: str) -> None:
    scan_saving = saving(base_path, template)
    assert (scan_saving.get_path(), scan_saving.container) == (path, container)


def test_attributes_of_ones_own() -> None:
    scan_saving = saving(session="s")
    scan_saving.sample = "ruby"
    scan_saving.run = 7
    scan_saving.template = "{session}/{sample}_{run:03d}"
    assert scan_saving.sample == "ruby"
    assert scan_saving.get_path() == "/tmp/scans/s/ruby_007"
    scan_saving.sample = "quartz"
    assert scan_saving.container == "s:tmp:scans:quartz_007"
    assert "sample" in dir(scan_saving)


def test_a_misspelt_name_is_no_new_attribute() -> None:
    scan_saving = saving()
    with pytest.raises(SessionError, match=r"no 'bas_path', did you mean 'base_path'\? If not: SCAN_SAVING.add\('bas_"):
        scan_saving.bas_path = "/data"
    assert scan_saving.get_path() == "/tmp/scans/test_session"
    scan_saving.add("sessions", 3)
    scan_saving.sessions = 4
    scan_saving.add("sample")
    scan_saving.samples = 12
    assert (scan_saving.sessions, scan_saving.sample, scan_saving.samples) == (4, None, 12)
    for name in ("a b", "_a", 3, "add"):
        with pytest.raises(SessionError, match=r"SCAN_SAVING\.add"):
            scan_saving.add(name)  # type: ignore[arg-type]
    with pytest.raises(SessionError, match="cannot be changed"):
        scan_saving.add("user", "ada")


def test_what_is_changed_can_be_taken_back() -> None:
    scan_saving = saving()
    scan_saving.sample = "ruby"
    scan_saving.template = "{sample}"
    with pytest.raises(SessionError, match=r"nothing is known of 'sample'"):
        del scan_saving.sample
    with pytest.raises(SessionError, match=r"SCAN_SAVING.smple is nothing that was set, did you mean 'sample'\?"):
        del scan_saving.smple
    del scan_saving.template
    assert scan_saving.get_path() == "/tmp/scans/test_session"
    del scan_saving.sample
    assert not hasattr(scan_saving, "sample")
    scan_saving.base_path = Path("/data")
    assert scan_saving.base_path == "/data"
    scan_saving.reset()
    assert scan_saving.get_path() == "/tmp/scans/test_session"


def test_info_says_what_comes_from_where(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOGNAME", "ada")
    scan_saving = ScanSaving("s", ScanSavingConfig(base_path="/data"))
    scan_saving.base_path = str(tmp_path)
    scan_saving.sample = "ruby"
    scan_saving.week = lambda saving: 47
    table, _, below = scan_saving.__info__().partition("\n\n")
    rows = [line.split(maxsplit=2) for line in table.splitlines()]
    assert ["base_path", f"'{tmp_path}'"] in rows and ["changed, configuration:", "'/data'"] in [
        line.strip().rsplit(" ", 1) for line in table.splitlines()
    ]
    assert max(map(len, table.splitlines())) < 110  # also with long values
    assert ["template", "'{session}/'", "default"] in rows
    assert ["sample", "'ruby'", "added"] in rows
    assert ["user", "'ada'", "cannot be changed"] in rows
    assert "week" in table and "a function, not kept" in table
    told = dict(line.split(maxsplit=1) for line in below.splitlines())
    assert told == {
        "policy": "basic",
        "scans": f"below {scan_saving.container}",
        "files": f"in {tmp_path}/s",
        "writer": "null: nothing is saved but images, by their cameras",
    }


# -- in a session ------------------------------------------------------------------------------------------------------


def test_what_was_changed_is_there_again(make_session: MakeSession, tree: Tree) -> None:
    session = make_session()
    session.setup(tree=tree)
    names = session.env_dict
    names["SCAN_SAVING"].sample = "0001"
    names["SCAN_SAVING"].template = "{session}/{sample}"
    session.close()
    assert session.scan_saving.get_path() == f"{data_of_test()}/s"
    get_config().close()
    session = make_session("scan_saving: {base_path: /data}")
    session.setup(tree=tree)
    assert session.scan_saving.get_path() == "/data/s/0001"
    assert environment.container() == "s:data:0001"
    session.scan_saving.reset()
    assert environment.container() == "s:data"


def test_what_was_changed_before_the_setup_holds(make_session: MakeSession, tree: Tree) -> None:
    session = make_session()
    session.scan_saving.base_path = "/data"
    session.setup(tree=tree)
    assert environment.container() == "s:data"
    session.scan_saving.sample = "ruby"
    assert (session.scan_saving.base_path, session.scan_saving.sample) == ("/data", "ruby")


def test_each_session_has_its_own(make_session: MakeSession, tree: Tree) -> None:
    session = make_session(objects="{name: other, class: Session}")
    session.setup(tree=tree)
    session.scan_saving.base_path = "/data"
    assert load_session("other").scan_saving.get_path() == f"{data_of_test()}/other"


def test_what_cannot_be_kept_is_refused(make_session: MakeSession, tree: Tree) -> None:
    session = make_session()
    session.setup(tree=tree)
    with pytest.raises(SessionError, match=r"^SCAN_SAVING.sample cannot be kept: "):
        session.scan_saving.sample = object()
    assert not hasattr(session.scan_saving, "sample")


WRONG = {
    (
        "template",
        "{sampel}",
    ): "SCAN_SAVING.template: nothing is known of 'sampel' in '{sampel}', did you mean 'sample'?",
    (
        "template",
        "{xyz}",
    ): "SCAN_SAVING.template: nothing is known of 'xyz' in '{xyz}' (known: session, user, date, "
    "policy, writer, writer_options, template, data_filename, images_path_template, images_prefix, date_format, "
    "scan_number_format, directory_mode, min_free_mb, warn_free_mb, base_path, sample); set SCAN_SAVING.xyz first",
    ("template", "{session"): "SCAN_SAVING.template: expected '}' before end of string in '{session'",
    ("template", "../../etc"): "SCAN_SAVING.template: '../../etc' leads out of /tmp/scans: /etc",
    ("base_path", "scans"): "SCAN_SAVING.base_path: expected an absolute path, came 'scans'",
    ("session", "other"): "SCAN_SAVING.session is 'test_session' and cannot be changed",
    ("container", "x"): "SCAN_SAVING.container is not to be set; base_path and template make it",
    ("template", "{}"): "SCAN_SAVING.template: write a name in the braces of '{}', as in {session}",
    ("template", "{sample.x}"): "SCAN_SAVING.template: 'str' object has no attribute 'x' in '{sample.x}'",
    (
        "template",
        "{sample:d}",
    ): "SCAN_SAVING.template: Unknown format code 'd' for object of type 'str' in '{sample:d}'",
}


@pytest.mark.parametrize(("name", "value"), WRONG)
def test_wrong_values_change_nothing(name: str, value: str) -> None:
    scan_saving = saving()
    scan_saving.sample = "ruby"
    with pytest.raises(SessionError) as raised:
        setattr(scan_saving, name, value)
    assert str(raised.value) == WRONG[name, value]
    assert scan_saving.get_path() == "/tmp/scans/test_session"


def test_an_attribute_that_is_not_there() -> None:
    with pytest.raises(AttributeError, match="SCAN_SAVING has no 'base_paht', did you mean 'base_path'?"):
        _ = saving().base_paht


@given(st.text(min_size=1), st.text(st.characters(exclude_characters="{}")))
@example("\x1b", "")
def test_every_path_makes_a_node(base: str, template: str) -> None:
    try:
        scan_saving = saving("/" + base, template)
    except SessionError:
        return
    first, *others = scan_saving.container.split(":")
    assert first == "test_session"
    assert all(paths.check_name(part) for part in others)


def test_where_images_go() -> None:
    scan_saving = saving()
    assert scan_saving.get_images_path(12, "cam") == f"{scan_saving.get_path()}/scan0012"
    assert scan_saving.get_images_prefix(7, "cam") == "cam_"
    scan_saving.sample = "ruby"
    scan_saving.images_path_template = "{sample}/{img_acq_device}/{scan_number}"
    scan_saving.images_prefix = "{sample}_"
    assert scan_saving.get_images_path(12, "cam") == f"{scan_saving.get_path()}/ruby/cam/0012"
    assert scan_saving.get_images_prefix(7, "cam") == "ruby_"


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("images_path_template", "{xyz}", "nothing is known of 'xyz'"),
        ("images_path_template", "../{scan_number}", "leads out of"),
        ("images_prefix", "a/b", "expected no '/', came 'a/b'"),
        ("images_prefix", "{", "images_prefix"),
    ],
)
def test_wrong_places_for_images_are_refused(name: str, value: str, message: str) -> None:
    scan_saving = saving()
    with pytest.raises(SessionError, match=message):
        setattr(scan_saving, name, value)
    assert scan_saving.get_images_path(1, "cam").endswith("/scan0001")


SETUP = """
SCAN_SAVING.run = 12
SCAN_SAVING.shift = lambda saving: "night" if saving.run > 9 else "day"
SCAN_SAVING.data_filename = "{shift}"
SCAN_SAVING.week = lambda saving: "w47"
SCAN_SAVING.template = "{session}/{shift}/{week}"
"""


def test_functions_of_a_setup_file(make_session: MakeSession, tree: Tree) -> None:
    for keys in ("", "", "scan_saving: {base_path: /data}"):  # templates are kept, functions come again with the file
        session = make_session(f"setup-file: ./s_setup.py\n{keys}", setup=SETUP)
        assert session.setup(tree=tree), session.error_report
        assert environment.container().endswith(":night:w47")
        session.close()
        get_config().close()
    session = make_session("scan_saving: {base_path: /data}\nconfig-objects: [diode]")
    assert session.setup(tree=tree), session.error_report
    with pytest.raises(SessionError, match="SCAN_SAVING.template: nothing is known of 'shift'"):
        session.env_dict["loopscan"](1, 0, session.env_dict["diode"])
    session.scan_saving.comment = "this is well"
    for name in ("template", "data_filename"):
        with pytest.raises(SessionError, match="nothing is known of 'nothing'"):
            setattr(session.scan_saving, name, "{nothing}")
    assert "trouble  SCAN_SAVING.template: nothing is known of 'shift'" in session.scan_saving.__info__()
    session.scan_saving.reset()
    assert environment.container() == "s:data"
    make_session("setup-file: ./s_setup.py", setup=SETUP)
    assert session.resetup(), session.error_report
    assert environment.container() == f"{scans_of('s')}:night:w47"
    make_session("setup-file: ./s_setup.py\nscan_saving: {base_path: /data}", setup=SETUP)
    assert session.resetup(), session.error_report
    assert environment.container() == "s:data:night:w47"
