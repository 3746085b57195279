"""Paths of files and the node below which scans appear."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bliss_like.data import paths
from bliss_like.errors import SessionError
from bliss_like.session.saving import ScanSaving, ScanSavingConfig


def saving(base_path: str = "/tmp/scans", template: str = "{session}/", session: str = "test_session") -> ScanSaving:
    config = ScanSavingConfig(base_path=base_path, template=template)
    return ScanSaving(session, config, on_change=lambda: None)


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
    changes: list[str] = []
    scan_saving = ScanSaving("s", ScanSavingConfig(), on_change=lambda: changes.append(scan_saving.container))
    scan_saving.sample = "ruby"
    scan_saving.run = 7
    scan_saving.template = "{session}/{sample}_{run:03d}"
    assert scan_saving.sample == "ruby"
    assert scan_saving.get_path() == "/tmp/scans/s/ruby_007"
    scan_saving.sample = "quartz"
    assert changes[-2:] == ["s:tmp:scans:ruby_007", "s:tmp:scans:quartz_007"]
    assert "sample" in dir(scan_saving)
    assert "sample = 'quartz'" in scan_saving.__info__()


WRONG = {
    ("template", "{sampel}"): "SCAN_SAVING.template '{sampel}': nothing is known of 'sampel', did you mean 'sample'?; "
    "set SCAN_SAVING.sampel first (known: session, user, base_path, template, sample)",
    ("template", "{session"): "SCAN_SAVING.template '{session': expected '}' before end of string",
    ("template", "../../etc"): "SCAN_SAVING.template '../../etc' leads out of /tmp/scans: /etc",
    ("base_path", "scans"): "SCAN_SAVING.base_path: expected an absolute path, came 'scans'",
    ("session", "other"): "SCAN_SAVING.session is 'test_session' and cannot be changed",
    ("container", "x"): "SCAN_SAVING.container is not to be set; base_path and template make it",
    ("template", "{}"): "SCAN_SAVING.template '{}': write a name in the braces, as in {session}",
    ("template", "{sample.x}"): "SCAN_SAVING.template '{sample.x}': 'str' object has no attribute 'x'",
    ("template", "{sample:d}"): "SCAN_SAVING.template '{sample:d}': Unknown format code 'd' for object of type 'str'",
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
def test_every_path_makes_a_node(base: str, template: str) -> None:
    try:
        scan_saving = saving("/" + base, template)
    except SessionError:
        return
    first, *others = scan_saving.container.split(":")
    assert first == "test_session"
    assert all(paths.check_name(part) for part in others)
