"""Runs when `optics` is set up, and in the sessions that include it before their own setup files."""

import math

from bliss_like.devices.soft_axis import SoftAxis

KEV_ANGSTROM = 12.39842  # the energy of a photon times its wavelength


class PhotonEnergy:
    """What the monochromator lets through, in keV, from the angle of its first crystal."""

    def __init__(self, angle, d_spacing):
        self._angle = angle
        self._longest = 2 * d_spacing

    @property
    def position(self):
        return KEV_ANGSTROM / (self._longest * math.sin(math.radians(self._angle.position)))

    def move(self, kev):
        self._angle.move(math.degrees(math.asin(KEV_ANGSTROM / (self._longest * kev))))

    def stop(self):
        self._angle.stop()


energy = SoftAxis(
    "energy",
    PhotonEnergy(config.get("mono_bragg"), config.get("crystals")["si111"]["d_spacing"]),
    stop="stop",
    unit="keV",
    low_limit=4,
    high_limit=28,
)


def rocking_curve(width=120, intervals=60, count_time=0.02):
    """Scan the second crystal, in urad, leave it where the diode behind it was brightest and return that position."""
    scan = dscan(mono_pitch, -width / 2, width / 2, intervals, count_time, pd1)
    data = scan.get_data()
    best = data[mono_pitch][data[pd1].argmax()]
    mono_pitch.move(best)
    return best
