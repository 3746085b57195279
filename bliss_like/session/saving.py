"""Where the scans of a session go: a file, and the node below which they appear.

What is changed at the prompt is kept with the session, beside the configuration: only what differs from it.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bliss_like.data import paths
from bliss_like.data.scan_info import DatasetInfo

from .policies.basic import ScanSavingConfig
from .policies.config import NO_WRITER, SavingConfig
from .policies.known import policies
from .saving_disk import Found, SavingDisk, T
from .saving_fields import SavingFields
from .saving_info import told

if TYPE_CHECKING:
    from .described import Described
    from .hooks import Hooks

__all__ = ["ScanSaving", "ScanSavingConfig"]

_UNFIT_FOR_NODES = re.compile(r"[:{}\s\x00-\x1f\x7f\ud800-\udfff]")


class ScanSaving(SavingFields):
    """SCAN_SAVING: set `base_path`, `template`, and attributes of one's own that templates use.

    ::

        SCAN_SAVING.sample = "ruby"
        SCAN_SAVING.template = "{session}/{sample}"
        SCAN_SAVING.week = lambda saving: ...        # a function: not kept, so it belongs into a setup file
        del SCAN_SAVING.template                     # as it is configured
        SCAN_SAVING.reset()                          # all of it

    :param hooks: are told when files begin to go elsewhere.
    :param sample: SAMPLE of the session; a policy with samples changes it.
    """

    def __init__(
        self, session_name: str, config: SavingConfig, hooks: Hooks | None = None, sample: Described | None = None
    ) -> None:
        super().__init__(session_name, config, hooks)
        self._sample = sample
        self._policy = policies()[config.policy](self, config)
        self._disk = SavingDisk(self)
        self._places_of({**self._configured, **self._policy.defaults()}).check()

    # -- where files go --------------------------------------------------------------------------------------------------

    def get(self) -> dict[str, Any]:
        """Return where files go, and how: `root_path data_path filename images_path writer container`."""
        names = ("root_path", "data_path", "filename", "images_path", "writer", "container")
        return {name: getattr(self, name) for name in names}

    def get_path(self) -> str:
        """Return the directory for files, without a slash at its end; it may not exist yet."""
        return str(self.places().root)

    @property
    def root_path(self) -> str:
        """The directory for files."""
        return self.get_path()

    @property
    def data_path(self) -> str:
        """The file for data, without its extension."""
        return str(self.places().file(""))

    @property
    def data_fullpath(self) -> str:
        """The file for data, whether anything is written or not."""
        return str(self.places().file(self._disk.extension(self.writer)))

    @property
    def filename(self) -> str | None:
        """The file for data; None when nothing is written."""
        return None if self.writer == NO_WRITER else self.data_fullpath

    @property
    def eval_data_filename(self) -> str:
        """The name of that file, without directory and extension."""
        return os.path.basename(self.data_path)

    @property
    def images_path(self) -> str:
        """The directory for images, with `{scan_number}` and `{img_acq_device}` as they stand in the template."""
        return str(self.places().images("{scan_number}", "{img_acq_device}"))

    def get_images_path(self, scan_number: int, device: str) -> str:
        """Return the directory for the images that a detector saves in a scan; it may not exist yet."""
        return str(self.places().images(self._written_number(scan_number), device))

    def get_images_prefix(self, scan_number: int, device: str) -> str:
        """Return what the names of the files of a detector begin with."""
        return self.places().images_prefix(self._written_number(scan_number), device)

    def _written_number(self, scan_number: int) -> str:
        return str(self.scan_number_format % scan_number)

    @property
    def container(self) -> str:
        """db_name of the node below which scans appear: the session, then the other components of the path."""
        parts = [_UNFIT_FOR_NODES.sub("_", part) for part in self.places().root.parts[1:]]
        return paths.join(self.session, *(part for part in parts if part != self.session))

    # -- what scans ask --------------------------------------------------------------------------------------------------

    def check(self) -> None:
        """Return when a scan can be saved: the directory is there, can be written, and has room.

        :raises SavingError: it cannot be; the message says why, and the way out.
        """
        self._disk.check()

    def last_number_on_disk(self) -> int:
        """Return the highest number of the scans in the file, and of those with images, 0 when there are none."""
        return self._disk.last_number()

    def describe(self, scan_number: int | None = None) -> dict[str, Any]:
        """Return what the info of a scan says of saving; the number counts as taken from now on."""
        return self._disk.describe(scan_number)

    def look(self, function: Callable[[], T]) -> T:
        """Return what a function finds on the disk, in a thread: a file server may hang.

        :raises SavingError: it does.
        """
        return self._disk.look(function)

    def create_path(self, path: str) -> None:
        """Make a directory, with the permissions that are configured."""
        self._disk.create(Path(path))

    def create_root_path(self) -> None:
        """Make the directory for files."""
        self.create_path(self.get_path())

    # -- proposals and datasets ------------------------------------------------------------------------------------------

    def newproposal(self, name: str | None = None, session_name: str | None = None) -> str:
        """Begin a proposal; return where data go now.

        :raises SessionError: the session has no policy with proposals.
        """
        return self._policy.newproposal(name, session_name)

    def newcollection(
        self, name: str | None = None, sample_name: str | None = None, sample_description: str | None = None
    ) -> str:
        """Begin a collection: what belongs to one sample."""
        return self._policy.newcollection(name, sample_name, sample_description)

    def newsample(self, name: str | None = None, description: str | None = None) -> str:
        """Begin the collection of another sample."""
        return self._policy.newsample(name, description)

    def newdataset(
        self, name: str | int | None = None, description: str | None = None, sample_name: str | None = None
    ) -> str:
        """Begin a dataset; a number, or nothing, for one that is numbered."""
        return self._policy.newdataset(name, description, sample_name)

    def endproposal(self) -> str:
        """Leave the proposal for the usual one of the beamline."""
        return self._policy.endproposal()

    def enddataset(self) -> str:
        """Leave the dataset for the next one."""
        return self._policy.enddataset()

    def dataset(self) -> DatasetInfo:
        """Return what every scan says of the place where it is saved; of a policy without datasets, nothing."""
        return self._policy.dataset()

    @property
    def policy(self) -> str:
        return str(self._configured["policy"])

    @property
    def elsewhere(self) -> str:
        """How files go elsewhere, for errors."""
        return self._policy.elsewhere

    @property
    def master_files(self) -> list[str]:
        """The files that refer to the one with data."""
        return self._policy.master_files()

    def claim(self) -> None:
        """Let the policy make the place for a scan that is about to start."""
        self._policy.claim()

    def tell_sample(self, name: str | None, description: str | None = None) -> None:
        """Say in SAMPLE what is in the beam."""
        if self._sample is not None:
            self._sample(name, description)

    @property
    def sample_name(self) -> str | None:
        return self._sample.name if self._sample is not None else None

    @property
    def sample_metadata(self) -> dict[str, Any]:
        return self._sample.to_dict() if self._sample is not None else {}

    # -- for people ------------------------------------------------------------------------------------------------------

    def whereabouts(self) -> str:
        """Return where data go now, in a line or two."""
        told_of = ", ".join(f"{name} {value}" for name, value in self.policy_info())
        where = f"files go to {self.filename or self.get_path()}"
        return f"{told_of}\n{where}" if told_of else where

    def policy_info(self) -> Sequence[tuple[str, str]]:
        """Return what the policy tells of the place: names and texts."""
        return self._policy.__info__()

    def find(self) -> Found:
        """Return what is on the disk now.

        :raises SavingError: the file server does not answer.
        """
        return self._disk.find()

    def __info__(self) -> str:
        return told(self, self._origins())
