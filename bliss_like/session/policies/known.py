"""Which policies there are: ours, and those of the entry points `bliss_like.data_policies`."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from functools import cache
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Annotated, Any, Union

from pydantic import Discriminator, Tag

from .basic import BasicPolicy
from .config import SavingConfig
from .esrf import EsrfPolicy
from .policy import DataPolicy

POLICIES = "bliss_like.data_policies"
"""Entry points: the name of a policy, and its class."""

_logger = logging.getLogger(__name__)


@cache
def policies() -> dict[str, type[DataPolicy]]:
    """Return all policies by name; one that cannot be imported is told, and left out."""
    found: dict[str, type[DataPolicy]] = {"basic": BasicPolicy, "esrf": EsrfPolicy}
    for point in entry_points(group=POLICIES):
        if point.name in found:
            continue
        try:
            policy = point.load()
            if not issubclass(policy.Config, SavingConfig):
                raise TypeError(f"{point.value}.Config: expected a class derived from SavingConfig")
        except Exception as error:  # noqa: BLE001  a package of somebody else
            _logger.error("data policy '%s' is left out: %s: %s", point.name, type(error).__name__, error)
        else:
            found[point.name] = policy
    return found


def _tag(value: Any) -> str:
    """Return the name of the model that belongs to what is written; of a policy that is not known, of one that says so."""
    policy = value.get("policy", "basic") if isinstance(value, Mapping) else getattr(value, "policy", "basic")
    return _tags().get(policy if isinstance(policy, str) else "", BasicPolicy.Config.__name__)


@cache
def _tags() -> dict[str, str]:
    return {name: policy.Config.__name__ for name, policy in policies().items()}


if TYPE_CHECKING:
    AnySavingConfig = SavingConfig
else:
    _MODELS = [policy.Config for policy in policies().values()]
    AnySavingConfig = Annotated[
        Union[tuple(Annotated[model, Tag(model.__name__)] for model in _MODELS)],  # noqa: UP007  of a tuple
        Discriminator(_tag),
    ]
    """What is written in `scan_saving`: the keys of the policy that it names."""
