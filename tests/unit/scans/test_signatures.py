"""What scans take: BLISS' arguments, in its order, with its defaults; and that whoever asks is told so."""

from __future__ import annotations

import dataclasses
import inspect
import pydoc
from collections.abc import Callable
from typing import Annotated, Any, get_args, get_origin, get_type_hints

import pytest

from bliss_like import scans
from bliss_like.errors import ScanUsageError
from bliss_like.scans.arguments import Kind, MovingOptions, Options, Seconds, StepOptions
from bliss_like.scans.build import Recipe
from bliss_like.scans.command import scan_command

LINE = "motor{0} start{0} stop{0}"
GRID_LINE = LINE + " intervals{0}"


def several(pattern: str, count: int) -> str:
    return " ".join(pattern.format(number) for number in range(1, count + 1))


ALL = {"title": None, "save": True, "save_images": None, "run": True, "return_scan": True, "scan_info": None}
SLEEP = {**ALL, "sleep_time": None}
STEP = {**SLEEP, "stab_time": None, "name": None}
COUNT = {"name": "ct", "title": None, "run": True, "return_scan": True, "scan_info": None}


def called(name: str) -> dict[str, Any]:
    return {**SLEEP, "name": name, "scan_type": name}


EXPECTED: dict[str, tuple[str, dict[str, Any]]] = {
    "ct": ("count_time", {**COUNT, "save": None, "save_images": None, "sleep_time": None}),
    "sct": ("count_time", {**COUNT, "save": True, "save_images": None}),
    "timescan": ("count_time", {**called("timescan"), "npoints": 0}),
    "loopscan": ("npoints count_time", called("loopscan")),
    "ascan": ("motor start stop intervals count_time", STEP),
    "dscan": ("motor start stop intervals count_time", STEP),
    **{f"{way}{n}scan": (several(LINE, n) + " intervals count_time", STEP) for way in "ad" for n in (2, 3, 4, 5)},
    "anscan": (
        "motor_tuple_list intervals count_time", {**STEP, "scan_type": None, "restore_motor_positions": False}
    ),
    "dnscan": ("motor_tuple_list intervals count_time", {**STEP, "scan_type": None}),
    "amesh": (several(GRID_LINE, 2) + " count_time", {**called("amesh"), "backnforth": False}),
    "dmesh": (several(GRID_LINE, 2) + " count_time", {**called("dmesh"), "backnforth": False}),
    "a3mesh": (several(GRID_LINE, 3) + " count_time", {**called("a3mesh"), "backnforth": False}),
    "d3mesh": (several(GRID_LINE, 3) + " count_time", {**called("d3mesh"), "backnforth": False}),
    "anmesh": ("motor_tuple_list count_time", {**called("anmesh"), "backnforth": False}),
    "lookupscan": (
        "motor_pos_tuple_list count_time",
        {**called("lookupscan"), "stab_time": None, "scan_params": None, "restore_motor_positions": False},
    ),
    "pointscan": ("motor positions count_time", called("pointscan")),
}  # fmt: skip
"""BLISS' commands: what stands in its place, and the keywords with their defaults."""

OURS = {"chain_settings", "stab_time", "subs"}
"""Keywords that BLISS does not have, or not everywhere."""

COMMANDS = [name for name in scans.__all__ if "return_scan" in inspect.signature(getattr(scans, name)).parameters]
TAKING = [(name, getattr(scans, name)) for name in COMMANDS]


@pytest.mark.parametrize("name", EXPECTED)
def test_arguments_of_bliss(name: str) -> None:
    places, keywords = EXPECTED[name]
    parameters = inspect.signature(getattr(scans, name)).parameters.values()
    assert " ".join(one.name for one in parameters if one.kind is one.POSITIONAL_OR_KEYWORD) == places
    assert [one.kind for one in parameters].count(inspect.Parameter.VAR_POSITIONAL) == 1
    found = {one.name: one.default for one in parameters if one.kind is one.KEYWORD_ONLY}
    assert {keyword: default for keyword, default in found.items() if keyword in keywords} == keywords
    assert set(found) - set(keywords) <= OURS
    defaults = [one.default for one in parameters if one.kind is one.POSITIONAL_OR_KEYWORD]
    assert set(defaults) == ({1.0} if name in ("ct", "sct") else {inspect.Parameter.empty})


@pytest.mark.parametrize(("name", "command"), TAKING)
def test_what_every_scan_takes(name: str, command: Callable[..., Any]) -> None:
    keywords = inspect.signature(command).parameters
    assert {"name", "title", "run", "return_scan", "scan_info", "chain_settings", "subs", "sleep_time"} - set(
        keywords
    ) <= ({"sleep_time"} if name == "sct" else set())
    has_axes = any(one.startswith("motor") for one in keywords)
    assert ("stab_time" in keywords) is has_axes


@pytest.mark.parametrize(("name", "command"), TAKING)
def test_each_argument_says_what_it_is(name: str, command: Callable[..., Any]) -> None:
    """So that forms and validation can be made of the annotations."""
    annotations = get_type_hints(command, include_extras=True)
    assert set(annotations) == {*inspect.signature(command).parameters, "return"}
    for argument in set(annotations) - {"return", "chain_settings"}:
        one_of = [annotations[argument], *get_args(annotations[argument])]
        (kind,) = {extra for each in one_of if get_origin(each) is Annotated for extra in get_args(each)[1:]}
        assert isinstance(kind, Kind) and kind.expected == repr(kind)


@pytest.mark.parametrize(("name", "command"), TAKING)
def test_help_shows_every_keyword(name: str, command: Callable[..., Any]) -> None:
    text = pydoc.plain(pydoc.render_doc(command))
    assert f"{name}(" in text and "options" not in text and "Annotated" not in text
    for keyword in inspect.signature(command).parameters:
        assert f"{keyword}:" in text
    assert command.__doc__


def test_each_keyword_has_one_default() -> None:
    defaults = {field.name: field.default for field in dataclasses.fields(Recipe)}
    for options in (Options, MovingOptions, StepOptions):
        assert set(options.__annotations__) <= set(defaults)


def test_a_command_whose_annotations_are_not_complete() -> None:
    @scan_command
    def rock(count_time: Seconds, width, *counters, **keys):  # type: ignore[no-untyped-def]
        return count_time, width, counters, keys

    assert rock(1, "wide", "a", b=2) == (1.0, "wide", ("a",), {"b": 2})  # type: ignore[no-untyped-call]
    with pytest.raises(
        ScanUsageError, match=r"rock: width is missing\nusage: rock\(count_time, width, \*counters, \*\*keys\)"
    ):
        rock(1)  # type: ignore[no-untyped-call]
