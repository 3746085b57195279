"""Images in the files of detectors, as Tiled serves them: arrays, of which no more is read than is asked for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bliss_like.data.events import NodeKind
from bliss_like.data.images import ImageReference
from bliss_like.data.node import get_node
from bliss_like.data.saved import open_saved
from bliss_like.exporters import feed, make_exporter, target_of
from bliss_like.image_files.edf import EdfFile
from tests.exporting import ChannelOf, ScanOf

pytest.importorskip("tiled")
from tiled.ndslice import NDSlice  # noqa: E402

from bliss_like.web.tiled_data import ChannelArray  # noqa: E402


def test_images_in_files_of_detectors(tmp_path: Path) -> None:
    values = np.arange(60, dtype="<u2").reshape(3, 4, 5)
    images = EdfFile(str(tmp_path / "cam.edf"), (4, 5), np.dtype("<u2"), {"name": "cam"})
    images.write(values)
    images.close()
    references = np.array([ImageReference(str(tmp_path / "cam.edf"), "", index).uri for index in range(3)])
    info: dict[str, Any] = {"reference": True, "image_shape": [4, 5], "image_dtype": "<u2"}
    scan = ScanOf({"axis:cam:image": ChannelOf(references, kind=NodeKind.IMAGE, info=info)})
    target, template = target_of(tmp_path / "data.h5")
    feed(make_exporter("nexus", target, template), target, scan.events())
    store = open_saved(str(tmp_path / "data.h5"), f"/{scan.number}.1")
    (node,) = get_node(store.scan, store).channels()
    array = ChannelArray("image", node, {})
    assert (array.structure().shape, array.structure().dims) == ((3, 4, 5), ("point", "image_y", "image_x"))
    for part in (np.s_[:], np.s_[1], np.s_[-1, 2:], np.s_[0:2, 1, ::2]):
        parts = part if isinstance(part, tuple) else (part,)
        assert array.read(NDSlice(*parts)).tolist() == values[part].tolist()
