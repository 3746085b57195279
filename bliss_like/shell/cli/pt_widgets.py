"""`bliss.shell.cli.pt_widgets`: shows what `user_dialog` describes, as forms. Who leaves it gets False, and no error."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from bliss_like.errors import Cancelled, UsageError
from bliss_like.standard.dialogs import ask
from bliss_like.standard.forms import Form
from bliss_like.standard.questions import Question

from .user_dialog import Container, UserMsg, UserYesNo, _UserDialog

__all__ = ["BlissDialog", "display", "show_dialog"]


class BlissDialog:
    """A form of elements and containers of elements: a list of rows, each a list."""

    def __init__(
        self,
        user_dlg_list: Sequence[Any],
        title: str = "",
        paddings: Any = (1, 1),
        show_help: bool = False,
        ok_text: str = "OK",
        cancel_text: str = "Cancel",
    ) -> None:
        self.title = title or "Dialog"
        self._elements: dict[str, _UserDialog] = {}
        self._fields: dict[str, Any] = {}
        for heading, element in _elements(user_dlg_list):
            key = self._key(element)
            self._elements[key] = element
            group = self._fields.setdefault(heading, {}) if heading else self._fields
            group[key] = element.question(element.label or key)

    def show(self) -> dict[Any, Any] | bool:
        """Return the answers by element, and by name where it has one; False: it was left. One yes or no alone: True or False."""
        elements = list(self._elements.values())
        if len(elements) == 1 and isinstance(elements[0], UserYesNo | UserMsg):
            return bool(display(elements[0], self.title))
        try:
            answers = ask(Form(self.title, self._fields))
        except Cancelled:
            return False
        by_element: dict[Any, Any] = {element: answers[key] for key, element in self._elements.items()}
        return {**by_element, **{each.name: answers[key] for key, each in self._elements.items() if each.name}}

    def _key(self, element: _UserDialog) -> str:
        label = " ".join((element.name or element.label or type(element).__name__).split())
        taken = sum(known == label or known.startswith(f"{label} (") for known in self._elements)
        return f"{label} ({taken + 1})" if taken else label


def display(dialog: Any, title: str = "") -> Any:
    """Show one element and return its answer, or a list of them as `BlissDialog` does; who leaves it gets False."""
    if not isinstance(dialog, _UserDialog):
        return BlissDialog([dialog] if isinstance(dialog, Container) else dialog, title).show()
    question: Question = dialog.question(dialog.label or title or "?")
    try:
        answer = ask(question)
    except Cancelled:
        return False
    return True if isinstance(dialog, UserMsg) else answer


def show_dialog(dialog: Any, title: str = "", ok_text: str = "OK", cancel_text: str = "Cancel", **layout: Any) -> Any:
    """The same as `display`."""
    return display(dialog, title)


def _elements(rows: Any, heading: str = "") -> Iterator[tuple[str, _UserDialog]]:
    """:raises UsageError: something is no element."""
    if isinstance(rows, _UserDialog):
        yield heading, rows
    elif isinstance(rows, Container):
        yield from _elements(rows.dlgs_list, rows.title or heading)
    elif isinstance(rows, Sequence | Mapping) and not isinstance(rows, str):
        for row in rows.values() if isinstance(rows, Mapping) else rows:
            yield from _elements(row, heading)
    else:
        raise UsageError(f"expected elements of user_dialog, such as UserInput(label='name'), got {rows!r}")
