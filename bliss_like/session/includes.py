"""Sessions that include sessions: a tree, in which each stands once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from bliss_like.config.config import FAILURES
from bliss_like.config.survey import Survey
from bliss_like.errors import ConfigError

from .written import Report, inclusion_problem, merged

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

    def wanted_objects(self, survey: Survey, report: Report) -> list[str]:
        """Return the names of all objects."""
        written = self.session.written
        included = [name for tree in self.included for name in tree.wanted_objects(survey, report)]
        own = written.wanted_objects(survey, report)
        return merged(included, own, written.unwanted_objects(survey, report))

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


def sessions_tree(session: Session, survey: Survey, report: Report) -> SessionTree:
    """Return the tree below a session, without what cannot be included.

    :param report: is given what is wrong: no such session, sessions in a circle, one that is included twice.
    """
    return _grow(session, (session.name,), {}, survey, report)


def _grow(session: Session, way: tuple[str, ...], seen: dict[str, str], survey: Survey, report: Report) -> SessionTree:
    tree = SessionTree(session)
    for index, name in enumerate(session.written.include_sessions):
        here = (*way, name)
        problem = inclusion_problem(here, seen, survey)
        if problem:
            place = session.written.place("include-sessions", index)
            report(ConfigError(f"{place}include-sessions: {problem}"))
            continue
        seen[name] = " -> ".join(here)
        try:
            included: Session = session.config.get(name)
        except FAILURES as error:
            report(error)
        else:
            included.read_again()
            tree.included.append(_grow(included, here, seen, survey, report))
    return tree
