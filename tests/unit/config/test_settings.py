"""Settings of all kinds, in memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from bliss_like.config import settings
from bliss_like.config.settings import (
    HashSetting,
    HashSettingProp,
    OrderedHashSetting,
    OrderedHashSettingProp,
    QueueSetting,
    QueueSettingProp,
    SimpleSetting,
    SimpleSettingProp,
    Struct,
    default_store,
    pipeline,
    scan,
    use_store,
)
from bliss_like.data.store import MemoryStore
from bliss_like.errors import ForeignKeyError


@pytest.fixture(autouse=True)
def _in_memory() -> Iterator[None]:
    before = use_store(MemoryStore().keys)
    yield
    use_store(before)


def test_simple() -> None:
    setting = SimpleSetting("a", default_value=3)
    assert (setting.get(), setting.name) == (3, "a")
    setting.set("x")
    assert SimpleSetting("a").get() == "x"
    setting.clear()
    assert setting.get() == 3 and SimpleSetting("a").get() is None


def test_the_obj_names_are_the_same_classes() -> None:
    for name in ("Simple", "Queue", "Hash", "OrderedHash"):
        assert getattr(settings, f"{name}ObjSetting") is getattr(settings, f"{name}Setting")
        assert getattr(settings, f"{name}ObjSettingProp") is getattr(settings, f"{name}SettingProp")


def test_calculating_with_a_setting() -> None:
    a, b = SimpleSetting("a", default_value=7), SimpleSetting("b", default_value=2)
    assert (a + 1, 1 + a, a - b, 10 - a, a * b, a / b, a // b, a % b, a**b, 2**b) == (8, 8, 5, 3, 14, 3.5, 3, 1, 49, 4)
    assert (-a, abs(a), int(a), float(b), bool(a), a & 3, a | 8, a ^ 1) == (-7, 7, 7, 2.0, True, 3, 15, 6)
    a += b
    a *= 2
    a -= 4
    assert isinstance(a, SimpleSetting) and SimpleSetting("a").get() == 14
    a /= 4
    assert a.get() == 3.5
    words = SimpleSetting("words", default_value=["x"])
    words += ["y"]
    assert words.get() == ["x", "y"] and words[1] == "y"


def test_conversions_from_bliss_are_applied() -> None:
    setting = SimpleSetting("a", read_type_conversion=float, write_type_conversion=str)
    setting.set(1.5)
    assert SimpleSetting("a").get() == "1.5" and setting.get() == 1.5
    numbers = HashSetting("h", read_type_conversion=int, write_type_conversion=str)
    numbers["a"] = 3
    assert numbers["a"] == 3 and HashSetting("h")["a"] == "3"


def test_update_and_compare_and_set() -> None:
    setting = SimpleSetting("a", default_value=[])
    assert setting.update(lambda value: [*value, 1]) == [1]
    assert setting.compare_and_set([1], [2]) and setting.get() == [2]
    assert not setting.compare_and_set([1], [3]) and not setting.compare_and_set([2.0], [3]) and setting.get() == [2]
    with pytest.raises(TypeError, match="'a'"):
        setting.update(lambda value: {1})
    assert setting.get() == [2]


def test_forgetting_after_a_time() -> None:
    setting = SimpleSetting("a")
    assert setting.ttl() is None and setting.ttl(10) is False
    setting.set(1)
    assert setting.ttl() is None and setting.ttl(10) is True
    left = setting.ttl()
    assert left is not None and 9 < left <= 10
    setting += 1
    assert setting.ttl() is not None
    assert setting.ttl(None) is True and setting.ttl() is None
    setting.ttl(0)
    assert setting.get() is None


def test_queue() -> None:
    queue = QueueSetting("q")
    assert (list(queue), len(queue), queue.pop_front(), queue.pop_back()) == ([], 0, None, None)
    queue.extend([2, 3])
    queue.prepend(1)
    queue.append("0004")
    assert queue.get() == [1, 2, 3, "0004"] == queue[:]
    assert (queue.get(1, 3), queue.get(1), queue.get(0, 0), queue[-1]) == ([2, 3], [2, 3, "0004"], 1, "0004")
    assert (3 in queue, 9 in queue, len(queue), queue[1:2]) == (True, False, 4, [2])
    queue.set_item("first")
    queue[-1] = None
    assert list(queue) == ["first", 2, 3, None]
    assert (queue.pop_front(), queue.pop_back()) == ("first", None)
    queue.extend([3, 3.0])
    queue.remove(3)
    assert queue.get() == [2, 3.0]
    queue.set(["a"])
    assert queue.get() == ["a"]
    queue.set([])
    assert len(queue) == 0


def test_a_position_that_a_queue_does_not_have() -> None:
    queue = QueueSetting("q")
    queue.set([1, 2])
    for change in (lambda: queue[2], lambda: queue.set_item(0, 2), lambda: queue.get(5, 5)):
        with pytest.raises(IndexError, match="'q': expected a position below 2, the number of its values; got"):
            change()


def test_a_queue_as_a_whole() -> None:
    queue = QueueSetting("q")
    assert queue.update(lambda values: [*values, 1, 2]) == [1, 2]
    assert queue.update(reversed) == [2, 1]
    assert queue.compare_and_set([2, 1], range(3000)) and len(queue) == 3000
    assert not queue.compare_and_set([2, 1], []) and queue.compare_and_set(list(range(3000)), []) and not len(queue)


@pytest.mark.parametrize("kind", [HashSetting, OrderedHashSetting])
def test_hash(kind: type[HashSetting]) -> None:
    table = kind("h", default_values={"d": "0001"})
    assert dict(table) == {"d": "0001"} and table["d"] == "0001" and len(table) == 1
    table["a"] = None
    table.update({"b": 2}, c=[3])
    table.update([("b", 22)])
    assert table.get_all() == {"d": "0001", "a": None, "b": 22, "c": [3]} == dict(table.items()) == table
    assert (list(table.keys()), list(table.values())) == (["d", "a", "b", "c"], ["0001", None, 22, [3]])
    assert ("a" in table, table.has_key("x"), "d" in table, len(table)) == (True, False, True, 4)
    assert (table.get("x"), table.get("x", 5), table.get("a", 5)) == (None, 5, None)
    assert table.fromkeys("b", "x", "d") == [22, None, "0001"]
    assert table.pop("b") == 22 and table.pop("b", "gone") == "gone" and table.pop("d") == "0001"
    table["d"] = 5
    del table["d"]
    assert table["d"] == "0001"
    table.remove("c", "nothing")
    assert table.setdefault("a", 1) is None and table.setdefault("e", 6) == 6
    assert table.popitem() == ("e", 6)
    table.set({"x": 1})
    assert table == {"d": "0001", "x": 1}
    table.clear()
    assert table == {"d": "0001"}
    with pytest.raises(KeyError, match="nothing is stored"):
        table.popitem()


@pytest.mark.parametrize("kind", [HashSetting, OrderedHashSetting])
def test_what_a_hash_does_not_have(kind: type[HashSetting]) -> None:
    table = kind("h")
    table["a"] = 1
    for lookup in (lambda: table["b"], lambda: table.pop("b"), lambda: table.__delitem__("b")):
        with pytest.raises(KeyError, match=r"setting 'h' has no 'b'; its keys: 'a'"):
            lookup()
    with pytest.raises(TypeError, match="setting 'h': expected a str as key, got 1"):
        table[1] = 2  # type: ignore[index]
    with pytest.raises(TypeError, match=r"setting 'h'\['b'\]: cannot store a set"):
        table["b"] = {1}


@pytest.mark.parametrize("kind", [HashSetting, OrderedHashSetting])
def test_entries_of_a_hash_in_one_step(kind: type[HashSetting]) -> None:
    table = kind("h", default_values={"n": 1})
    assert table.update_item("n", lambda n: n + 1) == 2
    assert table.update_item("m", lambda n: n + 1, 10) == 11
    assert table.compare_and_set("n", 2, 3) and not table.compare_and_set("n", 2, 4)
    assert table.compare_and_set("new", None, "there") and table["new"] == "there"
    table.update(lambda values: {**values, "n": values["n"] * 10, "new": 0})
    assert table == {"n": 30, "m": 11, "new": 0}
    table.update(lambda values: {"only": 1})
    assert table.raw_get("only", "n") == [b"1", None]


def test_an_ordered_hash_keeps_the_order() -> None:
    table = OrderedHashSetting("h")
    for key in "zebra":
        table[key] = key
    table["z"] = "again"
    assert list(table) == ["z", "e", "b", "r", "a"]
    del table["z"]
    table.update(z=1, y=2)
    assert list(table) == ["e", "b", "r", "a", "z", "y"]
    table.update(lambda values: dict(sorted(values.items())))
    assert list(OrderedHashSetting("h")) == ["a", "b", "e", "r", "y", "z"]


def test_struct() -> None:
    beam = Struct("beam", default_values={"energy": 12.4})
    assert beam.energy == 12.4 and beam.current is None
    beam.current = "0001"
    assert Struct("beam").current == "0001" and dir(beam) == ["current", "energy"]
    assert repr(beam) == "<Struct 'beam' energy=12.4, current='0001'>"
    del beam.current
    assert beam.current is None


class Furnace:
    ramp = SimpleSettingProp("ramp", default_value=1.0)
    log = QueueSettingProp("log")
    limits = HashSettingProp("limits", default_values={"low": 0})
    steps = OrderedHashSettingProp("steps")
    site = SimpleSettingProp("site", use_object_name=False)

    def __init__(self, name: str) -> None:
        self.name = name


def test_settings_as_attributes_of_a_class() -> None:
    one, other = Furnace("f1"), Furnace("f2")
    one.ramp += 1
    one.log = ["on"]
    one.log.append("off")
    one.limits = {"high": 9}
    one.steps["a"] = 1
    one.site = "eh1"
    assert (one.ramp, other.ramp, SimpleSetting("f1:ramp").get()) == (2.0, 1.0, 2.0)
    assert (list(one.log), list(other.log)) == (["on", "off"], [])
    assert one.limits == {"low": 0, "high": 9} and other.limits == {"low": 0}
    assert one.steps == {"a": 1} and not other.steps and other.site == "eh1"
    other.log = one.log
    assert list(other.log) == ["on", "off"]
    assert isinstance(Furnace.ramp, SimpleSettingProp)


def test_a_pipeline_is_one_step() -> None:
    a, q, h = SimpleSetting("a"), QueueSetting("q"), HashSetting("h")
    with pipeline(a, q, h) as together:
        a.set(1)
        q.append(2)
        h["x"] = 3
        assert a.get() is None and not len(q) and not len(h)
        SimpleSetting("b").set("of another")
        assert SimpleSetting("b").get() == "of another"
    assert (a.get(), q.get(), h.get_all()) == (1, [2], {"x": 3})
    assert together.execute() == []


def test_a_pipeline_that_fails_changes_nothing() -> None:
    a, beam = SimpleSetting("a"), Struct("beam")
    with pytest.raises(ZeroDivisionError), pipeline(a, beam):
        a.set(1)
        beam.x = 1
        a.set(1 // 0)
    assert a.get() is None and beam.x is None


def test_what_a_pipeline_cannot_do() -> None:
    a, q, h, o = SimpleSetting("a", default_value=0), QueueSetting("q"), HashSetting("h"), OrderedHashSetting("o")
    dependent: list[Callable[[], Any]] = [
        lambda: a.update(lambda value: value + 1),
        q.pop_front,
        q.pop_back,
        lambda: q.set_item(1),
        lambda: h.__delitem__("a"),
        lambda: h.pop("a"),
        lambda: h.setdefault("a"),
        lambda: o.update(a=1),
    ]
    for action in dependent:
        with pytest.raises(RuntimeError, match="setting '.': what depends on the present value"), pipeline(a, q, h, o):
            action()


def test_scan() -> None:
    for name in ("eh1:robx:offset", "eh1:roby:offset", "eh2:x", "[a]"):
        SimpleSetting(name).set(1)
    assert list(scan()) == ["[a]", "eh1:robx:offset", "eh1:roby:offset", "eh2:x"]
    assert list(scan("eh1:*:offset")) == ["eh1:robx:offset", "eh1:roby:offset"]
    assert list(scan("*:x", connection=MemoryStore().keys)) == []


@pytest.mark.parametrize("name", ["", "a{b", "b}"])
def test_a_name_that_no_setting_can_have(name: str) -> None:
    with pytest.raises(ValueError, match=f"setting name '{name}': expected"):
        SimpleSetting(name)


def test_another_kind_of_setting_is_named() -> None:
    SimpleSetting("a").set(1)
    readers: list[Any] = [
        lambda: HashSetting("a").get_all(),
        lambda: QueueSetting("a").get(),
        lambda: QueueSetting("a").append(1),
    ]
    for read in readers:
        with pytest.raises(ForeignKeyError, match="'bl1:setting:{a}'"):
            read()


def test_the_store_can_be_chosen() -> None:
    mine = MemoryStore().keys
    SimpleSetting("a", mine).set(1)
    assert SimpleSetting("a").get() is None
    before = use_store(mine)
    assert SimpleSetting("a").get() == 1 and default_store() is mine
    use_store(before)
    assert SimpleSetting("a").get() is None
