"""Devices that are not critical: NaN for what they do not deliver, one warning, and not a second longer than needed."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from typing import Any

import gevent
import numpy as np
import pytest

from bliss_like.devices.counter import (
    Counter,
    IntegratingCounter,
    IntegratingCounterController,
    SamplingCounter,
    SamplingCounterController,
    SamplingMode,
)
from bliss_like.scanning import tolerance
from bliss_like.scanning.acquisition.counter import IntegratingCounterAcquisitionSlave, SamplingCounterAcquisitionSlave
from bliss_like.scanning.default_chain import DefaultAcquisitionChain
from bliss_like.scanning.scan import Scan
from tests.unit.scanning.making import Values, end_of, timer_scan


class Thermometer(SamplingCounterController):
    """Answers `value`, or fails like `error` after `seconds`."""

    is_critical = False

    def __init__(self, error: BaseException | None = None, seconds: float = 0.0) -> None:
        super().__init__("thermo")
        self.error, self.seconds = error, seconds
        self.value: Any = 300.0
        self.asked = 0
        self.verbs: list[str] = []

    def read(self, counter: SamplingCounter) -> Any:
        self.asked += 1
        if self.error is not None:
            gevent.sleep(self.seconds)
            raise self.error
        return self.value


def scanned(thermometer: Thermometer, npoints: int = 4, count_time: float = 0.0, **keys: Any) -> dict[str, Any]:
    """Return what a scan publishes of a counter of it, beside a diode that works."""
    name = f"t{len(thermometer.counters)}"
    sensor = thermometer.create_counter(SamplingCounter, name, **keys)
    diode = SamplingCounter("diode", Values("diodes", lambda: [1.0]))
    slaves = [SamplingCounterAcquisitionSlave(c, count_time=count_time, npoints=npoints) for c in (sensor, diode)]
    scan = timer_scan(*slaves, npoints=npoints, count_time=count_time)
    scan.run()
    assert scan.get_data(diode).tolist() == [1.0] * npoints
    assert end_of(scan).state == "DONE"
    return {channel.partition(name)[2]: data for channel, data in scan.get_data().items() if "thermo" in channel}


def warnings(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]


@pytest.mark.parametrize("error", [TimeoutError("no answer"), gevent.Timeout(1), ValueError(), KeyError("x")])
def test_a_dead_sensor_gives_nan_and_one_warning(error: BaseException, caplog: pytest.LogCaptureFixture) -> None:
    data = scanned(Thermometer(error))
    assert np.isnan(data[""]).tolist() == [True] * 4
    assert len(warnings(caplog)) == 1
    message = warnings(caplog)[0]
    assert "controller 'thermo' (t0) failed" in message and type(error).__name__ in message and "NaN" in message


def test_a_critical_one_ends_the_scan_and_is_named() -> None:
    thermometer = Thermometer(TimeoutError("no answer"))
    thermometer.is_critical = True
    with pytest.raises(TimeoutError, match="no answer") as caught:
        scanned(thermometer)
    assert "in thermo)" in "".join(caught.value.__notes__)


def test_each_mode_and_shape_has_its_nothing() -> None:
    for mode in SamplingMode:
        for shape in ((), (3,), (2, 2)):
            data = scanned(Thermometer(OSError("gone")), mode=mode, shape=shape, npoints=2)
            for suffix, values in data.items():
                wanted = (2, 0, *shape) if suffix == "_samples" else (2,) if suffix == "_N" else (2, *shape)
                values = np.asarray(list(values))
                assert values.shape == wanted
                assert not values.any() if suffix == "_N" else np.isnan(values).all()


def test_statistics_of_nothing() -> None:
    thermometer = Thermometer(OSError("gone"))
    scanned(thermometer)
    found = thermometer.counters["t0"].statistics  # type: ignore[attr-defined]
    assert found.N == 0 and np.isnan(found.mean)


def test_integers_are_published_as_floats_that_can_be_nan() -> None:
    thermometer = Thermometer()
    thermometer.value = 5
    data = scanned(thermometer, mode="LAST", dtype=int)
    assert data[""].dtype == np.dtype(float) and data[""].tolist() == [5] * 4
    thermometer.is_critical = True
    assert scanned(thermometer, mode="LAST", dtype=int)[""].dtype == np.dtype(int)


def test_texts_become_empty() -> None:
    assert scanned(Thermometer(OSError("gone")), mode="LAST", dtype=str)[""].tolist() == [""] * 4


def test_it_recovers_when_the_device_answers_again_and_warns_in_the_next_scan(caplog: pytest.LogCaptureFixture) -> None:
    class Shaky(Thermometer):
        def read(self, counter: SamplingCounter) -> Any:
            self.error = OSError("gone") if self.asked in (1, 3) else None
            return super().read(counter)

    shaky = Shaky()
    caplog.set_level(logging.INFO)
    data = scanned(shaky, npoints=5, count_time=0.03, mode="SINGLE")[""]
    assert np.isnan(data).tolist() == [False, True, False, True, False]
    assert len(warnings(caplog)) == 1
    assert sum("controller 'thermo' (t0) answers again" in record.getMessage() for record in caplog.records) == 2
    shaky.asked = 0
    scanned(shaky, count_time=0.001, mode="SINGLE")
    assert len(warnings(caplog)) == 2


def test_a_slow_death_does_not_make_each_point_wait() -> None:
    thermometer = Thermometer(TimeoutError("no answer"), seconds=0.05)
    began = time.monotonic()
    data = scanned(thermometer, npoints=200, count_time=0.001)
    assert np.isnan(data[""]).all() and len(data[""]) == 200
    elapsed = time.monotonic() - began
    assert thermometer.asked == 1 + int(elapsed / 0.55) or thermometer.asked < 0.2 * elapsed / 0.05 + 2


def test_a_failure_within_a_count_time_costs_the_readings_after_it_only() -> None:
    class Hiccup(Thermometer):
        def read(self, counter: SamplingCounter) -> Any:
            self.error = OSError("gone") if self.asked >= 2 else None
            return super().read(counter)

    data = scanned(Hiccup(), npoints=1, count_time=0.02, mode="STATS")
    assert (data[""].tolist(), data["_N"].tolist()) == ([300.0], [2])


def test_a_device_that_cannot_be_prepared_nor_stopped(caplog: pytest.LogCaptureFixture) -> None:
    class Broken(SamplingCounterAcquisitionSlave):
        def prepare_device(self) -> None:
            raise OSError("no power")

        stop_device = prepare_device

    sensor = Thermometer().create_counter(SamplingCounter, "t")
    scan = timer_scan(Broken(sensor, npoints=2), npoints=2)
    scan.run()
    assert len(scan.get_data(sensor)) == 2 and end_of(scan).state == "DONE"
    assert len(warnings(caplog)) == 1 and "OSError: no power" in warnings(caplog)[0]


def test_a_device_whose_parameters_cannot_be_read_nor_written(caplog: pytest.LogCaptureFixture) -> None:
    class Mute(Thermometer):
        def get_current_parameters(self) -> dict[str, Any]:
            raise OSError("gone")

        def apply_parameters(self, parameters: Any) -> None:
            raise OSError("gone")

    mute = Mute()
    mute.create_counter(SamplingCounter, "t")
    chain = DefaultAcquisitionChain().get({"count_time": 0, "npoints": 2}, [mute])
    chain.nodes_list[1].ctrl_params = {"range": 1}
    Scan(chain, "loopscan").run()
    assert len(warnings(caplog)) == 1
    mute.is_critical = True
    with pytest.raises(OSError, match="gone"):
        DefaultAcquisitionChain().get({"count_time": 0, "npoints": 2}, [mute])


def test_one_warning_also_when_each_point_is_prepared_anew(caplog: pytest.LogCaptureFixture) -> None:
    sensor = Thermometer(OSError("gone")).create_counter(SamplingCounter, "t")
    slave = SamplingCounterAcquisitionSlave(sensor, npoints=5, prepare_once=False, start_once=False)
    timer_scan(slave, npoints=5).run()
    assert len(warnings(caplog)) == 1
    timer_scan(SamplingCounterAcquisitionSlave(sensor, npoints=5), npoints=5).run()
    assert len(warnings(caplog)) == 2


# -- integrating -----------------------------------------------------------------------------------------------------------


class Card(IntegratingCounterController):
    """Has one value more with each trigger of its slave; fails while `error` is set."""

    is_critical = False

    def __init__(self) -> None:
        super().__init__("card")
        self.error: BaseException | None = None
        self.asked = 0
        self.slave: IntegratingCounterAcquisitionSlave
        self.a, self.b = (self.create_counter(IntegratingCounter, name, dtype=int) for name in "ab")

    def get_values(self, from_index: int, *counters: Counter) -> Sequence[Any]:
        self.asked += 1
        if self.error is not None:
            raise self.error
        return [list(range(from_index, self.slave._triggered)) for _ in counters]

    def scan(self, npoints: int = 4, **keys: Any) -> Any:
        self.slave = IntegratingCounterAcquisitionSlave(self.a, self.b, count_time=0, npoints=npoints, **keys)
        return timer_scan(self.slave, npoints=npoints)


def test_a_card_that_fails(caplog: pytest.LogCaptureFixture) -> None:
    card = Card()
    card.error = OSError("gone")
    scan = card.scan()
    scan.run()
    for counter in (card.a, card.b):
        assert np.isnan(scan.get_data(counter)).tolist() == [True] * 4
    assert len(warnings(caplog)) == 1 and "controller 'card' (a, b) failed: OSError: gone" in warnings(caplog)[0]


def test_a_card_that_comes_back_goes_on_where_the_scan_is() -> None:
    class Shaky(Card):
        def get_values(self, from_index: int, *counters: Counter) -> Sequence[Any]:
            if self.slave._triggered == 2:
                raise OSError("gone")
            return super().get_values(from_index, *counters)

    card = Shaky()
    scan = card.scan()
    scan.run()
    data = scan.get_data(card.a)
    assert np.isnan(data).tolist() == [False, True, False, False] and data[2:].tolist() == [2, 3]


def test_a_card_by_cable_that_fails_does_not_hold_the_scan() -> None:
    card = Card()
    card.error = OSError("gone")
    scan = card.scan(trigger_type=IntegratingCounterAcquisitionSlave.HARDWARE, timeout=0.02)
    scan.run()
    assert np.isnan(scan.get_data(card.a)).tolist() == [True] * 4


def test_a_card_that_is_silent_is_borne_once(caplog: pytest.LogCaptureFixture) -> None:
    class Silent(Card):
        def get_values(self, from_index: int, *counters: Counter) -> Sequence[Any]:
            return [[] for _ in counters]

    card = Silent()
    scan = card.scan(npoints=50, timeout=0.05)
    began = time.monotonic()
    scan.run()
    assert np.isnan(scan.get_data(card.a)).all() and len(scan.get_data(card.b)) == 50
    assert time.monotonic() - began < 50 * 0.05
    assert len(warnings(caplog)) == 1 and "point 1 of 50 did not come within" in warnings(caplog)[0]


@pytest.mark.parametrize("strange", [None, "err", [1, 2], float])
@pytest.mark.parametrize("mode", ["MEAN", "STATS", "LAST"])
@pytest.mark.parametrize("count_time", [0.0, 0.002])
def test_what_cannot_be_published_is_a_failure_like_others(
    strange: Any, mode: str, count_time: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tolerance, "REST", 0.0)

    class Odd(Thermometer):
        def read_all(self, *counters: SamplingCounter) -> list[Any]:
            self.asked += 1
            return [300.0, strange if self.asked == 2 else 1.0]

    odd = Odd()
    a, b = (odd.create_counter(SamplingCounter, name, mode=mode) for name in "ab")
    scan = timer_scan(SamplingCounterAcquisitionSlave(a, b, npoints=3, count_time=count_time), npoints=3)
    scan.run()
    assert {len(values) for name, values in scan.get_data().items() if "thermo" in name} == {3}
    assert np.isnan(scan.get_data(a)).tolist() == np.isnan(scan.get_data(b)).tolist()
    assert np.isnan(scan.get_data(a)).sum() == 1 if not count_time else not np.isnan(scan.get_data(a))[2]


def test_a_card_whose_values_cannot_be_converted_or_published_keeps_its_counters_together(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(tolerance, "REST", 0.0)

    def shaky(value: Any) -> Any:
        if np.any(np.asarray(value) == 1):
            raise RuntimeError("no such value")
        return value

    class Odd(Card):
        def get_values(self, from_index: int, *counters: Counter) -> Sequence[Any]:
            values = range(from_index, self.slave._triggered)
            return [list(values), ["err" if value == 2 else value for value in values]]

    card = Odd()
    card.b.conversion_function = shaky
    scan = card.scan()
    scan.run()
    a, b = scan.get_data(card.a), scan.get_data(card.b)
    assert np.isnan(a).tolist() == [False, True, True, False] == np.isnan(b).tolist()
    assert a[[0, 3]].tolist() == [0, 3] == b[[0, 3]].tolist()


def test_what_listens_to_a_card_is_none_of_its_failures() -> None:
    card = Card()
    scan = card.scan()
    scan.acq_chain.top_masters[0].add_external_channel(card.slave, "a", "twice", conversion=lambda block: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        scan.run()


def test_what_fails_at_once_is_asked_again_at_the_next_point() -> None:
    known = tolerance.Tolerance(Thermometer(), lambda: "a sensor")
    known.note(OSError("gone"), 0.0005)
    assert known.is_failing and not known.is_resting
    known.note(OSError("gone"), 0.5)
    assert known.is_resting
