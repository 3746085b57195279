"""The page on data files: its listing is that of a real file, and its examples read it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import h5py
import pytest

from bliss_like.devices.counter import SamplingCounter
from bliss_like.scanning.environment import environment
from bliss_like.scanning.scan import Scan
from bliss_like.scanning.scan_meta import ScanMeta
from bliss_like.scans import ascan
from tests.unit.devices.making import make_axis
from tests.unit.scanning.making import Values, memory_environment
from tests.unit.writers.making import FileSaver, events_of, save

PAGE = Path(__file__).parents[2] / "docs" / "data-files.md"


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.chdir(tmp_path)
    with memory_environment():
        environment.saver = FileSaver(tmp_path / "sample_0001.h5")
        environment.scan_meta = ScanMeta()
        environment.scan_meta.instrument.set("slits", {"slits": {"gap": 0.1, "gap@units": "mm", "@NX_class": "NXslit"}})
        environment.user_name = "Anna Weber"
        environment.configuration = lambda devices: {"robx": {"class": "SimulatedMotors", "unit": "mm"}}
        robx = make_axis("robx", unit="mm")
        environment.axes = lambda: [robx]
        diode = SamplingCounter("diode", Values("diodes", lambda: [robx.position]), unit="A")
        scan = ascan(robx, 0, 1, 10, 0, diode, run=False, scan_info={"sample": "ruby"})
        assert isinstance(scan, Scan)
        scan.add_comment("looks good")
        scan.run()
        save(events_of(scan))
        yield tmp_path / "sample_0001.h5"


def listing(group: Any, indent: str = "") -> Iterator[str]:
    """Lines of the page: a group with its class and plot, a dataset with its shape, type and unit."""
    for name in group:
        item = group[name]
        if isinstance(item, h5py.Group):
            keys = ("default", "signal", "axes")
            more = [f"@{key}={', '.join(map(str, _list(item.attrs[key])))}" for key in keys if key in item.attrs]
            yield " ".join([f"{indent}{name}/", item.attrs["NX_class"], *more])
            yield from listing(item, indent + "  ")
        else:
            kind = "text" if item.dtype.kind in "OS" else str(item.dtype)
            yield f"{indent}{name} {kind}{list(item.shape) or ''} {item.attrs.get('units', '')}".rstrip()


def _list(value: Any) -> list[Any]:
    return [value] if isinstance(value, str) else list(value)


def blocks(kind: str) -> list[str]:
    return re.findall(rf"(?ms)^```{kind}\n(.*?)^```", PAGE.read_text())


def test_the_listing_is_that_of_a_file(file: Path) -> None:
    with h5py.File(file) as h5:
        lines = list(listing(h5))
    # Comments on the page begin two blanks after what they comment on.
    (shown,) = blocks("text")
    assert [re.sub(r"  +#.*", "", line).rstrip() for line in shown.splitlines()] == lines


def test_the_examples_read_it(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    examples = blocks("python")
    assert len(examples) >= 4
    for example in examples:
        exec(example, {})
    assert "ascan robx 0 1 10 0" in capsys.readouterr().out
