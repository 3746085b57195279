"""What is known of a dataset at its end, in a JSON file beside its data."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bliss_like.data.codec import to_json
from bliss_like.devices.metadata import HasMetadataForDataset, metadata_name
from bliss_like.errors import SavingError
from bliss_like.scanning.environment import environment
from bliss_like.scanning.gathering import Gatherer

if TYPE_CHECKING:
    from ..saving import ScanSaving

SUFFIX = "_metadata.json"

_logger = logging.getLogger(__name__)


def end_dataset(saving: ScanSaving, directory: Path, dataset: Mapping[str, Any]) -> None:
    """Write what is known of a dataset; what is in the way of that is logged, and holds nothing up."""
    devices, missing = ask_devices()
    fields = saving.fields
    metadata = {
        **dataset,
        "description": fields["_description"],
        "session": saving.session,
        "user": saving.user,
        "start_time": fields["_made"],
        "end_time": datetime.now().astimezone().isoformat("T", "seconds"),
        "sample_metadata": saving.sample_metadata,
        "devices": devices,
        "missing": missing,
    }
    try:
        saving.look(lambda: write_metadata(directory / f"{directory.name}{SUFFIX}", metadata))
    except (OSError, SavingError) as error:
        _logger.error("dataset %s: its metadata are not written: %s", directory, error)


def ask_devices() -> tuple[dict[str, dict[str, Any]], dict[str, str]]:
    """Return what the devices of the session say of themselves, with their groups; and who did not answer, and why."""
    devices = {
        metadata_name(device): device
        for device in environment.metadata_sources()
        if isinstance(device, HasMetadataForDataset) and device.dataset_metadata_enabled
    }
    missing: dict[str, str] = {}
    answers = Gatherer().ask({name: device.dataset_metadata for name, device in devices.items()}, missing)
    groups = {name: list(devices[name].dataset_metadata_groups()) for name in answers}
    return {
        name: {**answer, **({"groups": groups[name]} if groups[name] else {})} for name, answer in answers.items()
    }, (missing)


def write_metadata(path: Path, metadata: Mapping[str, Any]) -> Path:
    """Write a file that is not there yet; return its path.

    :raises OSError: it cannot be written.
    """
    text = json.dumps(json.loads(to_json(metadata)), indent=2, ensure_ascii=False)
    for number in range(1, 1000):
        name = path if number == 1 else path.with_name(f"{path.stem}_{number}{path.suffix}")
        try:
            with name.open("x", encoding="utf-8") as stream:
                stream.write(text + "\n")
        except FileExistsError:
            continue
        return name
    raise FileExistsError(f"{path}, and a thousand after it")
