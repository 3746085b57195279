"""The lines of drivers that were written for BLISS."""

from __future__ import annotations

from typing import Any

import pytest

from bliss_like.comm.util import TCP, get_comm
from bliss_like.errors import ConfigError, DeviceError
from tests.bliss_style.stage_server import StageBox


def test_requests_and_answers(box: tuple[StageBox, int]) -> None:
    comm = get_comm({"tcp": {"url": f"127.0.0.1:{box[1]}"}}, eol="\n", timeout=30)
    try:
        assert comm.write_readline(b"ID? 1\n") == b"STAGE-1"
        assert comm.write_readlines(b"ID? 1\nID? 2\n", 2) == [b"STAGE-1", b"STAGE-2"]
        assert comm.write_read(b"ID? 2\n", size=8) == b"STAGE-2\n"
        assert comm.write_readline(b"ID? 2\n", eol="-2\n") == b"STAGE"
        with comm.lock:
            comm.write(b"POS? 1\n")
            assert comm.readline() == b"0"
        with pytest.raises(DeviceError, match="127.0.0.1"):
            comm.write_readline(b"ID? 1\n", eol=b"never", timeout=0.05)
        assert comm.write_readline(b"ID? 2\n") == b"STAGE-2"
    finally:
        comm.close()


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        (
            {"name": "table", "serial": {"url": "/dev/ttyS0"}},
            "table: expected a key 'tcp' .* came 'serial', which is not",
        ),
        ({"name": "table", "host": "x"}, "table: expected a key 'tcp' with 'url: host:port', came only name, host"),
        ({"name": "table", "tcp": {"url": "x"}}, "table: tcp: expected 'url: host:port', came 'x'"),
        ({"name": "table", "tcp": {}}, "table: tcp: expected 'url: host:port', came None"),
    ],
)
def test_what_is_no_line(config: dict[str, Any], expected: str) -> None:
    with pytest.raises(ConfigError, match=expected):
        get_comm(config)


def test_the_port_may_be_the_drivers() -> None:
    comm = get_comm({"tcp": {"url": "socket://table.id99"}}, TCP, port=5025)
    assert str(comm.line) == "tcp://table.id99:5025"
