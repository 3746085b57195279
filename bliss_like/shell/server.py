"""`bliss-like server start|status|stop`."""

from __future__ import annotations

from datetime import timedelta

from bliss_like.data import server
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
        print(f"$BLISS_LIKE_REDIS names {server.masked(server.redis_url())}; the embedded server is not used.")
    status = server.status()
    if status is None:
        print("The embedded server does not run. It is started when needed, or with: bliss-like server start")
        return NOT_RUNNING
    print(described(status))
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
    return "\n".join(f"{name:8} {value}" for name, value in facts.items())
