"""What is remembered of an axis, in a store that others may change meanwhile."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from bliss_like.config.settings import use_store
from bliss_like.config.sharing import Sharing, use_sharing
from bliss_like.data.key_store import Value
from bliss_like.data.memory_keys import MemoryKeys
from bliss_like.data.store import MemoryStore
from bliss_like.devices import motion_line
from bliss_like.devices.axis_settings import AxisSettings


class SlowKeys(MemoryKeys):
    """Answers of which something may happen before they arrive."""

    meanwhile: Callable[[], object] = staticmethod(lambda: None)

    def read(self, key: str) -> Value | None:
        answer = super().read(key)
        self.meanwhile()
        return answer


@pytest.fixture
def keys() -> Iterator[SlowKeys]:
    keys = SlowKeys()
    before = use_store(keys)
    use_sharing(Sharing(MemoryStore()))
    yield keys
    motion_line.leave()
    use_sharing(None)
    use_store(before)


def test_an_answer_that_is_older_than_what_was_written_since_is_not_taken(keys: SlowKeys) -> None:
    settings = AxisSettings("robx", "")
    settings.remember(target=1.0)
    motion_line.flush()
    settings.remember(target=2.0)
    settings.look_again()
    keys.meanwhile = motion_line.flush
    assert settings["target"] == 2.0
    keys.meanwhile = lambda: None
    assert settings["target"] == 2.0
    assert AxisSettings("robx", "")["target"] == 2.0
