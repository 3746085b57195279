"""Sessions that include sessions: a tree, in which each stands once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from bliss_like.config.config import FAILURES, Config
from bliss_like.config.suggestion import did_you_mean
from bliss_like.errors import ConfigError

from .written import Report, session_names

if TYPE_CHECKING:
    from .session import Session


@dataclass
class SessionTree:
    """A session and the trees of those that it includes. Iterating gives the included sessions first, itself last."""

    session: Session
    included: list[SessionTree] = field(default_factory=list)

    def __iter__(self) -> Iterator[Session]:
        for tree in self.included:
            yield from tree
        yield self.session

    def wanted_objects(self, report: Report) -> list[str]:
        """Return the names of all objects: what is included first. A session may exclude what it includes."""
        written, config = self.session.written, self.session.config
        names = [name for tree in self.included for name in tree.wanted_objects(report)]
        wanted = dict.fromkeys([*names, *written.wanted_objects(config, report)])
        for name in written.unwanted_objects(config, report):
            wanted.pop(name, None)
        return list(wanted)

    def entries(self, key: str) -> Iterator[tuple[str, Any]]:
        """Yield what is listed under a key of the sessions, each with its place; what is included first."""
        for session in self:
            for index, entry in enumerate(getattr(session.written, key.replace("-", "_"))):
                yield session.written.place(key, index), entry

    def __str__(self) -> str:
        return "\n".join([self.session.name, *self._branches()])

    __info__ = __str__

    def _branches(self) -> Iterator[str]:
        for number, tree in enumerate(self.included, 1):
            last = number == len(self.included)
            yield ("└── " if last else "├── ") + tree.session.name
            for line in tree._branches():
                yield ("    " if last else "│   ") + line


def sessions_tree(session: Session, report: Report) -> SessionTree:
    """Return the tree below a session, without what cannot be included.

    :param report: is given what is wrong: no such session, sessions in a circle, one that is included twice.
    """
    return _grow(session, [session.name], {session.name: session.name}, report)


def _grow(session: Session, path: list[str], seen: dict[str, str], report: Report) -> SessionTree:
    tree = SessionTree(session)
    for index, name in enumerate(session.written.include_sessions):
        here = " -> ".join([*path, name])
        problem = _problem(session.config, name, here, path, seen)
        if problem:
            place = session.written.place("include-sessions", index)
            report(ConfigError(f"{place}include-sessions: {problem}"))
            continue
        seen[name] = here
        try:
            included: Session = session.config.get(name)
        except FAILURES as error:
            report(error)
        else:
            included.read_again()
            tree.included.append(_grow(included, [*path, name], seen, report))
    return tree


def _problem(config: Config, name: str, here: str, path: list[str], seen: dict[str, str]) -> str:
    known = session_names(config)
    if name in path:
        return f"sessions that include each other: {here}; take one of them out"
    if name in seen:
        return f"'{name}' is included twice: {seen[name]} and {here}; once is enough"
    if name in known:
        return ""
    if name in config.names_list:
        return (
            f"'{name}' is no session but a {config.get_config(name).get_inherited('class')}: write it in config-objects"
        )
    return f"no session '{name}'{did_you_mean(name, known)}; there are: {', '.join(known)}"
