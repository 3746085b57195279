"""A session without configuration: scans and devices made in Python have a place in it."""

from __future__ import annotations

import os

from bliss_like.config.config import Config, get_config
from bliss_like.data.server import user_directory
from bliss_like.errors import ConfigError

from .lock import SessionLock
from .session import Session
from .written import SessionConfig

NAME = "__DEFAULT__"


class DefaultSession(Session):
    """`DefaultSession().setup()`; any number of processes may have one.

    :param config: where objects can be had with `config.get`; by default that of the process, if there is one.
    """

    def __init__(self, config: Config | None = None) -> None:
        super().__init__(NAME, SessionConfig.model_validate({"name": NAME}), config or _configuration())
        self._lock = SessionLock(f"{NAME}.{os.getpid()}")


def _configuration() -> Config:
    try:
        return get_config()
    except ConfigError:  # there is no directory
        nothing = user_directory() / "no configuration"
        nothing.mkdir(mode=0o700, parents=True, exist_ok=True)
        return get_config(nothing)
