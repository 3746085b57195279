"""The Python code in the documentation, run in the session that it speaks of, on a real server."""

from __future__ import annotations

import contextlib
import inspect
import io
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gevent
import pytest

from bliss_like import scans
from bliss_like.config import get_config
from bliss_like.data.server import EmbeddedServer
from bliss_like.devices.counter import SamplingCounter
from bliss_like.errors import ScanError, ScanUsageError
from bliss_like.session import Session, load_session
from tests.docs.blocks import PROJECT, blocks_of, write_files
from tests.places import scans_of
from tests.saved_files import save


@pytest.fixture
def names(request: pytest.FixtureRequest, opened: Callable[[str], Session]) -> dict[str, Any]:
    """The names of a session: `test_session`, or the one that the test is parametrized with."""
    return opened(getattr(request, "param", "test_session")).env_dict


def test_sharing(names: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> None:
    device, locks, live = blocks_of("docs/sharing.md", "python")
    exec(device, names)
    assert names["Digitizer"].interlock
    exec(locks, names)
    lines = _lines(capsys)
    assert [line.split()[0] for line in lines[:4]] == ["name", "robx", "session:test_session", "the"]
    assert lines[4:] == ["True"]
    assert [holder.name for holder in names["lslock"]()] == ["session:test_session"]
    exec(live, names)
    heard: list[str] = []
    with gevent.Timeout(30):
        while len(heard) < 3:
            gevent.sleep(0.01)
            heard += _lines(capsys)
    assert sorted(heard) == ["13.0", "13.0", "[{'name': 'vacuum', 'pressure': 0.001}]"]


def test_groups_and_sequences(names: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> None:
    blocks = blocks_of("docs/groups.md", "python")
    assert len(blocks) == 6
    for block in blocks[:3]:
        exec(block, names)
    names["loopscan"](1, 0.01, names["diode"])
    capsys.readouterr()
    exec(blocks[3], names)
    groups = ["3_group_of_scans", "4_sequence_of_scans", "8_sequence_of_scans"]
    assert _lines(capsys) == [f"{scans_of('test_session')}:{name} {name.partition('_')[0]}" for name in groups]
    exec(blocks[4], names)
    assert [line.split()[1] for line in _lines(capsys)] == [str(number) for number in range(1, 12)]
    exec(blocks[5], names)
    channel = f"{scans_of('test_session')}:8_sequence_of_scans:GroupingMaster:scans"
    nodes = f"[<ScanNode '{scans_of('test_session')}:9_loopscan' (scan)>, <ScanNode '{scans_of('test_session')}:10_loopscan' (scan)>]"
    lines = _lines(capsys)
    assert lines[0] == f"event.NEW_NODE {channel}"
    assert lines[-2:] == [f"event.NEW_DATA {channel}", f"\t {nodes}"]
    s1, s2 = names["s1"], names["s2"]
    expected = s1.get_data("diode") + s2.get_data("diode")
    assert names["seq"].node.get_data("sum").tolist() == expected.tolist()
    assert names["seq"].node.get_data("mychannel").tolist() == [1.1, 2.2, 3.3]


@pytest.mark.parametrize("names", ["demo_session"], indirect=True)
def test_listening(names: dict[str, Any], capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    scan = names["ascan"](names["robx"], -1, 1, 4, 0.01, names["diode"])
    walking, _, reading, replaying = blocks_of("docs/data.md", "python")
    exec(walking, {})
    lines = _lines(capsys)
    assert lines[0] == f"{scans_of('demo_session')}:1_ascan 1 ascan robx -1 1 4 0.01 DONE"
    assert lines[-1].startswith("ScanData(axis:robx")
    save(scan.node.store, scan.path, tmp_path / "sample.h5")
    found: dict[str, Any] = {}
    exec(reading.replace("/data/id00/sample.h5", f"{tmp_path}/sample.h5").replace("/12.1", "/1.1"), found)
    assert _lines(capsys)[0].startswith("['/1.1'] ascan robx -1 1 4 0.01 [")
    assert found["event"].name == "END_SCAN"
    exec(replaying, found)
    assert found["event"].name == "END_SCAN"


@pytest.mark.parametrize("names", ["demo_session"], indirect=True)
def test_scan_tools(names: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> None:
    first, methods, choice, plots, fits, lineup, adaptive = blocks_of("docs/scan-tools.md", "python")
    names["robx"].acceleration = names["robx"].velocity = 10_000
    exec(first, names)
    shown = [
        line.split() for line in (PROJECT / "docs/scan-tools.md").read_text().splitlines() if line.startswith("    ")
    ]
    lines = [line.split() for line in _lines(capsys)]
    assert lines[-9:] == shown[:9]
    assert abs(names["robx"].position) < 1e-3
    exec(methods, names)
    exec(choice, names)
    exec(plots, names)
    capsys.readouterr()
    exec(fits, names)
    assert capsys.readouterr().out.count("gaussian of sim_ct_gauss along robx") == 2
    names["robx"].move(0.5)
    exec(lineup, names)
    assert abs(names["robx"].position) < 0.11
    exec(adaptive, names)
    assert 40 < len(names["scan"].get_data("sim_ct_gauss")) < 100


@pytest.mark.parametrize("names", ["demo_session"], indirect=True)
def test_every_scan(names: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> None:
    *examples, preview, wrong, program, own = blocks_of("docs/scans.md", "python")
    page = (PROJECT / "docs/scans.md").read_text()
    told = iter(blocks_of("docs/scans.md", "text"))
    for axis in (names["robx"], names["roby"]):
        axis.acceleration, axis.velocity = 10000, 1000
    for line in [line for block in examples for line in block.splitlines()]:
        exec(line, names)
        assert names["SCANS"][-1].state.name == "DONE"
    for name in [name for name in scans.__all__ if "return_scan" in inspect.signature(names[name]).parameters]:
        assert re.search(rf"\b{name}\b", page)
    capsys.readouterr()
    exec(preview, names)
    assert capsys.readouterr().out == next(told)
    with pytest.raises(ScanUsageError) as raised:
        exec(wrong, names)
    assert str(raised.value).partition("\n")[0] + "\n" == next(told)
    exec(program, names)
    assert capsys.readouterr().out == next(told)
    exec(own, names)
    assert names["scan"].scan_info["type"] == "dscan" and len(names["scan"].get_data("robx")) == 5
    with pytest.raises(
        ScanUsageError, match=r"rock: width: expected a number > 0.*\nusage: rock\(motor, width, intervals"
    ):
        names["rock"](names["robx"], -2, 4, 0.01, names["diode"])


def test_signatures_in_the_page_of_scans() -> None:
    shown = re.findall(r"^    (\w+)\(([^\[.]*?)\)(?:   .*)?$", (PROJECT / "docs/scans.md").read_text(), re.MULTILINE)
    assert len(shown) > 14
    for name, arguments in shown:
        given = [argument.partition("=")[0].strip() for argument in arguments.split(",")]
        there = [str(one).partition(":")[0] for one in inspect.signature(getattr(scans, name)).parameters.values()]
        assert given == there[: len(given)], name


def test_a_slave_of_ones_own(names: dict[str, Any]) -> None:
    waveform, _ = blocks_of("docs/scanning.md", "python")
    exec(waveform, names)
    names["scan"].run()
    assert names["scan"].get_data("u").tolist() == list(range(10))


def test_what_a_scan_says_of_itself(names: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> None:
    schema, sample, users, device = blocks_of("docs/scan-info.md", "python")
    for block in (schema, sample, users, device):
        exec(block, names)
    assert _lines(capsys) == ["npoints: expected a whole number, got 'many'"]
    furnace = names["Furnace"]()
    assert furnace.scan_metadata_name == "furnace" and furnace.scan_metadata_enabled
    info = names["loopscan"](1, 0.001, names["diode"]).node.info
    assert (info["sample"]["name"], info["sample"]["humidity"], info["user_name"]) == ("lysozyme 3", 0.4, "Anna Weber")
    assert info["instrument"] == {"slits": {"gap": 0.1}} and info["technique"] == {"energy": 12.4}
    assert info["weather"] == {"temperature": 21.5}
    names["SAMPLE"].clear()
    names["USER"].clear()


def test_monitoring(names: dict[str, Any]) -> None:
    (block,) = blocks_of("docs/how-to/monitoring.md", "python")
    exec(block, names)
    assert names["MONITORING_SCANS"]["ring"].state == "ENDED"


def test_several_rates(names: dict[str, Any]) -> None:
    _, rates = blocks_of("docs/scanning.md", "python")
    exec(rates, names)
    slow, fast = names["SCANS"][-2], names["SCANS"][-1]
    assert len(slow.get_data("diode")) == 100
    assert 0 < len(slow.get_data("thermo_sample")) == len(slow.get_data("timer_0.05s:epoch")) < 100
    assert len(fast.get_data("robx")) == 6 < len(fast.get_data("diode"))


def _lines(capsys: pytest.CaptureFixture[str]) -> list[str]:
    return capsys.readouterr().out.splitlines()


def test_a_device_of_your_own(redis_server: EmbeddedServer, home: Path) -> None:
    write_files("docs/devices.md", home)
    session_yaml = "{name: mine, class: Session, config-objects: [powermeter, before, after]}"
    (home / "config" / "session.yml").write_text(session_yaml)
    config = get_config("config")
    session = load_session("mine", config)
    assert session.setup(), session.error_report
    names = session.env_dict
    from bliss_like.devices.signal import open_signal

    open_signal("soft://after").put(2.5)
    scan = names["loopscan"](3, 0.01, names["powermeter"])
    assert scan.get_data("after").tolist() == [2.5] * 3
    session.close()
    config.close()


def test_the_configuration(
    short_directory: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(short_directory)
    page = "docs/configuration.md"
    before, after = blocks_of(page, "yaml")
    (told,) = blocks_of(page, "text")
    Path("config").mkdir()
    Path("config/motors.yml").write_text(before)
    names: dict[str, Any] = {"__name__": "docs"}
    make, lazy, change, reload, temporary = blocks_of(page, "python")
    exec(make + "config.get('lamp')\n", names)
    exec(lazy, names)
    exec(change, names)
    assert capsys.readouterr().out == after + "\n"
    exec(reload, names)
    assert capsys.readouterr().out == told
    exec(temporary, names)
    assert Path("config/motors.yml").read_text() == after
    names["config"].close()


def test_settings(redis_server: EmbeddedServer, capsys: pytest.CaptureFixture[str]) -> None:
    names: dict[str, Any] = {}
    blocks = blocks_of("docs/settings.md", "python")
    assert len(blocks) == 6
    for block in blocks:
        exec(block, names)
    assert _lines(capsys) == [
        "0.5",
        "{'low': -5, 'high': 10} lysozyme 1",
        "it was 1.0, and nobody has changed it in between",
        "to the hardware: RAMP 5.0",
        "5.0 {'ramp': 5.0}",
        "to the hardware: RAMP 5.0",
        "['dry', 'default'] {'title': '0001', 'humidity': 5.0, 'mounted_by': 'anna'}",
        "            dry (SELECTED)  default",
        "title       '0001'          '0001'",
        "humidity    5.0             40.0",
        "mounted_by  * 'anna'        'anna'",
    ]
    assert (names["offset"].get(), names["limits"].get_all()) == (0.25, {"low": -1, "high": 1})


def test_counters(names: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> None:
    counting, settings, classes = blocks_of("docs/counters.md", "python")
    exec(counting, names)
    assert [counter.name for counter in names["both"]][-1] == "thermo_sample"
    shown = _lines(capsys)[-1]
    assert shown.startswith("[") and float(shown.split()[-1]) == names["diode"].statistics.max
    exec(settings, names)
    exec(classes, names)
    picoammeter = names["Picoammeter"]("pico")
    counter = picoammeter.create_counter(SamplingCounter, "i0")
    ranged = [{"device": picoammeter, "acquisition_settings": {"range": 3}}]
    scan = names["loopscan"](2, 0, picoammeter, chain_settings=ranged)
    assert scan.get_data(counter) == pytest.approx([3e-9, 3e-9])
    ranged[0]["acquisition_settings"] = {"range": 4}
    with pytest.raises(ScanError, match="controller 'pico': .*'range': expected an integer, one of 1, 2, 3, got 4"):
        names["loopscan"](2, 0, picoammeter, chain_settings=ranged)


def test_the_logbook(names: dict[str, Any], short_directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    typed, function, to_file = blocks_of("docs/logbook.md", "python")
    names["ascan"](names["robx"], 0, 1, 5, 0.001, names["diode"])
    logbook = names["current_session"].logbook
    for number, line in enumerate(typed.splitlines(), 1):
        with logbook.command(number, line) as printed, contextlib.redirect_stdout(io.StringIO()) as told:
            exec(line, names)
            printed.add(told.getvalue())
    logbook.flush()
    written = logbook.path.read_text()
    assert " beam is back, 92 mA; crystal 3\n" in written and "output `wa()`" in written and "robx" in written
    assert re.search(r"^- [\d:]+ plot\n\n  ```text\n.*diode.*ascan robx 0 1 5", written, re.MULTILINE)
    post: dict[str, Any] = {}
    exec(function, post)
    assert inspect.signature(post["post"]).parameters.keys() == {"entry"}
    exec(to_file.replace("/data", str(short_directory)), names)
    assert len(list((short_directory / "id00" / "logs").iterdir())) == 1
