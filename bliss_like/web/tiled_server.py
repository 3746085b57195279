"""A Tiled server of the catalogue, in the process that calls `serve`."""

from __future__ import annotations

import ipaddress
import re
import secrets
import socket
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import parse_qs, urlencode

import uvicorn
from tiled.config import Authentication
from tiled.server.app import build_app

from bliss_like.errors import DataError

from .tiled_tree import CatalogueTree

Scope = MutableMapping[str, Any]
_READS = re.compile(r".*/api/v1/array/(full|block)/.*")


class AsItWas:
    """Lets clients read an array whole that has grown since they learned of its shape: they get what they know of.

    They say the shape that they expect, and Tiled refuses if it is another one by now.
    """

    def __init__(self, app: Callable[..., Awaitable[None]]) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Any, send: Any) -> None:
        if scope["type"] == "http" and _READS.fullmatch(scope["path"]):
            asked = parse_qs(scope["query_string"].decode())
            expected = asked.get("expected_shape", ["scalar"])[0]
            if expected != "scalar" and not asked.get("slice"):
                asked["slice"] = [",".join(f":{size}" for size in expected.split(","))]
                scope = {**scope, "query_string": urlencode(asked, doseq=True).encode()}
        await self._app(scope, receive, send)


def serve(listener: socket.socket, host: str, key: str = "", *, tell: Callable[[str], None]) -> None:
    """Serve the catalogue until SIGINT or SIGTERM.

    :param host: what the listener listens at.
    :param tell: is called with what is to be said to people once it can be reached.
    :param key: the API key that clients need; empty: on this computer none, elsewhere one is made.
    :raises DataError: the key has other characters than letters and digits.
    """
    is_open = not key and is_loopback(host)
    key = key or secrets.token_hex(16)
    if not re.fullmatch("[a-zA-Z0-9]+", key):
        raise DataError("API key: expected letters and digits only")
    app = build_app(
        CatalogueTree(), authentication=Authentication(allow_anonymous_access=is_open, single_user_api_key=key)
    )
    server = uvicorn.Server(uvicorn.Config(AsItWas(app), log_level="warning", lifespan="on"))
    tell(_announcement(_url(host, listener.getsockname()[1]), "" if is_open else key))
    server.run([listener])


def is_loopback(host: str) -> bool:
    """Return whether only programs of this computer reach that address."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _url(host: str, port: int) -> str:
    everywhere = host in ("0.0.0.0", "::", "")
    name = socket.gethostname() if everywhere else f"[{host}]" if ":" in host else host
    return f"http://{name}:{port}"


def _announcement(url: str, key: str) -> str:
    query = f"?api_key={key}" if key else ""
    who = "with this key only, and read only" if key else "for everyone on this computer, read only"
    return "\n".join(
        [
            f"The catalogue, {who} (Ctrl-C ends):",
            f"  in a browser  {url}/{query}",
            f"  in Python     from tiled.client import from_uri; scans = from_uri({f'{url}/api/v1{query}'!r})",
        ]
    )
