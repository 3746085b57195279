"""How a standard scan is made of what its command was given."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from bliss_like.errors import ScanUsageError
from bliss_like.scanning.acquisition import AcquisitionMaster
from bliss_like.scanning.default_chain import ChainSettings, default_chain
from bliss_like.scanning.presets import ScanPreset
from bliss_like.scanning.scan import Scan
from bliss_like.scanning.scan_info import ScanInfo


@dataclass
class Recipe:
    """A standard scan to be: the common keywords of all commands."""

    scan_type: str
    name: str | None = None
    title: str | None = None
    save: bool = True
    save_images: bool | None = None
    sleep_time: float | None = None
    stab_time: float | None = None
    run: bool = True
    return_scan: bool = True
    scan_info: Mapping[str, Any] | None = None
    chain_settings: ChainSettings | None = None

    def __post_init__(self) -> None:
        if self.name is not None and (not self.name or any(c in ":{}" or c.isspace() for c in self.name)):
            raise ScanUsageError(f"name: expected no space, ':', '{{' or '}}', got {self.name!r}")
        self.info = ScanInfo.of(self.scan_info)
        self.presets: list[ScanPreset] = []
        self.with_metadata = True

    def make(
        self,
        title: str,
        count_time: float,
        npoints: int,
        counters: Iterable[Any],
        top_master: AcquisitionMaster | None = None,
        scan_params: Mapping[str, Any] | None = None,
        **more_info: Any,
    ) -> Scan | None:
        """Make the scan, run it if that is wanted, and return it if that is.

        :param title: used when the user gave none.
        :param more_info: written into the scan's info.
        """
        info = self.info
        info.update(
            type=self.scan_type,
            title=self.title or title,
            npoints=npoints,
            count_time=count_time,
            sleep_time=self.sleep_time,
            **more_info,
        )
        params: dict[str, Any] = {"count_time": count_time, "npoints": npoints, "sleep_time": self.sleep_time}
        params.update({"type": self.scan_type, "save": self.save, "stab_time": self.stab_time, **(scan_params or {})})
        chain = default_chain().get(params, counters, top_master, self.chain_settings)
        scan = Scan(chain, self.name or self.scan_type, info, save=self.save, save_images=self.save_images)
        scan.with_metadata = self.with_metadata
        for preset in self.presets:
            scan.add_preset(preset)
        if self.run:
            scan.run()
        return scan if self.return_scan else None
