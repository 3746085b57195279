"""Controllers of counters that were written for BLISS, from their YAML to their data in scans."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from gevent.server import StreamServer

from bliss_like.config import Config
from bliss_like.controllers.counter import CounterController, IntegratingCounterController, SamplingCounterController
from bliss_like.errors import ScanError
from bliss_like.scanning.default_chain import DefaultAcquisitionChain
from bliss_like.scanning.toolbox import ChainBuilder
from bliss_like.scans import ct, loopscan
from tests.bliss_style.conftest import Configure
from tests.unit.scanning.making import memory_environment

YAML = """
- name: em
  class: Electrometer
  package: tests.bliss_style
  module: electrometer
  plugin: bliss
  max_sampling_frequency: 1000
  tcp: {{url: "127.0.0.1:{port}"}}
  counters:
    - {{counter_name: i1, channel: 1}}
    - {{counter_name: i2, channel: 2, mode: STATS}}
- {{name: card, class: CountingCard, package: tests.bliss_style, module: electrometer, channels: [mon, det, spare1, spare2]}}
- {{name: late, class: BufferedCard, package: tests.bliss_style, module: electrometer, is_critical: false}}
- {{name: labels, class: Labels, package: tests.bliss_style, module: electrometer, prefix: abc}}
"""


class Picoammeter:
    """Answers lines of text with currents that grow by one with each reading."""

    def __init__(self) -> None:
        self.requests: list[str] = []
        self.filter = "OFF"

    def serve(self, client: Any, _: object) -> None:
        with client.makefile("rw", newline="\n") as lines:
            for line in lines:
                self.requests.append(line.strip())
                lines.write(self._answer(*line.split()) + "\n")
                lines.flush()

    def _answer(self, word: str, *args: str) -> str:
        if word == "FILTER":
            self.filter = args[0]
        if word == "READ?":
            nread = self.requests.count("READ?")
            return f"{nread} {10 * nread}"
        return self.filter if word == "FILTER?" else "OK"


@pytest.fixture
def picoammeter() -> Iterator[tuple[Picoammeter, int]]:
    found = Picoammeter()
    server = StreamServer(("127.0.0.1", 0), found.serve)
    server.start()
    yield found, server.server_port
    server.stop(timeout=1)


@pytest.fixture
def config(configure: Configure, picoammeter: tuple[Picoammeter, int]) -> Iterator[Config]:
    with memory_environment():
        yield configure(YAML.format(port=picoammeter[1]))


def test_an_electrometer_over_tcp(config: Config, picoammeter: tuple[Picoammeter, int]) -> None:
    em, box = config.get("em"), picoammeter[0]
    assert isinstance(em, SamplingCounterController) and em.max_sampling_frequency == 1000
    scan = loopscan(3, 0, em)
    assert scan.get_data("em:i1").tolist() == [1, 2, 3]
    assert scan.get_data("em:i2_max").tolist() == [10, 20, 30]
    assert (box.requests.count("READ?"), box.requests.count("RANGE 1"), box.requests[-1]) == (3, 1, "IDLE")
    assert scan.scan_info["instrument"]["em"] == {"i1_channel": 1, "i2_channel": 2}
    loopscan(2, 0.1, em.counters.i1)
    assert "RANGE 3" in box.requests


def test_what_a_scan_writes_to_the_hardware(config: Config, picoammeter: tuple[Picoammeter, int]) -> None:
    em, box = config.get("em"), picoammeter[0]
    scan = loopscan(1, 0, em, run=False)
    scan.update_ctrl_params(em, {"filter": "SLOW"})
    scan.run()
    assert box.filter == "SLOW"
    with pytest.raises(ScanError, match="em has no parameter fitler; there are: filter"):
        loopscan(1, 0, em, run=False).update_ctrl_params(em, {"fitler": "SLOW"})


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        (
            {"range": 9},
            "controller 'em': acquisition_settings: parameter 'range': expected an integer, one of 1, 2, 3, got 9",
        ),
        ({"range": "low"}, "controller 'em': .* parameter 'range': expected an integer, one of 1, 2, 3, got 'low'"),
        ({"ragne": 1}, "controller 'em': .* unknown parameter 'ragne', did you mean 'range'"),
        ({"count_time": "1s"}, "controller 'em': .* parameter 'count_time': expected a number, got '1s'"),
    ],
)
def test_wrong_settings_are_told_before_anything_happens(
    config: Config, picoammeter: tuple[Picoammeter, int], settings: dict[str, Any], said: str
) -> None:
    em = config.get("em")
    with pytest.raises(RuntimeError, match=said):
        loopscan(1, 0, em, chain_settings=[{"device": em, "acquisition_settings": settings}])
    assert not [request for request in picoammeter[0].requests if request != "FILTER?"]
    loopscan(1, 0, em, chain_settings=[{"device": em, "acquisition_settings": {"range": 2}}])
    assert "RANGE 2" in picoammeter[0].requests


def test_a_card_that_counts_by_itself_with_its_counters_below_it(config: Config) -> None:
    card = config.get("card")
    assert [counter.fullname for counter in card.counters] == [
        f"card:values:{n}" for n in ("mon", "det", "spare1", "spare2")
    ]
    scan = loopscan(4, 0.001, card)  # its default group
    data = {name: values.tolist() for name, values in scan.get_data().items() if name.startswith("card")}
    assert data == {
        "card:live_time": [0.001] * 4,
        "card:values:mon": [0, 100, 200, 300],
        "card:values:det": [1, 101, 201, 301],
    }
    assert [node.name for node in scan.acq_chain.nodes_list] == ["timer", "card", "values"]
    scan = ct(0.001, card.counter_groups.monitors, card.counters["spare2"])
    assert [name for name in scan.get_data() if name.startswith("card:v")] == ["card:values:mon", "card:values:spare2"]
    assert card.armed is None


def test_a_card_that_is_read_in_blocks(config: Config) -> None:
    late = config.get("late")
    assert isinstance(late, IntegratingCounterController) and late.is_critical is False
    scan = loopscan(10, 0.001, late)
    assert scan.get_data("late:late_a").tolist() == list(range(10))
    assert scan.get_data("late:late_b").tolist() == [10 * n for n in range(10)]
    assert late.log == ["armed for 10 x 0.001", "started", "stopped"]


def test_a_controller_with_a_slave_and_a_chain_node_of_its_own(config: Config) -> None:
    labels = config.get("labels")
    before = type(labels.create_chain_node()).made
    scan = loopscan(3, 0, labels)
    assert scan.get_data("label").tolist() == [3, 4, 5]
    builder = ChainBuilder([labels])
    assert type(builder.get_nodes_by_controller_type(CounterController)[0]).__name__ == "LabelNode"
    assert type(labels.create_chain_node()).made > before
    settings = [{"device": labels, "acquisition_settings": {"prefix": "abcdef"}}]
    assert loopscan(1, 0, labels, chain_settings=settings).get_data("label").tolist() == [6]


def test_one_scan_with_all_of_them(config: Config) -> None:
    devices = [config.get(name) for name in ("em", "card", "late", "labels")]
    scan = loopscan(10, 0.001, *devices)
    lengths = {name: len(values) for name, values in scan.get_data().items()}
    assert set(lengths.values()) == {10}


def test_a_box_that_dies_ends_the_scan_with_its_name(config: Config, picoammeter: tuple[Picoammeter, int]) -> None:
    em, box = config.get("em"), picoammeter[0]
    box._answer = lambda word, *args: "ERROR" if word == "READ?" else "OK"  # type: ignore[method-assign]
    with pytest.raises(ValueError) as caught:
        loopscan(2, 0, em)
    assert "in em)" in "".join(caught.value.__notes__)
    assert box.requests[-1] == "IDLE"


def test_the_chain_alone(config: Config) -> None:
    chain = DefaultAcquisitionChain().get({"count_time": 0.5, "npoints": 2}, [config.get("card")])
    timer, master, values = chain.nodes_list
    assert (master.parent, values.parent, values.count_time) == (timer, master, 0.5)
