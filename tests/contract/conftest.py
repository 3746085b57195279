"""One suite per interface, run on every implementation."""

from __future__ import annotations

import pytest

from bliss_like.data.cluster_store import ClusterStore
from bliss_like.data.redis_store import RedisStore
from bliss_like.data.store import MemoryStore, StreamStore
from bliss_like.data.tree import Tree


@pytest.fixture(params=["memory", "redis", "cluster"])
def store(request: pytest.FixtureRequest) -> StreamStore:
    if request.param == "memory":
        return MemoryStore()
    if request.param == "cluster":
        return ClusterStore(request.getfixturevalue("redis_cluster").url)
    return RedisStore(request.getfixturevalue("redis_server").url)


@pytest.fixture
def tree(store: StreamStore) -> Tree:
    return Tree(store)
