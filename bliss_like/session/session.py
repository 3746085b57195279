"""A session: objects of the configuration by name, setup files run among them, and a place where scans go."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import replace
from functools import partial
from time import monotonic
from typing import TYPE_CHECKING, Any, ClassVar, cast

from bliss_like.config.config import Config as ConfigTree
from bliss_like.config.config import get_config
from bliss_like.data.lifecycle import ScanState
from bliss_like.data.tree import Tree
from bliss_like.errors import ConfigError, SessionError
from bliss_like.scanning.default_chain import DefaultAcquisitionChain
from bliss_like.scanning.environment import environment
from bliss_like.scanning.result import LastScans
from bliss_like.scanning.scan_meta import ScanMeta
from bliss_like.scanning.subscriptions import Subscription, Subscriptions

from .active_group import ActiveGroup
from .aliases import Aliases, add_configured
from .chain_settings import set_configured
from .checks import check_session, wanted_names
from .current import current_session
from .described import Described
from .failures import ErrorLog, SetupErrors, told_elsewhere, with_traceback
from .hooks import Hooks
from .includes import SessionTree, sessions_tree
from .lock import SessionLock
from .logbook import Logbook
from .making import Made, connect_all, make_all
from .measurement_group import MeasurementGroup
from .missing import why_missing
from .namespace import EVERYDAY, ORDINARY_WORDS, STANDARD_NAMES, standard_names
from .objects import Objects
from .protection import Names
from .saving import ScanSaving
from .scripts import Scripts
from .sharing import share
from .summary import Summary
from .surroundings import Surroundings
from .written import SessionConfig, matching

if TYPE_CHECKING:
    from bliss_like.config.node import ConfigNode
    from bliss_like.config.reloading import Changes
    from bliss_like.config.survey import Survey
    from bliss_like.config.validation import Problem

NSCANS = 20  # the last scans that SCANS keeps


class Session:
    """One person's view of the beamline; one session is active in a process, one process has it at a time."""

    survives_reload: ClassVar[bool] = True
    """`config.reload()` does not close it: `resetup()` is the way."""

    Config = SessionConfig

    @classmethod
    def check_config(cls, node: ConfigNode, survey: Survey) -> Iterator[Problem]:
        """Yield what is wrong with the names that are written."""
        return check_session(node, survey, STANDARD_NAMES)

    @classmethod
    def names_made(cls, node: ConfigNode, survey: Survey) -> list[str]:
        """Return the names of the objects that `setup` would make."""
        return wanted_names(node, survey)

    def __init__(self, name: str, config: SessionConfig, tree: ConfigTree | None = None) -> None:
        """:param tree: where its objects are; by default that of `config`, or that of the process."""
        self.name = name
        self.written = config
        """What YAML says of it."""
        self.config = tree or (cast(ConfigTree, config.node.config) if config.node else get_config())
        self._beamline = self.config.beamline
        self.hooks = Hooks()
        self.sample = Described("sample", name)
        self.scan_saving = ScanSaving(name, config.scan_saving, self.hooks, self.sample)
        self.user = Described("user", name)
        self.logbook = Logbook(self)
        self.error_log = ErrorLog()
        """The last errors, with those that the user saw at the prompt."""
        self.names = Names({})
        """What the session has given names to, and protects."""
        self.aliases = Aliases(self)
        self._active_group = ActiveGroup(self)
        self.objects = Objects()
        """What was made of the configuration."""
        self._lock = SessionLock(name)
        self.way_in = ""
        """What others type to join the shell in which it is open, if it is shared."""
        self._scripts = Scripts(self, self._took)
        self._start_afresh()

    # -- life ------------------------------------------------------------------------------------------------------------

    @property
    def is_active(self) -> bool:
        return current_session == self

    @property
    def env_dict(self) -> dict[str, Any]:
        """Where the names of the session live."""
        return self.names.namespace

    @property
    def sessions_tree(self) -> SessionTree:
        """This session, with those that it includes and those that they include."""
        return self._tree if self.is_active else sessions_tree(self, self.config.survey, lambda error: None)

    @property
    def settings_name(self) -> str:
        """What the names of settings that belong to this session begin with."""
        return f"{self._beamline}:{self.name}" if self._beamline else self.name

    def setup(self, env_dict: dict[str, Any] | None = None, verbose: bool = False, *, tree: Tree | None = None) -> bool:
        """Make the objects and run the setup files; return whether all went well, else `errors` has what did not.

        :param env_dict: where the names go (and what the setup files run in); a new one by default.
        :param verbose: write the `summary` to the standard output; otherwise errors are logged.
        :param tree: where scans are published; by default the Redis server of `$BLISS_LIKE_REDIS`, or the embedded one.
        :raises SessionError: this or another session is active, or another process has this one.
        :raises StoreUnavailable: the server does not answer.
        """
        if current_session:
            other = "it" if self.is_active else f"session '{current_session.name}'"
            raise SessionError(
                f"session '{self.name}' cannot be set up: {other} is active in this process; close it first"
            )
        if tree is None:
            from .data_tree import open_tree  # a session that publishes elsewhere needs no Redis client

            tree = open_tree()
        # until it is closed: locks, channels and settings have it in their names
        self._beamline = self.config.beamline
        sharing = share(tree.store, self._beamline, self.name)
        self._lock.acquire(sharing.locks, self.way_in)
        self._surroundings = Surroundings(self, tree, sharing)
        self._lasting_hooks = self.hooks.registered()
        try:
            self.read_again()
            self._surroundings.enter()
            self._start_afresh()
            self.config.aliases = self.aliases
            self.names = Names({} if env_dict is None else env_dict)
            self.names.why_missing = partial(why_missing, self)
            self._build(verbose)
            self._surroundings.begin(verbose)
        except BaseException:
            self.close()
            raise
        finally:
            self._is_building = False
        return not self._errors

    def resetup(self, verbose: bool = False) -> Summary:
        """Read the configuration again, and set up what it says now; return what came out, true when all went well.

        Objects that are written as before stay the same objects, and are not touched; the others are closed, the dependent
        ones first, and made anew. Names that are gone leave the session. Setup files run again; hooks, aliases and the
        default chain are as they say. What is monitored in the background ends.

        :param verbose: write the summary to the standard output; otherwise errors are logged.
        :raises SessionError: the session is not active or not ready, or a scan is running.
        :raises ConfigError: a motor moves that would be closed.
        """
        self._refuse_resetup()
        self._is_building = True
        environment.background.end_all()
        try:
            with told_elsewhere(verbose):
                changes = self.config.reload()
            self._errors.clear()
            for error in changes.errors:
                self._errors.keep(error)
            if self.written.node and self.name not in self.config.names_list:
                self._errors.report(
                    ConfigError(f"session '{self.name}' is gone from the configuration; it goes on as it was")
                )
            self._forget(changes)
            self.read_again()
            self._build(verbose, str(replace(changes, errors=())))  # which the summary tells itself
            return self.summary
        finally:
            self._is_building = False

    def _forget(self, changes: Changes) -> None:
        """Forget the objects that were closed, and what the setup has done beside making objects."""
        self.aliases.clear()
        self.default_chain.reset()
        self.hooks.keep_only(self._lasting_hooks)
        environment.subscriptions.forget_setup()
        self._active_group = ActiveGroup(self)
        self.names.take_back(*self.objects.without(changes.kept))
        self.objects = self.objects.only(changes.kept)

    def _refuse_resetup(self) -> None:
        if not self.is_active:
            raise SessionError(f"session '{self.name}' is not set up: {self.name}.setup() comes first")
        if self._is_building:
            raise SessionError(f"session '{self.name}' is being set up: resetup() has to wait for the end of that")
        self.__refuse_close__()

    def __refuse_close__(self) -> None:
        """Refuse that anything is closed that a scan may need.

        :raises SessionError: one is running.
        """
        for scan in self.scans if self.is_active else ():
            if scan.state is not ScanState.IDLE and not scan.state.is_final:
                raise SessionError(f"session '{self.name}': {scan!r} is running: wait for its end, or abort it first")

    def read_again(self) -> None:
        """Take over what the configuration says of the session now; if that is wrong, it goes on as it was."""
        if not self.written.node or not self.config.survey.is_session(self.name):
            return
        try:
            written = self.config.model_of(self.name, SessionConfig)
        except ConfigError:
            return  # the configuration has told when it was read
        if written.scan_saving != self.written.scan_saving:
            self.scan_saving = ScanSaving(self.name, written.scan_saving, self.hooks, self.sample)
        self.written = written

    def close(self) -> None:
        """Close all objects of the configuration, take the names back and let another process have the session.

        `errors` has what went wrong; nothing of it keeps the session open.
        """
        if not self._lock.is_held:
            return
        try:
            environment.background.end_all()
            environment.pausing.end_all(f"session {self.name} is closed")
            if self._has_opened:
                self.hooks.session.call("close", self)
        finally:
            try:
                for error in self.config.close_objects(keep=self):
                    self._errors.keep(error)  # it has been logged
            finally:
                self._leave()

    __close__ = close

    @property
    def temporary_config(self) -> AbstractContextManager[ConfigTree]:
        """`with session.temporary_config as config:` objects made inside are closed in the end."""
        return self.config.temporary()

    def _start_afresh(self) -> None:
        self._errors = SetupErrors(self)
        self.summary = Summary(self.name, [], {}, 0.0)
        self.scans = LastScans(maxlen=NSCANS)
        self.default_chain = DefaultAcquisitionChain()
        self.user_scan_meta = ScanMeta()
        self._tree = SessionTree(self)
        self.being_made: set[str] = set()  # names of the objects that the setup waits for
        self._is_building = self._has_opened = False

    def _build(self, verbose: bool, changes: str = "") -> None:
        """Make what is not there yet, and run the setup files."""
        began = monotonic()
        self._is_building, self._errors.are_shown = True, verbose
        self._surroundings.tell()
        self.names.give({**standard_names(self), **self._scripts.functions()})
        for name in ORDINARY_WORDS:
            self.names.unprotect(name)
        self.names.offer(EVERYDAY)
        self._tree = sessions_tree(self, self.config.survey, self._errors.report)
        with told_elsewhere(verbose):
            made = self._make_objects()
        errors: list[Exception] = connect_all(self.objects)
        errors += add_configured(self.aliases, self._tree.entries("aliases"))
        errors += set_configured(self.default_chain, self._tree.entries("default-chain"), self.config)
        for error in errors:
            self._errors.report(error)
        with environment.subscriptions.of_setup():
            self._scripts.run_setup_files(self._tree)
            self._has_opened = True
            self.hooks.session.call("setup", self)
        made = [replace(one, name=self.aliases.get_alias(one.name) or one.name) for one in made]
        self.summary = Summary(self.name, made, dict(self._errors), monotonic() - began, changes)
        if verbose:
            sys.stdout.write(f"{self.summary}\n")

    def _leave(self) -> None:
        self.aliases.clear()
        self.config.aliases = {}
        self._surroundings.leave()
        self.names.take_all_back()
        self.hooks.keep_only(self._lasting_hooks)
        self.objects = Objects()
        self._has_opened = False
        self._active_group = ActiveGroup(self)
        self._lock.release()

    # -- objects ---------------------------------------------------------------------------------------------------------

    @property
    def object_names(self) -> list[str]:
        """Names of the objects that were made, in the order of the configuration."""
        return list(self.objects)

    def _make_objects(self) -> list[Made]:
        names = self._tree.wanted_objects(self.config.survey, self._errors.report)
        outcomes = make_all(names, self.config, self.being_made)
        for error in filter(None, (made.error for made in outcomes)):
            self._errors.report(error)
        before, self.objects = self.objects, Objects.of(outcomes)
        self.names.take_back(*before.without(self.objects))
        self.names.give(self.objects)
        self._scripts.refresh(self.names.given)
        own = matching(self.written.config_objects, self.config.survey)
        self._active_group.default = self.objects.first_measurement_group(own)  # its own before what it includes
        return outcomes

    # -- what scans and people ask -----------------------------------------------------------------------------------------

    def protect(self, name: str) -> None:
        """Let nobody rebind a name at the prompt, in setup files and scripts.

        :raises ProtectedName: there is no such name.
        """
        self.names.protect(name)

    def unprotect(self, name: str) -> None:
        """Let a name be rebound that the session protects, until its next setup.

        :raises ProtectedName: it is not protected.
        """
        self.names.unprotect(name)

    @property
    def subscriptions(self) -> Subscriptions:
        """Who follows its scans while they run."""
        return environment.subscriptions if self.is_active else Subscriptions()

    def subscribe(self, callback: Any, **how: Any) -> Subscription:
        """Let a callback follow all scans to come; return what `unsubscribe` takes. Keywords: those of `Subscription`.

        :raises UsageError: something of this is wrong.
        :raises SessionError: the session is not active.
        """
        if not self.is_active:
            raise SessionError(
                f"session '{self.name}' is not set up, it has no scans to follow: {self.name}.setup() first"
            )
        return environment.subscriptions.subscribe(callback, **how)

    def unsubscribe(self, token: Any) -> None:
        """End what `subscribe` began; a callback ends all subscriptions of it.

        :raises UsageError: there is none.
        """
        self.subscriptions.unsubscribe(token)

    @property
    def errors(self) -> list[BaseException]:
        """What went wrong in the setup, and since then in closing."""
        return list(self._errors.values())

    @property
    def error_report(self) -> str:
        """The same, with the traceback of what is not a mistake in the configuration."""
        return "\n".join(map(with_traceback, self.errors))

    @property
    def measurement_groups(self) -> list[MeasurementGroup]:
        return self.objects.measurement_groups

    @property
    def active_measurement_group(self) -> MeasurementGroup | None:
        """The group that scans use which are given no counters: the one that was chosen last, else the first."""
        return self._active_group.get()

    @active_measurement_group.setter
    def active_measurement_group(self, group: MeasurementGroup) -> None:
        self._active_group.set(group)

    def __repr__(self) -> str:
        state = f"active, {len(self.objects)} objects" if self.is_active else "not set up"
        return f"<Session {self.name}: {state}{f', {len(self._errors)} errors' if self._errors else ''}>"

    def default_counters(self) -> list[Any] | None:
        """Return the counters of a scan that is given none; None when there is no measurement group."""
        group = self.active_measurement_group
        return None if group is None else list(group.counters)

    def _took(self, error: BaseException) -> bool:
        """Report the error of a script that a setup file has loaded; later, who loads one gets its error."""
        if self._is_building:
            self._errors.report(error)
        return self._is_building
