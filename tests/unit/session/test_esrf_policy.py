"""Proposals, collections and datasets: their names, their directories, and what scans say of them."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping
from datetime import datetime, tzinfo
from pathlib import Path
from typing import Any

import pytest

from bliss_like.data.tree import Tree
from bliss_like.devices.metadata import HasMetadataForDataset
from bliss_like.errors import SavingError, SessionError, UsageError
from bliss_like.scanning.environment import environment
from bliss_like.session import Session, current_session, load_session
from bliss_like.session.hooks import DataPolicyHooks
from bliss_like.session.policies.esrf import EsrfSavingConfig
from bliss_like.session.saving import ScanSaving

from .conftest import MakeSession

NOW = datetime.now().astimezone()
TODAY, USUAL = f"{NOW:%Y%m%d}", f"id00{NOW:%y%m}"


class Today(datetime):
    """A day that does not end while the tests run."""

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> datetime:  # type: ignore[override]
        return NOW.astimezone(tz)


@pytest.fixture(autouse=True)
def _today(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bliss_like.session.policies.esrf.datetime", Today)


def esrf(root: Path, **keys: Any) -> EsrfSavingConfig:
    roots = {"visitor_data_root": "visitor", "inhouse_data_root": "{beamline}/inhouse", "tmp_data_root": "tmp"}
    written = {key: f"{root}/{below}" for key, below in roots.items()}
    return EsrfSavingConfig.model_validate({"policy": "esrf", "beamline": "id00", "writer": "nexus", **written, **keys})


@pytest.fixture
def saving(tmp_path: Path) -> ScanSaving:
    return ScanSaving("eh1", esrf(tmp_path))


def measure(saving: ScanSaving) -> None:
    saving.check()
    Path(saving.data_fullpath).touch()


def test_where_files_go(saving: ScanSaving, tmp_path: Path) -> None:
    inhouse = f"{tmp_path}/id00/inhouse/{USUAL}/id00/{TODAY}/RAW_DATA"
    assert saving.filename == f"{inhouse}/sample/sample_0001/sample_0001.h5"
    saving.newproposal("MA-1234")
    visitor = f"{tmp_path}/visitor/ma1234/id00/{TODAY}/RAW_DATA"
    assert saving.filename == f"{visitor}/sample/sample_0001/sample_0001.h5"
    assert (saving.proposal_name, saving.proposal_type, saving.base_path) == (
        "ma1234",
        "visitor",
        f"{tmp_path}/visitor",
    )
    saving.newcollection("ruby")
    saving.newdataset("fine")
    assert saving.filename == f"{visitor}/ruby/ruby_fine/ruby_fine.h5"
    assert saving.get_images_path(3, "cam") == f"{visitor}/ruby/ruby_fine/scan0003"
    assert saving.describe(3) == {
        "data_writer": "nexus",
        "data_policy": "esrf",
        "dataset": {
            "proposal": "ma1234",
            "collection": "ruby",
            "sample": "ruby",
            "dataset": "fine",
            "beamline": "id00",
            "path": f"{visitor}/ruby/ruby_fine",
        },
        "images_path": f"{visitor}/ruby/ruby_fine/scan0003",
        "filename": f"{visitor}/ruby/ruby_fine/ruby_fine.h5",
        "base_path": f"{tmp_path}/visitor",
        "master_files": [f"{visitor}/ruby/ma1234_ruby.h5", f"{visitor}/ma1234_id00.h5"],
        "writer_options": {},
    }
    saving.endproposal()
    assert saving.filename == f"{inhouse}/sample/sample_0001/sample_0001.h5"
    assert saving.container == ":".join(["eh1", *Path(inhouse).parts[1:], "sample", "sample_0001"])


@pytest.mark.parametrize(
    ("name", "kind"),
    [("hg111", "visitor"), ("id001234", "inhouse"), ("blc99", "inhouse"), ("IH-CH-12", "inhouse"), ("test7", "tmp")],
)
def test_kinds_of_proposals(saving: ScanSaving, tmp_path: Path, name: str, kind: str) -> None:
    saving.newproposal(name)
    assert saving.proposal_type == kind
    root = {"visitor": "visitor", "inhouse": "id00/inhouse", "tmp": "tmp"}[kind]
    assert saving.get_path().startswith(f"{tmp_path}/{root}/{saving.proposal_name}/id00/")


def test_datasets_are_numbered(saving: ScanSaving) -> None:
    names = []
    for _ in range(3):
        measure(saving)
        names.append(saving.dataset_name)
        saving.newdataset()
    saving.newdataset()  # nothing was measured in this one
    assert [*names, saving.dataset_name] == ["0001", "0002", "0003", "0004"]
    saving.newdataset(7)
    assert saving.dataset_name == "0007"
    assert not os.path.exists(saving.get_path().replace("0007", "0004"))  # it was empty
    measure(saving)
    saving.enddataset()
    assert saving.dataset_name == "0008"


def test_a_dataset_is_never_taken_twice(saving: ScanSaving, tmp_path: Path) -> None:
    saving.newdataset("fine")
    measure(saving)
    answer = saving.newdataset("fine")
    assert saving.dataset_name == "fine_0002"
    assert answer.startswith("dataset 'fine' is there already, this one is 'fine_0002'\n")
    measure(saving)
    saving.newdataset("0003")
    measure(saving)
    saving.newdataset(3)
    assert saving.dataset_name == "0004"
    other = ScanSaving("eh2", esrf(tmp_path))  # another session of the beamline, which begins
    other.check()
    assert other.dataset_name == "0005"
    other.newdataset(4)
    assert other.dataset_name == "0006" and saving.dataset_name == "0004"


def test_the_first_scan_makes_the_dataset(saving: ScanSaving, tmp_path: Path) -> None:
    assert list(tmp_path.iterdir()) == []
    os.makedirs(saving.get_path())  # of yesterday's process, whose server was emptied
    saving.check()
    assert saving.dataset_name == "0002"
    saving.check()
    assert saving.dataset_name == "0002"


def test_permissions_of_directories(tmp_path: Path) -> None:
    saving = ScanSaving("eh1", esrf(tmp_path, directory_mode="2750"))
    saving.newsample("ruby")
    made = [path for path in (tmp_path / "id00").rglob("*") if path.is_dir()]
    assert {oct(path.stat().st_mode & 0o7777) for path in made} == {"0o2750"}
    assert len(made) == 7


ODD_NAMES = {
    "LiFePO4 #3": "LiFePO4_3",
    "  a/b\\c ": "a_b_c",
    "Müller: 50 %": "Muller_50",
    "../../etc": "etc",
    "x\ny": "x_y",
    "a.b+c-d_e": "a.b+c-d_e",
    "n" * 300: "n" * 100,
}


@pytest.mark.parametrize("name", ODD_NAMES)
def test_odd_names_are_changed_and_told(saving: ScanSaving, name: str) -> None:
    for verb in (saving.newcollection, saving.newdataset):
        answer = verb(name)
        told = f"'{name}' is written '{ODD_NAMES[name]}' in paths\n"
        assert answer.startswith(told) or ODD_NAMES[name] == name
        assert "files go to /" in answer
    assert (saving.collection_name, saving.dataset_name) == (ODD_NAMES[name],) * 2


WRONG: dict[tuple[str, Any], str] = {
    ("newproposal", 12): "name: expected a text, got 12",
    ("newproposal", "--"): "name: expected a name with letters or digits, got '--': directories are called like it",
    ("newcollection", ".."): "name: expected a name with letters or digits, got '..': directories are called like it",
    ("newcollection", ""): "name: expected a name with letters or digits, got ''",
    ("newsample", ("a",)): "name: expected a text, got ('a',)",
    ("newdataset", -1): "name: expected a text or a number of a dataset, got -1",
    ("newdataset", True): "name: expected a text or a number of a dataset, got True",
    ("newdataset", 1.5): "name: expected a text or a number of a dataset, got 1.5",
    ("newdataset", "日本"): "name: expected a name with letters or digits, got '日本'",
}


@pytest.mark.parametrize(("verb", "name"), WRONG)
def test_wrong_names_change_nothing(saving: ScanSaving, tmp_path: Path, verb: str, name: Any) -> None:
    before = saving.get()
    with pytest.raises(UsageError) as raised:
        getattr(saving, verb)(name)
    assert str(raised.value).startswith(WRONG[verb, name])
    assert saving.get() == before and list(tmp_path.iterdir()) == []


def test_a_place_that_cannot_be_made_changes_nothing(saving: ScanSaving, tmp_path: Path) -> None:
    measure(saving)
    before = saving.get()
    (tmp_path / "visitor").touch()
    with pytest.raises(SavingError, match="cannot make .*/visitor/ma1234: "):
        saving.newproposal("ma1234")
    assert saving.get() == before


REFUSED: dict[tuple[str, Any], str] = {
    (
        "base_path",
        "/data",
    ): "SCAN_SAVING.base_path: the data policy 'esrf' of the session says it; change `scan_saving` in",
    ("template", "{session}"): "SCAN_SAVING.template: the data policy 'esrf' of the session says it",
    ("beamline", "id01"): "SCAN_SAVING.beamline: the data policy 'esrf' of the session says it",
    ("proposal_type", "tmp"): "SCAN_SAVING.proposal_type: the data policy 'esrf' of the session says it",
    ("visitor_data_root", "visitor"): "SCAN_SAVING.visitor_data_root: expected an absolute path, came 'visitor'",
}


@pytest.mark.parametrize(("name", "value"), REFUSED)
def test_what_the_policy_says_is_not_to_be_set(saving: ScanSaving, name: str, value: Any) -> None:
    with pytest.raises(SessionError) as raised:
        setattr(saving, name, value)
    assert str(raised.value).startswith(REFUSED[name, value])


def test_names_can_be_set_as_attributes(saving: ScanSaving) -> None:
    saving.proposal_name = "ma1234"
    saving.collection_name = "ruby"
    saving.dataset_name = "fine"
    saving.proposal_session_name = "20260101"
    assert "/ma1234/id00/20260101/RAW_DATA/sample/sample_0001" in saving.get_path()
    saving.run = 3
    saving.reset()
    assert saving.proposal_name == "ma1234" and not hasattr(saving, "run")
    with pytest.raises(SessionError, match="SCAN_SAVING.proposal_name is nothing that was set"):
        del saving.proposal_name


def test_info(saving: ScanSaving) -> None:
    saving.newproposal("ma1234")
    info = saving.__info__()
    assert "policy  esrf, proposal ma1234, collection sample, sample sample, dataset 0001, beamline id00\n" in info
    assert f"file    {saving.filename} (not there yet)\n" in info
    assert "_made" not in info and "_made" not in dir(saving)


# -- in a session --------------------------------------------------------------------------------------------------------


YAML = """
scan_saving: {{policy: esrf, beamline: id00, visitor_data_root: {0}/visitor, inhouse_data_root: {0}, tmp_data_root: {0}/tmp}}
config-objects: [diode, robx]
"""


@pytest.fixture
def session(make_session: MakeSession, tree: Tree, tmp_path: Path) -> Session:
    session = make_session(YAML.format(tmp_path / "data"))
    assert session.setup(tree=tree), session.error_report
    return session


def test_verbs(session: Session, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    names = session.env_dict
    saving = names["SCAN_SAVING"]
    names["newproposal"]("ma1234")
    names["newsample"]("LiFePO4 #3", description="cathode")
    names["newdataset"](4)
    assert capsys.readouterr().out.splitlines()[-2:] == [
        "proposal ma1234, collection LiFePO4_3, sample LiFePO4 #3, dataset 0004, beamline id00",
        f"files go to {saving.get_path()}",
    ]
    assert names["SAMPLE"].to_dict() == {"name": "LiFePO4 #3", "description": "cathode"}
    names["newcollection"]("ruby", sample_name="corundum")
    assert (saving.collection_name, names["SAMPLE"].name) == ("ruby", "corundum")
    names["enddataset"]()
    names["endproposal"]()
    assert saving.proposal_name == USUAL and names["SAMPLE"].to_dict() == {}
    with pytest.raises(UsageError, match=r"usage: newdataset\(name=None, description=None, sample_name=None\)"):
        names["newdataset"](1, 2, 3, 4)


def test_scans_are_numbered_in_each_dataset(session: Session) -> None:
    names = session.env_dict

    def count() -> tuple[str, int]:
        node = names["loopscan"](1, 0, names["diode"], save=True).node
        return node.parent.name, node.info["scan_nb"]

    names["newsample"]("ruby")
    found = [count(), count()]
    Path(session.scan_saving.data_fullpath).touch()
    names["newdataset"]()
    assert [*found, count()] == [("ruby_0001", 1), ("ruby_0001", 2), ("ruby_0002", 1)]


def test_it_is_kept(session: Session, tree: Tree) -> None:
    session.env_dict["newproposal"]("ma1234")
    session.env_dict["newdataset"]("fine")
    path = session.scan_saving.get_path()
    session.close()
    assert session.scan_saving.proposal_name == USUAL
    again = load_session("s")
    again.setup(tree=tree)
    again.scan_saving.check()
    assert again.scan_saving.get_path() == path


def test_hooks(session: Session, tmp_path: Path) -> None:
    notes: list[tuple[str, str]] = []

    class Noting(DataPolicyHooks):
        def before_proposal_change(self, proposal: str) -> None:
            notes.append(("before", proposal))

        def after_proposal_change(self, proposal: str) -> None:
            notes.append(("after", proposal))

        def before_dataset_close(self, dataset: str) -> None:
            notes.append(("close", Path(dataset).name))

        def after_dataset_close(self, dataset: str) -> None:
            notes.append(("closed", Path(dataset).name))

    session.hooks.data_policy.register(Noting())
    session.scan_saving.newproposal("ma1234")
    session.scan_saving.newdataset("fine")
    left = ("close", "sample_0001"), ("closed", "sample_0001")
    assert notes == [("before", USUAL), *left, ("after", "ma1234"), *left]


class Furnace(HasMetadataForDataset):
    def __init__(self, name: str, metadata: Mapping[str, Any]) -> None:
        self.name = name
        self._metadata = metadata

    def dataset_metadata(self) -> Mapping[str, Any]:
        return {"temperature": 1 / self._metadata["inverse"]}

    def dataset_metadata_groups(self) -> list[str]:
        return ["environment"]


def test_metadata_of_a_dataset(session: Session) -> None:
    devices = [Furnace("furnace", {"inverse": 0.25}), Furnace("cold", {"inverse": 0}), Furnace("off", {"inverse": 1})]
    devices[2].disable_dataset_metadata()
    environment.metadata_sources = lambda: devices
    saving = current_session.scan_saving
    saving.newsample("ruby", "a red one")
    saving.newdataset("fine", description="after heating")
    path = Path(saving.get_path())
    measure(saving)
    saving.enddataset()
    written = json.loads((path / "ruby_fine_metadata.json").read_text())
    times = [datetime.fromisoformat(written.pop(key)) for key in ("start_time", "end_time")]
    assert NOW.replace(microsecond=0) <= times[0] <= times[1]
    assert written == {
        "proposal": USUAL,
        "collection": "ruby",
        "sample": "ruby",
        "dataset": "fine",
        "beamline": "id00",
        "path": str(path),
        "description": "after heating",
        "session": "s",
        "user": "ada",
        "sample_metadata": {"name": "ruby", "description": "a red one"},
        "devices": {"furnace": {"temperature": 4.0, "groups": ["environment"]}},
        "missing": {"cold": "ZeroDivisionError: division by zero"},
    }


def test_metadata_that_cannot_be_written_hold_nothing_up(session: Session, caplog: pytest.LogCaptureFixture) -> None:
    saving = session.scan_saving
    measure(saving)
    directory = saving.get_path()

    class Cleaner(Furnace):
        def dataset_metadata(self) -> Mapping[str, Any]:
            shutil.rmtree(directory)
            return {}

    environment.metadata_sources = lambda: [Cleaner("cleaner", {})]
    saving.newsample("ruby")
    assert saving.collection_name == "ruby"
    (message,) = [record.getMessage() for record in caplog.records if record.levelname == "ERROR"]
    assert message.startswith(f"dataset {directory}: its metadata are not written: ")


@pytest.mark.parametrize(
    "verb", ["newproposal", "newcollection", "newsample", "newdataset", "endproposal", "enddataset"]
)
def test_without_a_policy(make_session: MakeSession, tree: Tree, verb: str) -> None:
    session = make_session()
    session.setup(tree=tree)
    with pytest.raises(SessionError) as raised:
        session.env_dict[verb]()
    assert str(raised.value) == (
        f"{verb}: session 's' has the data policy 'basic', which knows no {verb}; write `scan_saving: {{policy: "
        "esrf, beamline: ...}` into its YAML file and call resetup(), or say with SCAN_SAVING.template where files go"
    )


def test_the_policy_changes(session: Session, make_session: MakeSession, tmp_path: Path) -> None:
    session.scan_saving.newproposal("ma1234")
    make_session(f"scan_saving: {{base_path: {tmp_path}}}")
    session.resetup()
    assert session.scan_saving.get_path() == f"{tmp_path}/s"
    session.scan_saving.template = "{session}/x"
    make_session(YAML.format(tmp_path / "data"))
    session.resetup()
    assert session.scan_saving.proposal_name == "ma1234"
    assert session.env_dict["SCAN_SAVING"] is environment.scan_saving is session.scan_saving
