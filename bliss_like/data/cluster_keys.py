"""Small shared values on a Redis Cluster: each call goes to the node that has the key."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from .cluster_topology import key_slot
from .key_store import Command, Is, Value, key_of

if TYPE_CHECKING:
    from .cluster_store import ClusterStore
    from .redis_store import RedisStore


class ClusterKeys:
    """A `KeyStore` on a cluster; each of its nodes remembers what was read there."""

    def __init__(self, store: ClusterStore) -> None:
        self._store = store

    def run(self, *commands: Command, when: Sequence[Is] = ()) -> list[Any] | None:
        """Run commands, see `KeyStore.run`.

        :raises ValueError: their keys are in more than one slot.
        """
        keys = dict.fromkeys([*(each.key for each in when), *(key_of(command) for command in commands)])
        slots = set(map(self.slot, keys))
        if not slots:
            return []
        if len(slots) > 1:
            raise ValueError(
                f"keys {', '.join(map(repr, keys))}: what is changed in one step must be in one slot of a cluster. Expected "
                f"keys with the same part in braces"
            )
        # Whether a command that got no answer was run is not known, and it may add something: it is not sent again.
        return self._store.at(slots.pop(), lambda node: node.keys.run(*commands, when=when), insist=False)

    def read(self, key: str) -> Value | None:
        def ask(node: RedisStore) -> Value | None:
            value = node.keys.read(key)
            if value is None:  # when it is made after its slot has moved, this node will not say so
                node.keys.forget([key])
            return value

        return self._store.at(key_slot(key), ask)

    def fetch(self, keys: Iterable[str]) -> None:
        """Each `read` asks its own node."""

    def slot(self, key: str) -> int:
        return key_slot(key)

    def names(self, prefix: str) -> list[str]:
        found: set[str] = set()
        for node in self._store.masters():
            found.update(node.keys.names(prefix))
        return sorted(found)
