"""Measurement groups: named lists of counters, which scans use that are given none."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from pydantic import Field

from bliss_like.config.config import get_config
from bliss_like.config.models import ObjectConfig
from bliss_like.config.suggestion import did_you_mean
from bliss_like.devices.counter import Counter
from bliss_like.errors import ConfigError, SessionError

from .checks import check_measurement_group
from .current import active_session

if TYPE_CHECKING:
    from bliss_like.config.node import ConfigNode, Objects
    from bliss_like.config.survey import Survey
    from bliss_like.config.validation import Problem


@dataclass(frozen=True)
class _Member:
    """One counter of a group; without `counter` it could not be made, for `reason`."""

    name: str
    fullname: str
    counter: Counter | None = None
    reason: str = ""


class MeasurementGroup:
    """Counters in the order of the configuration, each enabled or disabled.

    `counters:` lists names of counters (`diode`), full names (`simulation:diode`) and controllers (all their counters).
    """

    class Config(ObjectConfig):
        counters: list[str] = Field(min_length=1)

    @classmethod
    def check_config(cls, node: ConfigNode, survey: Survey) -> Iterator[Problem]:
        """Yield the counters that nobody has."""
        return check_measurement_group(node, survey)

    def __init__(self, name: str, config: Config) -> None:
        self.name = name
        self._listed = config.counters
        self._objects: Objects = config.node.config if config.node else get_config()
        self._disabled: set[str] = set()
        self._failures: dict[str, str] = {}  # why what is listed could not be made, when it was last tried

    @property
    def available(self) -> list[str]:
        """Full names of all counters of the group; as it is listed, for one that cannot be made."""
        return [member.fullname for member in self._members()]

    @property
    def enabled(self) -> list[str]:
        return [member.fullname for member in self._members() if member.fullname not in self._disabled]

    @property
    def disabled(self) -> list[str]:
        return [member.fullname for member in self._members() if member.fullname in self._disabled]

    @property
    def counters(self) -> list[Counter]:
        """The enabled counters; one that could not be made before is tried again.

        :raises SessionError: one of them cannot be made.
        """
        self._failures = {listed: why for listed, why in self._failures.items() if listed in self._disabled}
        members = [member for member in self._members() if member.fullname not in self._disabled]
        return [self._usable(member) for member in members]

    def enable(self, *patterns: str) -> None:
        """Enable counters by name or full name, with shell wildcards.

        :raises ValueError: a pattern matches nothing; then nothing is changed.
        """
        self._disabled -= self._matching(patterns, "enable")

    def disable(self, *patterns: str) -> None:
        """Disable counters by name or full name, with shell wildcards.

        :raises ValueError: a pattern matches nothing; then nothing is changed.
        """
        self._disabled |= self._matching(patterns, "disable")

    def enable_all(self) -> None:
        self._disabled.clear()

    def disable_all(self) -> None:
        self._disabled = set(self.available)

    def set_active(self) -> None:
        """Make it the group that scans use.

        :raises SessionError: no session is active.
        """
        active_session().active_measurement_group = self

    def __repr__(self) -> str:
        return f"<MeasurementGroup {self.name}: {', '.join(self._listed)}>"

    def __info__(self) -> str:
        marks = {member.fullname: f"  ({member.reason})" if member.reason else "" for member in self._members()}
        lines = [f"  [{' ' if name in self._disabled else 'x'}] {name}{mark}" for name, mark in marks.items()]
        return "\n".join([f"MeasurementGroup {self.name}", *lines])

    def _members(self) -> list[_Member]:
        """Return each counter once, in the order of the list."""
        members = {member.fullname: member for listed in self._listed for member in self._find(listed)}
        return list(members.values())

    def _find(self, listed: str) -> Iterator[_Member]:
        if listed not in self._failures:
            try:
                for counter in self._counters(listed):
                    yield _Member(counter.name, counter.fullname, counter)
                return
            except ConfigError as error:
                self._failures[listed] = str(error)
        yield _Member(listed, listed, reason=self._failures[listed])

    def _counters(self, listed: str) -> Iterable[Counter]:
        found: Any = self._objects.get(listed.partition(":")[0])
        counters = [found] if isinstance(found, Counter) else list(getattr(found, "counters", ()))
        if ":" in listed:
            fullnames = [counter.fullname for counter in counters]
            counters = [counter for counter in counters if counter.fullname == listed]
            if not counters:
                raise ConfigError(f"no counter '{listed}'{did_you_mean(listed, fullnames)}")
        if not counters:
            raise ConfigError(f"'{listed}' is no counter and has none: {type(found).__name__}")
        return counters

    def _matching(self, patterns: Iterable[str], what: str) -> set[str]:
        members = self._members()
        matching: set[str] = set()
        for pattern in patterns:
            if not isinstance(pattern, str):
                raise TypeError(f"measurement group '{self.name}': expected a name or pattern, came {pattern!r}")
            found = {m.fullname for m in members if fnmatchcase(m.name, pattern) or fnmatchcase(m.fullname, pattern)}
            if not found:
                raise ValueError(
                    f"measurement group '{self.name}': no match for {pattern!r}, could not {what} it; "
                    f"available: {', '.join(member.name for member in members)}"
                )
            matching |= found
        return matching

    def _usable(self, member: _Member) -> Counter:
        if member.counter is None:
            raise SessionError(
                f"measurement group '{self.name}': {member.reason}; "
                f"to go on without it: {self.name}.disable('{member.name}')"
            )
        return member.counter
