"""Completion of what cannot be looked up: imports, what a loop gives, what a call returns. jedi is asked, in a process beside the shell.

It is told what the names in the text are, as an import or a class, and nothing of the objects themselves.
"""

from __future__ import annotations

import asyncio
import inspect
import json
import os
import re
import subprocess
import sys
import textwrap
import types
from collections.abc import AsyncGenerator, Iterator, Mapping
from pathlib import Path
from typing import Any

from prompt_toolkit.application import get_app
from prompt_toolkit.buffer import Buffer
from prompt_toolkit.completion import CompleteEvent, Completer, Completion
from prompt_toolkit.document import Document

from .completion import NameCompleter
from .typed import NAME

_PROGRAM = Path(__file__).with_name("inference_program.py")
_LARGEST = 32_000
"""Bytes of a question: it fits into a pipe, nobody waits until it is read."""
_MOST_NAMES = 100
_CONTAINERS = (list, tuple, set, frozenset)


class SessionCompleter(Completer):
    """Offers what can be looked up, and to who presses Tab what jedi finds out beyond that.

    :param looks_up: what to offer of `names`, perhaps in another order; it runs in a thread. Who goes on typing, or runs the line,
        waits for nothing of that.
    """

    def __init__(self, names: NameCompleter, looks_up: Completer, inference: Inference) -> None:
        self._names, self._looks_up, self._inference = names, looks_up, inference
        self._wanted: Document | None = None
        self._asking: asyncio.Future[list[Completion]] | None = None

    def get_completions(self, document: Document, complete_event: CompleteEvent) -> Iterator[Completion]:
        yield from self._looks_up.get_completions(document, complete_event)

    def complete(self, buffer: Buffer) -> None:
        """Do what Tab does. While names are looked up that go with the last key, a buffer does not begin again: it has to later."""
        if buffer.complete_state and buffer.complete_state.completions:
            buffer.complete_next()
            return
        self._wanted = buffer.document
        buffer.start_completion(insert_common_part=True)

    async def get_completions_async(
        self, document: Document, complete_event: CompleteEvent
    ) -> AsyncGenerator[Completion, None]:
        loop, is_asked = asyncio.get_running_loop(), complete_event.completion_requested
        served = (None, document) if is_asked else (None,)
        found = await loop.run_in_executor(None, lambda: list(self.get_completions(document, complete_event)))
        if is_asked and self._wanted in served and self._names.is_beyond(document):
            found += await self._inferred(document)
        if self._wanted not in served:
            loop.call_soon(self._complete_again)
            return
        self._wanted = None
        for each in found:
            yield each

    async def _inferred(self, document: Document) -> list[Completion]:
        self._asking = asking = asyncio.ensure_future(self._inference.completions(document))
        try:
            await asyncio.wait([asking])
        finally:
            asking.cancel()
        return [] if asking.cancelled() else asking.result()

    def _complete_again(self) -> None:
        buffer = get_app().current_buffer
        if buffer.document == self._wanted:
            self.complete(buffer)

    def forget(self) -> None:
        """Expect no answer any more: the text has changed."""
        self._wanted = None
        if self._asking is not None:
            self._asking.cancel()


class Inference:
    """The process that asks jedi: started with the first question; one that is still busy with another question gives way to a new one.

    :param namespace: the names of the session.
    """

    def __init__(self, namespace: Mapping[str, Any]) -> None:
        self._namespace = namespace
        self._process: subprocess.Popen[bytes] | None = None
        self._to_it = self._from_it = -1
        self._came = b""
        self._answer: asyncio.Future[list[list[Any]]] | None = None

    async def completions(self, document: Document) -> list[Completion]:
        """Return what may stand at the cursor; nothing when that cannot be found out."""
        if self._answer is not None and not self._answer.done():
            self.close()  # who asked has typed on; it is not known how long it would take
        known = "".join(f"{line}\n" for line in described(document.text, self._namespace))
        question = {
            "text": known + document.text,
            "line": known.count("\n") + document.cursor_position_row + 1,
            "column": document.cursor_position_col,
            "path": sys.path,
        }
        sent = json.dumps(question).encode() + b"\n"
        if len(sent) > _LARGEST:
            return []
        self._answer = asyncio.get_running_loop().create_future()
        self._send(sent)
        found = await asyncio.shield(self._answer)  # who types on ends the waiting, not the question
        return [Completion(name, -typed, display_meta=kind) for name, typed, kind in found]

    def close(self) -> None:
        """End the process, if there is one."""
        process, self._process = self._process, None
        if process is None:
            return
        asyncio.get_running_loop().remove_reader(self._from_it)
        os.close(self._to_it)
        os.close(self._from_it)
        self._came = b""
        process.kill()
        process.wait()
        if self._answer is not None and not self._answer.done():
            self._answer.set_result([])

    def _send(self, question: bytes) -> None:
        try:
            if self._process is None:
                self._start()
            os.write(self._to_it, question)
        except OSError:  # no process to be had, or this one has just ended
            self.close()
            if self._answer is not None and not self._answer.done():
                self._answer.set_result([])

    def _start(self) -> None:
        its_input, self._to_it = os.pipe()
        self._from_it, its_output = os.pipe()
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-P", str(_PROGRAM)],
                stdin=its_input,
                stdout=its_output,
                stderr=subprocess.DEVNULL,
                start_new_session=True,  # Ctrl-C at the prompt is not for it
            )
        finally:
            os.close(its_input)
            os.close(its_output)
            if self._process is None:
                os.close(self._to_it)
                os.close(self._from_it)
        asyncio.get_running_loop().add_reader(self._from_it, self._read)

    def _read(self) -> None:
        came = os.read(self._from_it, 65536)
        self._came += came
        if not came:  # it has ended: it took too long, or jedi came to grief
            self.close()
        elif self._came.endswith(b"\n"):
            answer, self._came = json.loads(self._came), b""
            if self._answer is not None and not self._answer.done():
                self._answer.set_result(answer)


def described(text: str, namespace: Mapping[str, Any]) -> list[str]:
    """Return Python that says of each name of the session in a text what it stands for, as far as that can be written."""
    told: dict[str, str] = {}
    asked = list(dict.fromkeys(re.findall(NAME, text)))
    while asked and len(told) < _MOST_NAMES:
        name = asked.pop(0)
        if name in told or name not in namespace:
            continue
        told[name] = _description(name, namespace[name])
        asked += re.findall(NAME, told[name])
    return [text for text in reversed(told.values()) if text]  # what is used by others was found after them


def _description(name: str, thing: Any) -> str:
    kind = type(thing)
    if issubclass(kind, types.ModuleType):
        return f"import {thing.__name__} as {name}"
    if issubclass(kind, type | types.FunctionType | types.BuiltinFunctionType):
        return _imported(thing, name) or _source(thing)
    lines = [_imported(kind, f"_class_of_{name}")]
    if not lines[0]:
        return ""
    if kind in _CONTAINERS and thing:
        lines.append(_imported(type(next(iter(thing))), f"_contained_in_{name}"))
    if len(lines) == 2 and lines[1]:
        said = f"{kind.__name__}[_contained_in_{name}{', ...' if kind is tuple else ''}]"
    else:
        said = f"_class_of_{name}"
    return "\n".join([*filter(None, lines), f"{name}: {said}"])


def _imported(thing: Any, name: str) -> str:
    """Return the import that gives a class or a function a name; empty when it cannot be imported."""
    module, place = getattr(thing, "__module__", None), getattr(thing, "__qualname__", None)
    if not isinstance(module, str) or module not in sys.modules or module == "__main__":
        return ""
    return f"from {module} import {place} as {name}" if vars(sys.modules[module]).get(str(place)) is thing else ""


def _source(thing: Any) -> str:
    """Return what was typed, or stands in a script."""
    try:
        return textwrap.dedent(inspect.getsource(thing)).rstrip()
    except (OSError, TypeError):
        return ""
