"""Names of a session: those that it gives can be used by all, and rebound or deleted by nobody.

Statements run with the plain dict as their globals and `Names` as their locals. What does not work: a dict subclass as
globals. CPython stores past its `__setitem__` from functions all the same, and every function that is defined there looks
its globals up four times slower.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, MutableMapping
from types import CodeType, FunctionType
from typing import Any

from bliss_like.config.suggestion import nearest
from bliss_like.errors import ProtectedName

_ABSENT = object()


class Names(MutableMapping[str, Any]):
    """A namespace as statements at the prompt, setup files and scripts see it.

    :param namespace: where the names live; who has the dict itself may do with it what they want.
    """

    def __init__(self, namespace: dict[str, Any]) -> None:
        self.namespace = namespace
        self._given: dict[str, Any] = {}
        self._protected: dict[str, Any] = {}
        self._offered: dict[str, Any] = {}
        self.assigned: set[str] = set()
        """Names that statements have given to something, and be it what they stood for."""
        self.why_missing: Callable[[str], str] = lambda name: ""
        """Returns what to tell whoever uses a name that is not there."""

    def __getitem__(self, name: str) -> Any:
        return self.namespace[name]

    def __setitem__(self, name: str, value: Any) -> None:
        """Give a name to something; a protected one to what is imported under that name from elsewhere in this package.

        :raises ProtectedName: the name is that of another object of the session.
        """
        if self._protected.get(name, value) is not value:
            if not _is_imported_as(name, value):
                raise _refusal(name)
            self._protected[name] = value
        self.namespace[name] = value
        self.assigned.add(name)

    def __delitem__(self, name: str) -> None:
        """:raises ProtectedName: the session has given the name."""
        if name in self._protected:
            raise _refusal(name)
        del self.namespace[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.namespace)

    def __len__(self) -> int:
        return len(self.namespace)

    # -- what the session does -------------------------------------------------------------------------------------------

    @property
    def given(self) -> Mapping[str, Any]:
        """The names that the session has given, and what they stand for."""
        return self._given

    def give(self, names: Mapping[str, Any]) -> None:
        """Add names and protect them, whatever they stood for."""
        self.namespace.update(names)
        self._given.update(names)
        self._protected.update(names)

    def offer(self, names: Mapping[str, Any]) -> None:
        """Add names that are not there yet; anybody may have them for something else."""
        self._offered.update(names)
        for name, value in names.items():
            self.namespace.setdefault(name, value)

    def is_free(self, name: str) -> bool:
        """Whether a name is not there, or only offered."""
        return name not in self.namespace or self.namespace[name] is self._offered.get(name, _ABSENT)

    def take_back(self, *names: str) -> None:
        """Remove names that were given; one that stands for something else by now is left alone."""
        for name in names:
            value = self._given.pop(name, _ABSENT)
            self._protected.pop(name, None)
            if self.namespace.get(name) is value:
                del self.namespace[name]

    def take_all_back(self) -> None:
        self.take_back(*list(self._given))
        for name in [*filter(self.is_free, self._offered)]:
            self.namespace.pop(name, None)
        self._offered.clear()
        self._protected.clear()

    def protect(self, name: str) -> None:
        """Let nobody rebind the name from now on.

        :raises ProtectedName: there is no such name.
        """
        if name not in self.namespace:
            raise ProtectedName(f"there is no {name} to protect: give the name to something first")
        self._protected[name] = self.namespace[name]

    def unprotect(self, name: str) -> None:
        """Let the name be rebound.

        :raises ProtectedName: it is not protected.
        """
        if self._protected.pop(name, _ABSENT) is _ABSENT:
            raise ProtectedName(f"{name} is not protected: it can be changed")

    # -- running code ----------------------------------------------------------------------------------------------------

    def copy(self) -> Names:
        """Return names of their own that start with these, protected in the same way."""
        names = Names(dict(self.namespace))
        names._protected, names.why_missing = dict(self._protected), self.why_missing
        return names

    def run(self, code: CodeType) -> Any:
        """Run compiled code among the names; return its value if it is an expression.

        :raises ProtectedName: it tried to change a protected name, and be it by `global` in a function.
        """
        try:
            value = eval(code, self.namespace, self)  # noqa: S307 - this is what a prompt and a script are for
        except BaseException as error:
            self._undo()
            if isinstance(error, NameError) and error.name in self._protected:  # all that `del` says of our refusal
                raise _refusal(error.name).with_traceback(error.__traceback__) from None
            if type(error) is NameError and error.name and error.name not in self.namespace:
                meant = nearest(error.name, self.namespace, cutoff=0.75)
                hint = self.why_missing(error.name) or (f", did you mean '{meant}'?" if meant else "")
                error.args = (f"{error}{hint}",)
            raise
        changed = self._undo()
        if changed:
            raise _refusal(changed[0])
        return value

    def _undo(self) -> list[str]:
        """Give the protected names back what they stood for: the `global` of a function goes past `__setitem__`."""
        names = self.namespace
        changed = [name for name, value in self._protected.items() if names.get(name, _ABSENT) is not value]
        names.update({name: self._protected[name] for name in changed})
        return changed


def _is_imported_as(name: str, value: Any) -> bool:
    """Whether it is a function or class of this package: scripts import from where BLISS has them what they have already."""
    is_definition = isinstance(value, FunctionType | type) and value.__qualname__ == name
    return is_definition and str(value.__module__).startswith("bliss_like.")


def _refusal(name: str) -> ProtectedName:
    return ProtectedName(
        f"{name} is protected and cannot be modified: it belongs to the session. Take another name, or allow it "
        f"with current_session.unprotect({name!r})"
    )
