"""Aliases: other names for axes and counters, for people, titles and data alike, as long as the session is open."""

from __future__ import annotations

import builtins
import keyword
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from bliss_like.config.models import StrictModel
from bliss_like.config.suggestion import did_you_mean
from bliss_like.config.table import Text, table
from bliss_like.devices.counter import Counter
from bliss_like.devices.naming import original_channel_name, set_alias
from bliss_like.errors import BlissLikeError, ConfigError, SessionError
from bliss_like.scanning.acquisition import is_axis

from .counters import counters_named

if TYPE_CHECKING:
    from .session import Session


class AliasConfig(StrictModel):
    """What YAML says of one alias.

    :param original_name: name of an axis or a counter, or full name of a counter, `<controller>:<counter>`.
    """

    original_name: str
    alias_name: str


class _Alias(NamedTuple):
    device: Any
    channel: str
    """Original name of the device's channel."""
    hidden_name: str
    """What the device was called among the names of the session, empty if it was not there."""


class Aliases(Mapping[str, Any]):
    """ALIASES: `ALIASES.add("robyy", roby)`; from then on it is `robyy` at the prompt and in the data of coming scans.

    As a mapping it gives the device of each alias.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._aliases: dict[str, _Alias] = {}

    def add(self, alias: str, obj_or_name: Any, verbose: bool = True) -> Text | None:
        """Call a device by an alias; its own name goes from the session.

        :param obj_or_name: an axis or a counter; or its name, for a counter also its full name.
        :param verbose: return a line that says what was done.
        :raises SessionError: no such device, or it has an alias; no such alias can be given.
        """
        device = self._device(obj_or_name)
        channel = original_channel_name(device)
        self._check_name(alias)
        present = self.get_alias(device)
        if present is not None:
            raise SessionError(
                f"{_label(channel)} already has an alias, '{present}': ALIASES.set('{alias}', {present}) replaces it"
            )
        hidden = self._take_name_of(device)
        self._aliases[alias] = _Alias(device, channel, hidden)
        self._session.names.give({alias: device})
        set_alias(channel, alias)
        return Text(f"{_label(channel)} is now called {alias}") if verbose else None

    def set(self, alias: str, obj_or_name: Any, verbose: bool = True) -> Text | None:
        """Call a device by an alias, whatever other alias it has, and whatever other device has this one.

        :raises SessionError: as for `add`.
        """
        device = self._device(obj_or_name)
        if alias not in self._aliases:
            self._check_name(alias)
        for present in [known for known in self._aliases if known == alias or self[known] is device]:
            self.remove(present)
        return self.add(alias, device, verbose)

    def remove(self, alias: str) -> None:
        """Call the device of an alias by its own name again.

        :raises SessionError: there is no such alias.
        """
        known = self._aliases.get(alias)
        if known is None:
            raise SessionError(f"no alias '{alias}'{did_you_mean(alias, self._aliases)}; there are: {self._listed()}")
        names = self._session.names
        del self._aliases[alias]
        set_alias(known.channel, None)
        names.take_back(alias)
        if known.hidden_name and known.hidden_name not in names:
            names.give({known.hidden_name: known.device})

    def clear(self) -> None:
        """Remove all aliases."""
        for alias in list(self._aliases):
            self.remove(alias)

    def of_hidden(self, name: str) -> str:
        """Return the alias of the device that has lost this name to it; empty when there is none."""
        return next((alias for alias, known in self._aliases.items() if name == known.hidden_name), "")

    def get_alias(self, obj_or_name: Any) -> str | None:
        """Return the alias of an object or of a name, None when it has none."""
        if not isinstance(obj_or_name, str):
            found = [alias for alias, known in self._aliases.items() if known.device is obj_or_name]
        else:
            found = [alias for alias, known in self._aliases.items() if obj_or_name in _names(known)]
        return found[0] if found else None

    def names_iter(self) -> Iterator[str]:
        return iter(list(self._aliases))

    def list_aliases(self) -> Text:
        """Return a table of the aliases and what they stand for."""
        if not self._aliases:
            return Text(f"session {self._session.name} has no aliases")
        rows = [(alias, _label(known.channel), _kind(known.device)) for alias, known in self._aliases.items()]
        return table(("alias", "original name", "kind"), rows)

    def __getitem__(self, alias: str) -> Any:
        return self._aliases[alias].device

    def __iter__(self) -> Iterator[str]:
        return self.names_iter()

    def __len__(self) -> int:
        return len(self._aliases)

    def __repr__(self) -> str:
        return f"<Aliases of session {self._session.name}: {self._listed()}>"

    def __info__(self) -> str:
        return self.list_aliases()

    def _listed(self) -> str:
        return ", ".join(self._aliases) or "none"

    def _check_name(self, alias: str) -> None:
        """:raises SessionError: it is no name, or somebody has it."""
        if not isinstance(alias, str) or not alias.isidentifier() or keyword.iskeyword(alias):
            raise SessionError(f"Invalid alias name {alias!r}: expected a Python name, such as robyy")
        if alias in self._aliases:
            raise SessionError(
                f"Alias '{alias}' already exists, it is {_label(self._aliases[alias].channel)}: remove that first, "
                f"ALIASES.remove('{alias}'), or use ALIASES.set"
            )
        if not self._session.names.is_free(alias):
            owner = f"the {type(self._session.env_dict[alias]).__name__} '{alias}' of the session"
        elif alias in self._session.config.names_list:
            owner = f"the object '{alias}' of the configuration"
        elif hasattr(builtins, alias):
            owner = f"Python's own '{alias}'"
        else:
            return
        raise SessionError(f"Invalid alias name '{alias}': would overwrite an existing object, {owner}")

    def _device(self, obj_or_name: Any) -> Any:
        """Return the axis or counter that is meant.

        :raises SessionError: there is none.
        """
        found = self._named(obj_or_name) if isinstance(obj_or_name, str) else obj_or_name
        if not isinstance(found, Counter) and not is_axis(found):
            raise SessionError(
                f"expected an axis or a counter to give an alias to, got {obj_or_name!r} ({_kind(found)})"
            )
        return found

    def _named(self, name: str) -> Any:
        if name in self._aliases:
            raise SessionError(
                f"'{name}' is itself an alias, of {_label(self._aliases[name].channel)}, and there is no alias of an alias; "
                f"ALIASES.set(<new alias>, {name}) replaces it"
            )
        names, config = self._session.env_dict, self._session.config
        try:
            if ":" in name:
                return counters_named(name, config)[0]
            return names[name] if name in names else config.get(name)
        except ConfigError as error:
            raise SessionError(f"cannot give an alias to '{name}': {error}") from error

    def _take_name_of(self, device: Any) -> str:
        """Take the device's own name from the session, and return it; empty if it is not there."""
        name, names = str(device.name), self._session.names
        if names.given.get(name) is not device:
            return ""
        names.take_back(name)
        return name


def add_configured(aliases: Aliases, entries: Iterable[tuple[str, AliasConfig]]) -> list[ConfigError]:
    """Add what YAML says; return what could not be added.

    :param entries: each with its place, to begin an error with.
    """
    errors = []
    for place, entry in entries:
        try:
            aliases.add(entry.alias_name, entry.original_name, verbose=False)
        except BlissLikeError as error:
            errors.append(ConfigError(f"{place}aliases: {error}"))
    return errors


def _names(known: _Alias) -> tuple[str, str, str]:
    return known.channel, _label(known.channel), str(known.device.name)


def _label(channel: str) -> str:
    return channel.removeprefix("axis:")


def _kind(device: Any) -> str:
    return "axis" if is_axis(device) else "counter" if isinstance(device, Counter) else type(device).__name__
