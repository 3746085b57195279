"""Settings on a real server: several processes change and read them, none loses a change of another."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable

from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from bliss_like.config.settings import (
    HashSetting,
    OrderedHashSetting,
    ParametersWardrobe,
    QueueSetting,
    SimpleSetting,
    default_store,
    use_store,
)
from bliss_like.data.key_store import KeyStore
from bliss_like.data.redis_store import RedisStore, connect
from bliss_like.data.server import EmbeddedServer
from tests.unit.config.setting_models import Settings

NPROCESSES, NTIMES = 3, 60


def test_settings_at_random(redis_server: EmbeddedServer) -> None:
    store = RedisStore(redis_server.url)

    class SettingsOnAServer(Settings):
        def store(self) -> KeyStore:
            for key in store.keys.names(""):
                store.keys.run(("DEL", key))  # what this process changes itself it knows at once
            return store.keys

    few = settings(max_examples=8, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck))
    run_state_machine_as_test(SettingsOnAServer, settings=few)


def test_they_are_in_the_server_of_the_process(redis_server: EmbeddedServer) -> None:
    assert default_store() is connect().keys
    SimpleSetting("a").set(1)
    assert RedisStore(redis_server.url).keys.read("bl1:setting:{a}") == b"1"
    calls = connect().server_info()["total_commands_processed"]
    for _ in range(100):
        assert SimpleSetting("a").get() == 1
    assert int(connect().server_info()["total_commands_processed"]) < int(calls) + 20
    before = use_store(RedisStore(redis_server.url).keys)
    assert before is None and SimpleSetting("a").get() == 1
    use_store(before)


def in_processes(work: Callable[[int], None]) -> None:
    """Run `work(number)` in several processes at once."""
    context = multiprocessing.get_context("fork")
    processes = [context.Process(target=work, args=(number,)) for number in range(NPROCESSES)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(100)
    assert [process.exitcode for process in processes] == [0] * NPROCESSES


def _increment(number: int) -> None:
    counter, table = SimpleSetting("counter", default_value=0), HashSetting("table", default_values={"n": 0})
    for _ in range(NTIMES):
        counter += 1
        table.update_item("n", lambda n: n + 1)
        table[f"of process {number}"] = counter.get()


def test_no_addition_is_lost(redis_server: EmbeddedServer) -> None:
    in_processes(_increment)
    assert SimpleSetting("counter").get() == NPROCESSES * NTIMES
    assert HashSetting("table")["n"] == NPROCESSES * NTIMES


def _append(number: int) -> None:
    queue, whole, ordered = (
        QueueSetting("queue"),
        SimpleSetting("whole", default_value=[]),
        OrderedHashSetting("ordered"),
    )
    for i in range(NTIMES):
        queue.append([number, i])
        whole += [[number, i]]
        ordered[f"{number}:{i}"] = i


def test_no_appended_value_is_lost_and_each_keeps_its_order(redis_server: EmbeddedServer) -> None:
    in_processes(_append)
    ordered = [[int(part) for part in key.split(":")] for key in OrderedHashSetting("ordered")]
    for values in (QueueSetting("queue").get(), SimpleSetting("whole").get(), ordered):
        for number in range(NPROCESSES):
            assert [i for process, i in values if process == number] == list(range(NTIMES))


def _take(number: int) -> None:
    todo, done = QueueSetting("todo"), QueueSetting("done")
    while (value := todo.pop_front() if number % 2 else todo.pop_back()) is not None:
        done.append(value)


def test_each_value_is_taken_once(redis_server: EmbeddedServer) -> None:
    QueueSetting("todo").set(range(200))
    in_processes(_take)
    assert sorted(QueueSetting("done").get()) == list(range(200)) and not len(QueueSetting("todo"))


def _set_parameters(number: int) -> None:
    parameters = ParametersWardrobe("sample", {f"p{i}": 0 for i in range(NPROCESSES)})
    for i in range(20):
        setattr(parameters, f"p{number}", i)
        parameters.switch(f"of {number}")
        parameters.switch("default")


def test_parameters_set_by_several_processes(redis_server: EmbeddedServer) -> None:
    in_processes(_set_parameters)
    parameters = ParametersWardrobe("sample", {f"p{i}": 0 for i in range(NPROCESSES)})
    assert parameters.to_dict() == {f"p{i}": 19 for i in range(NPROCESSES)}
    assert sorted(parameters.instances) == sorted(["default", *(f"of {i}" for i in range(NPROCESSES))])
