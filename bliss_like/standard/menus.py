"""`edit_mg menu`: what objects let a person choose of themselves."""

from __future__ import annotations

from typing import Any

from bliss_like.devices.numbers import brief
from bliss_like.errors import UsageError
from bliss_like.scanning.environment import environment

from .arguments import verb
from .dialogs import ask_choices


@verb("group=None")
def edit_mg(group: Any = None) -> None:
    """Enable and disable the counters of a measurement group by check boxes; of the active one, unless one is given."""
    chosen = environment.names().get("ACTIVE_MG") if group is None else group
    if not chosen or not is_group(chosen):
        there = brief(group) if group is not None else "none, and none is active"
        raise UsageError(f"expected a measurement group, got {there}")
    before = set(chosen.enabled)
    after = set(ask_choices(f"Counters of {chosen.name}", chosen.available, chosen.enabled))
    if after - before:
        chosen.enable(*(name for name in chosen.available if name in after - before))
    if before - after:
        chosen.disable(*(name for name in chosen.available if name in before - after))


@verb("object")
def menu(thing: Any) -> Any:
    """Show the dialog that an object offers: its method `show_menu()`, or `edit_mg` of a measurement group."""
    offered = getattr(thing, "show_menu", None)
    if callable(offered):
        return offered()
    if is_group(thing):
        return edit_mg(thing)
    raise UsageError(
        f"{getattr(thing, 'name', None) or brief(thing)} has no menu: give its class a method show_menu(), which asks by "
        "ask_form, ask_choice..."
    )


def is_group(thing: Any) -> bool:
    return all(hasattr(thing, name) for name in ("name", "available", "enabled", "enable", "disable"))
