"""What jedi finds out for the prompt, in its own process; who runs a line waits for none of it."""

from __future__ import annotations

import asyncio
import contextlib
import textwrap
import threading
from collections.abc import AsyncIterator, Iterable
from pathlib import Path
from typing import Any

import pytest
from prompt_toolkit.completion import CompleteEvent, Completer, Completion
from prompt_toolkit.document import Document

from bliss_like.shell.completion import NameCompleter
from bliss_like.shell.inference import Inference, SessionCompleter, described


class Device:
    """Must not be asked for anything."""

    def __getattribute__(self, name: str) -> Any:
        raise AssertionError(f"{name} was asked for")


def here(path: Path) -> dict[str, Any]:
    return {
        "pathlib": contextlib,  # another one than that of this name
        "place": path,
        "places": [path],
        "Path": Path,
        "device": Device(),
        "dedent": textwrap.dedent,
    }


def test_names_are_told_by_where_they_can_be_imported(tmp_path: Path) -> None:
    assert described("pathlib.sup", here(tmp_path)) == ["import contextlib as pathlib"]
    assert described("dedent(x).", here(tmp_path)) == ["from textwrap import dedent as dedent"]
    assert described("unknown.x", here(tmp_path)) == []
    assert described("device.x", here(tmp_path)) == [
        f"from {__name__} import Device as _class_of_device\ndevice: _class_of_device"
    ]


@contextlib.asynccontextmanager
async def inferring(namespace: dict[str, Any]) -> AsyncIterator[Inference]:
    inference = Inference(namespace)
    try:
        yield inference
    finally:
        inference.close()


def test_what_loops_calls_and_imports_give(tmp_path: Path) -> None:
    async def found() -> list[list[str]]:
        async with inferring(here(tmp_path)) as inference:
            texts = (
                "for each in places:\n    each.is_absol",
                "[place][0].is_absol",
                "dedent('x').startsw",
                "import textwra",
                "from contextlib import suppr",
                "pathlib.suppr",
                "[device][0].x",
                "((",
            )
            return [[each.text for each in await inference.completions(Document(text))] for text in texts]

    one, two, three, four, five, six, seven, _ = asyncio.run(found())
    assert (one, two, three) == (["is_absolute"], ["is_absolute"], ["startswith"])
    assert (four, five, six, seven) == (["textwrap"], ["suppress"], ["suppress"], [])


class Slow(Completer):
    def __init__(self) -> None:
        self.begun, self.may_end = threading.Event(), threading.Event()

    def get_completions(self, document: Document, complete_event: CompleteEvent) -> Iterable[Completion]:
        self.begun.set()
        self.may_end.wait(30)
        yield Completion("found")


def test_who_types_on_does_not_wait_for_what_is_looked_up() -> None:
    async def type_on() -> None:
        slow = Slow()
        completer = SessionCompleter(NameCompleter({}), slow, Inference({}))

        async def offered() -> list[Completion]:
            return [each async for each in completer.get_completions_async(Document("a"), CompleteEvent())]

        offering = asyncio.create_task(offered())
        try:
            await asyncio.to_thread(slow.begun.wait, 30)
            offering.cancel()
            with pytest.raises(asyncio.CancelledError):
                await asyncio.wait_for(offering, 15)
        finally:
            slow.may_end.set()

    asyncio.run(type_on())
