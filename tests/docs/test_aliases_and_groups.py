"""The pages on aliases and measurement groups, typed at the prompt of `test_session` on a real server."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bliss_like.config import get_config
from bliss_like.data.server import EmbeddedServer
from bliss_like.session import Session, load_session

PROJECT = Path(__file__).parents[2]


@pytest.fixture
def session(redis_server: EmbeddedServer, short_directory: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Session]:
    monkeypatch.setenv("BLISS_LIKE_HOME", str(short_directory))
    config = get_config(PROJECT / "config")
    session = load_session("test_session", config)
    assert session.setup(), session.error_report
    yield session
    session.close()
    config.close()


def blocks(page: str) -> list[str]:
    text = (PROJECT / "docs" / "how-to" / page).read_text()
    return re.findall(r"^```python\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


def test_aliases(session: Session) -> None:
    names: dict[str, Any] = session.env_dict
    first, second = blocks("alias.md")
    exec(first, names)
    scan, data = names["scan"], names["data"]
    assert scan.scan_info["title"] == "ascan table_x 0 1 4 0.01"
    assert {"axis:table_x", "diodes:i0"} < set(data)
    assert data["table_x"].tolist() == data[names["table_x"]].tolist() == [0, 0.25, 0.5, 0.75, 1]
    assert "robx" not in names
    exec(second, names)
    assert "i0" in session.aliases and "table_x" not in session.aliases
    assert {"axis:robx", "diodes:i0"} < set(names["SCANS"][-1].get_data())


def test_measurement_groups(session: Session) -> None:
    names: dict[str, Any] = session.env_dict
    choosing, adding, states, script, chain, one_scan = blocks("measurement-group.md")
    exec(choosing, names)
    group = names["test_mg"]
    assert group.enabled == ["diodes:diode", "diodes:diode2", "diodes:diode3"]
    exec(adding, names)
    assert group.available[-1] == "beam:sim_ct_gauss"
    exec(states, names)
    assert (group.state_names, group.disabled) == (["default"], [])
    exec(script, names)
    assert names["SCANS"][-1].scan_info["title"] == "loopscan 2 0.01"
    exec(chain, names)
    exec(one_scan, names)
    last = names["SCANS"][-1]
    assert [node.count_time for node in last.acq_chain.nodes_list if node.name == "diodes"] == [0.02]
