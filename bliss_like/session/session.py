"""A session: objects of the configuration by name, a setup file run among them, and a place where scans go."""

from __future__ import annotations

import logging
import os
import traceback
from collections import deque
from collections.abc import Iterable
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import Field

from bliss_like.config.config import FAILURES, get_config
from bliss_like.config.config import Config as ConfigTree
from bliss_like.config.models import ObjectConfig
from bliss_like.config.suggestion import did_you_mean
from bliss_like.data.orphans import end_orphans
from bliss_like.data.tree import Tree
from bliss_like.errors import ConfigError, ObjectNotFound, SessionError
from bliss_like.scanning.default_chain import DefaultAcquisitionChain
from bliss_like.scanning.environment import Environment, environment
from bliss_like.scanning.metadata import ScanMeta

from .current import current_session, set_active_session
from .lock import SessionLock
from .measurement_group import MeasurementGroup
from .namespace import standard_names
from .saving import ScanSaving, ScanSavingConfig

if TYPE_CHECKING:
    from bliss_like.scanning.scan import Scan

_logger = logging.getLogger(__name__)

NSCANS = 20  # the last scans that SCANS keeps


class Session:
    """One person's view of the beamline; one session is active in a process, one process has it at a time."""

    survives_reload: ClassVar[bool] = True
    """A session is not closed by `config.reload()`."""

    class Config(ObjectConfig):
        """`config-objects` and `exclude-objects` take shell wildcards; without `config-objects` no object is made."""

        setup_file: str = Field("", alias="setup-file")
        config_objects: list[str] = Field(default_factory=list, alias="config-objects")
        exclude_objects: list[str] = Field(default_factory=list, alias="exclude-objects")
        scan_saving: ScanSavingConfig = Field(default_factory=ScanSavingConfig)

    def __init__(self, name: str, config: Config) -> None:
        self.name = name
        self._settings = config
        self._node = config.node
        tree = self._node.config if self._node else None
        self.config: ConfigTree = tree if isinstance(tree, ConfigTree) else get_config()
        self.scan_saving = ScanSaving(name, config.scan_saving, self._follow_scan_saving)
        self._start_afresh()
        self.env_dict: dict[str, Any] = {}
        self.active_measurement_group: MeasurementGroup | None = None
        self._objects: dict[str, Any] = {}
        self._exported: dict[str, Any] = {}
        self._lock = SessionLock(name)

    # -- life ------------------------------------------------------------------------------------------------------------

    @property
    def is_active(self) -> bool:
        return current_session == self

    def setup(self, env_dict: dict[str, Any] | None = None, *, tree: Tree | None = None) -> bool:
        """Make the objects and run the setup file; return whether all went well, else `errors` has what did not.

        :param env_dict: where the names go (and what the setup file runs in); a new one by default.
        :param tree: where scans are published; by default the Redis server of `$BLISS_LIKE_REDIS`, or the embedded one.
        :raises SessionError: this or another session is active, or another process has this one.
        :raises StoreUnavailable: the server does not answer.
        """
        if current_session:
            other = "it" if self.is_active else f"session '{current_session.name}'"
            raise SessionError(
                f"session '{self.name}' cannot be set up: {other} is active in this process; close it first"
            )
        self._lock.acquire()
        try:
            self._enter({} if env_dict is None else env_dict, tree)
            self._make_objects()
            self._run_setup_file()
        except BaseException:
            self.close()
            raise
        return not self.errors

    def close(self) -> None:
        """Close all objects of the configuration, take the names back and let another process have the session."""
        if not self._lock.is_held:
            return
        try:
            self.errors += self.config.close_objects(keep=self)
        finally:
            self._leave()

    def __close__(self) -> None:
        self.close()

    def _enter(self, env_dict: dict[str, Any], tree: Tree | None) -> None:
        if tree is None:
            from .data_tree import open_tree  # a session that publishes elsewhere needs no Redis client

            tree = open_tree()
        tree.add_container(self.scan_saving.container)  # who listens finds the session before its first scan
        for scan in end_orphans(tree.store, self.name):
            _logger.warning(
                "session %s: scan %s was left open by a process that died; it is ended now", self.name, scan
            )
        self._start_afresh()
        self.env_dict = env_dict
        set_active_session(self)
        environment.session_name = self.name
        environment.container = self.scan_saving.container
        environment.tree = tree
        environment.scans = self.scans
        environment.scan_saving = self.scan_saving
        environment.user_name = self.scan_saving.user
        environment.default_chain = self.default_chain
        environment.scan_meta = self.user_scan_meta
        environment.active_measurement_group = self._default_counters
        environment.axes = self._axes
        self._export(standard_names(self))

    def _start_afresh(self) -> None:
        self.errors: list[BaseException] = []
        self.scans: deque[Scan] = deque(maxlen=NSCANS)
        self.default_chain = DefaultAcquisitionChain()
        self.user_scan_meta = ScanMeta()

    def _leave(self) -> None:
        vars(environment).update(vars(Environment()))
        set_active_session(None)
        for name, value in self._exported.items():
            if self.env_dict.get(name) is value:
                del self.env_dict[name]
        self._objects, self._exported = {}, {}
        self.active_measurement_group = None
        self._lock.release()

    # -- objects ---------------------------------------------------------------------------------------------------------

    @property
    def object_names(self) -> list[str]:
        """Names of the objects that were made, in the order of the configuration."""
        return list(self._objects)

    def _make_objects(self) -> None:
        for name in self._wanted_names():
            try:
                self._add_object(name, self.config.get(name))
            except FAILURES as error:  # one broken object does not stop the rest
                self._report(error)

    def _add_object(self, name: str, made: Any) -> None:
        if name in self._exported:
            raise SessionError(
                f"object '{name}' would hide the standard '{name}': give it another name in the configuration"
            )
        self._objects[name] = made
        self._export({name: made})
        if isinstance(made, MeasurementGroup) and self.active_measurement_group is None:
            self.active_measurement_group = made

    def _wanted_names(self) -> list[str]:
        wanted = dict.fromkeys(self._matching("config-objects", self._settings.config_objects))
        for name in self._matching("exclude-objects", self._settings.exclude_objects):
            wanted.pop(name, None)
        return list(wanted)

    def _matching(self, key: str, patterns: Iterable[str]) -> list[str]:
        known = [name for name in self.config.names_list if self._class_of(name) != "Session"]
        found: list[str] = []
        for index, pattern in enumerate(patterns):
            names = [pattern] if pattern in known else [name for name in known if fnmatchcase(name, pattern)]
            if not names:
                problem = f"{key}: no object '{pattern}'{did_you_mean(pattern, known)}"
                if pattern in self.config.names_list:
                    problem = f"{key}: '{pattern}' is a session; a session lists objects"
                self._report(ConfigError(f"{self._place(key, index)}Session '{self.name}': {problem}"))
            found += names
        return found

    def _class_of(self, name: str) -> Any:
        return self.config.get_config(name).get_inherited("class")

    def _place(self, *path: str | int) -> str:
        return f"{self._node.place_of(path)}: " if self._node else ""

    # -- setup file ------------------------------------------------------------------------------------------------------

    def _run_setup_file(self) -> None:
        if not self._settings.setup_file:
            return
        try:
            path = self._setup_path()
            code = compile(path.read_text(encoding="utf-8"), str(path), "exec")
            self.env_dict["__file__"] = str(path)
            exec(code, self.env_dict)
        except FAILURES as error:  # whatever a user's file raises, the session is there
            self._report(error)
        finally:
            self.env_dict.pop("__file__", None)

    def _setup_path(self) -> Path:
        """Return the setup file: relative to the YAML file, to the configuration, or to the directory around it."""
        written = os.path.expanduser(self._settings.setup_file)
        directories = [Path(self._node.filename).parent] if self._node else []
        candidates = [base / written for base in (*directories, self.config.path, self.config.path.parent)]
        for candidate in candidates:
            if candidate.is_file():
                return candidate.resolve()
        looked = ", ".join(dict.fromkeys(str(candidate.resolve()) for candidate in candidates))
        raise ConfigError(
            f"{self._place('setup-file')}Session '{self.name}': setup-file: no file {written!r}; looked for {looked}"
        )

    # -- what scans and people ask -----------------------------------------------------------------------------------------

    @property
    def error_report(self) -> str:
        """What went wrong in the setup, with the traceback of what is not a mistake in the configuration."""
        return "\n".join(_reported(error) for error in self.errors)

    @property
    def measurement_groups(self) -> list[MeasurementGroup]:
        return [made for made in self._objects.values() if isinstance(made, MeasurementGroup)]

    def __repr__(self) -> str:
        state = f"active, {len(self._objects)} objects" if self.is_active else "not set up"
        return f"<Session {self.name}: {state}{f', {len(self.errors)} errors' if self.errors else ''}>"

    def _default_counters(self) -> list[Any] | None:
        group = self.active_measurement_group
        return None if group is None else list(group.counters)

    def _axes(self) -> list[Any]:
        return [made for made in self._objects.values() if _is_axis(made)]

    def _follow_scan_saving(self) -> None:
        if self.is_active:
            environment.container = self.scan_saving.container

    def _export(self, names: dict[str, Any]) -> None:
        self.env_dict.update(names)
        self._exported.update(names)

    def _report(self, error: BaseException) -> None:
        self.errors.append(error)
        if str(error) not in map(str, self.config.errors):  # those have been logged
            _logger.error("session %s: %s", self.name, _reported(error))


def _reported(error: BaseException) -> str:
    if isinstance(error, ConfigError | SessionError) and error.__cause__ is None:
        return str(error)
    return "".join(traceback.format_exception(error)).rstrip()


def _is_axis(made: Any) -> bool:
    """Tell whether an object has the interface of an axis, of whichever class it is."""
    return all(hasattr(type(made), name) for name in ("position", "dial", "wait_move"))


def load_session(name: str, config: ConfigTree | None = None) -> Session:
    """Return the session of that name; call its `setup()` next.

    :raises ObjectNotFound: there is none.
    :raises SessionError: the object of that name is no session.
    """
    config = config or get_config()
    session = config.get(name) if name in config.names_list else None
    if not isinstance(session, Session):
        known = [other for other in config.names_list if config.get_config(other).get_inherited("class") == "Session"]
        there = f"; the sessions in {config.path} are: {', '.join(known) or 'none'}"
        if session is None:
            raise ObjectNotFound(f"no session '{name}'{did_you_mean(name, known)}{there}")
        raise SessionError(f"'{name}' is no session but a {type(session).__name__}{there}")
    return session
