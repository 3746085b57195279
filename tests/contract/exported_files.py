"""How other programs read what is exported: each format by a library that is not ours, back to channels and their points."""

from __future__ import annotations

import base64
import csv
import io
import json
import re
import tempfile
from collections import defaultdict
from typing import Any

import msgpack
import numpy as np
import pyarrow.parquet as pq
import tifffile

Read = dict[tuple[str, str], list[Any]]
"""Points by (scan and table, full name); None where there is none."""


def read_csv(contents: dict[str, bytes]) -> Read:
    found: Read = {}
    for name, content in contents.items():
        stem = name.removesuffix(".csv")
        rows = list(csv.reader(io.StringIO(content.decode(), newline="")))
        if not rows or not re.match(r"^eh1_\d+_[a-z_]+(\.\d+)?$", stem):
            channel = stem.rpartition(".")[2]
            found[stem, channel] = [[float(cell) for cell in row] for row in rows]
            continue
        for column, title in enumerate(rows[0]):
            key = (stem, title) if (stem, title) not in found else (stem, title + "'")
            found[key] = [row[column] if row[column] else None for row in rows[1:]]
    return found


def read_spec(contents: dict[str, bytes]) -> Any:
    """Return silx' view of the only file."""
    from silx.io.specfile import SpecFile

    (content,) = contents.values()
    with tempfile.NamedTemporaryFile(suffix=".spec") as file:
        file.write(content)
        file.flush()
        return SpecFile(file.name)


def read_parquet(contents: dict[str, bytes]) -> Read:
    found: Read = {}
    for name, content in contents.items():
        table = pq.read_table(io.BytesIO(content))
        for field, column in zip(table.schema, table.columns, strict=True):
            found[name.removesuffix(".parquet"), field.name] = column.to_pylist()
    return found


def read_tiff(contents: dict[str, bytes]) -> dict[str, list[tuple[Any, dict[str, Any]]]]:
    """Return (pixels, description) of the pages of each file."""
    pages = {}
    for name, content in contents.items():
        with tifffile.TiffFile(io.BytesIO(content)) as file:
            pages[name] = [(page.asarray(), json.loads(page.description)) for page in file.pages]
    return pages


def documents_of(contents: dict[str, bytes]) -> list[dict[str, Any]]:
    """Return the documents of the only file, JSON lines or msgpack, with raw bytes as data."""
    ((name, content),) = contents.items()
    if name.endswith(".msgpack"):
        return list(msgpack.Unpacker(io.BytesIO(content)))
    documents = [json.loads(line) for line in content.splitlines()]
    for document in documents:
        if "data" in document:
            document["data"] = base64.b64decode(document["data"])
    return documents


def points_of(documents: list[dict[str, Any]]) -> dict[str, list[Any]]:
    """Return the points of each channel by its db_name, as another language would put them together."""
    found: dict[str, list[Any]] = defaultdict(list)
    for document in documents:
        if document["event"] == "NEW_DATA":
            assert document["first_index"] == len(found[document["path"]])
            if "values" in document:
                found[document["path"]] += document["values"]
            else:
                values = np.frombuffer(document["data"], document["dtype"]).reshape(document["shape"])
                found[document["path"]] += list(values)
    return dict(found)
