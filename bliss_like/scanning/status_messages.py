"""What macros and devices have to say as long as it is so: messages under a key, for the bottom line of the shell."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from .environment import environment


def set_user_status_message(key: str, message: object) -> None:
    """Show a message until there is another one of that key, or none."""
    environment.status_messages[str(key)] = " ".join(str(message).split())


def remove_user_status_message(key: str) -> None:
    """Show nothing more under that key; nothing there is no error."""
    environment.status_messages.pop(str(key), None)


@contextmanager
def status_message(enable: bool = True) -> Iterator[Callable[[object], None]]:
    """Yield what shows a message of its own, for the time of the context.

    ::

        with status_message() as tell:
            for sample in samples:
                tell(f"sample {sample}")

    :param enable: False: nothing is shown.
    """
    key = object()

    def tell(message: object) -> None:
        if enable:
            set_user_status_message(f"context {id(key)}", message)

    try:
        yield tell
    finally:
        remove_user_status_message(f"context {id(key)}")
