"""The bottom line: what it tells of a session, and what of it in how many columns."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import gevent
import pytest
from gevent.event import Event
from hypothesis import given
from hypothesis import strategies as st

from bliss_like.common.user_status_info import remove_user_status_message, set_user_status_message, status_message
from bliss_like.data.tree import Tree
from bliss_like.live.look import ASCII, Look, Role, cells
from bliss_like.session import Session
from bliss_like.shell import status
from bliss_like.shell.status import Status, StatusWatch, Value
from bliss_like.shell.toolbar import Item, Modes, Toolbar, laid_out, passing, stable
from tests.unit.session.conftest import MakeSession
from tests.waiting import wait_until_cooperative

FULL = Status(
    values=[Value("srcur", "199.8 mA"), Value("fe", "OPEN", is_stale=True)],
    group="demo_mg",
    path="/data/visitor/ma1234/id00/20260101/RAW_DATA/ruby/ruby_0001/ruby_0001.h5",
    messages=["sample 3 of 7"],
    scans=["12 ascan"],
    moving=["robx 1.2345", "roby -0.5000"],
    disk="disk: 3.2 GB left",
    troubles=["writer: disk full"],
)


def told(status: Status, width: int, modes: Modes | None = Modes(), look: Look | None = None) -> str:  # noqa: B008
    return laid_out(stable(status), passing(status, modes), width, look or Look())


def test_all_of_it_where_there_is_room() -> None:
    line = told(FULL, 250)
    assert len(line) == 250
    left, right = line.split("  " * 5, 1)
    assert left == f" srcur 199.8 mA · fe OPEN? · demo_mg · {FULL.path}"
    assert right.strip() == (
        "sample 3 of 7 · running: 12 ascan · moving robx 1.2345  roby -0.5000 · disk: 3.2 GB left · writer: disk full"
    )


def test_the_least_important_goes_first() -> None:
    lines = [told(FULL, width) for width in (140, 100, 60, 40, 20, 12)]
    assert [" ".join(line.split()) for line in lines] == [
        "srcur 199.8 mA · fe OPEN? sample 3 of 7 · running: 12 ascan · moving robx 1.2345 roby -0.5000 · disk: 3.2 GB left · writer: disk full",
        "running: 12 ascan · moving robx 1.2345 roby -0.5000 · disk: 3.2 GB left · writer: disk full",
        "disk: 3.2 GB left · writer: disk full",
        "disk: 3.2 GB left · writer: disk full",
        "writer: disk full",
        "writer: d…",
    ]
    assert told(Status(), 80) == ""


def test_of_a_long_message_the_beginning_stays() -> None:
    status = Status(
        values=[Value("srcur", "199.8 mA")], messages=["aligning the sample, which takes a while: " + "x" * 200]
    )
    assert told(status, 60) == " srcur 199.8 mA   aligning the sample, which takes a while… "
    assert told(status, 30) == " srcur 199.8 mA" + " " * 15


def test_in_60_columns_a_path_is_shortened_from_its_beginning() -> None:
    line = told(Status(group="demo_mg", path=FULL.path), 60)
    assert line.rstrip() == " demo_mg · …/20260101/RAW_DATA/ruby/ruby_0001/ruby_0001.h5"
    assert told(Status(group="demo_mg", path=FULL.path), 40).strip() == "demo_mg · …/ruby_0001/ruby_0001.h5"


def test_while_a_command_runs_nothing_is_told_of_the_prompt_and_of_its_scan() -> None:
    modes = Modes(helps_typing=False, pastes=True, vi_mode="insert")
    at_the_prompt = told(FULL, 250, modes)
    assert all(
        text in at_the_prompt
        for text in ("typing helper off (F7)", "paste mode (F6)", "vi insert", "running: 12 ascan")
    )
    during = told(FULL, 250, None)
    assert not any(text in during for text in ("helper", "paste", "vi ", "running"))


def test_without_utf_8() -> None:
    line = told(FULL, 110, look=Look(ASCII))
    assert line.isascii()


ITEMS = st.lists(
    st.builds(
        Item,
        text=st.text(st.characters(exclude_categories=("C",)), min_size=1, max_size=60),
        weight=st.integers(0, 100),
        role=st.sampled_from([None, *Role]),
        is_path=st.booleans(),
    ),
    max_size=5,
)


@given(ITEMS, ITEMS, st.integers(0, 120))
def test_it_always_fits(left: list[Item], right: list[Item], width: int) -> None:
    assert cells(laid_out(left, right, width, Look())) <= width


# -- what is gathered ------------------------------------------------------------------------------------------------


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    for period in ("REDRAW", "LOOK", "READ", "DISK"):
        monkeypatch.setattr(status, period, 0.005)


@pytest.fixture
def session(make_session: MakeSession, tree: Tree) -> Iterator[Session]:
    made = make_session(
        "setup-file: ./s_setup.py\nconfig-objects: ['*']\ntoolbar: [diode, robx, slow.value, broken.value, nowhere.value]",
        setup=SETUP,
    )
    made.setup(tree=tree)
    yield made
    made.close()


SETUP = """
import gevent

class Slow:
    @property
    def value(self):
        gevent.sleep(100)

class Broken:
    @property
    def value(self):
        raise RuntimeError("no beam")

slow, broken = Slow(), Broken()
"""


@pytest.fixture
def changes(session: Session) -> Iterator[tuple[StatusWatch, list[str]]]:
    watch, lines = StatusWatch(session), []
    toolbar = Toolbar(watch)
    with toolbar.kept_up_to_date(lambda: lines.append(toolbar.line(200))):
        yield watch, lines


def test_a_session_tells_its_group_and_its_file(session: Session, changes: tuple[StatusWatch, list[str]]) -> None:
    watch, lines = changes
    wait_until_cooperative(lambda: lines and "first_mg · not saved" in lines[-1])
    session.scan_saving.writer = "nexus"
    wait_until_cooperative(lambda: lines[-1].split("  ")[0].endswith("/data.h5"))


def test_values_are_read_and_marked_when_they_are_old(
    changes: tuple[StatusWatch, list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    watch, lines = changes
    wait_until_cooperative(lambda: lines and "diode 5 · robx 0.0000 ·" in lines[-1])
    assert "slow.value --? · broken.value --? · nowhere.value --?" in lines[-1]
    asked = watch._readings["slow.value"]._task
    monkeypatch.setattr(status, "STALE", -1)
    wait_until_cooperative(lambda: "diode 5? · robx 0.0000?" in lines[-1])
    assert watch._readings["slow.value"]._task is asked  # not asked again before it has answered


def test_axes_on_their_way(session: Session, changes: tuple[StatusWatch, list[str]]) -> None:
    watch, lines = changes
    wait_until_cooperative(lambda: lines and "first_mg" in lines[-1])
    robx: Any = session.env_dict["robx"]
    robx.velocity = 1
    robx.move(1000, wait=False)
    wait_until_cooperative(lambda: any(re.search(r"moving robx \d", line) for line in lines))
    robx.stop()
    assert "moving" not in Toolbar(watch).line(200)  # a prompt that comes now shows how things are now
    wait_until_cooperative(lambda: "moving" not in lines[-1])


def test_a_scan_in_the_background(session: Session, changes: tuple[StatusWatch, list[str]]) -> None:
    _, lines = changes
    names = session.env_dict
    scan = names["timescan"](0.01, names["diode2"], run=False)
    toolbar = Toolbar(changes[0])
    running = gevent.spawn(scan.run)
    wait_until_cooperative(lambda: f"running: {scan.scan_number} timescan" in toolbar.line(200, modes=Modes()))
    scan.stop()
    running.join()
    wait_until_cooperative(lambda: "running" not in toolbar.line(200, modes=Modes()))


def test_messages_of_macros(changes: tuple[StatusWatch, list[str]]) -> None:
    _, lines = changes
    set_user_status_message("sample", "  ruby\n3 ")
    wait_until_cooperative(lambda: lines and "ruby 3" in lines[-1])
    with status_message() as tell:
        tell("aligning")
        wait_until_cooperative(lambda: "ruby 3 · aligning" in lines[-1])
    remove_user_status_message("sample")
    remove_user_status_message("sample")
    wait_until_cooperative(lambda: "ruby" not in lines[-1] and "aligning" not in lines[-1])


def test_a_data_server_that_hangs_is_told(
    changes: tuple[StatusWatch, list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    _, lines = changes
    answers = Event()
    monkeypatch.setattr(status, "_SILENCE", 0.01)
    monkeypatch.setattr(status, "living_writer", lambda *_: answers.wait())
    try:
        wait_until_cooperative(lambda: lines and lines[-1].rstrip().endswith("the data server does not answer"))
    finally:
        monkeypatch.undo()
        answers.set()
    wait_until_cooperative(lambda: "does not answer" not in lines[-1])


def test_that_it_hangs_is_told_once_above_the_prompt_and_that_it_is_back(
    changes: tuple[StatusWatch, list[str]], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    watch, lines = changes
    answers = Event()
    monkeypatch.setattr(status, "_SILENCE", 0.01)
    monkeypatch.setattr(status, "living_writer", lambda *_: answers.wait())
    said: list[str] = []

    def heard() -> str:
        said.append(capsys.readouterr().err)
        return "".join(said)

    try:
        wait_until_cooperative(lambda: "does not answer" in heard())
        wait_until_cooperative(lambda: watch.silence() is not None and "does not answer" in lines[-1])
    finally:
        monkeypatch.undo()
        answers.set()
    wait_until_cooperative(lambda: "answers again" in heard())
    assert watch.silence() is None
    told = heard()
    assert told.count("WARNING: the data server") == told.count("The data server answers again, after ") == 1
