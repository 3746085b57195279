"""What YAML says of a session: which objects, which other sessions, where its files are."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Annotated

from pydantic import Field

from bliss_like.config.config import Config
from bliss_like.config.models import ObjectConfig, Unresolved
from bliss_like.config.suggestion import did_you_mean
from bliss_like.config.survey import Survey
from bliss_like.errors import ConfigError

from .aliases import AliasConfig
from .chain_settings import ChainSettingConfig
from .logbook import LogbookConfig
from .policies.basic import ScanSavingConfig
from .policies.known import AnySavingConfig

Report = Callable[[BaseException], None]
"""Is given what is wrong."""


class SessionConfig(ObjectConfig):
    """`config-objects` and `exclude-objects` take shell wildcards; without `config-objects` no object is made.

    :param toolbar: names of what the bottom line of the shell shows: counters, axes, shutters, switches, signals.
    """

    setup_file: str = Field("", alias="setup-file")
    config_objects: list[str] = Field(default_factory=list, alias="config-objects")
    exclude_objects: list[str] = Field(default_factory=list, alias="exclude-objects")
    include_sessions: list[str] = Field(default_factory=list, alias="include-sessions")
    aliases: list[AliasConfig] = Field(default_factory=list)
    default_chain: Annotated[list[ChainSettingConfig], Unresolved()] = Field(
        default_factory=list, alias="default-chain"
    )
    default_userscript_dir: str = Field("", alias="default-userscript-dir")
    logbook: bool | LogbookConfig | None = None
    toolbar: list[str] = Field(default_factory=list)
    scan_saving: AnySavingConfig = Field(default_factory=ScanSavingConfig)

    def place(self, *path: str | int) -> str:
        """Return `file:line:column: Session 'name': ` of a key; without the place for what was made in Python."""
        return (f"{self.node.place_of(path)}: " if self.node else "") + f"Session '{self.name}': "

    # -- objects ---------------------------------------------------------------------------------------------------------

    def wanted_objects(self, survey: Survey, report: Report) -> list[str]:
        """Return the names of the objects that are listed, in that order."""
        return self._matching("config-objects", self.config_objects, survey, report)

    def unwanted_objects(self, survey: Survey, report: Report) -> list[str]:
        """Return the names of the objects that are excluded."""
        return self._matching("exclude-objects", self.exclude_objects, survey, report)

    def _matching(self, key: str, patterns: Sequence[str], survey: Survey, report: Report) -> list[str]:
        for index, pattern in enumerate(patterns):
            problem = pattern_problem(pattern, survey)
            if problem:
                report(ConfigError(f"{self.place(key, index)}{key}: {problem}"))
        return matching(patterns, survey)

    # -- files -----------------------------------------------------------------------------------------------------------

    def directories(self, config: Config) -> list[Path]:
        """Return where the files of the session are: beside its YAML file and beside its setup file."""
        found = [Path(self.node.filename).parent] if self.node else []
        if self.setup_file:
            found += [path.parent for path in self._setup_candidates(config) if path.is_file()][:1]
        return list(dict.fromkeys(path.resolve() for path in found))

    def setup_path(self, config: Config) -> Path | None:
        """Return the setup file: relative to the YAML file, to the configuration, or to the directory around it.

        :raises ConfigError: there is none of that name.
        """
        if not self.setup_file:
            return None
        candidates = self._setup_candidates(config)
        problem = setup_file_problem(self.setup_file, candidates)
        if problem:
            raise ConfigError(f"{self.place('setup-file')}setup-file: {problem}")
        return next(path for path in candidates if path.is_file())

    def _setup_candidates(self, config: Config) -> list[Path]:
        return setup_candidates(self.setup_file, self.node.filename if self.node else "", config.path)


# -- what is said at the setup and by `bliss-like config check` alike ---------------------------------------------------


def matching(patterns: Iterable[str], survey: Survey) -> list[str]:
    """Return the names of the objects that names and shell wildcards stand for, each once; of a wildcard, sorted."""
    devices = sorted(survey.devices)
    names: list[str] = []
    for pattern in patterns:
        is_name = pattern in survey.entries and not survey.is_session(pattern)
        names += [pattern] if is_name else [name for name in devices if fnmatchcase(name, pattern)]
    return list(dict.fromkeys(names))


def pattern_problem(pattern: str, survey: Survey) -> str:
    """Return why a pattern stands for nothing; empty when it does."""
    if matching([pattern], survey):
        return ""
    if survey.is_session(pattern):
        return f"'{pattern}' is a session; to have all that it has, write it in include-sessions"
    return f"no object '{pattern}'{survey.tree.why_missing(pattern, survey.objects)}"


def hiding_problem(name: str) -> str:
    """Return why an object cannot be in a session that has its name for something else."""
    return f"object '{name}' would hide the standard '{name}': give it another name in the configuration"


def merged(included: Iterable[str], own: Iterable[str], unwanted: Iterable[str]) -> list[str]:
    """Return the names of all objects of a session: what is included first. It may exclude what it includes."""
    without = set(unwanted)
    return [name for name in dict.fromkeys([*included, *own]) if name not in without]


def setup_candidates(written: str, yaml_file: str, root: Path) -> list[Path]:
    """Return where a setup file may be: beside the YAML file, in the configuration, in the directory around it."""
    bases = [*([Path(yaml_file).parent] if yaml_file else []), root, root.parent]
    paths = (Path(os.path.normpath(base / os.path.expanduser(written))) for base in bases)
    return list(dict.fromkeys(paths))


def setup_file_problem(written: str, candidates: Sequence[Path]) -> str:
    if any(path.is_file() for path in candidates):
        return ""
    return f"no file {written!r}; looked for {', '.join(map(str, candidates))}"


def inclusion_problem(way: Sequence[str], seen: dict[str, str], survey: Survey) -> str:
    """Return why the last session of a way cannot be included by the one before it; empty when it can.

    :param way: names, from the session that is looked at to the one that is to be included.
    :param seen: the ways to the sessions that are included already.
    """
    *above, name = way
    here = " -> ".join(way)
    if name in above:
        return f"sessions that include each other: {here}; take one of them out"
    if name in seen:
        return f"'{name}' is included twice: {seen[name]} and {here}; once is enough"
    if survey.is_session(name):
        return ""
    if name in survey.entries:
        kind = survey.entries[name].label.partition(" ")[0]
        article = "an" if kind[0] in "aeiou" else "a"
        return f"'{name}' is no session but {article} {kind}: write it in config-objects"
    others = [other for other in survey.sessions if other not in above]
    hint = did_you_mean(name, others) or (f"; there are: {', '.join(others)}" if others else "")
    return f"no session '{name}'{hint}"
