"""A device that was written for BLISS around a controller of counters: from its YAML to its data."""

from __future__ import annotations

import gc
import logging

import pytest
from gevent.server import StreamServer

from bliss_like import global_map
from bliss_like.comm.exceptions import CommunicationError
from bliss_like.common.logtools import get_logger
from bliss_like.devices import logs
from bliss_like.scans import loopscan
from tests.bliss_style.conftest import Configure
from tests.bliss_style.test_counters import Picoammeter
from tests.unit.scanning.making import memory_environment

YAML = """
name: amp
class: Amplifier
package: tests.bliss_style
tcp: {{url: "127.0.0.1:{port}"}}
counters:
  - {{counter_name: i1, channel: 1, unit: A}}
  - {{counter_name: i2, channel: 2, mode: STATS}}
"""


def test_its_counters_are_read_and_its_lines_are_logged_under_its_tag(
    configure: Configure, caplog: pytest.LogCaptureFixture
) -> None:
    server = StreamServer(("127.0.0.1", 0), Picoammeter().serve)
    server.start()
    amp = configure(YAML.format(port=server.server_port)).get("amp")
    try:
        with memory_environment(), caplog.at_level(logging.DEBUG, "bliss_like.device.Amplifier:amp"):
            scan = loopscan(2, 0, amp)
            assert scan.get_data("amp:i1").tolist() == [1, 2] and scan.get_data("i2_max").tolist() == [10, 20]
        assert [record.message for record in caplog.records if "Amplifier:amp" in record.name] == ["reads", "reads"]
    finally:
        server.stop(timeout=1)
        amp.comm.close()
    with pytest.raises(CommunicationError, match="amp .* cannot be reached"):
        amp.read_all()


def test_a_tag_is_of_its_device_as_long_as_that_lives() -> None:
    class Device:
        name = "d1"

    device = Device()
    global_map.register("axes")  # as BLISS has it, for what is no device
    global_map.register(device, tag="Box:d1")
    assert get_logger(device).name == "bliss_like.device.Box:d1"
    global_map.unregister(device)
    assert get_logger(device).name == "bliss_like.device.d1"
    global_map.register(device, tag="Box:d1")
    number = id(device)
    del device
    gc.collect()
    assert number not in logs._tags
