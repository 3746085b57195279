"""The one ambient object: what a scan needs to know of the session it runs in. The session sets it, scans read it."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from bliss_like.data.publisher import DataTree
from bliss_like.errors import ScanError

from .background import Background
from .pausing import Pausing
from .subscriptions import Subscriptions

if TYPE_CHECKING:
    from .default_chain import DefaultAcquisitionChain
    from .saving import Saver
    from .scan import Scan
    from .scan_meta import ScanMeta


@dataclass
class Environment:
    """Where scans go and what they take with them."""

    session_name: str = ""
    user_name: str = ""
    container: Callable[[], str] = lambda: ""
    """Returns the db_name of the node below which scans appear, e.g. `test_session:tmp:scans`."""
    tree: DataTree | None = None
    background: Background = field(default_factory=Background, compare=False)
    """What runs in the background, and makes way for scans."""
    pausing: Pausing = field(default_factory=Pausing, compare=False)
    """The scans that run now, to be paused together."""
    scans: deque[Scan] = field(default_factory=lambda: deque(maxlen=20))
    """The last scans, the newest last."""
    subscriptions: Subscriptions = field(default_factory=Subscriptions, compare=False)
    """Who follows scans while they run."""
    default_chain: DefaultAcquisitionChain | None = None
    """What builds the chain of standard scans; the plain one when None."""
    active_measurement_group: Callable[[], Iterable[Any] | None] = lambda: None
    """Returns the counters of a scan that was given none, or None when there is no measurement group."""
    axes: Callable[[], Iterable[Any]] = lambda: ()
    """Returns the axes whose positions go into the info of every scan."""
    metadata_sources: Callable[[], Iterable[Any]] = lambda: ()
    """Returns the devices that may have something to say in every scan."""
    described: Callable[[], Mapping[str, Any]] = dict
    """Returns what people say of their `sample` and of the `user`."""
    configuration: Callable[[Iterable[Any]], Mapping[str, Any]] = lambda devices: {}
    """Returns what is configured of devices, by their names."""
    names: Callable[[], Mapping[str, Any]] = dict
    """Returns all names of the session, and what they are."""
    status_messages: dict[str, str] = field(default_factory=dict, compare=False)
    """What macros and devices want people to see, by key."""
    presets: list[Callable[[Scan], AbstractContextManager[Any]]] = field(default_factory=list)
    """Each makes a context that every scan runs in."""
    note_error: Callable[[BaseException], object] = lambda error: None
    """Keeps an error that ends nothing, for who wants to know all of it."""
    scan_meta: ScanMeta | None = None
    """What the user wants to be written with every scan."""
    settings_name: str = ""
    """What the names of the session's settings begin with; empty when there is no session to keep them."""
    saver: Saver | None = None
    """Has scans saved; None: nobody does."""
    scan_saving: Any = None
    """Says where files go; only handed on."""
    logbook: Any = None
    """Takes the notes of people; only handed on."""

    def require_tree(self) -> DataTree:
        """Return the tree of data.

        :raises ScanError: there is no session, hence nowhere to publish.
        """
        if self.tree is None:
            raise ScanError(
                "a scan needs a session, there is none: session = bliss_like.session.load_session(<name>); session.setup()"
            )
        return self.tree


environment = Environment()
