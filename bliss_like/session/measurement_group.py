"""Measurement groups: named lists of counters, which scans use that are given none.

Which of them are enabled belongs to the session: it is kept in settings, survives a restart and is seen by all processes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from pydantic import Field, model_validator

from bliss_like.config.config import get_config
from bliss_like.config.models import ObjectConfig
from bliss_like.config.table import table
from bliss_like.devices.counter import Counter
from bliss_like.devices.naming import full_name_of, name_of
from bliss_like.errors import ConfigError, SessionError
from bliss_like.scanning.chain_nodes import default_group, iter_counters

from .active_group import get_active, get_active_name, get_all, get_all_names, set_active_name
from .checks import check_measurement_group
from .counters import counters_named
from .current import active_session, current_session
from .group_states import DEFAULT_STATE, GroupStates

if TYPE_CHECKING:
    from bliss_like.config.node import ConfigNode, Objects
    from bliss_like.config.survey import Survey
    from bliss_like.config.validation import Problem

__all__ = ["MeasurementGroup", "get_active", "get_active_name", "get_all", "get_all_names", "set_active_name"]


@dataclass(frozen=True)
class _Member:
    """One counter of a group; without `counter` it could not be made, for `reason`."""

    name: str
    fullname: str
    counter: Counter | None = None
    reason: str = ""

    def names(self) -> set[str]:
        """What patterns are held against."""
        if self.counter is None:
            return {self.name}
        short = f"{self.counter.controller.name}:{self.name}"
        return {self.name, self.fullname, short, name_of(self.counter), full_name_of(self.counter)}

    def is_in_group(self, name: str) -> bool:
        """Tell whether it belongs to a group: the default one of the controller of that name, or `<controller>:<group>`."""
        owner = self.counter.controller if self.counter else None
        while owner is not None:
            for known in (owner.name, owner.fullname):
                if name == known:
                    return self._is_in(default_group(owner)) or not self._is_in(owner.counters)
                group = name.removeprefix(f"{known}:")
                if group != name and group not in owner.counters and group in owner.counter_groups:
                    return self._is_in(owner.counter_groups[group])
            owner = owner.master_controller
        return False

    def _is_in(self, counters: Any) -> bool:
        return any(counter is self.counter for counter in iter_counters(counters))


class MeasurementGroup:
    """Counters in the order of the configuration, each enabled or disabled; a set of those choices is a state.

    `counters:` lists names of counters (`diode`), full names (`simulation:diode`), aliases, controllers (`mca`: their default
    group), other groups of theirs (`mca:spectra`), and patterns (`mca:*`); `include:` lists other groups, whose counters come first.
    """

    class Config(ObjectConfig):
        counters: list[str] = Field(default_factory=list, min_length=1)
        include: list[str] = Field(default_factory=list, min_length=1)

        @model_validator(mode="after")
        def _lists_something(self) -> MeasurementGroup.Config:
            if not self.counters and not self.include:
                raise ValueError("missing key 'counters', or 'include' with names of other measurement groups")
            return self

    @classmethod
    def check_config(cls, node: ConfigNode, survey: Survey) -> Iterator[Problem]:
        """Yield the counters that nobody has."""
        return check_measurement_group(node, survey)

    def __init__(self, name: str, config: Config | Mapping[str, Any]) -> None:
        if isinstance(config, Mapping):
            config = self.Config.model_validate({"name": name, **config})
        self.name = name
        self._objects: Objects = config.node.config if config.node else get_config()
        included = [listed for other in config.include for listed in self._included(other, config)]
        self._listed = list(dict.fromkeys([*included, *config.counters]))
        self._added: dict[
            str, Counter | None
        ] = {}  # by full name; None: that of the configuration, whichever it is now
        self._states = GroupStates(name)
        self._failures: dict[str, str] = {}  # why what is listed could not be made, when it was last tried

    # -- counters --------------------------------------------------------------------------------------------------------

    @property
    def available(self) -> list[str]:
        """Full names of all counters of the group; as it is listed, for one that cannot be made."""
        return [member.fullname for member in self._members()]

    @property
    def enabled(self) -> list[str]:
        disabled = self._states.disabled
        return [name for name in self.available if name not in disabled]

    @property
    def disabled(self) -> list[str]:
        disabled = self._states.disabled
        return [name for name in self.available if name in disabled]

    @property
    def counters(self) -> list[Counter]:
        """The enabled counters; one that could not be made before is tried again.

        :raises SessionError: one of them cannot be made.
        """
        disabled = self._states.disabled
        self._failures = {listed: why for listed, why in self._failures.items() if listed in disabled}
        return [self._usable(member) for member in self._members() if member.fullname not in disabled]

    def enable(self, *patterns: str) -> None:
        """Enable counters by name, full name or alias, with shell wildcards.

        The name of a controller means its default group, `mca:*` all of its counters, `mca:spectra` that group.


        :raises ValueError: a pattern matches nothing; then nothing is changed.
        :raises TypeError: a pattern is no text.
        """
        chosen = self._matching(patterns, "enable")
        self._states.change(lambda disabled: [name for name in disabled if name not in chosen])

    def disable(self, *patterns: str) -> None:
        """Disable counters, named as for `enable`.

        :raises ValueError: a pattern matches nothing; then nothing is changed.
        :raises TypeError: a pattern is no text.
        """
        chosen = self._matching(patterns, "disable")
        self._states.change(lambda disabled: list(dict.fromkeys([*disabled, *chosen])))

    def enable_all(self) -> None:
        """Count all of its counters."""
        self._states.change(lambda disabled: [])

    def disable_all(self) -> None:
        """Count none of its counters."""
        available = self.available
        self._states.change(lambda disabled: available)

    def add(self, *counters: Any) -> None:
        """Add counters, or those of anything that has some, until the session is closed.

        :raises ScanUsageError: one has no counters.
        """
        found = {counter.fullname: counter for counter in iter_counters(counters)}
        available = self.available
        for name in [name for name in found if name not in available]:
            self._added[name] = None if self._is_configured(found[name]) else found[name]

    def remove(self, *counters: Any) -> None:
        """Remove counters that were added.

        :raises ValueError: one is part of the configuration, or not in the group; then nothing is changed.
        """
        names = [counter.fullname for counter in iter_counters(counters)]
        for name in names:
            if name in self._added:
                continue
            if name in self.available:
                raise ValueError(
                    f"measurement group '{self.name}': {name} is part of its configuration and cannot be removed; "
                    f"to do without it: {self.name}.disable('{name}')"
                )
            there = ", ".join(self._added) or "none"
            raise ValueError(f"measurement group '{self.name}': {name} is not in it; counters that were added: {there}")
        self._added = {name: counter for name, counter in self._added.items() if name not in names}

    # -- states ----------------------------------------------------------------------------------------------------------

    @property
    def active_state_name(self) -> str:
        return self._states.active

    @property
    def state_names(self) -> list[str]:
        """Names of all states, `default` first."""
        return self._states.names

    def switch_state(self, name: str) -> None:
        """Take the choices of another state; a new one begins with everything enabled.

        :raises TypeError, ValueError: it is no name.
        """
        if not isinstance(name, str):
            raise TypeError(f"measurement group '{self.name}': expected the name of a state, came {name!r}")
        if not name:
            raise ValueError(f"measurement group '{self.name}': the name of a state cannot be empty")
        self._states.switch(name)

    def remove_states(self, *names: str) -> None:
        """Forget states; when the active one is among them, `default` is active again.

        :raises ValueError: `default` stays; there is no such state. Then nothing is changed.
        """
        known = self.state_names
        for name in names:
            if name == DEFAULT_STATE:
                raise ValueError(f"measurement group '{self.name}': the state '{DEFAULT_STATE}' cannot be removed")
            if name not in known:
                raise ValueError(
                    f"measurement group '{self.name}': no state {name!r} to remove; there are: {', '.join(known)}"
                )
        self._states.remove(names)

    def set_active(self) -> None:
        """Make it the group that scans use.

        :raises SessionError: no session is active.
        """
        active_session().active_measurement_group = self

    # -- for people ------------------------------------------------------------------------------------------------------

    def __repr__(self) -> str:
        return f"<MeasurementGroup {self.name}: {', '.join([*self._listed, *self._added])}>"

    def __info__(self) -> str:
        active = " (active)" if current_session and current_session.active_measurement_group is self else ""
        others = [name for name in self.state_names if name != self.active_state_name]
        states = f"state {self.active_state_name}" + (f", others: {', '.join(others)}" if others else "")
        disabled = self._states.disabled
        rows = [("no" if m.fullname in disabled else "yes", m.fullname, self._remark(m)) for m in self._members()]
        return f"MeasurementGroup {self.name}{active}, {states}\n{table(('enabled', 'counter', ''), rows)}"

    def _remark(self, member: _Member) -> str:
        if member.counter is None:
            return member.reason
        alias = name_of(member.counter)
        remarks = [f"alias {alias}"] if alias != member.name else []
        return ", ".join([*remarks, "added"] if member.fullname in self._added else remarks)

    # -- members ---------------------------------------------------------------------------------------------------------

    def _included(self, name: str, config: Config) -> list[str]:
        """Return what another group lists.

        :raises ConfigError: there is no such group.
        """
        place = f"{config.node.place_of(('include',))}: " if config.node else ""
        try:
            group = self._objects.get(name)
        except ConfigError as error:
            raise type(error)(f"{place}MeasurementGroup '{self.name}': include: {error}") from error
        if not isinstance(group, MeasurementGroup):
            raise ConfigError(
                f"{place}MeasurementGroup '{self.name}': include: expected other measurement groups, "
                f"'{name}' is a {type(group).__name__}; counters and controllers go to 'counters'"
            )
        return group._listed

    def _members(self) -> list[_Member]:
        """Return each counter once, in the order of the list."""
        members = {member.fullname: member for listed in self._listed for member in self._find(listed)}
        for name, counter in self._added.items():
            for member in self._find(name) if counter is None else [_Member(counter.name, name, counter)]:
                members.setdefault(name, member)
        return list(members.values())

    def _is_configured(self, counter: Counter) -> bool:
        try:
            return counters_named(counter.fullname, self._objects) == [counter]
        except ConfigError:
            return False

    def _find(self, listed: str) -> Iterator[_Member]:
        if listed not in self._failures:
            try:
                for counter in counters_named(listed, self._objects):
                    yield _Member(counter.name, counter.fullname, counter)
                return
            except ConfigError as error:
                self._failures[listed] = str(error)
        yield _Member(listed, listed, reason=self._failures[listed])

    def _matching(self, patterns: Iterable[str], what: str) -> list[str]:
        members = self._members()
        matching: list[str] = []
        for pattern in patterns:
            if not isinstance(pattern, str):
                raise TypeError(f"measurement group '{self.name}': expected a name or pattern, came {pattern!r}")
            fitting = [member for member in members if any(fnmatchcase(name, pattern) for name in member.names())]
            fitting = fitting or [member for member in members if member.is_in_group(pattern)]
            found = [member.fullname for member in fitting]
            if not found:
                raise ValueError(
                    f"measurement group '{self.name}': no match for {pattern!r}, could not {what} it; "
                    f"available: {', '.join(member.name for member in members)}"
                )
            matching += found
        return matching

    def _usable(self, member: _Member) -> Counter:
        if member.counter is None:
            raise SessionError(
                f"measurement group '{self.name}': {member.reason}; "
                f"to go on without it: {self.name}.disable('{member.name}')"
            )
        return member.counter
