"""Calculated counters that were written for BLISS, from their YAML to scans, groups and aliases."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from bliss_like.config import Config
from bliss_like.controllers.counter import CalcCounterController
from bliss_like.devices.naming import set_alias
from bliss_like.errors import ConfigError
from bliss_like.scans import ascan, loopscan
from bliss_like.session.measurement_group import MeasurementGroup
from bliss_like.standard import lscnt
from tests.bliss_style.conftest import Configure
from tests.unit.scanning.making import memory_environment

TREE = """
- {name: motors, class: SimulatedMotors, axes: [{name: wedge, velocity: .inf}]}
- name: diodes
  class: SimulatedDiodes
  counters: [{name: i0, value: 200, mode: STATS}, {name: i1, value: 50}]
- name: sample
  class: Transmission
  plugin: bliss
  package: tests.bliss_style
  module: transmission
  percent: 10
  remark: nobody reads this
  inputs:
    - {counter: $i0, tags: before, remark: nor this}
    - {counter: $i1, tags: behind}
  outputs:
    - {name: trans, tags: ratio, unit: "%"}
    - {name: absorption}
- name: sums
  class: RunningSum
  package: tests.bliss_style
  module: transmission
  unit: counts
  inputs: [{counter: $i1}, {counter: $trans, tags: t}]
- {name: mg, class: MeasurementGroup, counters: [absorption]}
"""


@pytest.fixture
def config(configure: Configure) -> Iterator[Config]:
    with memory_environment():
        yield configure(TREE)


def test_a_scan(config: Config) -> None:
    scan = ascan(config.get("wedge"), 0, 1, 2, 0.0, config.get("absorption"), save=False)
    assert scan is not None
    data = scan.get_data()
    np.testing.assert_allclose(data["absorption"], [np.log(4)] * 3)
    assert data["i0"].tolist() == [200] * 3 and data["i1"].tolist() == [50] * 3 and data["i0_N"].tolist() == [1] * 3
    assert "sample:trans" not in data


def test_outputs_are_objects_of_the_configuration(config: Config) -> None:
    assert config.check() == []
    sample = config.get("sample")
    assert config.get("trans") is sample.outputs["trans"] is sample.counters.trans
    assert [counter.name for counter in sample.inputs] == ["i0", "i1"]
    assert sample.tags["i0"] == "before" and sample.tags["trans"] == "ratio"
    assert (sample.percent, sample.names, sample.outputs["trans"].unit) == (10, ["trans", "absorption"], "%")
    assert sample.outputs["trans"].raw_read == 2.5


def test_a_controller_that_builds_its_counters(config: Config) -> None:
    sums = config.get("sums")
    for _ in range(2):
        scan = loopscan(4, 0.0, sums, save=False)
        assert scan is not None
        assert scan.get_data("sums_i1").tolist() == [50, 100, 150, 200]
        assert scan.get_data("sums_trans").tolist() == [2.5, 5, 7.5, 10]
    assert sums.outputs["sums_i1"].unit == "counts"


def test_groups_aliases_and_lists(config: Config, capsys: pytest.CaptureFixture[str]) -> None:
    group = config.get("mg")
    assert isinstance(group, MeasurementGroup)
    group.add(config.get("trans"))
    assert group.available == ["sample:absorption", "sample:trans"]
    set_alias("sample:trans", "T")
    set_alias("diodes:i0", "I0")
    try:
        scan = loopscan(2, 0.0, group, save=False)
        assert scan is not None
        assert {"sample:T", "sample:absorption", "diodes:I0", "diodes:i1"} <= set(scan.get_data())
        assert config.get("sample").tags["T"] == "ratio"
        lscnt(config.get("sample"))
        assert ["sample:trans", "T", "Transmission", "%", "0D"] in [
            line.split() for line in capsys.readouterr().out.splitlines()
        ]
    finally:
        set_alias("sample:trans", None)
        set_alias("diodes:i0", None)


def test_what_is_wrong_in_yaml(configure: Configure) -> None:
    config = configure(TREE.replace("counter: $i1, tags: behind", "counter: $wedge, tags: behind"))
    with pytest.raises(
        ConfigError, match=r"motors.yml:15:.*inputs.1.counter: expected a reference to a counter, came <Axis"
    ):
        config.get("trans")


def test_keys_that_are_missing() -> None:
    with pytest.raises(
        ConfigError, match="c: expected inputs and outputs, it has no inputs nor outputs; its keys are name, input"
    ):
        CalcCounterController("c", {"input": []})
