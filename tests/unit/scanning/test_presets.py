"""Presets, watchdog, progress, comments and metadata."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from time import monotonic
from typing import Any

import gevent
import numpy as np
import pytest

from bliss_like.data.channel_node import ChannelNode
from bliss_like.devices.counter import Counter, SamplingCounter
from bliss_like.errors import ChainError, ScanError, ScanUsageError
from bliss_like.scanning.acquisition.sampling import SamplingCounterAcquisitionSlave
from bliss_like.scanning.chain import META_TIMING, AcquisitionChain, ChainIterationPreset, ChainPreset
from bliss_like.scanning.channel import AcquisitionChannel
from bliss_like.scanning.environment import environment
from bliss_like.scanning.presets import ScanPreset, ScanProgress, WatchdogCallback
from bliss_like.scanning.scan import Scan, ScanState
from bliss_like.scanning.scan_meta import ScanMeta
from tests.unit.devices.making import make_axis
from tests.unit.scanning.making import Device, Log, Master, Values, chain_of, end_of, raising, timer_scan


class LoggingScanPreset(ScanPreset):
    def __init__(self, log: Log) -> None:
        self.log = log

    def prepare(self, scan: Scan) -> None:
        self.log.append(("preset", f"prepare {scan.scan_number}"))

    def start(self, scan: Scan) -> None:
        self.log.append(("preset", "start"))

    def stop(self, scan: Scan) -> None:
        self.log.append(("preset", f"stop {scan.state.name}"))


class LoggingChainPreset(ChainPreset):
    def __init__(self, log: Log, npoints: int | None = None) -> None:
        self.log, self.npoints = log, npoints

    def get_iterator(self, chain: AcquisitionChain) -> Iterator[ChainIterationPreset] | None:
        return None if self.npoints is None else (LoggingIterationPreset(self.log) for _ in range(self.npoints))

    def prepare(self, chain: AcquisitionChain) -> None:
        self.log.append(("chain", "prepare"))

    def start(self, chain: AcquisitionChain) -> None:
        self.log.append(("chain", "start"))

    def before_stop(self, chain: AcquisitionChain) -> None:
        self.log.append(("chain", "before_stop"))

    def stop(self, chain: AcquisitionChain) -> None:
        self.log.append(("chain", "stop"))


class LoggingIterationPreset(ChainIterationPreset):
    def __init__(self, log: Log) -> None:
        self.log = log

    def prepare(self) -> None:
        self.log.append(("iteration", "prepare"))

    def start(self) -> None:
        self.log.append(("iteration", "start"))

    def stop(self) -> None:
        self.log.append(("iteration", "stop"))


def test_order_of_presets_and_devices() -> None:
    log = Log()
    scan = timer_scan(Device("d", log), npoints=2)
    scan.add_preset(LoggingScanPreset(log))
    scan.acq_chain.add_preset(LoggingChainPreset(log, npoints=5))
    scan.run()
    iteration = [("iteration", "start"), ("d", "start"), ("d", "trigger"), ("d", "wait_ready"), ("iteration", "stop")]
    assert log == [
        ("preset", "prepare 1"),
        ("chain", "prepare"),
        ("iteration", "prepare"),
        ("d", "prepare"),
        ("preset", "start"),
        ("chain", "start"),
        *iteration,
        ("iteration", "prepare"),
        ("d", "prepare"),
        *iteration,
        ("chain", "before_stop"),
        ("d", "stop"),
        ("chain", "stop"),
        ("preset", "stop STOPPING"),
    ]


def test_presets_for_fewer_iterations_than_there_are() -> None:
    log = Log()
    scan = timer_scan(Device("d", Log()), npoints=4)
    scan.acq_chain.add_preset(LoggingChainPreset(log, npoints=2))
    scan.run()
    assert log.about("iteration") == ["prepare", "start", "stop"] * 2


def test_what_is_no_preset() -> None:
    scan = timer_scan(Device("d", Log()))
    with pytest.raises(ScanError, match="expected a ScanPreset"):
        scan.add_preset("shutter")  # type: ignore[arg-type]

    class Wrong(ChainPreset):
        def get_iterator(self, chain: AcquisitionChain) -> Any:
            return iter(["shutter"])

    scan.acq_chain.add_preset(Wrong())
    with pytest.raises(ChainError, match="it yielded 'shutter'"):
        scan.run()


def test_data_go_to_a_preset() -> None:
    controller = Values("ctl", lambda: [1.0, 2.0])
    a, b = SamplingCounter("a", controller), SamplingCounter("b", controller)
    heard: list[tuple[Counter, str, list[float]]] = []

    class Preset(ScanPreset):
        def prepare(self, scan: Scan) -> None:
            self.connect_data_channels([b], self.on_data)

        def on_data(self, counter: Counter, name: str, data: np.ndarray) -> None:
            heard.append((counter, name, data.tolist()))

    scan = timer_scan(SamplingCounterAcquisitionSlave(a, b, npoints=2), npoints=2)
    scan.add_preset(Preset())
    scan.run()
    assert heard == [(b, "ctl:b", [2.0])] * 2


def test_a_preset_ends_the_scan_from_its_data_callback() -> None:
    controller = Values("ctl", lambda: [1.0])
    counter = SamplingCounter("a", controller)
    preset = ScanPreset()
    preset.connect_data_channels([counter], lambda *_: raising(RuntimeError("too much beam"))())
    scan = timer_scan(SamplingCounterAcquisitionSlave(counter, npoints=5), npoints=5)
    scan.add_preset(preset)
    with pytest.raises(RuntimeError, match="too much beam"):
        scan.run()
    assert scan.state is ScanState.KILLED


def test_presets_of_the_session_wrap_the_whole_scan() -> None:
    seen: list[str] = []

    @contextmanager
    def preset(scan: Scan) -> Iterator[None]:
        seen.append(scan.state.name)
        try:
            yield
        finally:
            seen.append(scan.state.name)

    environment.presets.append(preset)
    timer_scan(Device("d", Log())).run()
    with pytest.raises(OSError, match="no"):
        timer_scan(Device("d", Log(), start=raising(OSError("no")))).run()
    assert seen == ["PREPARING", "DONE", "PREPARING", "KILLED"]


def test_a_session_preset_that_refuses_the_scan() -> None:
    @contextmanager
    def disk_is_full(scan: Scan) -> Iterator[None]:
        raise OSError("disk full")
        yield

    environment.presets.append(disk_is_full)
    log = Log()
    scan = timer_scan(Device("d", log))
    with pytest.raises(OSError, match="disk full"):
        scan.run()
    assert end_of(scan).state == "KILLED"
    assert log == []


# -- watchdog and progress -----------------------------------------------------------------------------------------------


class Watchdog(WatchdogCallback):
    def __init__(self, timeout: float = 0.02) -> None:
        super().__init__(timeout)
        self.seen: list[str] = []
        self.data: dict[str, int] = {}
        self.names: set[str] = set()

    def on_scan_new(self, scan: Scan, scan_info: Mapping[str, Any]) -> None:
        self.seen.append("new")

    def on_scan_data(
        self,
        data_events: Mapping[AcquisitionChannel, int],
        nodes: Mapping[AcquisitionChannel, ChannelNode],
        scan_info: Mapping[str, Any],
    ) -> None:
        self.data.update({channel.name: length for channel, length in data_events.items()})
        self.names.update(nodes[channel].short_name for channel in data_events)

    def on_timeout(self) -> None:
        self.seen.append("timeout")

    def on_scan_end(self, scan_info: Mapping[str, Any]) -> None:
        self.seen.append(f"end {scan_info['state']}")


def test_a_watchdog_sees_the_data_and_their_absence() -> None:
    watchdog = Watchdog()
    waits = iter([0.0, 0.5])  # seconds, many times the watchdog's
    scan = timer_scan(
        Device("d", Log(), trigger=lambda: gevent.sleep(next(waits))), npoints=2, watchdog_callback=watchdog
    )
    scan.run()
    assert watchdog.seen[0] == "new" and watchdog.seen[-1] == "end DONE"
    assert "timeout" in watchdog.seen
    assert watchdog.data["timer:epoch"] >= 1
    assert {"epoch", "value"} <= watchdog.names


@pytest.mark.parametrize(("error", "state"), [(StopIteration(), ScanState.DONE), (OSError("stuck"), ScanState.KILLED)])
def test_a_watchdog_ends_the_scan(error: Exception, state: ScanState) -> None:
    watchdog, log = Watchdog(), Log()
    watchdog.on_timeout = raising(error)  # type: ignore[assignment,method-assign]
    scan = timer_scan(Device("d", log, trigger=lambda: gevent.sleep(60)))
    scan.set_watchdog_callback(watchdog)
    if state is ScanState.DONE:
        scan.run()
    else:
        with pytest.raises(OSError, match="stuck"):
            scan.run()
    assert (scan.state, end_of(scan).state) == (state, state.name)
    assert log.of("stop") == ["d"]


class Progress(ScanProgress):
    def __init__(self, *channels: str) -> None:
        super().__init__(channels or None)
        self.seen: list[Any] = []

    def scan_new_callback(self, scan: Scan) -> None:
        self.seen.append("new")

    def progress_callback(self) -> None:
        self.seen.append(dict(self.data))

    def scan_end_callback(self) -> None:
        self.seen.append("end")


def test_progress_shows_the_last_values_and_not_too_often() -> None:
    progress = Progress("value")
    device = Device("d", Log(), trigger=lambda: gevent.sleep(0.0001))
    device.behave.does["wait_ready"] = lambda: device.emit_progress_signal({"position": 1.5})
    scan = timer_scan(device, npoints=40, scan_progress=progress)
    began = monotonic()
    scan.run()
    periods = (monotonic() - began) / progress.PERIOD
    assert progress.seen[0] == "new" and progress.seen[-1] == "end"
    assert progress.seen[-2] == {"d:value": 39.0, "d:position": 1.5}
    assert len(progress.seen) <= periods + 4  # new, the first and the last values, end


# -- comments and metadata -----------------------------------------------------------------------------------------------


def test_comments() -> None:
    scan = timer_scan(Device("d", Log(), start=lambda: scan.add_comment("beam is back")), npoints=1)
    scan.add_comment("alignment")
    scan.run()
    assert [comment["message"] for comment in scan.node.info["comments"]] == ["alignment", "beam is back"]
    with pytest.raises(ScanError, match="is over"):
        scan.add_comment("too late")


def test_positions_at_both_ends() -> None:
    robx, roby = make_axis("robx", unit="mm"), make_axis("roby", sign=-1)
    environment.axes = lambda: [robx, roby]
    scan = timer_scan(Device("d", Log(), start=lambda: robx.move(3)), npoints=1)
    scan.run()
    positioners = scan.node.info["positioners"]
    assert positioners["positioners_start"] == {"robx": 0.0, "roby": 0.0}
    assert positioners["positioners_end"] == {"robx": 3.0, "roby": 0.0}
    assert positioners["positioners_dial_end"]["robx"] == 3.0
    assert positioners["positioners_units"]["robx"] == "mm"


def test_an_axis_that_cannot_be_read_does_not_cost_the_scan(caplog: pytest.LogCaptureFixture) -> None:
    class Broken:
        name = "broken"
        unit = None

        @property
        def position(self) -> float:
            raise OSError("no answer")

    environment.axes = lambda: [Broken()]
    scan = timer_scan(Device("d", Log()))
    scan.run()
    assert scan.node.info["positioners"]["positioners_start"] == {"broken": None}
    assert "metadata positioners.broken are missing in the scan: OSError: no answer" in caplog.text
    assert "Traceback" not in caplog.text


def test_axes_that_fail_alike_are_told_together_and_not_at_all_by_a_scan_that_fails(
    caplog: pytest.LogCaptureFixture,
) -> None:
    class Lost:
        unit = None
        is_lost = False

        def __init__(self, name: str) -> None:
            self.name = name

        @property
        def position(self) -> float:
            if Lost.is_lost:
                raise OSError("no answer")
            return 0.0

    environment.axes = lambda: [Lost("m1"), Lost("m2")]

    def lose() -> None:
        Lost.is_lost = True
        raise ChainError("d: no answer")

    scan = timer_scan(Device("d", Log(), trigger=lose))
    with pytest.raises(ChainError):
        scan.run()
    assert scan.scan_info["metadata_missing"] == dict.fromkeys(
        ["positioners.m1", "positioners.m2"], "OSError: no answer"
    )
    assert "metadata" not in caplog.text
    timer_scan(Device("d", Log())).run()
    assert caplog.text.count("no answer") == 1
    assert "metadata positioners.m1, positioners.m2 are missing in the scan: OSError: no answer" in caplog.text


def test_an_axis_that_is_disabled_is_not_asked(caplog: pytest.LogCaptureFixture) -> None:
    robx, roby = make_axis("robx"), make_axis("roby")
    roby.disable("under repair")
    environment.axes = lambda: [robx, roby]
    scan = timer_scan(Device("d", Log()))
    scan.run()
    assert scan.node.info["positioners"]["positioners_start"] == {"robx": 0.0, "roby": None}
    assert caplog.text == ""


def test_metadata_of_the_user() -> None:
    meta = environment.scan_meta = ScanMeta()
    meta.sample.set("ruby", {"size": 3})
    meta.instrument.set("ring", lambda scan: {"ring": {"current": 200 + scan.scan_number}})
    meta.technique.set("late", lambda scan: {"state": scan.state.name})
    meta.technique.timing = META_TIMING.END
    meta.instrument.set("broken", raising_source)
    scan = timer_scan(Device("d", Log()))
    scan.run()
    info = scan.node.info
    assert info["sample"] == {"size": 3}
    assert info["instrument"] == {"ring": {"current": 201}}
    assert info["technique"] == {"state": "STOPPING"}
    assert info["scan_meta_categories"] == ["instrument", "positioners", "sample", "technique"]
    assert set(meta.metadata_profiling()) >= {"instrument.ring", "technique.late", "positioners"}
    meta.sample.remove("ruby")
    meta.remove_categories(["technique"])
    assert (meta.sample.keys, meta.categories_names()) == ([], ["instrument", "positioners", "sample"])
    with pytest.raises(ScanUsageError, match="sample.x"):
        meta.sample.set("x", 3)  # type: ignore[arg-type]
    with pytest.raises(AttributeError, match="no metadata category 'technique'"):
        _ = meta.technique


def raising_source(scan: Scan) -> dict[str, Any]:
    raise OSError("no answer")


def test_metadata_of_devices() -> None:
    class WithMetadata(Device):
        def get_acquisition_metadata(self, timing: Any = None) -> Mapping[str, Any] | None:
            return {"gain": 3} if timing is META_TIMING.PREPARED else None

    class Controller(Values):
        def scan_metadata(self) -> Mapping[str, Any]:
            return {"range": "1 uA"}

    counter = SamplingCounter("a", Controller("ctl", lambda: [1.0]))
    scan = timer_scan(WithMetadata("d", Log()), SamplingCounterAcquisitionSlave(counter))
    scan.run()
    assert scan.node.info["instrument"] == {"d": {"gain": 3}, "ctl": {"range": "1 uA"}}


@pytest.mark.parametrize("timing", META_TIMING)
def test_metadata_that_cannot_be_stored_do_not_cost_the_scan(timing: Any, caplog: pytest.LogCaptureFixture) -> None:
    environment.scan_meta = meta = ScanMeta()
    meta.technique.timing = timing
    meta.technique.set("bad", lambda scan: {"handle": object()})
    meta.technique.set("good", {"energy": 12.4})
    scan = timer_scan(Device("d", Log()))
    scan.run()
    assert "metadata technique.bad" in caplog.text and "handle: expected JSON types" in caplog.text
    assert end_of(scan).state == "DONE"
    assert scan.node.info["technique"] == {"energy": 12.4}


def test_metadata_of_devices_that_fail_do_not_cost_the_scan(caplog: pytest.LogCaptureFixture) -> None:
    class Controller(Values):
        def scan_metadata(self) -> Mapping[str, Any]:
            raise OSError("no answer")

    counter = SamplingCounter("a", Controller("ctl", lambda: [1.0]))
    scan = timer_scan(SamplingCounterAcquisitionSlave(counter))
    scan.run()
    assert "metadata instrument.ctl are missing in the scan: OSError: no answer" in caplog.text
    assert scan.get_data("a").tolist() == [1.0, 1.0, 1.0] and "instrument" not in scan.node.info


def test_controller_parameters_of_one_scan() -> None:
    class Controller(Values):
        def __init__(self) -> None:
            super().__init__("ctl", lambda: [1.0])
            self.applied: dict[str, Any] = {}

        def get_current_parameters(self) -> dict[str, Any]:
            return {"gain": 1, "filter": "off"}

        def apply_parameters(self, parameters: Mapping[str, Any]) -> None:
            self.applied = dict(parameters)

    controller = Controller()
    scan = timer_scan(SamplingCounterAcquisitionSlave(SamplingCounter("a", controller)))
    with pytest.raises(ScanError, match="ctl has no parameter gian; there are: gain, filter"):
        scan.update_ctrl_params(controller, {"gian": 2})
    with pytest.raises(ScanError, match="takes no part"):
        scan.update_ctrl_params(Controller(), {"gain": 2})
    scan.update_ctrl_params(controller, {"gain": 2})
    scan.run()
    assert controller.applied == {"gain": 2, "filter": "off"}
    with pytest.raises(ScanError, match="started already"):
        scan.update_ctrl_params(controller, {"gain": 3})


def test_presets_of_a_second_top_master() -> None:
    log = Log()
    first, second = Master("first", Log()), Master("second", Log())
    second.terminator = first.terminator = False
    chain = chain_of(first)
    chain.add(second)
    chain.add_preset(LoggingChainPreset(log), second)
    Scan(chain).run()
    assert log.about("chain") == ["prepare", "start", "before_stop", "stop"]
