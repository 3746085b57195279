"""Names at the prompt: what is offered, and that nothing is asked of a device for it."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import pytest
from prompt_toolkit.completion import CompleteEvent
from prompt_toolkit.document import Document

from bliss_like.devices.counter import SamplingCounter, SamplingCounterController
from bliss_like.scans import ascan
from bliss_like.shell.completion import NameCompleter
from bliss_like.standard import mv


class Controller:
    def __init__(self) -> None:
        self.host = "beamline"

    def reset(self) -> None: ...


class Axis:
    """A device that must not be asked."""

    __slots__ = ("name", "never_set")

    def __init__(self) -> None:
        self.name = "robx"

    def wait_move(self) -> None: ...

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


def scan(motor: Axis, start: float, stop: float, *counters: object, title: str = "") -> None: ...


def made(number: int) -> Controller | None:
    raise AssertionError("it was called")


NAMESPACE = {
    "made": made,
    "mv": mv,
    "Controller": Controller,
    "diode": SamplingCounter("diode", SamplingCounterController("diodes")),
    "settings": {"beam": 1, "bend": 2, 3: "b"},
    "robx": Axis(),
    "roby": Axis(),
    "counters": Made(),
    "broken": Broken(),
    "scan": scan,
    "_hidden": 1,
    "ascan": ascan,
}


def complete(text: str, *, asked: bool = False) -> list[str]:
    completer = NameCompleter(NAMESPACE)
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
        ("robx.never_set.", []),
        ("counters.dio", ["diode", "diode2"]),
        ("broken.me", ["method"]),
        ("robx._se", ["_secret"]),
        ("_hid", ["_hidden"]),
        ("scan(robx, ti", ["title="]),
        ("ascan(robx, 0, 1, sta", ["stab_time=", "staticmethod"]),
        ("robx.move(3, re", ["relative=", "repr", "return", "reversed"]),
        ("scan(f(1), [2, (3)], st", ["stop=", "staticmethod", "str"]),
        ("scan(robx, st", ["start=", "stop=", "staticmethod", "str"]),
        ("rai", ["raise"]),
        ("", []),
        ("def f():\n    return rob\n", []),  # a macro was pasted
        ("x = robx.po\n", []),
        ("f('ro", []),
        ("robx.move(1).re", []),  # returns nothing
        ("made(1).re", ["reset"]),
        ("Controller().re", ["reset"]),
        # what the argument wants comes first
        ("ascan(", ["robx", "roby"]),
        ("ascan ", ["robx", "roby"]),
        ("ascan r", ["robx", "roby", "return_scan=", "run=", "raise", "range", "repr", "return", "reversed", "round"]),
        ("ascan robx ", []),
        ("ascan robx 0 1 10 .1 d", ["diode", "def", "del", "delattr", "dict", "dir", "divmod"]),
        ("ascan(robx, 0, 1, 10, .1, ", ["diode"]),
        ("mv robx 1 ro", ["robx", "roby", "round"]),
        ("mv(robx, 1, ", ["robx", "roby"]),
        # names as texts, where they are meant
        ("mv('ro", ["robx", "roby"]),
        ('mv "robx" 1 "', ["robx", "roby"]),
        ("ascan('ro", []),
        ("settings['b", ["beam", "bend"]),
        ("counters['b", []),
    ],
)
def test_completions(text: str, names: list[str]) -> None:
    assert complete(text) == names


def test_private_names_are_offered_only_when_asked_for() -> None:
    assert "position" in complete("robx.")
    assert not [name for name in complete("robx.") if name.startswith("_")]


def test_all_names_on_demand() -> None:
    assert {"robx", "counters", "scan", "print"} <= set(complete("", asked=True))


@pytest.mark.parametrize(
    "text", ["f(1).ro", "import ro", "nowhere.ro", "x = 1  # ro", "f('ro", "robx.never_set.", "print('ro"]
)
def test_what_cannot_be_looked_up_is_left_to_others(text: str) -> None:
    assert complete(text, asked=True) == []
    assert NameCompleter(NAMESPACE).is_beyond(Document(text))


@pytest.mark.parametrize("text", ["ro", "robx.po", "ascan robx ", "settings['b", ""])
def test_what_can_be_looked_up_is_not(text: str) -> None:
    assert not NameCompleter(NAMESPACE).is_beyond(Document(text))


def test_the_menu_says_what_things_are() -> None:
    completer = NameCompleter(NAMESPACE)

    def kinds(text: str) -> dict[str, str]:
        found = completer.get_completions(Document(text), CompleteEvent(completion_requested=True))
        return {each.text: each.display_meta_text for each in found}

    assert {
        "robx": "axis",
        "diode": "counter",
        "ascan": "scan",
        "mv": "verb",
        "scan": "function",
        "Controller": "class",
    }.items() <= kinds("").items()
    assert {"position": "float", "controller": "Controller", "move": "method", "name": ""}.items() <= kinds(
        "robx."
    ).items()
    assert kinds("ascan(robx, titl") == {"title=": "argument"}
