"""Names at the prompt: what is offered, and that nothing is asked of a device for it."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from typing import Any

import pytest
from prompt_toolkit.completion import CompleteEvent, Completer, Completion
from prompt_toolkit.document import Document

from bliss_like.scans import ascan
from bliss_like.shell.completion import NameCompleter


class Controller:
    def __init__(self) -> None:
        self.host = "beamline"

    def reset(self) -> None: ...


class Axis:
    """A device that must not be asked."""

    __slots__ = ("name", "never_set")

    def __init__(self) -> None:
        self.name = "robx"

    @property
    def position(self) -> float:
        raise AssertionError("the position was read")

    @property
    def controller(self) -> Controller:
        raise AssertionError("the controller was made")

    @cached_property
    def encoder(self) -> Controller:
        raise AssertionError("the encoder was made")

    def move(self, position: float, wait: bool = True, *, relative: bool = False) -> None: ...

    def _secret(self) -> None: ...

    def __getattr__(self, name: str) -> Any:
        raise AssertionError(f"{name} was asked for")


class Made:
    """Offers names that it makes up."""

    def __dir__(self) -> list[str]:
        return ["diode", "diode2"]


class Broken:
    def __dir__(self) -> list[str]:
        raise RuntimeError("no names today")

    def method(self) -> None: ...


class Beyond(Completer):
    """Stands for jedi."""

    def get_completions(self, document: Document, complete_event: CompleteEvent) -> Iterable[Completion]:
        yield Completion("<beyond>")


def scan(motor: Axis, start: float, stop: float, *counters: object, title: str = "") -> None: ...


NAMESPACE = {
    "robx": Axis(),
    "roby": Axis(),
    "counters": Made(),
    "broken": Broken(),
    "scan": scan,
    "_hidden": 1,
    "ascan": ascan,
}


def complete(text: str, *, asked: bool = False) -> list[str]:
    completer = NameCompleter(NAMESPACE, otherwise=Beyond())
    return [
        found.text for found in completer.get_completions(Document(text), CompleteEvent(completion_requested=asked))
    ]


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("rob", ["robx", "roby"]),
        ("x = rob", ["robx", "roby"]),
        ("scan(robx, 0, 1, cou", ["counters"]),
        ("robx.po", ["position"]),
        ("robx.controller.h", []),  # known only when it is made
        ("robx.controller.r", ["reset"]),
        ("robx.encoder.r", ["reset"]),
        ("robx.name.star", ["startswith"]),
        ("robx.never_set.", ["<beyond>"]),
        ("counters.dio", ["diode", "diode2"]),
        ("broken.me", ["method"]),
        ("robx._se", ["_secret"]),
        ("_hid", ["_hidden"]),
        ("scan(robx, ti", ["title="]),
        ("ascan(robx, 0, 1, sta", ["stab_time=", "start=", "staticmethod"]),
        ("robx.move(3, re", ["relative=", "repr", "return", "reversed"]),
        ("scan(f(1), [2, (3)], st", ["start=", "stop=", "staticmethod", "str"]),
        ("rai", ["raise"]),
        ("", []),
        ("f('ro", ["<beyond>"]),
        ("f(1).ro", ["<beyond>"]),
        ("import ro", ["<beyond>"]),
        ("nowhere.ro", ["<beyond>"]),
        ("x = 1  # ro", ["<beyond>"]),
    ],
)
def test_completions(text: str, names: list[str]) -> None:
    assert complete(text) == names


def test_private_names_are_offered_only_when_asked_for() -> None:
    assert "position" in complete("robx.")
    assert not [name for name in complete("robx.") if name.startswith("_")]


def test_all_names_on_demand() -> None:
    assert {"robx", "counters", "scan", "print"} <= set(complete("", asked=True))
