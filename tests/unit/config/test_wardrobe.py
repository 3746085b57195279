"""Sets of parameters with named instances."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bliss_like.config.settings import ParametersWardrobe, scan, use_store
from bliss_like.data.store import MemoryStore
from bliss_like.errors import ConfigError


@pytest.fixture(autouse=True)
def _in_memory() -> Iterator[None]:
    before = use_store(MemoryStore().keys)
    yield
    use_store(before)


def sample(**options: Any) -> ParametersWardrobe:
    return ParametersWardrobe("sample", default_values={"title": "", "humidity": 40.0}, **options)


def test_parameters_are_attributes() -> None:
    w = sample()
    assert (w.title, w.humidity, w.instances, w.current_instance) == ("", 40.0, ["default"], "default")
    w.title = "0001"
    w.add("head", np.arange(3))
    w.add("mounted_by")
    again = sample()
    assert (again.title, again.head.tolist(), again.mounted_by) == ("0001", [0, 1, 2], None)
    assert {"title", "humidity", "head", "mounted_by", "switch"} <= set(dir(w))
    assert repr(w) == "<ParametersWardrobe 'sample' instance 'default'>"
    assert list(scan()) == ["parameters:sample"]


def test_a_parameter_that_is_not_there() -> None:
    w = sample()
    message = r"parameters 'sample' have no 'humidty', did you mean 'humidity'\?; they have: title, humidity. add\('humidty'\) adds one"
    with pytest.raises(AttributeError, match=message):
        _ = w.humidty
    with pytest.raises(AttributeError, match=message):
        w.humidty = 3
    with pytest.raises(AttributeError, match="no 'nothing'"):
        w.from_dict({"title": "x", "nothing": 1})
    assert w.title == ""
    with pytest.raises(AttributeError, match="no 'nothing'"):
        w.remove(".nothing")
    with pytest.raises(TypeError, match="^parameter 'title' of 'sample': cannot store a set"):
        w.title = {1}


@pytest.mark.parametrize("name", ["1a", "a b", "class", "_a", "", "a-b"])
def test_a_name_that_no_parameter_can_have(name: str) -> None:
    with pytest.raises(NameError, match="expected a name that begins with a letter"):
        sample().add(name)
    with pytest.raises(NameError, match="expected a name that begins with a letter"):
        ParametersWardrobe("other", {name: 1})


@pytest.mark.parametrize("name", ["title", "switch", "instances"])
def test_a_name_that_is_taken(name: str) -> None:
    with pytest.raises(NameError, match=f"have '{name}' already"):
        sample().add(name, 1)


def test_instances() -> None:
    w = sample()
    w.title = "all"
    w.switch("dry")
    assert (w.title, w.humidity) == ("all", 40.0)
    w.humidity = 5.0
    w.switch("drier", copy="dry")
    assert (w.humidity, w.instances) == (5.0, ["drier", "default", "dry"])
    w.humidity = 1.0
    w.switch("dry", copy="drier")
    assert w.humidity == 5.0, "an instance that is there is not overwritten"
    w.switch("default")
    assert w.humidity == 40.0
    w.title = "of all others"
    w.switch("drier")
    assert w.title == "of all others"
    assert sample().current_instance == "drier", "the one last used"


def test_instances_that_cannot_be() -> None:
    w = sample()
    with pytest.raises(NameError, match=r"no instance 'defaul', did you mean 'default'\?; they have: default"):
        w.switch("x", copy="defaul")
    with pytest.raises(NameError, match="no instance 'x'"):
        w.remove("x")
    with pytest.raises(NameError, match="'default' cannot be removed. purge"):
        w.remove("default")
    with pytest.raises(NameError, match="expected the name of an instance, got ''"):
        w.switch("")
    assert w.instances == ["default"]


def test_removing() -> None:
    w = sample(not_removable=["title"])
    w.add("extra", 1)
    w.switch("dry")
    w.extra = 2
    w.remove(".extra")
    assert "extra" not in w.to_dict()
    with pytest.raises(AttributeError, match="'title' cannot be removed"):
        w.remove(".title")
    other = sample()
    w.remove("dry")
    assert (w.current_instance, other.current_instance, sample().current_instance) == ("default",) * 3
    w.remove(".humidity")
    assert w.to_dict() == {"title": ""}


def test_purging() -> None:
    w = sample()
    w.title = "x"
    w.switch("dry")
    w.purge()
    assert (w.instances, w.title, list(scan())) == (["default"], "", [])
    w.title = "y"
    assert sample().title == "y"


def test_frozen_values_outlive_their_defaults() -> None:
    sample().freeze()
    later = ParametersWardrobe("sample", default_values={"title": "new", "humidity": 0.0, "more": 1})
    assert later.to_dict() == {"title": "", "humidity": 40.0, "more": 1}
    unfrozen = ParametersWardrobe("other", {"a": 1})
    assert ParametersWardrobe("other", {"a": 2}).a == 2 and unfrozen.a == 1


def test_a_default_cannot_be_changed_from_outside() -> None:
    w = ParametersWardrobe("other", {"a": [1]})
    w.a.append(2)
    assert w.a == [1]


class Saving(ParametersWardrobe):
    def __init__(self) -> None:
        super().__init__("saving", {"base": "/data"}, ["full_path"])

    @property
    def full_path(self) -> str:
        return f"{self.base}/{self.current_instance}"


def test_properties_of_a_derived_class() -> None:
    saving = Saving()
    saving.base = "/tmp"
    assert saving.full_path == "/tmp/default"
    assert saving.to_dict() == {"base": "/tmp"}
    assert saving.to_dict(export_properties=True) == {"base": "/tmp", "full_path": "/tmp/default"}
    assert ".full_path = '/tmp/default'" in " ".join(saving.__info__().split())
    with pytest.raises(AttributeError):
        saving.full_path = "x"


def test_dates() -> None:
    w = sample()
    assert len(w.creation_date) == len("2026-11-20-13:27") and w.last_accessed >= w.creation_date
    w.switch("dry")
    assert w.last_accessed >= w.creation_date


def test_files(tmp_path: Path) -> None:
    w = sample()
    w.add("matrix", np.eye(2))
    w.title, w.humidity = "0001", float("inf")
    path = tmp_path / "new" / "sample.yml"
    w.to_file(path)
    assert "title: '0001'" in path.read_text()
    w.switch("dry")
    w.title = "dry one"
    w.to_file(path, "default", "dry")
    assert [each.name for each in path.parent.iterdir()] == ["sample.yml"]
    use_store(MemoryStore().keys)
    w = sample()
    w.add("matrix")
    w.from_file(path, "dry")
    assert (w.title, w.humidity, w.matrix.tolist()) == ("dry one", float("inf"), [[1, 0], [0, 1]])
    w.from_file(path, instance_name="default")
    assert w.title == "0001"


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    w = sample()
    path = tmp_path / "sample.yml"
    with pytest.raises(ConfigError, match=r"sample.yml: cannot be read: No such file"):
        w.from_file(path)
    for text, message in [
        ("a: [1", r"sample.yml:\d: no YAML"),
        ("a: 1", "sample.yml: expected the key 'instances'"),
        ("- 1", "sample.yml: expected the key 'instances'"),
        ("instances: {a: {}, b: {}}", "sample.yml: which instance. It has: a, b"),
        ("instances: {a: 1}", "sample.yml: instance 'a': expected parameters with their values, found 1"),
    ]:
        path.write_text(text)
        with pytest.raises(ConfigError, match=message):
            w.from_file(path)
    path.write_text("instances: {dry: {}, b: {}}")
    with pytest.raises(ConfigError, match=r"no instance 'dri' is in it, did you mean 'dry'\?; it has: dry, b"):
        w.from_file(path, "dri")
    path.write_text("instances: {a: {title: x, wrong: 1}}")
    with pytest.raises(AttributeError, match="no 'wrong'"):
        w.from_file(path)
    assert w.title == ""
    with pytest.raises(NameError, match="no instance 'x'"):
        w.to_file(path, "x")


def test_files_of_the_configuration(tmp_path: Path) -> None:
    from bliss_like.config import get_config

    config = get_config(tmp_path)
    try:
        w = sample()
        w.title = "kept"
        w.to_beacon("mine")
        assert (tmp_path / "wardrobe" / "mine.dat").exists()
        w.title = "other"
        w.from_beacon("mine", "default")
        assert w.title == "kept"
        with pytest.raises(ValueError, match=r"file of parameters '\.\./x'"):
            w.to_beacon("../x")
    finally:
        config.close()


def test_a_table() -> None:
    w = sample()
    w.switch("dry")
    w.humidity = 5.0
    lines = [" ".join(line.split()) for line in repr(w.show_table()).splitlines()]
    assert lines == ["dry (SELECTED) default", "title * '' ''", "humidity 5.0 40.0"]
    assert w.__info__() == "Parameters (dry) of sample\n\n.title     = ''\n.humidity  = 5.0"
