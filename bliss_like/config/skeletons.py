"""Files to begin with: a session, an axis, a counter. They are valid as they are, and say where to change what."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from bliss_like.errors import ConfigError

from .loader import name_problem
from .survey import Survey

_SESSION = """\
# A session: the objects that you work with, and where its scans go. Open it with: bliss-like -s {name}
name: {name}
class: Session

# Python that runs when everything below is there; what it defines joins the names at the prompt.
setup-file: ./{name}_setup.py

# Only these are made. {hint}
# Shell wildcards are allowed: ["rob*", diode]; ["*"] is everything.
config-objects: [{objects}]

# exclude-objects: []           # what the wildcards above should not take

# Where scans are saved; SCAN_SAVING shows it, and changes it from the session. More: docs/saving.md
scan_saving:
  # base_path: /data/mine       # where your data should go; without it ~/bliss_like_data, or $BLISS_LIKE_DATA
  template: "{{session}}/"        # below it; {{session}}, {{user}} and {{date}} are replaced
  # data_filename: data         # the file in it, data.h5
  # writer: null                # no file is written
  # policy: esrf                # proposals and datasets, instead of base_path and template

# toolbar: []                   # counters, axes, shutters that the bottom line of the shell shows
# logbook: true                 # commands, scans and errors in logbook.md, beside the data
"""

_SETUP = '''\
"""Runs when `{name}` is set up: its objects are there already, by name, and the scans too.

What is defined here can be typed at the prompt: try `hello()`, then write your own.
"""


def hello():
    """Say which session this is."""
    print("This is the session", SCAN_SAVING.session)  # noqa: F821
'''

_AXIS = """\
# An axis stands in the list of the controller that drives it. This one is simulated, so that it moves at once;
# for a real one take the class of its controller (over EPICS: class EpicsMotors, see docs/devices.md).
name: {name}_controller
class: SimulatedMotors
axes:
  - name: {name:<21} # what you type: {name}.move(1.5)
    unit: mm
    steps_per_unit: 1000        # motor steps in one mm; negative turns the way
    velocity: 2                 # mm/s
    acceleration: 20            # mm/s²
    low_limit: -10              # mm, dial
    high_limit: 10
    # tolerance: 0.0001         # mm from the target that still count as arrived
  # A second axis of the same controller is a second block like this one.
"""

_COUNTER = """\
# A counter stands in the list of the controller that reads it. This one is simulated, so that it counts at once;
# for a real one take the class of its device (over EPICS: class SignalCounters), or write it: docs/devices.md.
name: {name}_controller
class: SimulatedDiodes
counters:
  - name: {name:<21} # what you type: ct(1, {name})
    value: 100                  # what it reads, on average
    noise: 5                    # standard deviation of one reading
    # unit: V
  # A second counter of the same box is a second block like this one.
"""


MOST = 8
"""Objects that a new session has; of a large configuration some axes and counters."""


@dataclass(frozen=True)
class Written:
    """The files that were written, and the name of the object in them."""

    files: list[Path]
    name: str


def begin(kind: str, name: str, survey: Survey, file: Path | None = None) -> Written:
    """Write a file to begin with.

    :param name: `""` for `my_<kind>`.
    :param file: by default `<name>.yml` in the configuration, in its directory `sessions` for a session.
    :raises ConfigError: the name cannot be taken, or a file is there already; then nothing is written.
    """
    name = name or f"my_{kind}"
    _check_name(name, kind, survey)
    directory = survey.root / "sessions" if kind == "session" else survey.root
    path = (file or directory / f"{name}.yml").absolute()
    if path.suffix != ".yml":
        raise ConfigError(f"{path}: names of configuration files end with .yml")
    if not path.resolve().is_relative_to(survey.root):
        raise ConfigError(f"{path} is outside of the configuration {survey.root}, nobody would read it")
    if kind == "session":
        texts = {path: _session(name, survey), path.with_name(f"{name}_setup.py"): _SETUP.format(name=name)}
    else:
        texts = {path: {"axis": _AXIS, "counter": _COUNTER}[kind].format(name=name)}
    for each in texts:
        if each.exists():
            raise ConfigError(f"{each} is there already and stays as it is; choose another name, or another --file")
    path.parent.mkdir(parents=True, exist_ok=True)
    for each, text in texts.items():
        with each.open("x", encoding="utf-8") as stream:
            stream.write(text)
    return Written(list(texts), name)


def _check_name(name: str, kind: str, survey: Survey) -> None:
    problem = name_problem(name)
    if problem:
        raise ConfigError(problem)
    for taken in (name, f"{name}_controller"):
        if taken in survey.entries and (taken == name or kind != "session"):
            entry = survey.entries[taken]
            raise ConfigError(f"name '{taken}' is already taken by {entry.label} in {entry.node.place}; choose another")


def _session(name: str, survey: Survey) -> str:
    objects = [each for each in survey.names if not survey.is_session(each)]
    some = objects if len(objects) <= MOST else _axes_and_counters(objects, survey) or objects[:MOST]
    hint = f"There are {len(objects)}: `bliss-like config tree` shows them." if objects else "There are none yet."
    return _SESSION.format(name=name, objects=", ".join(some), hint=hint)


def _axes_and_counters(objects: list[str], survey: Survey) -> list[str]:
    """Return some of each."""
    kinds = {name: survey.entries[name].label.partition(" ")[0] for name in objects}
    return [
        name for kind in ("axis", "counter") for name in [one for one in objects if kinds[one] == kind][: MOST // 2]
    ]
