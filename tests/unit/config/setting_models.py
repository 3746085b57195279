"""Settings beside what they ought to be like: a value, a list and two dicts of Python, changed alike at random."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from bliss_like.config.settings import HashSetting, OrderedHashSetting, QueueSetting, SimpleSetting
from bliss_like.data.key_store import KeyStore
from bliss_like.data.store import MemoryStore
from tests.unit.config.values import came_back

VALUES = (
    st.none()
    | st.booleans()
    | st.integers(-2, 2)
    | st.sampled_from([1.0, -0.0, "", "1", "None", [], [1], {"a": 1}, b"x"])
)
KEYS = st.sampled_from(["a", "b", "c", "d", "", "ä"])
DICTS = st.dictionaries(KEYS, VALUES, max_size=4)
LISTS = st.lists(VALUES, max_size=4)
POSITIONS = st.integers(-3, 3)
DEFAULTS: dict[str, Any] = {"a": "default", "d": None}


class Settings(RuleBasedStateMachine):
    """Each rule does the same to the settings and to their models, and the answers are the same."""

    def store(self) -> KeyStore:
        return MemoryStore().keys

    def __init__(self) -> None:
        super().__init__()
        store = self.store()
        self.simple, self.value = SimpleSetting("simple", store, default_value=0), 0
        self.queue, self.list = QueueSetting("queue", store), list[Any]()
        self.hash, self.dict = HashSetting("hash", store, default_values=DEFAULTS), dict[str, Any]()
        self.ordered, self.ordered_dict = OrderedHashSetting("ordered", store), dict[str, Any]()

    # -- one value

    @rule(value=VALUES)
    def set_value(self, value: Any) -> None:
        self.simple.set(value)
        self.value = value

    @rule()
    def clear_value(self) -> None:
        self.simple.clear()
        self.value = 0

    @rule(value=VALUES)
    def update_value(self, value: Any) -> None:
        self.value = [self.value, value]  # type: ignore[assignment]
        assert came_back(self.value, self.simple.update(lambda old: [old, value]))
        self.set_value(value)

    @rule(old=VALUES, new=VALUES)
    def compare_and_set_value(self, old: Any, new: Any) -> None:
        is_same = came_back(self.value, old)
        assert self.simple.compare_and_set(old, new) == is_same
        self.value = new if is_same else self.value

    # -- a list

    @rule(value=VALUES)
    def append(self, value: Any) -> None:
        self.queue.append(value)
        self.list.append(value)

    @rule(value=VALUES)
    def prepend(self, value: Any) -> None:
        self.queue.prepend(value)
        self.list.insert(0, value)

    @rule(values=LISTS)
    def extend(self, values: list[Any]) -> None:
        self.queue.extend(values)
        self.list.extend(values)

    @rule(values=LISTS)
    def set_list(self, values: list[Any]) -> None:
        self.queue.set(values)
        self.list = list(values)

    @rule()
    def pop_front(self) -> None:
        assert came_back(self.list.pop(0) if self.list else None, self.queue.pop_front())

    @rule()
    def pop_back(self) -> None:
        assert came_back(self.list.pop() if self.list else None, self.queue.pop_back())

    @rule(value=VALUES)
    def remove_from_list(self, value: Any) -> None:
        self.queue.remove(value)
        self.list = [each for each in self.list if not came_back(each, value)]

    @rule(value=VALUES, position=POSITIONS)
    def set_item(self, value: Any, position: int) -> None:
        if -len(self.list) <= position < len(self.list):
            self.queue.set_item(value, position)
            self.list[position] = value

    @rule(first=POSITIONS, last=POSITIONS)
    def slice_list(self, first: int, last: int) -> None:
        assert came_back(self.list[first:last], self.queue[first:last])

    @rule()
    def reverse(self) -> None:
        self.queue.update(reversed)
        self.list.reverse()

    # -- dicts

    @rule(key=KEYS, value=VALUES)
    def set_entry(self, key: str, value: Any) -> None:
        for table in (self.hash, self.dict, self.ordered, self.ordered_dict):
            table[key] = value

    @rule(values=DICTS)
    def update_entries(self, values: dict[str, Any]) -> None:
        for table in (self.hash, self.dict, self.ordered, self.ordered_dict):
            table.update(values)

    @rule(values=DICTS)
    def set_dict(self, values: dict[str, Any]) -> None:
        self.hash.set(values)
        self.ordered.set(values)
        self.dict, self.ordered_dict = dict(values), dict(values)

    @rule(key=KEYS)
    def pop(self, key: str) -> None:
        assert came_back(self.dict.pop(key, DEFAULTS.get(key, "none")), self.hash.pop(key, "none"))
        assert came_back(self.ordered_dict.pop(key, "none"), self.ordered.pop(key, "none"))

    @rule(keys=st.lists(KEYS, max_size=3))
    def remove_entries(self, keys: list[str]) -> None:
        self.hash.remove(*keys)
        self.ordered.remove(*keys)
        for key in keys:
            self.dict.pop(key, None)
            self.ordered_dict.pop(key, None)

    @rule(key=KEYS, old=VALUES, new=VALUES)
    def compare_and_set_entry(self, key: str, old: Any, new: Any) -> None:
        is_same = came_back(self.ordered_dict.get(key), old)
        assert self.ordered.compare_and_set(key, old, new) == is_same
        if is_same:
            self.ordered_dict[key] = new

    @rule(key=KEYS, value=VALUES)
    def set_default(self, key: str, value: Any) -> None:
        assert came_back(self.ordered_dict.setdefault(key, value), self.ordered.setdefault(key, value))

    @rule(values=DICTS)
    def rearrange(self, values: dict[str, Any]) -> None:
        self.ordered.update(lambda before: {**values, **before})
        self.ordered_dict = {**values, **self.ordered_dict}

    @invariant()
    def they_are_alike(self) -> None:
        assert came_back(self.value, self.simple.get())
        assert came_back(self.list, self.queue.get()) and len(self.queue) == len(self.list)
        by_key = dict(sorted({**DEFAULTS, **self.dict}.items()))
        assert came_back(by_key, dict(sorted(self.hash.items()))) and set(self.hash) == set(by_key)
        assert came_back(self.ordered_dict, self.ordered.get_all())
