"""Formats by name: ours, and those of other packages."""

from __future__ import annotations

from pathlib import Path

import pytest

from bliss_like.errors import ExportError
from bliss_like.exporters import exporter_class, format_names


def test_a_format_that_cannot_be_imported_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "lab-1.dist-info"
    package.mkdir()
    (package / "METADATA").write_text("Name: lab\nVersion: 1\n")
    (package / "entry_points.txt").write_text("[bliss_like.exporters]\nruns = lab_runs:Runs\n")
    monkeypatch.syspath_prepend(tmp_path)
    assert "runs" in format_names()
    with pytest.raises(ExportError, match="format runs: lab_runs:Runs cannot be imported: No module named 'lab_runs'"):
        exporter_class("runs")
    (tmp_path / "lab_runs.py").write_text("class Runs: ...\n")
    assert exporter_class("runs").__name__ == "Runs"  # type: ignore[attr-defined]
    with pytest.raises(ExportError, match="format 'csw': there is none of that name; there are csv, "):
        exporter_class("csw")
