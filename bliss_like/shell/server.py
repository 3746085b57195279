"""`bliss-like server start|status|stop`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta

from bliss_like.data import server
from bliss_like.data.redis_store import RedisStore, connect
from bliss_like.data.server import ServerStatus

NOT_RUNNING = 3


def start() -> int:
    url = server.redis_url()
    if server.is_configured():
        print(f"Nothing to start: $BLISS_LIKE_REDIS names {server.masked(url)}")
        return 0
    return show_status()


def show_status() -> int:
    if server.is_configured():
        return _show_configured()
    status = server.status()
    if status is None:
        print("The embedded server does not run. It is started when needed, or with: bliss-like server start")
        return NOT_RUNNING
    print(described(status))
    return 0


def _show_configured() -> int:
    print("$BLISS_LIKE_REDIS names this server; the embedded one is not used.")
    store = connect()
    facts: dict[str, object] = {"url": store.url}
    if isinstance(store, RedisStore):
        info = store.server_info()
        keys = re.match(r"keys=(\d+)", info.get("db0", ""))
        facts |= {
            "version": info.get("valkey_version") or info["redis_version"],
            "uptime": timedelta(seconds=int(info["uptime_in_seconds"])),
            "memory": f"{int(info['used_memory']) / 1e6:.1f} MB",
            "keys": keys.group(1) if keys else 0,
        }
    print(_table(facts))
    return 0


def stop() -> int:
    print("Stopped." if server.stop() else "The embedded server does not run.")
    return 0


def described(status: ServerStatus) -> str:
    facts = {
        "url": status.url,
        "pid": status.pid,
        "version": status.version,
        "uptime": timedelta(seconds=status.uptime),
        "memory": f"{status.memory / 1e6:.1f} MB",
        "keys": status.keys,
        "data": status.data_dir,
        "log": status.log,
    }
    return _table(facts)


def _table(facts: Mapping[str, object]) -> str:
    return "\n".join(f"{name:8} {value}" for name, value in facts.items())
