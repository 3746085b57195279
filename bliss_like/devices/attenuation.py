"""How much of an X-ray beam a filter lets through: transmission = exp(-mu(energy) * density * thickness).

The tables are total attenuation (absorption and scattering) from 2 to 100 keV, thinned out so that straight lines between
their points, in logarithmic scales, are within 1 % of them.

Source: W. T. Elam, B. D. Ravel, J. R. Sieber, Radiation Physics and Chemistry 63 (2002) 121, as in the package xraydb.
"""

from __future__ import annotations

import itertools
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bliss_like.errors import DeviceError

_TABLES = """
Be 1.85 2:74.7 5.364:3.532 7.147:1.528 8.853:0.8655 10.627:0.565 12.559:0.4063 14.803:0.3127 17.585:0.2535
   21.332:0.2143 27.121:0.1868 38.575:0.1655 100:0.1328
C 2.267 2:302.6 3.901:40.78 8.692:3.573 11.583:1.57 14.384:0.8934 17.267:0.5886 20.459:0.4246 24.178:0.3279
   28.874:0.2659 35.3:0.2245 45.588:0.1945 69.033:0.1679 100:0.1514
Al 2.7 2:2263 2.523:1256 4.515:257.6 8.017:50.02 21.276:2.884 28.574:1.281 35.67:0.7359 43.156:0.4851 51.537:0.3497
   61.544:0.2685 74.655:0.2153 93.684:0.1781 100:0.1704
Si 2.329 2:2777 2.232:2196 2.603:1462 3.397:698.5 4.807:273.5 8.424:55.73 23.25:2.9 31.307:1.284 39.082:0.7397
   47.284:0.489 56.613:0.3517 67.783:0.2698 82.438:0.2162 100:0.1835
Ti 4.506 2:986 4.142:137.9 4.966:83.82 4.966:687.7 5.222:641.4 5.567:545.2 6.444:351.6 8.985:148.7 17.718:22.39
   39.797:2.244 53.637:1.012 67.126:0.5888 81.849:0.3875 98.608:0.2782 100:0.2721
Fe 7.86 2:1627 3.716:313.1 7.112:53.21 7.112:407.6 9.12:218 16.206:46.14 49.568:2.004 66.308:0.9336 83.098:0.5464
   100:0.3717
Ni 8.908 2:2048 3.554:450.3 8.333:44.29 8.333:329.3 11.362:149.9 22.272:23.89 52.562:2.158 70.485:0.9963
   89.044:0.5702 100:0.4439
Cu 8.96 2:2154 3.558:474.8 7.772:56.87 8.979:38.3 8.979:278.3 11.139:164.9 19.15:38.07 56.236:1.895 75.232:0.8873
   94.528:0.518 100:0.4585
Zr 6.52 2:811.8 2.223:626 2.223:2391 2.307:2121 2.307:2952 2.532:2359 2.532:2690 3.619:1098 6.132:276.9 17.998:15.02
   17.998:94.68 27.516:31.34 82.799:1.572 100:0.9656
Mo 10.28 2:959.6 2.52:541.7 2.52:1978 2.625:1751 2.625:2432 2.866:1962 2.866:2242 4.678:647.3 8.703:124.7 20:13.08
   20:79.53 31.398:24.9 86.137:1.613 100:1.096
Ag 10.49 2:1401 3.351:388.8 3.351:1274 3.524:1126 3.524:1546 3.806:1282 3.806:1467 5.168:678.1 9.836:124.6
   25.514:9.529 25.514:55.38 37.755:20.06 98.643:1.523 100:1.469
"""
"""Material, density in g/cm³, then keV:cm²/g, with two points at an edge."""

MATERIALS = tuple(word for word in _TABLES.split() if word.isalpha())


def mass_attenuation(material: str, energy: float) -> float:
    """Return the attenuation in cm²/g at an energy in keV.

    :raises DeviceError: no table of that material, or not of that energy.
    """
    _, energies, values = _table(material)
    if not 2.0 <= energy <= 100.0:  # also refuses NaN
        raise DeviceError(f"attenuation of {material} is tabulated from 2 to 100 keV, asked for at {energy:g} keV")
    return float(np.exp(np.interp(np.log(energy), energies, values)))


def transmission(material: str, thickness: float, energy: float, density: float | None = None) -> float:
    """Return what part of the beam passes `thickness` mm of a material, from 0 to 1.

    :param energy: keV.
    :param density: g/cm³, where it is not the usual one (diamond: 3.51).
    """
    per_cm = mass_attenuation(material, energy) * (density or _table(material)[0])
    return float(np.exp(-per_cm * thickness / 10.0))


@cache
def _table(material: str) -> tuple[float, NDArray[Any], NDArray[Any]]:
    """Return the density, and the logarithms of energies and attenuations."""
    if material not in MATERIALS:
        raise DeviceError(f"no attenuation is tabulated for {material!r}; there are: {', '.join(MATERIALS)}")
    words = _TABLES.split()
    first = words.index(material)
    pairs = [word.split(":") for word in itertools.takewhile(lambda word: ":" in word, words[first + 2 :])]
    energies, values = np.log(np.array(pairs, float)).T
    return float(words[first + 1]), energies, values
