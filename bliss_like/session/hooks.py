"""Hooks: what users want to be called when the session does something.

::

    class Beep(ScanQueueHooks):
        def scan_finalized(self, scan):
            beep()

    current_session.hooks.scan_queue.register(Beep())

A hook that fails is reported; scans, sessions and the other hooks go on as if it was not there.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from bliss_like.config.config import FAILURES

from .failures import place_of

if TYPE_CHECKING:
    from bliss_like.scanning.scan import Scan

    from .session import Session

_logger = logging.getLogger(__name__)

Hook = TypeVar("Hook")


class ScanQueueHooks:
    """Overload what is wanted; called for every scan of the session, sequences and scans in the background too."""

    def scan_launched(self, scan: Scan) -> None:
        """The scan has its number and its node; nothing is prepared yet."""

    def scan_finalized(self, scan: Scan) -> None:
        """The scan is over, well or not: `scan.state` is final, its data are stored."""


class DataPolicyHooks:
    """Overload what is wanted; called when this session changes where its files go.

    A policy with proposals tells of them.
    """

    def before_proposal_change(self, proposal: str) -> None:
        """:param proposal: the one that is about to be left."""

    def after_proposal_change(self, proposal: str) -> None:
        """:param proposal: the one that data belong to from now on."""

    def before_dataset_close(self, dataset: str) -> None:
        """:param dataset: directory that SCAN_SAVING is about to leave."""

    def after_dataset_close(self, dataset: str) -> None:
        """:param dataset: directory that SCAN_SAVING has left."""


class SessionHooks:
    """Overload what is wanted."""

    def setup(self, session: Session) -> None:
        """The session is there: objects made, setup files run."""

    def close(self, session: Session) -> None:
        """The session is about to close; its objects still work."""


class HookRegistry(Generic[Hook]):
    """Hooks of one kind, called in the order in which they were registered."""

    def __init__(self, kind: type[Hook]) -> None:
        self._kind = kind
        self._hooks: list[Hook] = []

    def register(self, hook: Hook) -> None:
        """Add a hook; one that is there already stays where it is.

        :raises TypeError: it is no hook of this kind.
        """
        if not isinstance(hook, self._kind):
            given = f"the class {hook.__name__}: make an object of it" if isinstance(hook, type) else repr(hook)
            raise TypeError(f"expected an object of a class derived from {self._kind.__name__}, came {given}")
        if hook not in self._hooks:
            self._hooks.append(hook)

    def unregister(self, hook: Hook) -> None:
        """Take a hook away.

        :raises ValueError: it was not registered.
        """
        if hook not in self._hooks:
            raise ValueError(f"{hook!r} is not registered; these are: {', '.join(map(repr, self._hooks)) or 'none'}")
        self._hooks.remove(hook)

    def __iter__(self) -> Iterator[Hook]:
        return iter(tuple(self._hooks))

    def __len__(self) -> int:
        return len(self._hooks)

    def __repr__(self) -> str:
        return f"<HookRegistry of {self._kind.__name__}: {', '.join(map(repr, self._hooks)) or 'none'}>"

    def call(self, what: str, *args: Any) -> None:
        """Call a method of all hooks."""
        for hook in self:
            try:
                getattr(hook, what)(*args)
            except FAILURES as error:
                place = place_of(error)
                _logger.error("%shook %s.%s: %s: %s", place, type(hook).__name__, what, type(error).__name__, error)

    def keep_only(self, hooks: tuple[Hook, ...]) -> None:
        """Forget what was registered beside `hooks`."""
        self._hooks = list(hooks)


class Hooks:
    """session.hooks: all registries."""

    def __init__(self) -> None:
        self.scan_queue = HookRegistry(ScanQueueHooks)
        self.data_policy = HookRegistry(DataPolicyHooks)
        self.session = HookRegistry(SessionHooks)

    @contextmanager
    def around(self, scan: Scan) -> Iterator[None]:
        """The context of a scan that tells the hooks of it."""
        self.scan_queue.call("scan_launched", scan)
        try:
            yield
        finally:
            self.scan_queue.call("scan_finalized", scan)

    @contextmanager
    def leaving_dataset(self, directory: str) -> Iterator[None]:
        """The context in which files begin to go elsewhere."""
        self.data_policy.call("before_dataset_close", directory)
        yield
        self.data_policy.call("after_dataset_close", directory)

    def registered(self) -> tuple[tuple[Any, ...], ...]:
        return tuple(tuple(registry) for registry in self._registries)

    def keep_only(self, registered: tuple[tuple[Any, ...], ...]) -> None:
        """Forget what was registered since."""
        for registry, hooks in zip(self._registries, registered, strict=True):
            registry.keep_only(hooks)

    @property
    def _registries(self) -> tuple[HookRegistry[Any], ...]:
        return (self.scan_queue, self.data_policy, self.session)

    def __info__(self) -> str:
        return "\n".join(f"{name:11} {registry!r}" for name, registry in vars(self).items())
