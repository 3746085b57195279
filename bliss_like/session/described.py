"""What the people of a session say of their sample and of themselves; it is kept, and written with every scan."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from bliss_like.config.suggestion import did_you_mean
from bliss_like.config.table import table
from bliss_like.errors import UsageError
from bliss_like.scanning.scan_info import check_info

from .kept import Kept

FIELDS = ("name", "description")


class Described:
    """SAMPLE and USER.

    ::

        SAMPLE("lysozyme 3", description="hanging drop", temperature=100)   # another one: all that was said before is gone
        SAMPLE.description = "cracked"
        SAMPLE["humidity"] = 0.4
        SAMPLE.clear()

    :param key: where it stands in `scan_info`.
    """

    name: str | None
    description: str | None

    def __init__(self, key: str, session_name: str) -> None:
        self.__dict__["_key"] = key
        self.__dict__["_kept"] = Kept(key, {}, of=session_name)

    def __call__(self, name: str | None = None, description: str | None = None, **more: Any) -> None:
        """Say what it is now.

        :raises UsageError: something is not what it should be, or cannot be kept; what was said before holds.
        """
        self._change({}, {"name": name, "description": description, **more})

    def __setitem__(self, key: str, value: Any) -> None:
        """:raises UsageError: as for a call; None takes it away."""
        if not isinstance(key, str) or not key:
            raise UsageError(f"{self._title}: expected a name in the brackets, got {key!r}")
        self._change(self.to_dict(), {key: value})

    def __getitem__(self, key: str) -> Any:
        return self.to_dict()[key]

    def __delitem__(self, key: str) -> None:
        self._change(self.to_dict(), {key: None})

    def __iter__(self) -> Iterator[str]:
        return iter(self.to_dict())

    def __getattr__(self, name: str) -> Any:
        if name in FIELDS:
            return self.to_dict().get(name)
        raise AttributeError(
            f"{self._title} has no {name!r}{did_you_mean(name, FIELDS)}; {self._title}[{name!r}] has more"
        )

    def __setattr__(self, name: str, value: Any) -> None:
        if name not in FIELDS:
            raise UsageError(
                f"{self._title} has no {name!r}{did_you_mean(name, FIELDS)}; {self._title}[{name!r}] = ... adds it"
            )
        self[name] = value

    def clear(self) -> None:
        """Forget all of it."""
        self._change({}, {})

    def to_dict(self) -> dict[str, Any]:
        return dict(self._kept.get())

    def _change(self, before: dict[str, Any], news: dict[str, Any]) -> None:
        after = {key: value for key, value in {**before, **news}.items() if value is not None}
        for field in FIELDS:
            if not isinstance(after.get(field, ""), str):
                raise UsageError(f"{self._title}.{field}: expected a text, got {after[field]!r:.80}")
        check_info({self._key: after}, self._title)
        self._kept.change(lambda _: after)

    @property
    def _title(self) -> str:
        return str(self._key).upper()

    def __repr__(self) -> str:
        return f"<{self._title}: {', '.join(f'{key}={value!r}' for key, value in self.to_dict().items()) or 'nothing is said'}>"

    def __info__(self) -> str:
        rows = [(key, str(value)) for key, value in self.to_dict().items()]
        return (
            table((self._title, ""), rows) if rows else f'{self._title}: nothing is said; {self._title}("name") says it'
        )
