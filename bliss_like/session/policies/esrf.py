"""Proposals, collections and datasets as at the ESRF: each dataset is a directory that is made once, with a file in it.

    <root>/<proposal>/<beamline>/<session>/RAW_DATA/<collection>/<collection>_<dataset>/<collection>_<dataset>.h5

A collection is what is measured of one sample. Proposal and collection have a master file each.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, ClassVar, Literal

from pydantic import Field, field_validator

from bliss_like.data.scan_info import DatasetInfo
from bliss_like.errors import UsageError
from bliss_like.scanning.environment import environment

from ..disk import make_directory, make_new
from ..places import fit
from .config import SavingConfig, absolute
from .dataset_metadata import end_dataset
from .policy import DataPolicy

COLLECTION, DATASET = "sample", "0001"
"""Names as long as nobody has said others."""

_MARK = "\ue000"
"""A character for private use, in the place of a number."""


class EsrfSavingConfig(SavingConfig):
    """:param beamline: its name, as it stands in paths.
    :param visitor_data_root: where proposals of visitors go.
    :param inhouse_data_root: where those of the beamline itself go.
    :param tmp_data_root: where tests go.
    :param inhouse_proposals: shell wildcards for names of proposals of the beamline.
    :param tmp_proposals: shell wildcards for names of tests; all others are visitors'.
    """

    template_names: ClassVar[tuple[str, ...]] = (
        *("base_path", "proposal_name", "proposal_session_name", "proposal_type", "collection_name", "dataset_name"),
    )

    policy: Literal["esrf"]
    beamline: str = Field(pattern=r"^[A-Za-z0-9_-]+$")
    visitor_data_root: str = "/data/visitor"
    inhouse_data_root: str = "/data/{beamline}/inhouse"
    tmp_data_root: str = "/data/{beamline}/tmp"
    inhouse_proposals: list[str] = Field(default_factory=lambda: ["{beamline}*", "blc*", "ih*"])
    tmp_proposals: list[str] = Field(default_factory=lambda: ["tmp*", "temp*", "test*"])
    template: str = (
        "{proposal_name}/{beamline}/{proposal_session_name}/RAW_DATA/{collection_name}/{collection_name}_{dataset_name}"
    )
    data_filename: str = "{collection_name}_{dataset_name}"

    @field_validator("template")
    @classmethod
    def _has_datasets(cls, template: str) -> str:
        if "{dataset_name}" not in template.rpartition("/")[2]:
            raise ValueError(
                f"expected {{dataset_name}} after its last '/': each has its own directory; came {template!r}"
            )
        return template

    _absolute = field_validator("visitor_data_root", "inhouse_data_root", "tmp_data_root")(absolute)


class EsrfPolicy(DataPolicy):
    """What it keeps are the names of proposal, collection and dataset; `_made` is when the dataset's directory was made."""

    Config: ClassVar[type[SavingConfig]] = EsrfSavingConfig

    own_fields: ClassVar[Mapping[str, str]] = {
        "proposal_name": "newproposal",
        "proposal_session_name": "newproposal",
        "collection_name": "newcollection",
        "dataset_name": "newdataset",
        "_made": "",
        "_description": "",
        "template": "",
        "beamline": "",
    }

    elsewhere: ClassVar[str] = "SCAN_SAVING.visitor_data_root = ... saves elsewhere, as the other roots do"

    config: EsrfSavingConfig

    def defaults(self) -> dict[str, Any]:
        return {
            **self._usual_proposal(),
            "collection_name": COLLECTION,
            "dataset_name": DATASET,
            "_made": "",
            "_description": "",
        }

    def _usual_proposal(self) -> dict[str, str]:
        now = datetime.now().astimezone()
        return {
            "proposal_name": f"{self.config.beamline}{now:%y%m}".lower(),
            "proposal_session_name": f"{now:%Y%m%d}",
        }

    def values(self, fields: Mapping[str, Any]) -> dict[str, Any]:
        kind = self._kind(str(fields["proposal_name"]))
        root = str(fields[f"{kind}_data_root"]).replace("{beamline}", self.config.beamline)
        return {"proposal_type": kind, "base_path": root}

    def _kind(self, proposal: str) -> str:
        own = {"tmp": self.config.tmp_proposals, "inhouse": self.config.inhouse_proposals}
        for kind, patterns in own.items():
            written = [pattern.replace("{beamline}", self.config.beamline).lower() for pattern in patterns]
            if any(fnmatchcase(proposal, pattern) for pattern in written):
                return kind
        return "visitor"

    def master_files(self) -> list[str]:
        fields, collection = self.saving.fields, Path(self.saving.get_path()).parent
        proposal = fields["proposal_name"]
        names = (f"{proposal}_{fields['collection_name']}.h5", f"{proposal}_{self.config.beamline}.h5")
        return [str(collection / names[0]), str(collection.parent / names[1])]

    def dataset(self) -> DatasetInfo:
        fields = self.saving.fields
        return {
            "proposal": fields["proposal_name"],
            "collection": fields["collection_name"],
            "sample": self.saving.sample_name or fields["collection_name"],
            "dataset": fields["dataset_name"],
            "beamline": self.config.beamline,
            "path": self.saving.get_path(),
        }

    # -- what people type ----------------------------------------------------------------------------------------------

    def newproposal(self, name: str | None = None, session_name: str | None = None) -> str:
        news = self._usual_proposal()
        notes: list[str] = []
        if name is not None:
            news["proposal_name"] = _in_paths("name", name, notes, is_proposal=True)
        if session_name is not None:
            news["proposal_session_name"] = _in_paths("session_name", session_name, notes)
        hooks, before = self.saving.hooks, self.saving.fields["proposal_name"]
        if hooks is not None:
            hooks.data_policy.call("before_proposal_change", before)
        self._begin(**news, collection_name=COLLECTION)
        self.saving.tell_sample(None)
        if hooks is not None:
            hooks.data_policy.call("after_proposal_change", news["proposal_name"])
        return self._told(notes)

    def endproposal(self) -> str:
        return self.newproposal()

    def newcollection(
        self, name: str | None = None, sample_name: str | None = None, sample_description: str | None = None
    ) -> str:
        notes: list[str] = []
        collection = COLLECTION if name is None else _in_paths("name", name, notes)
        sample = _text("sample_name", sample_name) or name or COLLECTION
        description = _text("sample_description", sample_description)
        self._begin(collection_name=collection)
        self.saving.tell_sample(sample, description)
        return self._told(notes)

    def newsample(self, name: str | None = None, description: str | None = None) -> str:
        return self.newcollection(name, name, description)

    def newdataset(
        self, name: str | int | None = None, description: str | None = None, sample_name: str | None = None
    ) -> str:
        notes: list[str] = []
        wanted = "" if name is None else _dataset_name(name, notes)
        description, sample_name = _text("description", description), _text("sample_name", sample_name)
        self._begin(wanted, _description=description or "")
        if sample_name:
            self.saving.tell_sample(sample_name)
        got = self.saving.fields["dataset_name"]
        if wanted not in ("", got):
            notes.append(f"dataset '{wanted}' is there already, this one is '{got}'")
        return self._told(notes)

    def enddataset(self) -> str:
        return self.newdataset()

    def _told(self, notes: list[str]) -> str:
        return "\n".join([*notes, self.saving.whereabouts()])

    # -- datasets ------------------------------------------------------------------------------------------------------

    def claim(self) -> None:
        if not self.saving.fields["_made"]:
            self._begin()

    def _begin(self, wanted: str = "", **news: str) -> None:
        """Leave the dataset for a new one, whose directory is made here: nobody else has it.

        :param wanted: its name, if it is free; by default the next number.
        :raises SavingError: the directory cannot be made; then nothing has changed.
        """
        saving = self.saving
        left = Path(saving.get_path()) if saving.fields["_made"] else None
        has_data = left is not None and saving.look(lambda: _has_something(left))
        news = {"_description": "", **news}
        is_numbered = str(saving.fields["dataset_name"]).isdecimal()
        if left is not None and not (has_data or wanted) and is_numbered and _same(saving.fields, news):
            return saving.go_on(**news)  # nothing was measured in it yet
        dataset = saving.look(lambda: self._make(wanted, news))
        if left is not None and has_data:
            end_dataset(saving, left, self.dataset())
        saving.go_on(
            **{**news, "dataset_name": dataset, "_made": datetime.now().astimezone().isoformat("T", "seconds")}
        )
        if left is not None and not has_data and all(scan.state.is_final for scan in environment.scans):
            saving.look(lambda: _remove_empty(left))
        return None

    def _make(self, wanted: str, news: Mapping[str, str]) -> str:
        """Make the directory of a dataset; return its name.

        :raises SavingError: it cannot be made.
        """
        mode = self.saving.fields["directory_mode"]
        marked = self.saving.places(**{**news, "dataset_name": _MARK}).root
        make_directory(marked.parent, mode)
        before, _, after = marked.name.partition(_MARK)
        made = make_new((marked.with_name(f"{before}{name}{after}") for name in _names(wanted, marked)), mode)
        return made.name.removeprefix(before).removesuffix(after)


def _names(wanted: str, marked: Path) -> Iterator[str]:
    """Yield names that may be free: what is wanted, then numbers; without a wish, those above all that are there."""
    if wanted and not wanted.isdecimal():
        yield wanted
        yield from (f"{wanted}_{number:04d}" for number in range(2, 10_000))
        return
    first = int(wanted or 0)
    if not wanted:
        pattern = re.compile(re.escape(marked.name).replace(_MARK, r"(\d+)"))
        found = (pattern.fullmatch(each.name) for each in marked.parent.iterdir())
        first = max((int(match[1]) for match in found if match), default=0) + 1
    yield from (f"{number:04d}" for number in range(first, first + 10_000))


def _same(fields: Mapping[str, Any], news: Mapping[str, str]) -> bool:
    return all(fields[name] == value for name, value in news.items() if not name.startswith("_"))


def _has_something(path: Path) -> bool:
    return path.is_dir() and any(path.iterdir())


def _remove_empty(path: Path) -> None:
    try:
        path.rmdir()
    except OSError:
        return  # somebody has put something there


def _text(key: str, value: object) -> str | None:
    if value is not None and not isinstance(value, str):
        raise UsageError(f"{key}: expected a text, got {value!r}")
    return value


def _dataset_name(name: object, notes: list[str]) -> str:
    if isinstance(name, bool) or not isinstance(name, (str, int)) or (isinstance(name, int) and name < 0):
        raise UsageError(f"name: expected a text or a number of a dataset, got {name!r}")
    text = str(name)
    return f"{int(text):04d}" if text.isascii() and text.isdecimal() else _in_paths("name", text, notes)


def _in_paths(key: str, name: object, notes: list[str], is_proposal: bool = False) -> str:
    """Return how a name is written in paths; what was changed is told in `notes`.

    :raises UsageError: nothing is left of it.
    """
    if not isinstance(name, str):
        raise UsageError(f"{key}: expected a text, got {name!r}")
    plain = fit(name)
    if is_proposal:
        plain = re.sub(r"[^a-z0-9]", "", plain.lower())
    if not plain:
        raise UsageError(f"{key}: expected a name with letters or digits, got {name!r}: directories are called like it")
    if plain != name:
        notes.append(f"'{name}' is written '{plain}' in paths")
    return plain
