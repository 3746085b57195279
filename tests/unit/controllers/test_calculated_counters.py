"""Counters that YAML has calculated: formulas, background, beam monitors; and what is wrong in it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bliss_like.config import Config
from bliss_like.config.settings import use_store
from bliss_like.controllers.calccnt_background import BackgroundCalcCounterController
from bliss_like.controllers.camera_bpm import CameraBpm, spot
from bliss_like.controllers.expression_based_calc import ExpressionCalcCounter, ExpressionCalcCounterController
from bliss_like.controllers.simulated.camera import SimulatedCamera
from bliss_like.controllers.simulation_calc_counter import MeanCalcCounterController, Times2CalcCounterController
from bliss_like.data.memory_keys import MemoryKeys
from bliss_like.devices.counter import (
    Counter,
    IntegratingCounter,
    IntegratingCounterController,
    SamplingCounter,
    SamplingCounterController,
    SamplingMode,
)
from bliss_like.devices.soft_counter import SoftCounter
from bliss_like.errors import CalculationError, ConfigError, DeviceError
from bliss_like.scanning.default_chain import DefaultAcquisitionChain, default_chain
from bliss_like.scanning.scan import Scan
from bliss_like.scanning.shutter_preset import ShutterPreset
from bliss_like.scans import ct, loopscan
from tests.unit.devices.making import make, make_axis
from tests.unit.scanning.making import memory_environment

DIODES = """
- name: box
  class: SimulatedDiodes
  counters: [{name: i0, value: 100}, {name: i1, value: 25}]
- {name: motors, class: SimulatedMotors, axes: [{name: x}]}
"""
ABSORPTION = """
- name: absorption
  class: ExpressionCalcCounter
  unit: OD
  inputs: [{counter: $i0, tags: a}, {counter: $i1}]
  constants: {dark: 1, x0: $x.position}
  expression: log10((a - dark) / (i1 - dark)) + x0
"""


@pytest.fixture(autouse=True)
def memory() -> Iterator[None]:
    before = use_store(MemoryKeys())
    with memory_environment():
        yield
    use_store(before)


@pytest.fixture
def config_of(tmp_path: Path) -> Iterator[Callable[[str], Config]]:
    """A function that makes a configuration of one file, a.yml."""
    made: list[Config] = []

    def config_of(text: str) -> Config:
        (tmp_path / "__init__.yml").touch()
        (tmp_path / "a.yml").write_text(DIODES + text)
        made.append(Config(tmp_path))
        return made[-1]

    yield config_of
    for config in made:
        config.close()


def last(scan: Any, name: str) -> Any:
    return scan.get_data(name)[-1]


# -- formulas --------------------------------------------------------------------------------------------------------------


def test_a_formula(config_of: Any) -> None:
    config = config_of(ABSORPTION)
    config.get("x").move(0)
    counter = config.get("absorption")
    scan = ct(0.0, counter)
    assert last(scan, "absorption") == pytest.approx(np.log10(99 / 24))
    assert set(scan.get_data()) >= {"box:i0", "box:i1", "absorption_ctrl:absorption"}
    assert counter.raw_read == pytest.approx(np.log10(99 / 24))
    assert (counter.unit, counter.fullname) == ("OD", "absorption_ctrl:absorption")


def test_constants_are_set_and_kept(config_of: Any) -> None:
    config = config_of(ABSORPTION)
    config.get("x").move(0)
    counter = config.get("absorption")
    counter.constants.dark = 5
    assert last(ct(0.0, counter), "absorption") == pytest.approx(np.log10(95 / 20))
    config.get("x").move(3)
    assert last(ct(0.0, counter), "absorption") == pytest.approx(np.log10(95 / 20) + 3)
    again = config_of(ABSORPTION).get("absorption")
    assert again.constants.dark == 5
    info = again.__info__()
    assert "log10((a - dark) / (i1 - dark)) + x0" in info and "a: box:i0" in info
    assert "set at the prompt, 1 in YAML" in info and "$x.position" in info
    again.apply_config()
    assert again.constants.dark == 1 and list(again.constants.to_dict()) == ["dark", "x0"]


def test_constants_that_cannot_be_set(config_of: Any) -> None:
    constants = config_of(ABSORPTION).get("absorption").constants
    with pytest.raises(AttributeError, match="absorption has no constant 'drak'; there are: dark, x0"):
        constants.drak = 3
    with pytest.raises(AttributeError, match="no constant 'light'"):
        _ = constants.light
    with pytest.raises(DeviceError, match="constant dark: expected a number, got 'a'"):
        constants.dark = "a"
    with pytest.raises(DeviceError, match="constant x0 is that of .x.position; change it there"):
        constants.x0 = 3
    assert {"dark", "x0", "to_dict"} <= set(dir(constants))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("(i1 - dark)", "(i2 - dark)", r"a.yml:12:3: .*absorption.*: expression: unknown name 'i2'; there are a, i1, dark, x0, pi"),
        ("log10(", "lg(", "a.yml:12:3: .*unknown function 'lg'"),
        ("+ x0", "+", "a.yml:12:3: .*is no formula: invalid syntax"),
        ("log10((a", "open((a", "a.yml:12:3: .*unknown function 'open'"),
        ("dark: 1", "dark: one", "a.yml:11:15: .*constants.dark: expected a number, came 'one'"),
        ("dark: 1", "a: 1", "a.yml:11:.*constants: 'a' is the tag of an input too"),
        ("dark: 1", "2d: 1", "expected names such as dark_level, came '2d'"),
        ("dark: 1", "reset: 1", "'reset' is a method of constants too"),
        ("tags: a", "tags: i1", "a.yml:10:.*inputs: tags 'i1' is there twice"),
        ("$i0", "$x", "a.yml:10:.*inputs.0.counter: expected a reference to a counter"),
        ("$i0", "i0", r"expected a reference to an object, such as \$robx, came 'i0'; write '\$i0'"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_formula(config_of: Any, old: str, new: str, message: str) -> None:
    assert old in ABSORPTION
    config = config_of(ABSORPTION.replace(old, new, 1))
    with pytest.raises(ConfigError, match=message):
        config.get("absorption")


def test_a_formula_is_checked_without_making_anything(config_of: Any) -> None:
    assert config_of(ABSORPTION).check() == []
    with_tags = ABSORPTION.replace("$i1}", "$i1, tags: i1}").replace("i1 - dark", "i1 - drak")
    (error,) = config_of(with_tags).check()
    assert "a.yml:12:3" in str(error) and "unknown name 'drak', did you mean 'dark'?" in str(error)


SEVERAL = """
- name: ratios
  class: ExpressionCalcCounterController
  inputs: [{counter: $i0, tags: a}, {counter: $i1, tags: b}]
  constants: {limit: 50}
  outputs:
    - {name: normalised, expression: "where(a > limit, b / a, nan)"}
    - {name: both, expression: a + b, unit: uA}
"""


def test_several_formulas(config_of: Any) -> None:
    config = config_of(SEVERAL)
    ratios = config.get("ratios")
    assert config.get("both") is ratios.counters["both"]
    scan = ct(0.0, ratios)
    assert (last(scan, "normalised"), last(scan, "both")) == (0.25, 125)
    ratios.constants.limit = 200
    scan = loopscan(2, 0.0, ratios.counters["normalised"], save=False)
    assert np.isnan(scan.get_data("normalised")).all() and "ratios:both" not in scan.get_data()
    assert scan.scan_info["instrument"]["ratios"]["constants"] == {"limit": 200}
    assert "normalised = where(a > limit, b / a, nan)" in ratios.__info__() and "200" in ratios.__info__()
    ratios.apply_config()
    assert last(ct(0.0, ratios), "normalised") == 0.25


def test_the_line_of_a_wrong_formula_among_several(config_of: Any) -> None:
    config = config_of(SEVERAL.replace("a + b", "a + c"))
    with pytest.raises(
        ConfigError,
        match=r"a.yml:13:20: output 'both': expression: unknown name 'c'; there are a, b, limit",
    ):
        config.get("both")
    assert last(ct(0.0, config.get("ratios")), "normalised") == 0.25  # the others work


def test_formulas_of_images_and_spectra() -> None:
    image = SoftCounter(
        value=lambda: np.arange(6).reshape(2, 3), name="image", mode="SINGLE", dtype=np.uint16, shape=(2, 3)
    )
    inputs = [{"counter": image, "tags": "image"}]
    total = ExpressionCalcCounter("total", {"inputs": inputs, "expression": "sum(image)"})
    rows = ExpressionCalcCounter("rows", {"inputs": inputs, "expression": "image[0] - image[1]", "shape": [3]})
    scan = ct(0.0, total, rows)
    assert last(scan, "total") == 15 and last(scan, "rows").tolist() == [-3, -3, -3]
    wrong = ExpressionCalcCounter("wrong", {"inputs": inputs, "expression": "mean(image, axis=0)"})
    with pytest.raises(CalculationError, match="expected 1 point of 'wrong'.* it returned shape \\(1, 3\\)"):
        ct(0.0, wrong)


def test_made_in_python(config_of: Any) -> None:
    with pytest.raises(ConfigError, match="wrong: expression: unknown name 'b'"):
        ExpressionCalcCounter(
            "wrong", {"inputs": [{"counter": SoftCounter(value=lambda: 1, name="a")}], "expression": "b"}
        )
    a = SoftCounter(value=lambda: 1.0, name="a")
    both = ExpressionCalcCounterController(
        "c", {"inputs": [{"counter": a}], "outputs": [{"name": "b", "expression": "a"}]}
    )
    assert both.read_all(*both.counters) == [1]


def test_mean_and_twice() -> None:
    a, b = SoftCounter(value=lambda: 1.0, name="a"), SoftCounter(value=lambda: 4.0, name="b")
    keys = {"inputs": [{"counter": a, "tags": "x"}, {"counter": b, "tags": "y"}], "outputs": [{"name": "out1"}]}
    assert last(ct(0.0, MeanCalcCounterController("mean", keys)), "out1") == 2.5
    assert last(ct(0.0, Times2CalcCounterController("twice", keys)), "out1") == 2


# -- background ------------------------------------------------------------------------------------------------------------


class Rates(IntegratingCounterController):
    """Gives the counts of the time that its acquisition is told."""

    def __init__(self, *rates: float) -> None:
        super().__init__("ct2")
        self.rates, self.count_time = list(rates), 1.0
        for n, _ in enumerate(rates):
            IntegratingCounter(f"c{n}", self)

    def get_default_chain_parameters(self, scan_params: Any, acq_params: Any) -> dict[str, Any]:
        self.count_time = scan_params["count_time"]
        return super().get_default_chain_parameters(scan_params, acq_params)

    def get_values(self, from_index: int, *counters: Counter) -> Sequence[Sequence[float]]:
        return [[self.rates[int(counter.name[1:])] * self.count_time] for counter in counters]


def background_of(*counters: Counter, **keys: Any) -> BackgroundCalcCounterController:
    inputs = [{"counter": counter, "tags": counter.name} for counter in counters]
    outputs = [{"name": f"{counter.name}_net", "tags": counter.name} for counter in counters]
    return make(BackgroundCalcCounterController, "net", inputs=inputs, outputs=outputs, **keys)


def test_background_scales_with_the_count_time() -> None:
    device = Rates(50.0, 10.0)
    net = background_of(*device.counters)
    assert last(ct(0.01, net), "c0_net") == 0.5
    assert net.take_background(0.02) == {"c0": 1.0, "c1": pytest.approx(0.2)}
    assert net.background_time == 0.02
    device.rates = [150.0, 10.0]
    scan = loopscan(1, 0.01, net, save=False)
    assert (last(scan, "c0_net"), last(scan, "c1_net")) == (pytest.approx(1.0), pytest.approx(0))
    assert scan.scan_info["instrument"]["net"]["background_time"] == 0.02
    assert "counted for 0.02 s" in net.__info__()
    net.clear_background()
    assert last(ct(0.01, net), "c0_net") == 1.5 and "none yet: net.take_background()" in net.__info__()


def test_background_of_points_that_are_counted_for_different_times() -> None:
    device = Rates(50.0)
    device.get_values = lambda first, *_: [[[0.5, 1.5, 2.5][first]]]  # type: ignore[method-assign]
    net = background_of(*device.counters)
    net.take_background(1.0, set_value=50.0)
    params = {"count_time": 0.01, "npoints": 3}
    chain = DefaultAcquisitionChain().get(params, [net], settings=[
        {"device": one, "acquisition_settings": {"count_time": [0.01, 0.02, 0.03]}} for one in (net, device)
    ])  # fmt: skip
    scan = Scan(chain, "pointscan", save=False)
    scan.run()
    np.testing.assert_allclose(scan.get_data("c0_net"), [0, 0.5, 1.0])


def test_background_of_a_mean_does_not() -> None:
    values = [4.0]
    net = background_of(SoftCounter(value=lambda: values[0], name="i0"))
    net.take_background(0.01)
    values[0] = 10.0
    assert last(ct(0.0, net), "i0_net") == 6.0
    assert net.read_all(*net.counters) == [6.0]


def test_background_that_is_given() -> None:
    net = background_of(SoftCounter(value=lambda: 3.0, name="i0"))
    assert net.take_background(2, set_value=1) == {"i0": 1}
    assert last(ct(0.0, net), "i0_net") == 2
    with pytest.raises(DeviceError, match="expected seconds > 0 as time, got -1"):
        net.take_background(-1)
    with pytest.raises(DeviceError, match="expected a number as the background of i0, got nan"):
        net.take_background(1, set_value=float("nan"))
    assert net.background == {"i0": 1}


def test_background_without_a_count_time() -> None:
    counter = SoftCounter(value=lambda: 3.0, name="i0", mode=SamplingMode.INTEGRATE)
    net = background_of(counter)
    net.take_background(1, set_value=1)
    with pytest.raises(CalculationError, match="net: i0 grows with the count time, which only a scan has"):
        net.read_all(*net.counters)


def test_background_is_taken_behind_a_closed_shutter() -> None:
    from bliss_like.controllers.simulated.shutter import SimulatedShutter

    shutter = make(SimulatedShutter, "fs")
    shutter.open()
    net = background_of(SoftCounter(value=lambda: 9.0 if shutter.is_open else 1.0, name="i0"), open_close=shutter)
    assert net.take_background(0.01) == {"i0": 1.0}
    assert shutter.is_open and last(ct(0.0, net), "i0_net") == 8.0


def test_no_preset_opens_the_shutter_while_a_background_is_taken() -> None:
    from bliss_like.controllers.simulated.shutter import SimulatedShutter

    shutter = make(SimulatedShutter, "fs")
    net = background_of(SoftCounter(value=lambda: 9.0 if shutter.is_open else 1.0, name="i0"), open_close=shutter)
    default_chain().add_preset(ShutterPreset(shutter))
    assert last(ct(0.0, net), "i0_net") == 9.0
    assert net.take_background(0.01) == {"i0": 1.0}
    assert last(ct(0.0, net), "i0_net") == 8.0


def test_a_counter_that_measures_the_time() -> None:
    device = Rates(50.0)
    clock = SoftCounter(value=lambda: 4.0, name="clock")
    inputs = [{"counter": device.counters[0], "tags": "c"}, {"counter": clock, "tags": "count_time"}]
    net = make(BackgroundCalcCounterController, "net", inputs=inputs, outputs=[{"name": "c_net", "tags": "c"}])
    net.take_background(2.0, set_value=1.0)
    assert last(ct(0.01, net), "c_net") == pytest.approx(0.5 - 2.0)


def test_wrong_backgrounds() -> None:
    counter = SoftCounter(value=lambda: 3.0, name="i0")
    with pytest.raises(ValueError, match="i0_net has the tag 'i1', expected that of an input: i0"):
        make(
            BackgroundCalcCounterController,
            "net",
            inputs=[{"counter": counter}],
            outputs=[{"name": "i0_net", "tags": "i1"}],
        )
    with pytest.raises(DeviceError, match="expected inputs that are single numbers, not image"):
        background_of(SoftCounter(value=lambda: np.ones((2, 2)), name="image", shape=(2, 2)))


# -- beam monitors ---------------------------------------------------------------------------------------------------------


class Camera(SamplingCounterController):
    """A spot where an axis is."""

    def __init__(self, axis: Any) -> None:
        super().__init__("cam")
        self.axis, self.nimages = axis, 0
        SamplingCounter("image", self, mode=SamplingMode.SINGLE, dtype=np.uint32, shape=(16, 32), unit="counts")

    def read(self, counter: SamplingCounter) -> Any:
        self.nimages += 1
        image = np.zeros((16, 32), np.uint32)
        image[6:9, int(self.axis.position) : int(self.axis.position) + 3] = 100
        return image


def test_one_scan_reads_the_image_once() -> None:
    camera = Camera(make_axis("x"))
    bpm = make(CameraBpm, "bpm", image=camera.counters["image"])
    camera.axis.move(9)
    scan = loopscan(3, 0.0, camera, bpm, save=False)
    assert camera.nimages == 3
    assert scan.get_data("bpm_x").tolist() == [10] * 3 and scan.get_data("bpm_y").tolist() == [7] * 3
    assert scan.get_data("image").shape == (3, 16, 32)
    scan = loopscan(2, 0.0, bpm.counters["bpm_fwhm_x"], save=False)
    assert camera.nimages == 5 and "bpm:bpm_x" not in scan.get_data()


def test_a_camera_a_formula_and_a_monitor_see_the_same_images() -> None:
    camera = make(SimulatedCamera, "cam", width=64, height=48, intensity=2000, seed=1)
    image = camera.counters["image"]
    bpm = make(CameraBpm, "bpm", image=image)
    total = ExpressionCalcCounter(
        "total", {"inputs": [{"counter": image, "tags": "image"}], "expression": "sum(image)"}
    )
    scan = loopscan(3, 0.01, image, bpm, total, save=False)
    images = scan.get_data("image")
    assert images.shape == (3, 48, 64)
    assert scan.get_data("total").tolist() == [float(each.sum()) for each in images]
    assert scan.get_data("bpm_x").tolist() == [spot(each)[0] for each in images]
