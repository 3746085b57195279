"""What surprises people in BLISS, and does not here; each by the number it has in the list of such surprises.

What others test is named in `ELSEWHERE`; the rest is here.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import gevent
import pytest
from gevent.event import Event

from bliss_like.data.events import PreparedScan
from bliss_like.devices.counter import SamplingCounter
from bliss_like.errors import DeviceError, ScanUsageError
from bliss_like.scanning.default_chain import default_chain
from bliss_like.scanning.environment import environment
from bliss_like.scanning.group import Sequence
from bliss_like.scanning.scan import Scan
from bliss_like.scans import anscan, dnscan, loopscan
from tests.unit.devices.making import make_axis
from tests.unit.scanning.making import Device, Log, Values, end_of, published, raising, timer_scan

TESTS = Path(__file__).parents[2]

ELSEWHERE = {
    "1 old data come as new": "contract/test_walk.py test_walk_on_new_events_is_truly_only_new",
    "2 started_event is not set": "contract/test_walk.py test_walk_from_last",
    "3 the end before it is the end": "unit/scans/test_scans.py test_home_before_the_end_is_published_also_after_an_error",
    "3 and before all data are there": "unit/scanning/test_run.py test_who_waits_for_the_end_finds_it_published",
    "4 prepared before the devices are": "unit/scanning/test_run.py test_prepared_is_published_when_the_devices_are",
    "5 of an error the type alone": "unit/scanning/test_failures.py test_a_failure_of_any_device_in_any_verb",
    "6 settings that change their type": "unit/config/test_settings_values.py test_nothing_is_guessed",
    "7 keys that never expire": "contract/test_channel_node.py test_scans_expire_and_leave_the_tree",
    "8 holes that nobody tells": "contract/test_channel_node.py test_a_scan_larger_than_the_budget_loses_its_oldest_points",
    "9 statistics of 1970": "unit/scanning/test_sampling_modes.py test_a_counter_of_numbers_has_statistics_with_every_mode",
    "10 one reading without minimum": (
        "unit/scanning/test_sampling_modes.py test_one_reading_has_a_smallest_and_a_largest_but_no_spread"
    ),
    "11 lineup(run=False) moves": "unit/scans/test_lineup.py test_nothing_moves_when_it_is_not_to_run",
    "12 nobody goes to a time": "unit/scanning/test_curves.py test_time_has_a_centre_but_nobody_goes_there",
    "14 groups of unsaved scans": "unit/scanning/test_group.py test_group_by_scan_node_and_number",
    "15 errors of scans in sequences": "unit/scanning/test_group.py test_add_and_run_refuses_and_raises",
    "16 waiting without waiting": "unit/scanning/test_group.py test_concurrent_scans_are_waited_for",
    "17 sequences left too early": "unit/scanning/test_group.py test_leaving_too_early_is_an_error",
    "19 groups of one name share": "unit/session/test_measurement_group.py test_two_sessions_choose_for_themselves",
    "20 discrepancies without a way out": "shell/test_verbs.py test_a_way_out_is_offered_and_enter_takes_it",
    "22 misspelt keys": "unit/config/test_errors.py test_wrong_values",
    "24 stop after this point": "unit/scanning/test_run.py test_stop_ends_well_after_the_point",
    "24 abort now": "unit/scanning/test_failures.py test_abort_from_another_greenlet",
    "26 groups without order": "unit/session/test_measurement_group.py test_counters_names_and_controllers_in_order",
    "28 scan_info that is anything": "unit/scans/test_scan_info.py test_standard_scans",
    "28 and takes anything": "unit/data/test_scan_info.py test_what_is_wrong",
}


@cache
def names_in(file: str) -> set[str]:
    tree = ast.parse((TESTS / file).read_text())
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}


@pytest.mark.parametrize("where", ELSEWHERE.values(), ids=ELSEWHERE)
def test_it_is_there(where: str) -> None:
    file, test = where.split()
    assert test in names_in(file)


@pytest.fixture
def diode() -> SamplingCounter:
    return SamplingCounter("diode", Values("diodes", lambda: [1.0]))


def test_4_a_scan_whose_preparation_fails_was_never_prepared() -> None:
    scan = timer_scan(Device("d", Log(), prepare=raising(DeviceError("no answer"))))
    with pytest.raises(DeviceError):
        scan.run()
    assert not any(isinstance(event, PreparedScan) for event in published(scan))
    assert end_of(scan).state == "KILLED"


@pytest.mark.parametrize("command", [anscan, dnscan])
def test_13_what_is_said_of_an_axis_is_where_it_goes(command: object, diode: SamplingCounter) -> None:
    axis = make_axis("robx", tolerance=0.1)
    axis.move(1)
    axis.controller.set_position(axis, 1.05)
    assert (axis.position, axis._set_position) == (1.05, 1)
    scan = command([(axis, -1, 1)], 2, 0, diode, run=False)  # type: ignore[operator]
    meta = scan.scan_info["channels"]["axis:robx"]
    assert [meta["start"], meta["stop"]] == scan.positions[axis][[0, -1]].tolist()
    assert ([meta["start"]], [meta["stop"]]) == (scan.scan_info["start"], scan.scan_info["stop"])


def test_21_settings_of_one_scan_are_for_that_alone(diode: SamplingCounter) -> None:
    one = [{"device": diode.controller, "acquisition_settings": {"count_time": 0.0}}]

    def count_time(scan: Scan | None) -> float:
        assert scan is not None
        (slave,) = scan.acq_chain.get_node_from_devices(diode)
        return slave.count_time  # type: ignore[union-attr, no-any-return]

    assert count_time(loopscan(1, 7, diode, run=False, chain_settings=one)) == 0
    assert count_time(loopscan(1, 7, diode, run=False)) == 7
    assert default_chain().__info__().count("\n") == 0


def test_25_no_points_are_not_points_without_end(diode: SamplingCounter) -> None:
    with pytest.raises(
        ScanUsageError, match=r"npoints: expected a whole number, at least 1 \(timescan counts without end\), got 0"
    ):
        loopscan(0, 0, diode)
    assert not environment.scans


def test_27_a_sequence_waits_as_long_as_its_beginning_takes() -> None:
    go, entered = Event(), Event()

    @contextmanager
    def slow(scan: Scan) -> Iterator[None]:
        go.wait()
        yield

    environment.presets = [slow]

    def run() -> None:
        with Sequence().sequence_context():
            entered.set()

    task = gevent.spawn(run)
    assert not entered.wait(0.02)
    go.set()
    task.get(timeout=5)
    assert entered.is_set()
