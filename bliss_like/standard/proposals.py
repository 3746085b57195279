"""Proposals, collections and datasets: `newproposal newcollection newsample newdataset endproposal enddataset`."""

from __future__ import annotations

from typing import Any

from bliss_like.errors import UsageError
from bliss_like.scanning.environment import environment

from .arguments import verb


@verb("name=None, session_name=None")
def newproposal(name: str | None = None, session_name: str | None = None) -> None:
    """Begin a proposal, or go back to the usual one of the beamline; with a first collection and a first dataset.

    :param session_name: the directory of this beam time; by default today.
    """
    print(_saving().newproposal(name, session_name))


@verb("name=None, sample_name=None, sample_description=None")
def newcollection(
    name: str | None = None, sample_name: str | None = None, sample_description: str | None = None
) -> None:
    """Begin a collection, what is measured of one sample; with a first dataset. SAMPLE says the sample from now on.

    :param sample_name: by default the collection's.
    """
    print(_saving().newcollection(name, sample_name, sample_description))


@verb("name=None, description=None")
def newsample(name: str | None = None, description: str | None = None) -> None:
    """Begin the collection of another sample."""
    print(_saving().newsample(name, description))


@verb("name=None, description=None, sample_name=None")
def newdataset(name: str | int | None = None, description: str | None = None, sample_name: str | None = None) -> None:
    """Begin a dataset, which has a directory and a file of its own: one that is there is never taken again.

    :param name: a name, or a number; by default the next number.
    """
    print(_saving().newdataset(name, description, sample_name))


@verb("")
def endproposal() -> None:
    """Leave the proposal for the usual one of the beamline."""
    print(_saving().endproposal())


@verb("")
def enddataset() -> None:
    """Leave the dataset: its metadata are written; what comes goes to the next one."""
    print(_saving().enddataset())


def _saving() -> Any:
    """Return SCAN_SAVING.

    :raises UsageError: no session is active.
    """
    if environment.scan_saving is None:
        raise UsageError("no session is active, hence nobody knows where data go: open one with `bliss-like -s <name>`")
    return environment.scan_saving
