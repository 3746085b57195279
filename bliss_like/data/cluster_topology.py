"""Which node of a Redis Cluster serves which key: learnt from the nodes, and again whenever it turns out to be wrong."""

from __future__ import annotations

import binascii
import functools
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from bliss_like.errors import DataError, StoreUnavailable

from .cluster_node import AskingStore
from .redis_store import RedisStore
from .server import masked

Address = tuple[str, int]
"""Host and port."""

_SLOTS = 16384
_ANSWER_TIMEOUT = "10"
"""Seconds. Without it, a node that hangs would never be given up for its replica. What may be stored twice is not sent
twice: entries have ids; at worst, a number is left out."""


@functools.lru_cache(1 << 16)
def key_slot(key: str) -> int:
    """Return the slot of a key: that of its hash tag, the part in braces, if it has one.

    Source: Redis Cluster specification, "Hash tags"; its CRC16 is the one of XMODEM.
    """
    start = key.find("{") + 1
    end = key.find("}", start)
    tag = key[start:end] if start and end > start else key
    return binascii.crc_hqx(tag.encode(), 0) % _SLOTS


class Topology:
    """The nodes of one cluster.

    :param url: `redis+cluster://[user:password@]host:port[,host:port...][?options]`; some of the nodes, at least one.
    :raises StoreUnavailable: (here) the URL is not of this form.

    Options are those of redis-py, for each connection.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._seeds = _addresses(url)
        self._options = {"socket_timeout": _ANSWER_TIMEOUT, **dict(parse_qsl(urlsplit(url).query))}
        self.answer_timeout = float(self._options["socket_timeout"])
        """Seconds after which a node that keeps the connection open but does not answer counts as lost."""
        self._nodes: dict[Address, RedisStore] = {}
        self._asking: dict[Address, AskingStore] = {}
        self._addresses: dict[RedisStore, Address] = {}
        self._slots: list[Address | None] = [None] * _SLOTS
        self._lost: set[Address] = set()
        """Nodes that did not answer the last time: asked last."""
        self._outdated = True

    @property
    def url(self) -> str:
        """Where the cluster is, without the password."""
        return masked(self._url)

    def node(self, slot: int) -> RedisStore:
        """Return the node that serves a slot.

        :raises StoreUnavailable: there is none, or no node can be asked.
        """
        if self._outdated or self._slots[slot] is None:
            self.refresh()
        address = self._slots[slot]
        if address is None:
            raise StoreUnavailable(
                f"Redis Cluster {self.url}: no node serves slot {slot}. `CLUSTER NODES` on any of them tells which one is lost"
            )
        return self.at(address)

    def masters(self) -> list[RedisStore]:
        """Return all nodes that serve slots.

        :raises StoreUnavailable: no node can be asked.
        """
        if self._outdated:
            self.refresh()
        return [self.at(address) for address in dict.fromkeys(filter(None, self._slots))]

    def at(self, address: Address) -> RedisStore:
        """Return the node at an address."""
        if address not in self._nodes:
            self._nodes[address] = node = RedisStore(self._url_of(address))
            self._addresses[node] = address
        return self._nodes[address]

    def asking(self, node: RedisStore, address: Address) -> AskingStore:
        """Return the one that takes over a key from `node`, as `node` says."""
        address = self._complete(node, address)
        if address not in self._asking:
            self._asking[address] = taker = AskingStore(self._url_of(address))
            self._addresses[taker] = address
        return self._asking[address]

    def lost(self, node: RedisStore) -> None:
        """Take note that a node did not answer: another one may have taken over."""
        self._outdated = True
        self._lost.add(self._addresses[node])

    def moved(self, slot: int, node: RedisStore, address: Address) -> RedisStore:
        """Take note that `node` says that another one serves a slot, and return that."""
        address = self._complete(node, address)
        self.refresh(address)
        self._slots[slot] = address  # the news may not have reached the one that was asked
        return self.at(address)

    def _complete(self, node: RedisStore, address: Address) -> Address:
        return address[0] or self._addresses[node][0], address[1]

    def refresh(self, first: Address | None = None) -> None:
        """Ask one node for all slots.

        :param first: of the node to ask first.
        :raises StoreUnavailable: none of those that are known answers.
        """
        known = dict.fromkeys([*([first] if first else []), *filter(None, dict.fromkeys(self._slots)), *self._seeds])
        failures = []
        for address in sorted(known, key=self._lost.__contains__):
            try:
                self._slots = _slots(self.at(address).call("CLUSTER", "SLOTS"), address[0])
            except StoreUnavailable as error:
                failures.append(str(error))
                self._lost.add(address)
            except DataError as error:
                raise StoreUnavailable(
                    f"Redis Cluster {self.url}: {error}. For a server that is no cluster, the URL begins with redis://"
                ) from error
            else:
                if not any(self._slots):
                    failures.append(f"Redis server redis://{address[0]}:{address[1]} knows of no node that has slots")
                    continue
                self._lost.discard(address)
                self._outdated = False
                return
        raise StoreUnavailable(f"Redis Cluster {self.url}: none of {len(failures)} nodes answers. {failures[0]}")

    def _url_of(self, address: Address) -> str:
        parts = urlsplit(self._url)
        user, at, _ = parts.netloc.rpartition("@")
        host = f"[{address[0]}]" if ":" in address[0] else address[0]
        scheme = parts.scheme.removesuffix("+cluster")
        return f"{scheme}://{user}{at}{host}:{address[1]}?{urlencode(self._options)}"


def _addresses(url: str) -> list[Address]:
    parts = urlsplit(url)
    try:
        if parts.path.strip("/") not in ("", "0"):
            raise ValueError("a cluster has no numbered databases")
        return list(_hosts(parts.netloc.rpartition("@")[2]))
    except ValueError as error:
        raise StoreUnavailable(
            f"{masked(url)}: expected the URL of a cluster, redis+cluster://[user:password@]host:port[,host:port...]: {error}"
        ) from error


def _hosts(text: str) -> Iterator[Address]:
    for part in text.split(","):
        each = urlsplit(f"//{part}")
        if not each.hostname:
            raise ValueError(f"no host in {part!r}")
        yield each.hostname, each.port or 6379


def _slots(ranges: Any, asked: str) -> list[Address | None]:
    """Return the address of each slot's master; a node that does not know its own host is where it was asked.

    :param ranges: of slots: first, last, [host, port, ...] of the master, ...
    """
    slots: list[Address | None] = [None] * _SLOTS
    for start, end, master, *_ in ranges:
        host = master[0].decode() if master[0] else asked
        slots[start : end + 1] = [(host if host != "?" else asked, master[1])] * (end + 1 - start)
    return slots
