"""Objects that are made by many greenlets: each once, side by side, circles told instead of waited for."""

from __future__ import annotations

from collections.abc import Iterator

import gevent
import pytest
from gevent.event import Event
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bliss_like.config import Config
from bliss_like.errors import ConfigError, ObjectCreationFailed, ReferenceCycle

from .beamline import devices
from .conftest import Configure


@pytest.fixture
def gates() -> Iterator[dict[str, Event]]:
    """Events by name of a `Gated` object; its constructor tells `started` and waits for its own."""
    devices.gates.clear()
    devices.started.clear()
    yield devices.gates
    for gate in devices.gates.values():
        gate.set()


def spawn(config: Config, *names: str) -> list[gevent.Greenlet]:
    greenlets = [gevent.spawn(config.get, name) for name in names]
    gevent.idle()
    return greenlets


def test_objects_that_need_nothing_of_each_other_are_made_side_by_side(
    configure: Configure, gates: dict[str, Event]
) -> None:
    config = configure("- {name: a, class: Gated}\n- {name: b, class: Gated}\n- {name: c, class: Gated, lamp: $a}\n")
    gates.update(a=Event(), b=Event(), c=Event())
    first, second, third, again = spawn(config, "a", "b", "c", "a")
    assert devices.started == ["a", "b"]
    gates["b"].set()
    assert second.get(timeout=30).name == "b"
    gates["a"].set()
    assert first.get(timeout=30) is again.get(timeout=5) is config.get("a")
    gevent.idle()
    assert devices.started == ["a", "b", "c"]
    gates["c"].set()
    assert third.get(timeout=30).config.lamp is config.get("a")


def test_who_waits_is_told_of_a_failure_and_the_next_one_tries_again(
    configure: Configure, gates: dict[str, Event]
) -> None:
    config = configure("- {name: a, class: Gated, fails: true}\n- {name: b, class: Gated, lamp: $a}\n")
    gates["a"] = Event()
    greenlets = spawn(config, "a", "a", "b")
    gates["a"].set()
    gevent.joinall(greenlets, timeout=30)
    first, second, third = (greenlet.exception for greenlet in greenlets)
    assert str(first) == "config/lamps.yml:1:3: Gated 'a': could not be made: ConnectionError: no answer"
    assert isinstance(second, ObjectCreationFailed) and str(second) == str(first) and second is not first
    assert second.place == (str(config.path / "lamps.yml"), 1, 3)
    assert isinstance(second.__cause__, ConnectionError)
    assert isinstance(third, ConfigError) and "Gated 'b': lamp: config/lamps.yml:1:3: Gated 'a'" in str(third)
    assert devices.started == ["a"]
    with pytest.raises(ObjectCreationFailed):
        config.get("a")
    assert devices.started == ["a", "a"]


def test_a_maker_that_is_killed_leaves_the_work_to_who_waits(configure: Configure, gates: dict[str, Event]) -> None:
    config = configure("- {name: a, class: Gated}\n")
    gates["a"] = Event()
    first, second = spawn(config, "a", "a")
    first.kill()
    gevent.idle()
    gates["a"].set()
    assert second.get(timeout=30) is config.get("a")
    assert devices.started == ["a", "a"]


def test_a_circle_between_greenlets(configure: Configure, gates: dict[str, Event]) -> None:
    config = configure("- {name: a, class: Gated, asks: b}\n- {name: b, class: Gated, asks: a}\n")
    gates.update(a=Event(), b=Event())
    greenlets = spawn(config, "a", "b")
    assert devices.started == ["a", "b"]
    gates["a"].set()
    gevent.idle()
    gates["b"].set()
    gevent.joinall(greenlets, timeout=30, raise_error=False)
    expected = "config/lamps.yml:1:3: Gated 'a': objects that need each other: a -> b -> a"
    assert [str(greenlet.exception) for greenlet in greenlets] == [expected, expected]
    assert all(isinstance(greenlet.exception, ReferenceCycle) for greenlet in greenlets)


def test_who_was_spawned_before_waits_like_everybody(configure: Configure, gates: dict[str, Event]) -> None:
    config = configure("- {name: a, class: Gated}\n")
    gates["a"] = Event()
    waiting = gevent.spawn(config.get, "a")
    gevent.spawn(gates["a"].set)
    assert config.get("a") is waiting.get(timeout=30)
    assert devices.started == ["a"]


def test_a_circle_through_a_greenlet_of_a_constructor(configure: Configure) -> None:
    config = configure("- {name: a, class: Spawning, asks: [b]}\n- {name: b, class: Spawning, asks: [a]}\n")
    with gevent.Timeout(30), pytest.raises(ReferenceCycle, match="objects that need each other: a -> b -> a"):
        config.get("a")


def test_a_greenlet_that_outlives_its_constructor_asks_for_itself(
    configure: Configure, gates: dict[str, Event]
) -> None:
    config = configure("- {name: a, class: Watching, asks: b}\n- {name: b, class: Gated}\n")
    watching = config.get("a")
    gates["b"] = Event()
    gevent.spawn(gates["b"].set)
    watching.go.set()  # while this greenlet, which has spawned the other one, makes b
    b = config.get("b")
    assert watching.watch.get(timeout=30) is b
    (config.path / "lamps.yml").write_text(
        "- {name: a, class: Watching, asks: b}\n- {name: b, class: Gated, count: 2}\n"
    )
    assert config.reload().changed == ("b",)


def test_an_item_that_its_own_container_asks_for(configure: Configure) -> None:
    config = configure("- name: box\n  class: AskingBox\n  axes: [{name: m, steps_per_unit: 1}]\n")
    for name, circle in {"box": "box -> m -> box", "m": "m -> box -> m"}.items():
        with pytest.raises(ReferenceCycle, match=f"objects that need each other: {circle}"):
            config.get(name)


def test_objects_that_know_each_other(configure: Configure) -> None:
    config = configure("- {name: a, class: Partner, partner: $b}\n- {name: b, class: Partner, partner: $a}\n")
    assert config.get("a").partner() is config.get("b")
    assert config.get("b").partner() is config.get("a")
    config = configure("- {name: a, class: Partner, partner: $nobody}\n")
    config.close_objects()
    config.reload()
    with pytest.raises(ConfigError, match="lamps.yml:1:29: Partner 'a': partner: no object 'nobody'"):
        config.get("a")
    config = configure("- {name: a, class: Partner, partner: b}\n")
    config.reload()
    with pytest.raises(
        ConfigError, match=r"partner: expected a reference to an object, such as \$robx, came 'b'; write '\$b'"
    ):
        config.get("a")
    assert devices.Partner.Config.model_json_schema()["properties"]["partner"]["pattern"].startswith(r"^\$")


@given(st.lists(st.lists(st.integers(0, 5), max_size=3), min_size=6, max_size=6), st.permutations(range(6)))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_graph_is_made_or_refused_and_never_waited_for(
    configure: Configure, graph: list[list[int]], order: list[int]
) -> None:
    lines = [
        f"- {{name: n{i}, class: Spawning, asks: [{', '.join(f'n{j}' for j in needs)}]}}"
        for i, needs in enumerate(graph)
    ]
    config = configure("\n".join(lines))
    config.close_objects()
    config.reload()
    greenlets = {i: gevent.spawn(config.get, f"n{i}") for i in order}
    gevent.joinall(list(greenlets.values()), timeout=30)

    def reaches(start: int, seen: frozenset[int] = frozenset()) -> bool:
        return start in seen or any(reaches(need, seen | {start}) for need in graph[start])

    for i, greenlet in greenlets.items():
        assert greenlet.ready()
        assert (greenlet.exception is None) == (not reaches(i))
        assert greenlet.exception is None or isinstance(greenlet.exception, ReferenceCycle)
