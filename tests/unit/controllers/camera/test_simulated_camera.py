"""The simulated camera gives what its formula says, with the noise that it should have."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from bliss_like.controllers.simulated.beam_image import BeamImage, Spot
from bliss_like.controllers.simulated.camera import SimulatedCamera
from bliss_like.controllers.simulated.shutter import SimulatedShutter
from bliss_like.errors import DeviceError
from tests.unit.devices.making import make, make_axis


def camera(**keys: Any) -> SimulatedCamera:
    return make(SimulatedCamera, "cam", **{"seed": 1, "width": 120, "height": 80, **keys})


def shots(device: SimulatedCamera, number: int, expo_time: float) -> np.ndarray:
    """Images of one long exposure each, without waiting for it."""
    return np.stack([device._model.image(device.spot(), expo_time) for _ in range(number)])


@pytest.mark.parametrize(("dark", "peak"), [(0, 3000), (2, 40), (0.5, 8), (40, 0)])
def test_mean_and_variance_are_those_of_counting(dark: float, peak: float) -> None:
    model, spot = BeamImage(60, 40, dark, 0, 0, seed=1), Spot(3, -2, 9, 9, peak)
    images = np.stack([model.image(spot, 1.0) for _ in range(600)]).astype(float)
    mean = model.mean(spot, 1.0)
    assert images.min() >= 0 and (images == np.rint(images)).all()
    error = np.sqrt((mean + 1e-3) / 600)
    assert np.abs(images.mean(axis=0) - mean).max() < 6 * error.max()
    assert ((images.mean(axis=0) - mean) / error).std() < 1.3
    lit = mean > 0.5
    assert (images.var(axis=0)[lit] / mean[lit]).mean() == pytest.approx(1.0, abs=0.02)


def test_noise_of_reading_and_offset() -> None:
    images = shots(camera(intensity=0, dark=0, read_noise=4, offset=100), 20, 1.0)
    assert images.mean() == pytest.approx(100, abs=0.1)
    assert images.std() == pytest.approx(4, abs=0.1)


def test_counts_grow_with_exposure_and_flux() -> None:
    device = camera(flux=1e5, dark=0, sigma=8)
    assert shots(device, 20, 1.0).sum(axis=(1, 2)).mean() == pytest.approx(1e5, rel=0.01)
    assert shots(device, 20, 0.1).sum(axis=(1, 2)).mean() == pytest.approx(1e4, rel=0.02)


def test_the_spot_follows_its_axes() -> None:
    x, y = make_axis("x"), make_axis("y")
    device = camera(axis_x=x, axis_y=y, dark=0, sigma=6, intensity=1e4)

    def centre() -> tuple[float, float]:
        image = device.take_image(0.02)
        assert image.shape == device.image.shape == (80, 120)
        assert image.dtype == device.image.dtype
        rows, columns = np.indices(image.shape)
        return float((columns * image).sum() / image.sum()), float((rows * image).sum() / image.sum())

    assert centre() == pytest.approx((59.5, 39.5), abs=0.3)
    x.move(3)
    y.move(-2)
    assert centre() == pytest.approx((89.5, 19.5), abs=0.3)


def test_out_of_focus_it_is_wider_and_not_brighter() -> None:
    focus = make_axis("focus")
    device = camera(axis_focus=focus, blur=3, sigma=4, dark=0, intensity=1e4)
    total = shots(device, 5, 1.0).sum()
    focus.move(2)
    spot = device.spot()
    assert spot.sigma_x == spot.sigma_y == pytest.approx(math.hypot(4, 6))
    assert shots(device, 5, 1.0).sum() == pytest.approx(total, rel=0.01)


def test_slits_cut_and_shutters_close() -> None:
    gap, offset = make_axis("gap", initial_position=1.0), make_axis("offset")
    shutter = make(SimulatedShutter, "shutter")
    device = camera(gap_x=gap, offset_x=offset, through=[shutter], dark=0, sigma=15, intensity=1e4)
    shutter.open()
    image = shots(device, 1, 1.0)[0]
    assert image[:, :54].sum() == 0 and image[:, 66:].sum() == 0 and image[40, 55:65].min() > 5000
    offset.move(1)
    assert shots(device, 1, 1.0)[0][40, 65:75].min() > 5000
    shutter.close()
    assert shots(device, 1, 1.0).sum() == 0


@pytest.mark.parametrize(("bits", "top", "dtype"), [(8, 255, "u1"), (12, 4095, "u2"), (16, 65535, "u2")])
def test_saturation(bits: int, top: int, dtype: str) -> None:
    image = camera(bits=bits, intensity=1e8, dead_pixels=[[60, 40]], hot_pixels=[[0, 0]]).take_image(0.01)
    assert image.dtype == dtype and image.max() == top
    assert image[40, 60] == 0 and image[0, 0] == top and image[40, 61] == top


def test_bits_that_no_camera_has() -> None:
    with pytest.raises(DeviceError, match="camera cam: bits: expected one of 8, 12, 14, 16, 32, got 10"):
        camera(bits=10)


def test_the_same_seed_gives_the_same_noise() -> None:
    first, again, other = (camera(seed=seed).take_image(0.001) for seed in (7, 7, 8))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


@pytest.mark.parametrize("keys", [{"hot_pixels": [[120, 0]]}, {"dead_pixels": [[0, -1]]}])
def test_pixels_that_are_not_there(keys: dict[str, Any]) -> None:
    with pytest.raises(
        DeviceError, match=r"camera cam: dead_pixels, hot_pixels: expected \[x, y\] inside 120 x 80 pixels"
    ):
        camera(**keys)
