"""The chain of standard scans: settings, presets, masters, and how controllers are acquired."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from bliss_like.devices.counter import Counter, CounterController, SamplingCounter
from bliss_like.errors import ChainError, DeviceError
from bliss_like.scanning.acquisition import AcquisitionMaster, AcquisitionSlave
from bliss_like.scanning.acquisition.sampling import SamplingCounterAcquisitionSlave
from bliss_like.scanning.chain import ChainPreset
from bliss_like.scanning.default_chain import ChainBuilder, DefaultAcquisitionChain, register_acquisition
from bliss_like.scans import loopscan
from tests.unit.scanning.making import Values

PARS = {"count_time": 0.0, "npoints": 2}


class CameraMaster(AcquisitionMaster):
    def __init__(self, controller: CounterController, **acq_params: Any) -> None:
        super().__init__(controller, npoints=acq_params.pop("npoints"))
        self.acq_params = acq_params

    def trigger(self) -> None:
        self.trigger_slaves()
        for channel in self.channels:
            channel.emit(1.0)
        self.wait_slaves()


class RoiSlave(AcquisitionSlave):
    def trigger(self) -> None:
        for channel in self.channels:
            channel.emit(2.0)


class Camera(CounterController):
    def __init__(self) -> None:
        super().__init__("cam")
        self.image = self.create_counter(Counter, "image")
        self.rois = Rois(self)

    def get_acquisition_object(self, acq_params: Any, ctrl_params: Any, parent_acq_params: Any) -> CameraMaster:
        return CameraMaster(self, **acq_params)


class Rois(CounterController):
    def __init__(self, camera: Camera) -> None:
        super().__init__("roi_counters", master_controller=camera)
        self.sum = self.create_counter(Counter, "sum")
        self.parent_params: Mapping[str, Any] = {}

    def get_acquisition_object(self, acq_params: Any, ctrl_params: Any, parent_acq_params: Any) -> RoiSlave:
        self.parent_params = parent_acq_params
        return RoiSlave(self, npoints=acq_params["npoints"])


def test_controllers_below_their_masters() -> None:
    camera = Camera()
    assert camera.rois.sum.fullname == "cam:roi_counters:sum"
    scan = loopscan(2, 0, camera.rois.sum)
    assert [node.name for node in scan.acq_chain.nodes_list] == ["timer", "cam", "roi_counters"]
    assert scan.get_data(camera.rois.sum).tolist() == [2.0, 2.0]
    assert camera.rois.parent_params["count_time"] == 0
    scan = loopscan(1, 0, camera.rois.sum, camera)
    assert scan.get_data("cam:image").tolist() == [1.0]


def test_settings() -> None:
    camera, diodes = Camera(), Values("diodes", lambda: [3.0])
    diode = SamplingCounter("diode", diodes)
    chain = DefaultAcquisitionChain()
    chain.set_settings(
        [{"device": camera, "acquisition_settings": {"acq_mode": "ACCUMULATION"}}, {"device": diode, "master": camera}]
    )
    made = chain.get(PARS, [diode])
    timer, cam, slave = made.nodes_list
    assert (timer, slave.parent, cam.parent) == (made.timer, cam, timer)
    assert isinstance(cam, CameraMaster) and cam.acq_params == {"count_time": 0.0, "acq_mode": "ACCUMULATION"}
    chain.reset()
    assert [node.name for node in chain.get(PARS, [diode]).nodes_list] == ["timer", "diodes"]


def test_settings_that_make_no_sense() -> None:
    chain, camera = DefaultAcquisitionChain(), Camera()
    for settings, said in (
        ([{"device": camera, "acquisition_setings": {}}], "acquisition_setings"),
        ([{"master": camera}], "expected device"),
        ([{"device": "cam"}], "expected a counter or a controller, got 'cam'"),
        ([{"device": camera, "master": camera}], "cam would be triggered by itself"),
    ):
        with pytest.raises(ChainError, match=said):
            chain.set_settings(settings)
    diode = SamplingCounter("diode", Values("diodes", lambda: [3.0]))
    chain.set_settings([{"device": camera, "master": diode}])
    with pytest.raises(ChainError, match="cannot trigger cam"):
        chain.get(PARS, [camera.image])
    chain.set_settings([{"device": diode, "acquisition_settings": {"cont_time": 1}}])
    with pytest.raises(
        ChainError, match="controller 'diodes': .* unknown parameter 'cont_time', did you mean 'count_time'"
    ):
        chain.get(PARS, [diode])


def test_presets() -> None:
    class Shutter(ChainPreset):
        pass

    chain, first, second = DefaultAcquisitionChain(), Shutter(), Shutter()
    counter = SamplingCounter("diode", Values("diodes", lambda: [3.0]))
    chain.add_preset(first)
    chain.add_preset(second)  # of the same name: in its place
    chain.add_preset(first, name="other")
    made = chain.get(PARS, [counter])
    assert made.presets_of(made.top_masters[0]) == [second, first]
    chain.remove_preset(name="other")
    chain.remove_preset(second)
    with pytest.raises(ChainError, match="no preset 'other'; there are: none"):
        chain.remove_preset(name="other")
    with pytest.raises(ChainError, match="expected a ChainPreset"):
        chain.add_preset("shutter")  # type: ignore[arg-type]


def test_nothing_is_known_about_a_controller() -> None:
    controller = CounterController("strange")
    counter = controller.create_counter(Counter, "c")
    with pytest.raises(DeviceError, match="'strange'.*nothing says how it is acquired"):
        loopscan(1, 0, counter)


def test_an_acquisition_registered_for_a_class() -> None:
    class Strange(CounterController):
        pass

    register_acquisition(Strange, lambda controller, acq, ctrl, parent: RoiSlave(controller))
    counter = Strange("strange").create_counter(Counter, "c")
    assert loopscan(2, 0, counter).get_data(counter).tolist() == [2.0, 2.0]


def test_the_builder() -> None:
    camera, diodes = Camera(), Values("diodes", lambda: [3.0])
    a, b = SamplingCounter("a", diodes), SamplingCounter("b", diodes)
    builder = ChainBuilder([a, camera.rois.sum])
    builder.add_extra_counters(b, a)
    assert [node.controller.name for node in builder.get_top_level_nodes()] == ["diodes", "cam"]
    (node,) = builder.get_nodes_by_controller_name("diodes")
    assert builder.get_nodes_by_controller_type(Values) == [node]
    assert node.counters == [a, b]
    assert node in builder.get_nodes_not_ready()
    node.set_parameters({"count_time": 1, "npoints": 2})
    node.set_parameters({"count_time": 5, "npoints": 2})  # the first ones hold
    made = node.create_acquisition_object()
    assert isinstance(made, SamplingCounterAcquisitionSlave) and made.count_time == 1
    assert node not in builder.get_nodes_not_ready()
    assert builder.__info__().splitlines() == [
        "diodes: SamplingCounterAcquisitionSlave (a, b)",
        "cam: not yet made (no counters)",
        "  roi_counters: not yet made (sum)",
    ]
