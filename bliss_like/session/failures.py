"""What users' files raise, in a sentence that says where; the rest is in the exception itself."""

from __future__ import annotations

import os
import traceback

from bliss_like.errors import ConfigError, ScriptError, SessionError


def script_error(file: str, error: BaseException) -> ScriptError:
    """Return the error that says in a line what went wrong in `file`, and where; its cause is `error`."""
    if isinstance(error, SyntaxError) and error.filename == file:
        failure = ScriptError(f"{shown(file)}:{error.lineno}: {type(error).__name__}: {error.msg}")
    else:
        line = next((frame.lineno for frame in reversed(_frames(error)) if frame.filename == file), None)
        place = f"{shown(file)}:{line}" if line else shown(file)
        failure = ScriptError(f"{place}: {type(error).__name__}: {error}".rstrip(": "))
    failure.__cause__ = error
    return failure


def place_of(error: BaseException) -> str:
    """Return `file:line: ` of where the error was raised; empty if that is not known."""
    frames = _frames(error)
    return f"{shown(frames[-1].filename)}:{frames[-1].lineno}: " if frames else ""


def told(error: BaseException) -> str:
    """Return an error as a sentence."""
    if isinstance(error, ConfigError | SessionError):
        return str(error)
    return f"{type(error).__name__}: {error}".rstrip(": ")


def with_traceback(error: BaseException) -> str:
    """Return an error in full: with its traceback, unless it is a mistake in the configuration."""
    if isinstance(error, ConfigError | SessionError) and error.__cause__ is None:
        return str(error)
    return "".join(traceback.format_exception(error)).rstrip()


def shown(file: str) -> str:
    """Return a path as people write it: relative to where they are, if it is below."""
    try:
        relative = os.path.relpath(file)
    except (OSError, ValueError):
        return file
    return file if relative.startswith("..") else relative


def _frames(error: BaseException) -> list[traceback.FrameSummary]:
    return list(traceback.extract_tb(error.__traceback__))
