"""The measurement group that scans use: the one that was chosen last, here or in another process, else the first one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bliss_like.config.config import FAILURES
from bliss_like.config.suggestion import did_you_mean
from bliss_like.errors import SessionError

from .current import active_session
from .kept import Kept

if TYPE_CHECKING:
    from .measurement_group import MeasurementGroup
    from .session import Session


class ActiveGroup:
    """Which group of a session is active; its name is kept."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._kept: Kept[str] = Kept("active_measurementgroup", "", of=session.name)
        self.default: MeasurementGroup | None = None
        """What is active as long as no other was chosen."""
        self._chosen: MeasurementGroup | None = None  # perhaps made in Python, hence found nowhere else

    def get(self) -> MeasurementGroup | None:
        """Return the active group; None when the session has no group at all."""
        if not self._session.is_active:
            return None
        name = self._kept.get()
        if self._chosen is not None and self._chosen.name == name:
            return self._chosen
        groups = {group.name: group for group in self._session.measurement_groups}
        found = groups.get(name) or self._elsewhere(name)
        return found or self.default

    def set(self, group: MeasurementGroup) -> None:
        self._chosen = group
        self._kept.change(lambda _: group.name)

    def _elsewhere(self, name: str) -> MeasurementGroup | None:
        """Return a group of the configuration that the session does not list, if it is one and can be made."""
        from .measurement_group import MeasurementGroup

        config: Any = self._session.config
        if name not in config.names_list:
            return None
        try:
            found = config.get(name)
        except FAILURES:
            return None
        return found if isinstance(found, MeasurementGroup) else None


def get_all() -> list[MeasurementGroup]:
    """Return the measurement groups of the active session."""
    return active_session().measurement_groups


def get_all_names() -> list[str]:
    return [group.name for group in get_all()]


def get_active() -> MeasurementGroup | None:
    """Return the group that scans use, None when there is none."""
    return active_session().active_measurement_group


def get_active_name() -> str | None:
    group = get_active()
    return None if group is None else group.name


def set_active_name(name: str) -> None:
    """Make a group of the session the one that scans use.

    :raises SessionError: it has no such group.
    """
    for group in get_all():
        if group.name == name:
            group.set_active()
            return
    session, known = active_session().name, get_all_names()
    raise SessionError(
        f"session '{session}' has no measurement group {name!r}{did_you_mean(str(name), known)}; "
        f"there are: {', '.join(known) or 'none'}"
    )
