"""A server reached through TLS: a proxy in front of its unix socket."""

from __future__ import annotations

import contextlib
import shutil
import socket
import ssl
import subprocess
import threading
from pathlib import Path
from urllib.parse import quote

ANONYMOUS = "AECDH:@SECLEVEL=0"
"""Ciphers of TLS 1.2 that need no certificate, for machines without the command that makes one."""


class TlsProxy:
    """Takes TLS connections on a free port of the loopback and passes on what they carry."""

    def __init__(self, target: Path, directory: Path) -> None:
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._target = target
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"rediss://127.0.0.1:{self._listener.getsockname()[1]}?ssl_cert_reqs=none"
        if shutil.which("openssl"):
            self._context.load_cert_chain(*_certificate(directory))
        else:
            self._context.maximum_version = ssl.TLSVersion.TLSv1_2
            self._context.set_ciphers(ANONYMOUS)
            self.url += f"&ssl_ciphers={quote(ANONYMOUS)}"
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                plain, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(plain,), daemon=True).start()

    def _serve(self, plain: socket.socket) -> None:
        with contextlib.suppress(OSError), self._context.wrap_socket(plain, server_side=True) as client:
            with socket.socket(socket.AF_UNIX) as server:
                server.connect(str(self._target))
                back = threading.Thread(target=_pass_on, args=(server, client), daemon=True)
                back.start()
                _pass_on(client, server)
                server.shutdown(socket.SHUT_RDWR)
                back.join(30)


def _pass_on(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(1 << 16):
            target.sendall(data)


def _certificate(directory: Path) -> tuple[Path, Path]:
    """Return the files of a new certificate and its key."""
    key, certificate = directory / "key.pem", directory / "certificate.pem"
    command = "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -keyout".split()
    subprocess.run([*command, str(key), "-out", str(certificate)], check=True, capture_output=True)
    return certificate, key
