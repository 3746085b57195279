"""`log_stdout`: what is typed and shown at the prompt, in a file, too."""

from __future__ import annotations

import os
from typing import Any

from bliss_like.devices.numbers import brief
from bliss_like.errors import SavingError, SessionError, UsageError
from bliss_like.scanning.environment import environment

from .arguments import verb


@verb("fdir=None")
def log_stdout(fdir: Any = None) -> None:
    """Write what is typed and shown at the prompt to a file, too, in this session and in later ones, until `log_stdout(False)`.

    The file is `<session>_<date>.log`; it has no colours, and of what changes in place the last state. Nothing waits for its disk.

    ::

        log_stdout("/data/visitor/logs")

    :param fdir: directory of the file, which is made if it is not there; False ends it; without it, it is said where it goes.
    :raises SavingError: nothing can be written there.
    :raises SessionError: there is no session.
    """
    if environment.logbook is None:
        raise SessionError("log_stdout needs a session, there is none: session.setup() comes first")
    transcript = environment.logbook.transcript
    if fdir is False:
        path = transcript.path
        transcript.end()
        print(f"No more is written to {path}" if path else "Nothing was written to a file.")
        return
    if fdir is not None:
        if not isinstance(fdir, str | os.PathLike) or not os.fspath(fdir):
            raise UsageError(f"expected a directory, or False to end it, got {brief(fdir)}")
        try:
            transcript.begin(fdir)
        except SavingError as error:
            raise type(error)(f"log_stdout: {error}") from error
    path = transcript.path
    if path is None:
        print("What is typed and shown goes to no file; log_stdout(<directory>) begins that.")
    else:
        print(f"What is typed and shown goes to {path}, too; log_stdout(False) ends that.")
