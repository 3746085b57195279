"""The names that every session has besides its own objects."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bliss_like import scans, standard
from bliss_like.config.locks import lslock
from bliss_like.devices.soft_axis import SoftAxis
from bliss_like.devices.soft_counter import SoftCounter
from bliss_like.errors import SessionError
from bliss_like.scanning.default_chain import DEFAULT_CHAIN
from bliss_like.scanning.group import Group, Sequence
from bliss_like.scanning.monitoring import MONITORING_SCANS
from bliss_like.scans import images, monitoring
from bliss_like.standard import everyday

from . import scripts
from .current import active_session, current_session

if TYPE_CHECKING:
    from .session import Session


STANDARD_NAMES = frozenset(
    [
        *scans.__all__,
        *images.__all__,
        *monitoring.__all__,
        *standard.__all__,
        "Group",
        "Sequence",
        "SoftAxis",
        "SoftCounter",
        "config",
        "current_session",
    ]
    + ["DEFAULT_CHAIN", "SCANS", "SCAN_SAVING", "MONITORING_SCANS", "SAMPLE", "USER", "ACTIVE_MG", "ALIASES"]
    + ["resetup", "lslock", *scripts.FUNCTIONS]
    + ["exit", "quit", "help", "last_error", "ERROR_REPORT"]  # at the prompt
)
"""Names that no object may have, known without a session."""

EVERYDAY = {name: getattr(everyday, name) for name in everyday.__all__}
"""Names that are there unless an object, or somebody, has them."""

ORDINARY_WORDS = ("peak", "trough", "cen", "com", "fwhm", "where", "answers")
"""Names of functions that people give to results and functions of their own, too: these are not protected."""


class ActiveMeasurementGroup:
    """ACTIVE_MG: stands for the measurement group that scans use."""

    def __init__(self, session: Session) -> None:
        object.__setattr__(self, "_session", session)

    def __bool__(self) -> bool:
        return self._session.active_measurement_group is not None

    def __getattr__(self, name: str) -> Any:
        group = self._session.active_measurement_group
        if group is None and name.startswith("__"):
            raise AttributeError(name)
        if group is None:
            raise SessionError(
                f"session '{self._session.name}' has no measurement group: add one (class: MeasurementGroup, counters: "
                "[...]) to its config-objects, or name the counters in the scan"
            )
        return getattr(group, name)

    def __dir__(self) -> list[str]:
        return dir(self._session.active_measurement_group)

    def __repr__(self) -> str:
        return repr(self._session.active_measurement_group) if self else "<no measurement group is active>"

    def __info__(self) -> str:
        group = self._session.active_measurement_group
        return repr(self) if group is None else str(group.__info__())


def resetup(verbose: bool = True) -> None:
    """Read the configuration again: what has changed is made anew, what has not stays; setup files run again.

    :param verbose: show what came out.
    """
    active_session().resetup(verbose)


def standard_names(session: Session) -> dict[str, Any]:
    """Return the scans, groups and settings that a session offers."""
    return {
        **{name: getattr(package, name) for package in (scans, images, monitoring) for name in package.__all__},
        **{name: getattr(standard, name) for name in standard.__all__},
        "Group": Group,
        "Sequence": Sequence,
        "SoftAxis": SoftAxis,
        "SoftCounter": SoftCounter,
        "config": session.config,
        "resetup": resetup,
        "current_session": current_session,
        "DEFAULT_CHAIN": DEFAULT_CHAIN,
        "ALIASES": session.aliases,
        "SCANS": session.scans,
        "SCAN_SAVING": session.scan_saving,
        "MONITORING_SCANS": MONITORING_SCANS,
        "SAMPLE": session.sample,
        "USER": session.user,
        "ACTIVE_MG": ActiveMeasurementGroup(session),
        "lslock": lslock,
    }
