"""The keys of `scan_info` that every reader may rely on: one typed schema, versioned, for producers and listeners alike.

A key that is added keeps the version; a key that is renamed, removed or given another meaning or unit makes a new one. So a
reader ignores keys that it does not know, and takes an info without `schema_version`, or with a higher one, with care.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Final, Literal, TypedDict

SCHEMA_VERSION: Final = 1

WHEN = ("start", "prepared", "running", "end")
"""When a key is there, in this order: with the scan's node, with PREPARED_SCAN, as soon as it happens, with END_SCAN."""

EndReason = Literal["SUCCESS", "FAILURE", "USER_ABORT", "DELETION"]


@dataclass(frozen=True)
class Key:
    """What is to be known of a key beside its type.

    :param when: from when on it is there, one of `WHEN`.
    :param always: every scan has it that got so far.
    """

    about: str
    unit: str = ""
    when: str = "start"
    always: bool = False


class Comment(TypedDict):
    """What somebody noted while the scan ran."""

    timestamp: Annotated[str, Key("when, ISO 8601 with the zone", when="running")]
    message: Annotated[str, Key("what was noted", when="running")]


class Positioners(TypedDict, total=False):
    """Positions of the session's axes by name; None of an axis that did not tell, or is disabled."""

    positioners_start: Annotated[dict[str, float | None], Key("user positions", "positioners_units")]
    positioners_dial_start: Annotated[dict[str, float | None], Key("dial positions", "positioners_units")]
    positioners_units: Annotated[dict[str, str | None], Key("units of user and dial positions")]
    positioners_end: Annotated[dict[str, float | None], Key("user positions", "positioners_units", "end")]
    positioners_dial_end: Annotated[dict[str, float | None], Key("dial positions", "positioners_units", "end")]


class ChannelMeta(TypedDict, total=False):
    """What is known of a channel beside its data; `start` to `points` describe the axis of a regular scan."""

    display_name: Annotated[str, Key("what to write beside it", when="prepared")]
    unit: Annotated[str | None, Key("unit of the data, None when it has none", when="prepared")]
    dim: Annotated[int, Key("dimensions of a point: 0 scalar, 1 spectrum, 2 image", when="prepared")]
    dtype: Annotated[str, Key("numpy's name of the type of a value, `float64`", when="prepared")]
    device: Annotated[str, Key("its device, a key of `devices`", when="prepared")]
    decimals: Annotated[int, Key("decimals to show", when="prepared")]
    start: Annotated[float, Key("first position", "unit")]
    stop: Annotated[float, Key("last position", "unit")]
    min: Annotated[float, Key("lowest value that it can have", "unit")]
    max: Annotated[float, Key("highest value that it can have", "unit")]
    points: Annotated[int, Key("points that are to come in all")]
    axis_id: Annotated[int, Key("which axis of the scan, 0 the fastest")]
    axis_kind: Annotated[Literal["forth", "backnforth", "step"], Key("from start to stop, there and back, or in steps")]
    axis_points: Annotated[int, Key("points along this axis")]
    axis_points_hint: Annotated[int, Key("about how many, where they are not regular")]
    group: Annotated[str, Key("channels of one group have as many points as each other")]


class Device(TypedDict, total=False):
    """One acquisition object of the chain."""

    name: Annotated[str, Key("its name, which others may have, too", when="prepared")]
    type: Annotated[str, Key("its class", when="prepared")]
    npoints: Annotated[int, Key("of a master: points each time that it runs, 0 for no end", when="prepared")]
    channels: Annotated[list[str], Key("full names of its channels, keys of `channels`", when="prepared")]
    triggered_devices: Annotated[list[str], Key("devices that it triggers, keys of `devices`", when="prepared")]


class Estimation(TypedDict, total=False):
    """What a scan is expected to take, from the velocities of its axes and the count time; it is going to take more."""

    total_time: Annotated[float, Key("from its start to the end of its last point", "s")]
    motion_time: Annotated[float, Key("for the moves to its points", "s")]
    count_time: Annotated[float, Key("for the counts", "s")]


class TimeProfile(TypedDict, total=False):
    """Where the time of a scan went; what is missing to all of it went between these, or was spent paused."""

    prepare: Annotated[float, Key("until its first point was begun, with the move to it", "s", "end")]
    motion: Annotated[float, Key("for the moves to its other points, and what is prepared for them", "s", "end")]
    count: Annotated[float, Key("for the counts: as many count times as there are points", "s", "end")]
    sleep: Annotated[float, Key("asleep between two points", "s", "end")]
    readout: Annotated[
        float, Key("for what its devices took beyond that, until they had read and published", "s", "end")
    ]
    stop: Annotated[float, Key("to stop its devices, and to bring its axes back", "s", "end")]


class Chain(TypedDict, total=False):
    """One top master, and all below it."""

    top_master: Annotated[str, Key("the top master, a key of `devices`", when="prepared")]
    devices: Annotated[list[str], Key("keys of `devices`, the top master first", when="prepared")]
    scalars: Annotated[list[str], Key("channels of slaves by the dimension of a point: 0", when="prepared")]
    spectra: Annotated[list[str], Key("1", when="prepared")]
    images: Annotated[list[str], Key("2 and more", when="prepared")]
    master: Annotated[dict[str, list[str]], Key("the same of the masters' channels", when="prepared")]


class PlotItem(TypedDict, total=False):
    """One curve or scatter."""

    kind: Annotated[str, Key("`curve`, `scatter`")]
    x: Annotated[str | None, Key("full name of a channel")]
    y: Annotated[str | None, Key("full name of a channel")]
    y_axis: Annotated[Literal["left", "right"], Key("which scale")]
    value: Annotated[str | None, Key("full name of the channel that colours the points")]


class Plot(TypedDict, total=False):
    """A plot that the scan proposes."""

    kind: Annotated[str, Key("`curve-plot`, `scatter-plot`, `1d-plot`")]
    name: Annotated[str, Key("title of the plot")]
    x: Annotated[str, Key("full name of a channel")]
    y: Annotated[str, Key("full name of a channel")]
    items: Annotated[list[PlotItem], Key("what is drawn; nothing: all scalars")]


class DisplayExtra(TypedDict, total=False):
    """What people want to see of a scan."""

    plotselect: Annotated[
        list[str], Key("channels chosen to be plotted; names, short names or patterns", when="prepared")
    ]
    table: Annotated[list[str], Key("channels chosen for tables; without it those of `plotselect`", when="prepared")]


class ReplayOf(TypedDict):
    """The scan that a replay is of."""

    uid: Annotated[str, Key("its uid")]
    db_name: Annotated[str, Key("its node")]


class SequenceScan(TypedDict, total=False):
    """Where a scan of a sequence is saved."""

    scan_nb: Annotated[int, Key("its number", when="running")]
    uid: Annotated[str, Key("its `uid`", when="running")]
    filename: Annotated[str, Key("absolute path of its file", when="running")]
    masters: Annotated[int, Key("its top masters, each of which has an entry in the file", when="running")]


class SequenceInfo(TypedDict, total=False):
    """What a sequence announces, and where its scans are."""

    scan_count: Annotated[int, Key("scans that are to come")]
    scans: Annotated[
        dict[str, SequenceScan], Key("those of its scans that are saved, by their db_names", when="running")
    ]


class Sample(TypedDict, total=False):
    """What is in the beam: `SAMPLE` of the session, and what `scan_meta.sample` says. More keys are the users'."""

    name: Annotated[str, Key("its name")]
    description: Annotated[str, Key("what it is")]


class User(TypedDict, total=False):
    """Who measures: `USER` of the session. More keys are the users'."""

    name: Annotated[str, Key("as in `user_name`")]
    description: Annotated[str, Key("affiliation, proposal, whatever is said")]


class DatasetInfo(TypedDict, total=False):
    """What a data policy says of the place where a scan is saved; of a policy without datasets, nothing."""

    proposal: Annotated[str, Key("the proposal")]
    collection: Annotated[str, Key("the collection, which is one sample's")]
    sample: Annotated[str, Key("name of that sample")]
    dataset: Annotated[str, Key("the dataset, which has a file")]
    beamline: Annotated[str, Key("the beamline")]
    path: Annotated[str, Key("directory of the dataset")]


class ScanInfoKeys(TypedDict, total=False):
    """The keys that every reader may rely on; commands of scans and users add their own beside them."""

    schema_version: Annotated[int, Key("version of this schema", always=True)]
    name: Annotated[str, Key("name of the scan, in its node", always=True)]
    title: Annotated[str, Key("the command, as people would type it", always=True)]
    type: Annotated[str, Key("kind of the scan, `ascan`; a scan made by hand may have none")]
    scan_nb: Annotated[int, Key("number; saved and unsaved scans are numbered apart", always=True)]
    save: Annotated[bool, Key("whether writers save it", always=True)]
    uid: Annotated[str, Key("32 hexadecimal digits that no other scan has, anywhere", always=True)]
    data_writer: Annotated[str, Key("format that it is saved in, `nexus`; `null`: it is not")]
    filename: Annotated[str, Key("absolute path of the file that it is saved in")]
    base_path: Annotated[str, Key("directory below which all data are; the catalogue of them is there")]
    master_files: Annotated[list[str], Key("files that refer to that one")]
    images_path: Annotated[str, Key("directory below which its detectors save images")]
    writer_options: Annotated[dict[str, Any], Key("what the writer is told beside, e.g. `compression`")]
    data_policy: Annotated[str, Key("who says where files go, `basic`, `esrf`")]
    dataset: Annotated[DatasetInfo, Key("what that policy says of the place")]
    state: Annotated[str, Key("name of a ScanState; it changes while the scan runs", always=True)]
    session_name: Annotated[str, Key("the session", always=True)]
    user_name: Annotated[str, Key("who measures: `USER.name`, else the login", always=True)]
    host: Annotated[str, Key("computer that runs it", always=True)]
    pid: Annotated[int, Key("process that runs it", always=True)]
    pid_started: Annotated[int, Key("when that began, in ticks since the boot: a later one may have its pid")]
    publisher: Annotated[str, Key("program that runs it, `bliss_like`", always=True)]
    publisher_version: Annotated[str, Key("its version", always=True)]
    start_time: Annotated[str, Key("ISO 8601 with the zone", always=True)]
    start_timestamp: Annotated[float, Key("the same since the epoch", "s", always=True)]
    npoints: Annotated[int, Key("points that are to come, 0 for no end")]
    count_time: Annotated[float, Key("of one point", "s")]
    sleep_time: Annotated[float | None, Key("between two points", "s")]
    stab_time: Annotated[float | None, Key("between the end of a move and the count", "s")]
    estimation: Annotated[Estimation, Key("what it is expected to take")]
    start: Annotated[list[float], Key("where the axes start, the first one first", "the axis' unit")]
    stop: Annotated[list[float], Key("where the axes stop", "the axis' unit")]
    restore_positions: Annotated[
        dict[str, float], Key("where its axes are brought back to at its end, by their names", "the axis' unit")
    ]
    data_dim: Annotated[int, Key("dimensions of the grid of points: 1 line, 2 mesh")]
    backnforth: Annotated[bool, Key("whether every other line goes back")]
    npoints1: Annotated[int, Key("points along the first axis of a mesh, the fastest")]
    npoints2: Annotated[int, Key("along the second")]
    npoints3: Annotated[int, Key("along the third")]
    npoints4: Annotated[int, Key("along the fourth")]
    npoints5: Annotated[int, Key("along the fifth")]
    plots: Annotated[list[Plot], Key("plots that the scan proposes", always=True)]
    display_extra: Annotated[DisplayExtra, Key("what is wanted of displays", when="prepared")]
    positioners: Annotated[Positioners, Key("where the axes of the session were, at both ends")]
    instrument: Annotated[dict[str, Any], Key("what devices say of themselves, by their names")]
    configuration: Annotated[dict[str, Any], Key("what is configured of the devices that take part, by their names")]
    sample: Annotated[Sample, Key("what is in the beam")]
    user: Annotated[User, Key("who measures")]
    technique: Annotated[dict[str, Any], Key("how it is measured; the users'")]
    scan_meta_categories: Annotated[list[str], Key("names of the keys whose content is the users'")]
    metadata_missing: Annotated[dict[str, str], Key("metadata that could not be had, and why", when="running")]
    group: Annotated[str, Key("db_name of the sequence that it is part of")]
    index_in_sequence: Annotated[int, Key("which of its scans it is, 0 the first")]
    is_scan_sequence: Annotated[bool, Key("whether it is a sequence or a group of scans")]
    replay_of: Annotated[ReplayOf, Key("of no scan that ran, but of one that is published again: which one")]
    sequence_info: Annotated[SequenceInfo, Key("what a sequence announces, and where its scans are")]
    monitoring: Annotated[str, Key("name of what it monitors in the background, until a scan of the user comes")]
    channels: Annotated[dict[str, ChannelMeta], Key("channels by full name", when="prepared", always=True)]
    devices: Annotated[dict[str, Device], Key("acquisition objects", when="prepared", always=True)]
    acquisition_chain: Annotated[dict[str, Chain], Key("top masters by name", when="prepared", always=True)]
    paused: Annotated[
        str, Key("who holds it between two points, `user`, `writer`; empty when it goes on", when="running")
    ]
    waiting: Annotated[str, Key("what nothing has been heard of for a while; empty when it goes on", when="running")]
    waiting_since: Annotated[float, Key("since when, since the epoch", "s", when="running")]
    comments: Annotated[list[Comment], Key("notes on the scan", when="running")]
    time_profile: Annotated[TimeProfile, Key("where its time went", when="end")]
    end_time: Annotated[str, Key("ISO 8601 with the zone; not there when its process died", when="end")]
    end_timestamp: Annotated[float, Key("the same since the epoch", "s", when="end")]
    end_reason: Annotated[EndReason, Key("how it ended", when="end", always=True)]


def merged(info: Mapping[str, Any], news: Mapping[str, Any]) -> dict[str, Any]:
    """Return an info with news of it: dicts are merged key by key, what is no dict is replaced. Neither is changed."""
    result = dict(info)
    for key, value in news.items():
        known = result.get(key)
        both = isinstance(known, Mapping) and isinstance(value, Mapping)
        result[key] = merged(known, value) if both else value  # type: ignore[arg-type]
    return result


def to_be_saved(info: Mapping[str, Any]) -> bool:
    """Return whether a writer was asked to save the scan of this info."""
    return bool(info.get("save", True)) and info.get("data_writer") not in (None, "", "null")


def news_of(info: Mapping[str, Any], later: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is to be merged into `info` so that it becomes `later`, which has all of its keys."""
    news: dict[str, Any] = {}
    for key, value in later.items():
        known = info.get(key)
        if isinstance(known, Mapping) and isinstance(value, Mapping):
            if more := news_of(known, value):
                news[key] = more
        elif key not in info or repr(known) != repr(value):  # NaN is not equal to itself
            news[key] = value
    return news
