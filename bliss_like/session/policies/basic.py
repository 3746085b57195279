"""The policy of sessions that do not say one: a base path and a template."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field, WithJsonSchema, field_validator

from bliss_like.config.suggestion import did_you_mean

from .config import SavingConfig, absolute, default_base_path
from .policy import DataPolicy


class ScanSavingConfig(SavingConfig):
    """:param base_path: an absolute directory; by default `$BLISS_LIKE_DATA`, else `~/bliss_like_data`."""

    policy: Annotated[str, WithJsonSchema({"const": "basic"})] = "basic"
    base_path: str = Field(default_factory=default_base_path)

    _absolute = field_validator("base_path")(absolute)

    @field_validator("policy")
    @classmethod
    def _known_policy(cls, name: str) -> str:
        if name != "basic":  # the models of the other policies are chosen by their names
            from .known import policies

            known = policies()
            raise ValueError(f"expected one of {', '.join(known)}, came {name!r}{did_you_mean(name, known)}")
        return name


class BasicPolicy(DataPolicy):
    """Files go to `base_path/template/data_filename`; a proposal is whatever people write there."""

    Config: ClassVar[type[SavingConfig]] = ScanSavingConfig
