"""What a reload of the configuration has changed, and which objects have to go for it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from bliss_like.errors import ConfigError

from .check import check_entry
from .construction import text_of
from .loader import Entry
from .making import FAILURES
from .models import ObjectConfig
from .survey import Survey


@dataclass
class Made:
    """An object that lives, and what it was made from.

    :param text: what was written for it then, with the inherited keys that its class knows.
    :param model: the model of its class; None: it is an item, or was made without a class.
    :param needs: names of the objects that it asked for while it was made.
    """

    instance: Any
    text: Any
    model: type[ObjectConfig] | None = None
    needs: set[str] = field(default_factory=set)

    @property
    def survives_reload(self) -> bool:
        return bool(getattr(type(self.instance), "survives_reload", False))


@dataclass(frozen=True)
class Changes:
    """What `config.reload()` found. Names are sorted.

    :param changed: of objects whose configuration, or something that they were made with, changed; those that lived
        were closed and are made anew when they are asked for.
    :param kept: of objects that live on, the same as before.
    :param errors: what is wrong in the files or went wrong at closing. Objects whose new configuration is wrong live on.
    """

    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()
    errors: tuple[BaseException, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.added or self.removed or self.changed or self.errors)

    def __info__(self) -> str:
        hint = "\nresetup() makes anew what has changed, and gives it its name in the session"
        return f"{self}{hint if self.changed or self.removed else ''}"

    def __str__(self) -> str:
        told = {"added": self.added, "removed": self.removed, "changed": self.changed}
        lines = [f"{what}: {', '.join(names)}" for what, names in told.items() if names] or ["nothing has changed"]
        lines.append(f"kept: {len(self.kept)} objects" if len(self.kept) != 1 else f"kept: {self.kept[0]}")
        return "\n".join([*lines, *(f"error: {error}" for error in self.errors)])


@dataclass
class Comparison:
    """The old tree and the new one, and the objects that live.

    :param closing: names of those that have to be closed.
    :param errors: what is wrong with what those that live on, or those that are closed, would be made from now.
    """

    changed: set[str]
    closing: set[str]
    errors: list[str]


def written_text(entry: Entry, model: type[ObjectConfig] | None = None) -> Any:
    """Return what is written for an object, to be compared; without a model only what tells its class is inherited."""
    if model is not None:
        return text_of(entry, model)
    said = {key: entry.node.get_inherited_raw(key) for key in ("class", "package", "module", "plugin")}
    return [entry.owner, entry.key, {**said, **entry.node.to_dict(resolve_references=False)}]


def compare(old: Mapping[str, Any], survey: Survey, living: Mapping[str, Made]) -> Comparison:
    """Return what has changed.

    :param old: by name, `written_text` of the objects that do not live.
    """
    entries = survey.entries
    changed, errors, wrong = set(), [], set()
    for name, entry in entries.items():
        made = living.get(name)
        if made is not None:
            if written_text(entry, made.model) == made.text:
                continue
            problems = check_entry(entry, survey) if made.model is not None else []
            if problems:
                wrong.add(name)
                if not _is_unreadable(entry):
                    outcome = "" if made.survives_reload else f"; '{name}' stays as it was"  # else it decides itself
                    errors += [f"{problem}{outcome}" for problem in problems]
                continue
        elif name not in old or old[name] == written_text(entry):
            continue
        changed.add(name)
    changed -= {name for name in changed if name in entries and entries[name].owner in wrong}
    gone = {name for name in living if name not in entries}
    closing = {name for name in _dependants(changed | gone, living) if not living[name].survives_reload}
    for name in closing - changed - gone:  # what it needs may be no more
        if living[name].model is not None:
            errors += map(str, check_entry(entries[name], survey))
    return Comparison(changed | (closing - gone), closing, errors)


def _is_unreadable(entry: Entry) -> bool:
    """Tell whether an object is what its file said before it became unreadable, which is told already."""
    document = entry.node.document
    return document is not None and bool(document.failure)


def refuse_closing(names: Iterable[str], living: Mapping[str, Made]) -> None:
    """Ask objects, by a method `__refuse_close__` that raises, whether they can be closed now.

    :raises ConfigError: some cannot; the message has what they raised.
    """
    reasons = []
    for name in names:
        try:
            if hasattr(living[name].instance, "__refuse_close__"):
                living[name].instance.__refuse_close__()
        except FAILURES as error:
            reasons.append(str(error))
    if reasons:  # an axis and its controller say the same
        raise ConfigError(f"nothing was reloaded: {'; '.join(sorted(set(reasons)))}")


def _dependants(names: Iterable[str], living: Mapping[str, Made]) -> set[str]:
    """Return the living ones of `names`, and all that live and need them, or did without one that could not be made."""
    found = set(names)
    while more := {name for name, made in living.items() if made.needs & found} - found:
        found |= more
    return found & living.keys()
