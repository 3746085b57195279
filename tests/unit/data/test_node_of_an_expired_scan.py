"""A scan whose time is over between two looks at the store is a scan that is not there."""

from __future__ import annotations

from collections.abc import Sequence

from bliss_like.data.node import get_node
from bliss_like.data.store import MemoryStore
from bliss_like.data.tree import Tree
from tests.publishing import run_scan


class Forgetful(MemoryStore):
    """Drops what it was asked about, right after the answer."""

    forgets = False

    def exist(self, keys: Sequence[str]) -> list[bool]:
        found = super().exist(keys)
        if self.forgets:
            self.delete(keys)
        return found


def test_it_has_no_node() -> None:
    store = Forgetful()
    scan = run_scan(Tree(store))
    assert get_node(scan.path, store) is not None
    store.forgets = True
    assert get_node(scan.path, store) is None
