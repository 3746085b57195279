"""What a data policy is: it says where files go, and what a proposal, a collection and a dataset are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from bliss_like.data.scan_info import DatasetInfo
from bliss_like.errors import SessionError

from .config import SavingConfig

if TYPE_CHECKING:
    from ..saving import ScanSaving


class DataPolicy:
    """Overload what is wanted; one object for each session, found by its name in the entry points
    `bliss_like.data_policies`.

    :param saving: its `fields` are all that is set, `go_on(...)` sets more of them, `get_path()` is where files go.
    :param config: what YAML says; `Config` is its model, with `policy: Literal["the name"]`.
    """

    Config: ClassVar[type[SavingConfig]]

    own_fields: ClassVar[Mapping[str, str]] = {}
    """Fields that only verbs of the policy change: their names, and those of the verbs."""

    elsewhere: ClassVar[str] = "SCAN_SAVING.base_path = ... saves elsewhere"
    """How people let files go elsewhere, for errors."""

    def __init__(self, saving: ScanSaving, config: Any) -> None:
        self.saving = saving
        self.config = config

    # -- where files go ------------------------------------------------------------------------------------------------

    def defaults(self) -> dict[str, Any]:
        """Return its fields as long as no verb has set them."""
        return {}

    def values(self, fields: Mapping[str, Any]) -> dict[str, Any]:
        """Return what follows from the fields, for templates: it cannot be set. `base_path` may be among it."""
        return {}

    def master_files(self) -> list[str]:
        """Return the files that refer to the one with data."""
        return []

    def dataset(self) -> DatasetInfo:
        """Return what every scan says of the place where it is saved."""
        return {}

    def claim(self) -> None:
        """Make the place for a scan that is about to start. It may be in a thread of its own: no greenlets here."""

    # -- what people type ----------------------------------------------------------------------------------------------

    def newproposal(self, name: str | None = None, session_name: str | None = None) -> str:
        """Begin a proposal; return where data go now, as all verbs do."""
        raise self._has_none("newproposal")

    def newcollection(
        self, name: str | None = None, sample_name: str | None = None, sample_description: str | None = None
    ) -> str:
        """Begin a collection: what belongs to one sample."""
        raise self._has_none("newcollection")

    def newsample(self, name: str | None = None, description: str | None = None) -> str:
        """Begin the collection of another sample."""
        raise self._has_none("newsample")

    def newdataset(
        self, name: str | int | None = None, description: str | None = None, sample_name: str | None = None
    ) -> str:
        """Begin a dataset: what belongs into one file."""
        raise self._has_none("newdataset")

    def endproposal(self) -> str:
        """Leave a proposal."""
        raise self._has_none("endproposal")

    def enddataset(self) -> str:
        """Leave a dataset."""
        raise self._has_none("enddataset")

    def _has_none(self, verb: str) -> SessionError:
        return SessionError(
            f"{verb}: session '{self.saving.session}' has the data policy '{self.config.policy}', which knows no {verb}; "
            "write `scan_saving: {policy: esrf, beamline: ...}` into its YAML file and call resetup(), or say "
            "with SCAN_SAVING.template where files go"
        )

    def __info__(self) -> Sequence[tuple[str, str]]:
        """Return what is to be told of it: rows of a name and a text."""
        return [(name, str(value)) for name, value in self.dataset().items() if name != "path"]
