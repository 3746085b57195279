"""What YAML says of the default chain: how devices take part in the standard scans of a session."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from pydantic import Field

from bliss_like.config.config import FAILURES
from bliss_like.config.models import StrictModel
from bliss_like.config.references import dereference, is_reference
from bliss_like.devices.counter import CounterController
from bliss_like.errors import ChainError, ConfigError
from bliss_like.scanning.default_chain import DefaultAcquisitionChain

from .counters import counters_named

if TYPE_CHECKING:
    from bliss_like.config.node import Objects


class ChainSettingConfig(StrictModel):
    """One device.

    :param device: a controller, a counter or an alias, `$diode` or `diode`; a full name, `simulation:diode`.
    :param acquisition_settings: of its acquisition object, in the place of what the scan says.
    :param master: the controller that triggers it; absent: the timer.
    :param every: seconds from one point to the next, where the device has a rate of its own, beside that of the scan.
    """

    device: str
    acquisition_settings: dict[str, Any] = Field(default_factory=dict)
    master: str | None = None
    every: float | None = Field(default=None, gt=0, allow_inf_nan=False)


def set_configured(
    chain: DefaultAcquisitionChain, entries: Iterable[tuple[str, ChainSettingConfig]], objects: Objects
) -> list[ConfigError]:
    """Set what YAML says, without what is wrong; return that.

    :param entries: each with its place, to begin an error with.
    """
    errors: list[ConfigError] = []
    settings: list[dict[str, Any]] = []
    for place, entry in entries:
        try:
            setting = {
                "device": _device(entry.device, objects),
                "acquisition_settings": _live(entry.acquisition_settings, objects),
                "master": _device(entry.master, objects) if entry.master else None,
                "every": entry.every,
            }
            chain.set_settings([*settings, setting])
        except (ConfigError, ChainError) as error:
            errors.append(ConfigError(f"{place}default-chain: {error}"))
        except FAILURES as error:
            errors.append(ConfigError(f"{place}default-chain: {type(error).__name__}: {error}"))
        else:
            settings.append(setting)
    return errors


def _device(name: str, objects: Objects) -> Any:
    if is_reference(name):
        return dereference(name, objects)
    if ":" in name:
        return counters_named(name, objects)[0]
    found = objects.get(name)
    return found if isinstance(found, CounterController) else counters_named(name, objects)[0]


def _live(value: Any, objects: Objects) -> Any:
    """Return plain data with the objects that references stand for."""
    if isinstance(value, dict):
        return {key: _live(child, objects) for key, child in value.items()}
    if isinstance(value, list):
        return [_live(child, objects) for child in value]
    return dereference(value, objects) if is_reference(value) else value
