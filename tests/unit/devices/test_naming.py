"""What axes and counters are called."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from bliss_like.devices import naming
from bliss_like.devices.counter import Counter, SamplingCounter, SamplingCounterController
from bliss_like.scanning.acquisition.sampling import SamplingCounterAcquisitionSlave
from bliss_like.scanning.channel import AcquisitionChannelList


@pytest.fixture
def counter() -> Iterator[Counter]:
    yield SamplingCounter("diode", SamplingCounterController("box", SamplingCounterController("rack")))
    naming.set_alias("rack:box:diode", None)


def test_the_alias_keeps_the_controllers(counter: Counter) -> None:
    assert (naming.name_of(counter), naming.full_name_of(counter)) == ("diode", "rack:box:diode")
    assert naming.both_names_of(counter) == "rack:box:diode"
    naming.set_alias("rack:box:diode", "I0")
    assert (naming.name_of(counter), naming.full_name_of(counter)) == ("I0", "rack:box:I0")
    assert naming.both_names_of(counter) == "I0 (rack:box:diode)"
    assert naming.name_of(counter.controller) == "box"
    assert counter.name == "diode" and counter.fullname == "rack:box:diode"


def test_a_device_that_emits_by_name_need_not_know_the_alias(counter: Counter) -> None:
    naming.set_alias("rack:box:diode", "I0")
    channels: AcquisitionChannelList = SamplingCounterAcquisitionSlave(counter).channels
    (channel,) = channels
    assert channels.by_name() == dict.fromkeys(["rack:box:I0", "I0", "rack:box:diode", "diode"], channel)
    got: list[float] = []
    channel.bind("path", _Sink(got))
    channels.update({"diode": 1.0})
    channels.update({"I0": 2.0})
    assert got == [1.0, 2.0]


class _Sink:
    def __init__(self, got: list[float]) -> None:
        self.append = got.append
        self.extend = got.extend
        self.length = 0
