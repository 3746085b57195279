"""The story of the README: a scan of the session that is shown, saved by its writer, and read by the code on the page."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from bliss_like.config import get_config
from bliss_like.data.server import EmbeddedServer
from bliss_like.session import load_session
from tests.docs.blocks import PROJECT, blocks_of


def test_a_session_its_file_and_a_listener(
    redis_server: EmbeddedServer,
    short_directory: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("HOME", str(short_directory))
    monkeypatch.setenv("BLISS_LIKE_HOME", str(short_directory))
    monkeypatch.delenv("BLISS_LIKE_DATA")
    monkeypatch.delenv("BLISS_LIKE_WRITER")
    config = get_config(PROJECT / "config")
    session = load_session("demo_session", config)
    try:
        assert session.setup(), session.error_report
        names: dict[str, Any] = session.env_dict
        exec("scan = ascan(robx, -5, 5, 10, 0.01, sim_ct_gauss, camera)", names)
        data = short_directory / "bliss_like_data" / "demo_session" / "data.h5"
        told = names["scan"].__info__().splitlines()
        assert told[1].endswith(f" {data}::1.1")
        assert [line.split()[0] for line in told[3:6]] == ["robx", "sim_ct_gauss", "image"]
        from_file, from_catalogue, listener = blocks_of("README.md", "python")
        capsys.readouterr()
        exec(from_file, {})
        assert capsys.readouterr().out.startswith("ascan robx -5 5 10 0.01 [")
        exec(from_catalogue, {})
        assert capsys.readouterr().out.startswith(f"ascan robx -5 5 10 0.01 {data} ")
        exec(listener.replace("walk_events()", "walk_events(wait=False)"), {})
        assert capsys.readouterr().out.splitlines()[-1].startswith("SAVED_SCAN demo_session:")
    finally:
        began = time.monotonic()
        session.close()
        config.close()
    assert time.monotonic() - began < 20
