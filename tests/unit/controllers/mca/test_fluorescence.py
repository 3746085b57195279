"""The simulated detector against the formulas that it claims to follow; four standard deviations are allowed everywhere."""

from __future__ import annotations

import math

import numpy as np
import pytest

from bliss_like.controllers.simulated.fluorescence import BETA, Response, SimulatedElement
from bliss_like.devices.mca import PresetMode

RESPONSE = Response(size=2048, offset=0.0, gain=0.01)
IRON, COPPER = 0, 1


def element(seed: int = 1, **keys: float) -> SimulatedElement:
    shapes = np.array([RESPONSE.emission("Fe"), RESPONSE.emission("Cu")])
    return SimulatedElement(shapes, np.random.default_rng(seed), **keys)


def counted(rates: tuple[float, float], seconds: float, slices: int = 1, **keys: float) -> SimulatedElement:
    found = element(**keys)
    found.start()
    for _ in range(slices):
        found.advance(seconds / slices, np.array(rates))
    return found


def of_mean(mean: float) -> object:
    """What follows a Poisson distribution of that mean."""
    return pytest.approx(mean, abs=4 * math.sqrt(mean))


def near(spectrum: np.ndarray, energy: float, width: float = 5.0) -> int:
    """Counts of a line, up to some standard deviations from its centre."""
    half = width * RESPONSE.sigma(energy) / RESPONSE.gain
    middle = energy / RESPONSE.gain
    return int(spectrum[math.ceil(middle - half) : math.floor(middle + half) + 1].sum())


def test_lines_have_the_area_and_the_ratio_that_were_told() -> None:
    found = counted((3e5, 1e5), 2.0)
    spectrum = found.spectrum()
    assert found.events == of_mean(8e5)
    assert spectrum.sum() == found.events
    for (alpha, beta), total in (((6.404, 7.058), 6e5), ((8.048, 8.905), 2e5)):
        middle = round((alpha + beta) / 2 / RESPONSE.gain)
        around = slice(middle - 70, middle + 70)
        assert spectrum[around].sum() == of_mean(total)
        assert near(spectrum, alpha, 3) == of_mean(total * 0.9973 / (1 + BETA))


@pytest.mark.parametrize("energy", [2.0, 5.9, 17.0])
def test_the_resolution_is_that_of_silicon_and_its_electronics(energy: float) -> None:
    line = RESPONSE.line(energy)
    assert line.sum() == pytest.approx(1, abs=1e-6)
    mean = (line * RESPONSE.energies).sum()
    sigma = math.sqrt((line * (RESPONSE.energies - mean) ** 2).sum())
    assert mean == pytest.approx(energy, abs=1e-6)
    assert (2.3548 * sigma) ** 2 == pytest.approx(0.1**2 + 2.3548**2 * 0.115 * 0.00365 * energy, rel=1e-3)


def test_a_line_outside_the_spectrum_is_counted_but_not_seen() -> None:
    short = Response(size=512, offset=0.0, gain=0.01)  # up to 5.12 keV
    found = SimulatedElement(np.array([short.emission("Fe")]), np.random.default_rng(1))
    found.start()
    found.advance(1.0, np.array([1e4]))
    assert found.events == of_mean(1e4)
    assert found.spectrum().sum() == 0


@pytest.mark.parametrize("icr", [1e3, 1e5, 5e5, 2e6])
def test_the_dead_time_is_paralysable(icr: float) -> None:
    tau, seconds = 2e-6, 2.0
    found = counted((icr, 0.0), seconds, dead_time=tau)
    alive = math.exp(-icr * tau)
    assert found.triggers == of_mean(icr * seconds)
    assert found.events == of_mean(icr * alive * seconds)
    stats = found.stats
    assert stats.realtime == seconds
    assert stats.energy_livetime == pytest.approx(seconds * alive)
    assert stats.deadtime == pytest.approx(1 - alive)
    assert (stats.icr, stats.ocr) == (found.triggers / seconds, found.events / seconds)
    assert stats.ocr <= 1 / (math.e * tau) * 1.01  # never more, however bright


def test_of_two_rates_the_higher_may_give_less() -> None:
    brighter, less = (counted((rate, 0.0), 1.0, dead_time=2e-6).events for rate in (2e6, 5e5))
    assert brighter < less


def test_photons_that_come_together_are_taken_for_one_of_their_energy() -> None:
    icr, pileup = 2e5, 5e-7
    found = counted((icr, 0.0), 10.0, dead_time=1e-6, pileup_time=pileup)
    seen = math.exp(-icr * pileup)
    assert found.triggers == of_mean(icr * seen * 10)
    spectrum = found.spectrum()
    double = spectrum[1150:].sum()  # 2 x 6.4 keV and above; single photons end at 7.1 keV
    assert double == of_mean(found.events * (1 - seen))
    assert 1150 + int(spectrum[1150:].argmax()) == pytest.approx(1281, abs=6)
    assert found.stats.icr == pytest.approx(icr, rel=0.01)


def test_the_channel_of_no_energy_is_taken_out_of_a_sum() -> None:
    shifted = Response(size=2048, offset=-0.5, gain=0.01)
    found = SimulatedElement(
        np.array([shifted.line(6.0)]), np.random.default_rng(1), dead_time=1e-6, pileup_time=1e-6, zero=50
    )
    found.start()
    found.advance(1.0, np.array([3e5]))
    assert 1000 + int(found.spectrum()[1000:].argmax()) == pytest.approx((12.0 + 0.5) / 0.01, abs=8)


@pytest.mark.parametrize("slices", [1, 7, 500])
def test_what_is_counted_does_not_depend_on_how_often_one_looks(slices: int) -> None:
    found = counted((1e5, 3e4), 1.0, slices, dead_time=1e-6)
    assert found.events == of_mean(1.3e5 * math.exp(-0.13))
    assert found.stats.realtime == pytest.approx(1.0)
    assert near(found.spectrum(), 6.404, 3) == of_mean(found.events * 10 / 13 * 0.9973 / (1 + BETA))


def test_what_moves_in_the_middle_is_seen_as_long_as_it_was_there() -> None:
    found = element()
    found.start()
    for rates in ((1e5, 0.0), (0.0, 2e5)):
        found.advance(0.5, np.array(rates))
    spectrum = found.spectrum()
    assert spectrum[:750].sum() == of_mean(5e4)
    assert spectrum[750:].sum() == of_mean(1e5)


def test_a_real_time_ends_by_itself() -> None:
    found = element()
    found.start(PresetMode.REALTIME, 0.25)
    found.advance(0.2, np.array([1e5, 0]))
    assert found.is_counting
    found.advance(5.0, np.array([1e5, 0]))
    assert not found.is_counting
    assert found.realtime == pytest.approx(0.25)
    assert found.events == of_mean(2.5e4)
    found.advance(5.0, np.array([1e5, 0]))
    assert found.realtime == pytest.approx(0.25)


def test_a_live_time_takes_longer() -> None:
    found = element(dead_time=2e-6)
    found.start(PresetMode.LIVETIME, 0.25)
    found.advance(5.0, np.array([2e5, 0]))
    alive = math.exp(-0.4)
    assert found.energy_livetime == pytest.approx(0.25)
    assert found.realtime == pytest.approx(0.25 / alive)
    assert found.events == of_mean(2e5 * alive * 0.25 / alive)


@pytest.mark.parametrize("mode", [PresetMode.EVENTS, PresetMode.TRIGGERS])
@pytest.mark.parametrize("slices", [1, 10])
def test_a_number_of_counts_is_met_exactly_after_a_time_that_varies(mode: PresetMode, slices: int) -> None:
    wanted, rate, tau = 400, 1e5, 2e-6
    found, times, events = element(dead_time=tau), [], []
    for _ in range(400):
        found.start(mode, wanted)
        for _ in range(slices):
            found.advance(0.02 / slices, np.array([rate, 0]))
        assert (found.events if mode is PresetMode.EVENTS else found.triggers) == wanted
        assert not found.is_counting
        assert found.events <= found.triggers
        times.append(found.realtime)
        events.append(found.events)
    alive = math.exp(-rate * tau)
    counted_rate = rate * alive if mode is PresetMode.EVENTS else rate
    mean, sigma = wanted / counted_rate, math.sqrt(wanted) / counted_rate  # Erlang's distribution
    assert np.mean(times) == pytest.approx(mean, abs=4 * sigma / 20)
    assert np.std(times) == pytest.approx(sigma, rel=4 / math.sqrt(2 * 400))
    assert np.mean(events) == pytest.approx(wanted * (1 if mode is PresetMode.EVENTS else alive), rel=0.02)


def test_counts_that_never_come_are_waited_for() -> None:
    found = element()
    found.start(PresetMode.EVENTS, 10)
    found.advance(1000.0, np.array([0.0, 0.0]))
    assert found.is_counting
    assert found.stats == (1000.0, 1000.0, 1000.0, 0, 0, 0.0, 0.0, 0.0)
    assert not found.spectrum().any()


def test_the_same_seed_gives_the_same_noise() -> None:
    same, again, other = (counted((1e4, 1e3), 1.0, seed=seed).spectrum() for seed in (7, 7, 8))
    assert np.array_equal(same, again)
    assert not np.array_equal(same, other)
