"""What YAML says of a session: which objects, which other sessions, where its files are."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Annotated, cast

from pydantic import Field

from bliss_like.config.config import Config
from bliss_like.config.models import ObjectConfig, Unresolved
from bliss_like.config.suggestion import did_you_mean
from bliss_like.config.validation import validate, with_inherited
from bliss_like.errors import ConfigError

from .aliases import AliasConfig
from .chain_settings import ChainSettingConfig
from .saving import ScanSavingConfig

Report = Callable[[BaseException], None]
"""Is given what is wrong."""


class SessionConfig(ObjectConfig):
    """`config-objects` and `exclude-objects` take shell wildcards; without `config-objects` no object is made."""

    setup_file: str = Field("", alias="setup-file")
    config_objects: list[str] = Field(default_factory=list, alias="config-objects")
    exclude_objects: list[str] = Field(default_factory=list, alias="exclude-objects")
    include_sessions: list[str] = Field(default_factory=list, alias="include-sessions")
    aliases: list[AliasConfig] = Field(default_factory=list)
    default_chain: Annotated[list[ChainSettingConfig], Unresolved()] = Field(
        default_factory=list, alias="default-chain"
    )
    default_userscript_dir: str = Field("", alias="default-userscript-dir")
    scan_saving: ScanSavingConfig = Field(default_factory=ScanSavingConfig)

    def place(self, *path: str | int) -> str:
        """Return `file:line:column: Session 'name': ` of a key; without the place for what was made in Python."""
        return (f"{self.node.place_of(path)}: " if self.node else "") + f"Session '{self.name}': "

    # -- objects ---------------------------------------------------------------------------------------------------------

    def wanted_objects(self, config: Config, report: Report) -> list[str]:
        """Return the names of the objects that are listed, in that order."""
        return self._matching("config-objects", self.config_objects, config, report)

    def unwanted_objects(self, config: Config, report: Report) -> list[str]:
        """Return the names of the objects that are excluded."""
        return self._matching("exclude-objects", self.exclude_objects, config, report)

    def _matching(self, key: str, patterns: Iterable[str], config: Config, report: Report) -> list[str]:
        sessions = set(session_names(config))
        known = [name for name in config.names_list if name not in sessions]
        devices = [name for name in known if config.get_config(name).get_inherited("plugin") != "default"]
        found: list[str] = []
        for index, pattern in enumerate(patterns):
            names = [pattern] if pattern in known else [name for name in devices if fnmatchcase(name, pattern)]
            if not names:
                problem = f"no object '{pattern}'{did_you_mean(pattern, known)}"
                if pattern in sessions:
                    problem = f"'{pattern}' is a session; to have all that it has, write it in include-sessions"
                report(ConfigError(f"{self.place(key, index)}{key}: {problem}"))
            found += names
        return list(dict.fromkeys(found))

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
        for candidate in candidates:
            if candidate.is_file():
                return candidate
        looked = ", ".join(map(str, candidates))
        raise ConfigError(f"{self.place('setup-file')}setup-file: no file {self.setup_file!r}; looked for {looked}")

    def _setup_candidates(self, config: Config) -> list[Path]:
        written = os.path.expanduser(self.setup_file)
        directories = [Path(self.node.filename).parent] if self.node else []
        bases = (*directories, config.path, config.path.parent)
        return list(dict.fromkeys((base / written).resolve() for base in bases))


def session_names(config: Config) -> list[str]:
    """Return the names of all sessions of a configuration."""
    return [name for name in config.names_list if config.get_config(name).get_inherited("class") == "Session"]


def read_session(config: Config, name: str) -> SessionConfig:
    """Return what is written about a session now, whatever was read before.

    :raises ConfigError: it is wrong, or there is no such session any more.
    """
    node = config.get_config(name)
    if name not in session_names(config):
        raise ConfigError(f"{node.place}: '{name}' is no session any more")
    model = validate(with_inherited(node, SessionConfig), SessionConfig)
    if isinstance(model, list):
        lines = [f"{node.place_of(problem.path)}: Session '{name}': {problem.told()}" for problem in model]
        raise ConfigError("\n".join(lines))
    model._node = node
    return cast(SessionConfig, model)
