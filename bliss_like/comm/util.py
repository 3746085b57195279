"""`bliss.comm.util`: the line that a driver written for BLISS finds in its configuration; a `Line` is behind it.

::

    tcp:
      url: table.id99:5000
      eol: "\\r\\n"
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import Any

from bliss_like.backends.line import Line
from bliss_like.errors import ConfigError

__all__ = ["TCP", "Comm", "get_comm"]

TCP = "tcp"
_OTHERS = ("serial", "gpib", "udp", "usb", "modbustcp")


class Comm:
    """Bytes to a device and back, by the names of BLISS. What goes wrong, and what then happens, is as for a `Line`.

    A request with an answer is one call, such as `write_readline`; or several, inside of `with comm.lock:`.
    """

    def __init__(self, line: Line) -> None:
        self.line = line

    def __repr__(self) -> str:
        return f"<Comm {self.line}>"

    @property
    def lock(self) -> AbstractContextManager[None]:
        """The line for oneself, for several calls that belong together."""
        return self.line.exchange()

    def write(self, msg: bytes, timeout: float | None = None) -> None:
        """Send what has no answer, or (inside of `with comm.lock:`) one that is read next."""
        self.line.write_exactly(msg)

    def read(self, size: int = 1, timeout: float | None = None) -> bytes:
        return self.line.read_exactly(size, timeout)

    def readline(self, eol: bytes | str | None = None, timeout: float | None = None) -> bytes:
        """Return a line without its end."""
        with self._ended_by(eol):
            return self.line.read_line(timeout)

    def write_read(self, msg: bytes, write_synchro: Any = None, size: int = 1, timeout: float | None = None) -> bytes:
        with self.line.exchange():
            self._send(msg, write_synchro)
            return self.line.read_exactly(size, timeout)

    def write_readline(
        self, msg: bytes, write_synchro: Any = None, eol: bytes | str | None = None, timeout: float | None = None
    ) -> bytes:
        return self.write_readlines(msg, 1, write_synchro, eol, timeout)[0]

    def write_readlines(
        self,
        msg: bytes,
        nb_lines: int,
        write_synchro: Any = None,
        eol: bytes | str | None = None,
        timeout: float | None = None,
    ) -> list[bytes]:
        """:param timeout: seconds for each line."""
        with self._ended_by(eol):
            self._send(msg, write_synchro)
            return [self.line.read_line(timeout) for _ in range(nb_lines)]

    def _send(self, msg: bytes, write_synchro: Any) -> None:
        self.line.write_exactly(msg)
        if write_synchro is not None:
            write_synchro.notify()

    @contextmanager
    def _ended_by(self, eol: bytes | str | None) -> Iterator[None]:
        """Have the line, with another end of lines for the time."""
        with self.line.exchange():
            before = self.line.answer_terminator
            self.line.answer_terminator = before if eol is None else _bytes(eol)
            try:
                yield
            finally:
                self.line.answer_terminator = before

    def flush(self) -> None:
        """What nobody has asked for is thrown away before each request; there is nothing to do here."""

    def open(self) -> None:
        with self.line.exchange():
            pass

    def close(self) -> None:
        self.line.close()


def get_comm(config: Mapping[str, Any], ctype: str | None = None, **defaults: Any) -> Comm:
    """Return the line of a configuration; nothing is opened yet.

    :param config: what has a key `tcp`: {url, eol, timeout}.
    :param defaults: of eol and timeout; `port`, for an url that has none.
    :raises ConfigError: there is no such key, or it has no url.
    """
    other = next((kind for kind in _OTHERS if kind in config or ctype == kind), None)
    if TCP not in config:
        came = (
            f"'{other}', which is not here: a terminal server makes TCP of it" if other else f"only {', '.join(config)}"
        )
        raise ConfigError(f"{config.get('name', 'device')}: expected a key 'tcp' with 'url: host:port', came {came}")
    written = {**defaults, **config[TCP]}
    url = str(written.get("url", "")).rpartition("://")[2]
    host, _, port = url.partition(":")
    if not host or not (port or "port" in written):
        raise ConfigError(
            f"{config.get('name', 'device')}: tcp: expected 'url: host:port', came {written.get('url')!r}"
        )
    return Comm(
        Line(
            f"tcp://{host}:{port or written['port']}",
            terminator=_bytes(written.get("eol", "\n")),
            timeout=float(written.get("timeout", 3.0)),
            name=str(config.get("name", "")),
        )
    )


def _bytes(text: bytes | str) -> bytes:
    return text if isinstance(text, bytes) else text.encode()
