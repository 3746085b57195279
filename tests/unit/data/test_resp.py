"""Messages of the server, in whatever portions they arrive."""

from __future__ import annotations

import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bliss_like.data.resp import ErrorReply, Messages, Push

WIRE = (
    b"+OK\r\n:12\r\n$5\r\na\r\nbc\r\n_\r\n$-1\r\n*-1\r\n#t\r\n,1.5\r\n"
    b">2\r\n$10\r\ninvalidate\r\n*1\r\n$1\r\nk\r\n"
    b"*3\r\n$4\r\nhash\r\n*2\r\n$1\r\na\r\n$0\r\n\r\n:-1\r\n"
    b"%1\r\n+k\r\n:1\r\n~1\r\n+x\r\n-ERR no\r\n!7\r\nERR yes\r\n=5\r\ntxt:a\r\n"
)
MESSAGES: list[Any] = [
    *(b"OK", 12, b"a\r\nbc", None, None, None, True, b"1.5"),
    *([b"invalidate", [b"k"]], [b"hash", [b"a", b""], -1], [b"k", 1], [b"x"], "ERR no", "ERR yes", b"txt:a"),
]


@given(st.lists(st.integers(0, len(WIRE)), max_size=8))
def test_messages_in_portions(cuts: list[int]) -> None:
    messages, found = Messages(), []
    places = [0, *sorted(cuts), len(WIRE)]
    for start, end in zip(places, places[1:], strict=False):
        messages.feed(WIRE[start:end])
        found += list(messages)
    assert found == MESSAGES and messages.is_empty
    assert [type(each) for each in found if isinstance(each, (Push, ErrorReply))] == [Push, ErrorReply, ErrorReply]


def test_what_has_arrived_in_part() -> None:
    messages = Messages()
    messages.feed(b":1\r\n>2\r\n+inval")
    assert list(messages) == [1] and not messages.is_empty


def test_what_is_no_message() -> None:
    messages = Messages()
    messages.feed(b"HTTP/1.1 400 Bad Request\r\n")
    with pytest.raises(ValueError):
        list(messages)


def test_a_long_message_in_small_portions_is_read_once() -> None:
    """Beginning anew with each portion would take minutes."""
    words = [b"%d" % i for i in range(100_000)]
    wire = b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%b\r\n" % (len(word), word) for word in words)
    messages, found = Messages(), []
    began = time.thread_time()
    for start in range(0, len(wire), 1000):
        messages.feed(wire[start : start + 1000])
        found += list(messages)
    assert found == [words] and messages.is_empty
    assert time.thread_time() - began < 5
