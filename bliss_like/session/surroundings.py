"""What a process lends to the session that is active in it: settings, locks, and the environment of its scans."""

from __future__ import annotations

import logging
import sys
from typing import TYPE_CHECKING

from bliss_like.config.settings import use_store
from bliss_like.config.sharing import Sharing, use_sharing
from bliss_like.config.used import configuration_of
from bliss_like.data.key_store import KeyStore
from bliss_like.data.orphans import LOGGED, TOLD, end_orphans, untold_deaths
from bliss_like.data.past import use_session
from bliss_like.data.server import URL_VARIABLE
from bliss_like.data.tree import Tree
from bliss_like.devices import motion_line
from bliss_like.devices.exporting import use_export
from bliss_like.devices.interlock import use_interlock
from bliss_like.errors import BlissLikeError, SessionError
from bliss_like.live.look import wrapped
from bliss_like.scanning.environment import Environment, environment
from bliss_like.scanning.plot_choice import plotted

from .current import set_active_session
from .exported import export_to
from .file_saving import FileSaving
from .sharing import SessionInterlock
from .writer_process import WriterProcess

if TYPE_CHECKING:
    from .session import Session

_logger = logging.getLogger(__name__)


class Surroundings:
    """Lent by `enter`, given back by `leave`."""

    def __init__(self, session: Session, tree: Tree, sharing: Sharing) -> None:
        self._session = session
        self._tree = tree
        self._sharing = sharing
        self._store_before: KeyStore | None = None
        address = getattr(tree.store, "address", "")
        writer = WriterProcess(session.name, tree.store, {URL_VARIABLE: address}) if address else None
        self._saver = (
            FileSaving(session, tree.store, writer) if writer else None
        )  # none reaches the memory of this process

    def enter(self) -> None:
        """:raises StoreUnavailable: the server does not answer."""
        session, tree = self._session, self._tree
        self._store_before = use_store(tree.store.keys)
        use_sharing(self._sharing)
        motion_line.follow()
        set_active_session(session)
        use_session(session.name)
        session.scan_saving.enter()
        environment.presets = [session.hooks.around, plotted]
        try:
            container = session.scan_saving.container
        except SessionError:  # it takes a function that a setup file is going to add
            container = session.name
        tree.add_container(container)  # who listens finds the session before its first scan
        end_orphans(tree.store, session.name)

    def tell(self) -> None:
        """Let scans and moves know the session as it is now."""
        session = self._session
        watched = session.written.interlock is not False
        use_interlock(SessionInterlock(self._sharing.locks, session.config) if watched else None)
        use_export(export_to(session))
        environment.session_name = session.name
        environment.settings_name = session.settings_name
        environment.container = lambda: session.scan_saving.container
        environment.tree = self._tree
        environment.scans = session.scans
        environment.scan_saving = session.scan_saving
        environment.saver = self._saver
        environment.logbook = session.logbook
        session.logbook.configure(environment.subscriptions)
        environment.user_name = session.scan_saving.user
        environment.default_chain = session.default_chain
        environment.scan_meta = session.user_scan_meta
        environment.active_measurement_group = session.default_counters
        environment.axes = lambda: session.objects.axes
        environment.metadata_sources = lambda: session.objects.metadata_sources
        environment.described = lambda: {"sample": session.sample.to_dict(), "user": session.user.to_dict()}
        environment.configuration = lambda devices: configuration_of(session.config, devices)
        environment.names = lambda: session.env_dict
        environment.note_error = session.error_log.add

    def begin(self, verbose: bool) -> None:
        """Have a writer started, which nobody waits for, and tell of scans that died with an earlier process.

        :param verbose: write that to the standard output; otherwise it is logged, and told by the next one that is.
        """
        if self._saver is not None:
            self._saver.begin()
        for sentence in self._deaths(TOLD if verbose else LOGGED):
            if verbose:
                sys.stdout.write(f"{wrapped(sentence)}\n")
            else:
                _logger.warning("session %s: %s", self._session.name, sentence)

    def _deaths(self, how: str) -> list[str]:
        store, session = self._tree.store, self._session
        try:
            if not untold_deaths(store, session.name, how):
                return []
            from .cut_off import tell_deaths  # takes its time to load

            return tell_deaths(store, session.name, session.objects.axes, how)
        except BlissLikeError as error:  # no reason to be without a session
            return [f"what became of scans that were cut off cannot be told: {error}"]

    def leave(self) -> None:
        self._session.logbook.close()
        if self._saver is not None:
            self._saver.close()
        motion_line.leave()
        vars(environment).update(vars(Environment()))
        set_active_session(None)
        use_session("")
        use_store(self._store_before)
        use_interlock(None)
        use_export(None)
        use_sharing(None)
