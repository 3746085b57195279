"""Files of a session with its own writer, on a real server: their numbers, their directories, and what is in the way."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import h5py
import pytest

from bliss_like.config import get_config
from bliss_like.data.server import EmbeddedServer
from bliss_like.errors import SavingError
from bliss_like.session import Session, load_session
from tests.conftest import _command

BASIC = "{base_path: HERE, writer: nexus}"
ESRF = "{policy: esrf, beamline: id00, writer: nexus, visitor_data_root: HERE, inhouse_data_root: HERE, tmp_data_root: HERE}"

Open = Callable[[str], Session]


@pytest.fixture
def opened(redis_server: EmbeddedServer, short_directory: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Open]:
    """A function that opens the session `eh1` with this `scan_saving`, once again each time."""
    monkeypatch.setenv("BLISS_LIKE_HOME", str(short_directory))
    monkeypatch.chdir(short_directory)
    sessions: list[Session] = []

    def close() -> None:
        while sessions:
            sessions.pop().close()
            get_config().close()

    def open_session(saving: str) -> Session:
        close()
        (short_directory / "config").mkdir(exist_ok=True)
        (short_directory / "config" / "eh1.yml").write_text(
            "- {name: box, class: SimulatedDiodes, counters: [{name: diode, value: 1}]}\n"
            "- name: eh1\n  class: Session\n  config-objects: [diode]\n"
            f"  scan_saving: {saving.replace('HERE', str(short_directory / 'data'))}\n"
        )
        session = load_session("eh1", get_config("config"))
        sessions.append(session)
        assert session.setup(), session.error_report
        return session

    yield open_session
    close()


def count(session: Session) -> int:
    scan = session.env_dict["loopscan"](1, 0, session.env_dict["diode"])
    return int(scan.scan_number)


def empty(server: EmbeddedServer) -> None:
    _command(server, "FLUSHALL")


def entries(file: str | None) -> list[str]:
    assert file is not None
    with h5py.File(file, "r", locking=False) as opened:
        return sorted(opened)


def test_an_emptied_server_does_not_begin_again(opened: Open, redis_server: EmbeddedServer) -> None:
    session = opened(BASIC)
    assert [count(session), count(session)] == [1, 2]
    session.close()
    empty(redis_server)
    session = opened(BASIC)
    assert count(session) == 3
    assert entries(session.scan_saving.filename) == ["1.1", "2.1", "3.1"]
    assert session.scan_saving.last_number_on_disk() == 3
    assert "(exists, last scan 3)" in session.scan_saving.__info__()


def test_datasets(opened: Open, redis_server: EmbeddedServer) -> None:
    session = opened(ESRF)
    saving = session.scan_saving
    saving.newproposal("ma1234")
    saving.newsample("ruby")
    assert [count(session), count(session)] == [1, 2]
    first = saving.filename
    saving.newdataset()
    assert count(session) == 1
    scan = session.scans[-1].scan_info
    assert scan["filename"] == saving.filename != first
    assert (scan["dataset"]["dataset"], scan["sample"]["name"]) == ("0002", "ruby")
    assert entries(first) == ["1.1", "2.1"] and entries(saving.filename) == ["1.1"]
    session.close()
    empty(redis_server)  # what is in the dataset is not known any more
    session = opened(ESRF)
    session.scan_saving.newproposal("ma1234", saving.proposal_session_name)
    session.scan_saving.newsample("ruby")
    assert count(session) == 1
    assert session.scans[-1].scan_info["dataset"]["dataset"] == "0003"
    assert session.scans[-1].path.split(":")[-2] == "ruby_0003"


def test_the_first_scan_of_a_session_goes_to_its_own_dataset(opened: Open) -> None:
    saving = opened(ESRF).scan_saving
    Path(saving.get_path()).mkdir(parents=True)
    session = opened(ESRF)
    assert count(session) == 1
    assert session.scans[-1].path.split(":")[-2] == "sample_0002"
    assert session.scans[-1].scan_info["filename"].endswith("/sample_0002/sample_0002.h5")


def test_a_scan_that_cannot_be_saved_is_not_begun(opened: Open) -> None:
    session = opened(BASIC)
    session.scan_saving.check()
    Path(session.scan_saving.data_fullpath).write_text("#S 1 ascan")
    with pytest.raises(
        SavingError, match="if it is a file of another program, move it away, or change SCAN_SAVING.data_f"
    ):
        count(session)
    session.scan_saving.data_filename = "other"
    assert count(session) == 1
    session.scan_saving.min_free_mb = 1e12
    with pytest.raises(SavingError, match="a scan needs"):
        count(session)
    session.scan_saving.writer = "null"
    assert count(session) == 2
    assert entries(session.scan_saving.data_fullpath) == ["1.1"]
