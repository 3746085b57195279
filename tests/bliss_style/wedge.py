"""A calc controller as people write them for BLISS: floats only, keys that are looked up, a param, an attribute of its own."""

import math

from bliss_like.controllers.motor import CalcController


class Wedge(CalcController):
    """The thickness of a wedge that a motor pushes into the beam, and what passes through it."""

    def __init__(self, *args, **kwargs):
        CalcController.__init__(self, *args, **kwargs)
        self.no_offset = self.config.get("no_offset", bool, True)
        self.__slope = math.tan(math.radians(self.config.get("angle", float)))
        self.__length = None

    def initialize(self):
        CalcController.initialize(self)
        self.__length = self.config.get("length", float, 2.0)

    def initialize_axis(self, axis):
        CalcController.initialize_axis(self, axis)
        axis.no_offset = self.no_offset

    def close(self):
        self.__length = None

    @property
    def length(self):
        return self.__length

    @length.setter
    def length(self, length):
        self.__length = length
        self._calc_from_real()

    def calc_from_real(self, positions_dict):
        thickness = (positions_dict["push"] - positions_dict["edge"]) * self.__slope
        return {"thickness": thickness, self._axis_tag(self._tagged["passes"][0]): math.exp(-thickness / self.__length)}

    def calc_to_real(self, positions_dict):
        passes = positions_dict["passes"]
        return {"push": -self.__length * math.log(passes) / self.__slope + positions_dict["edge"]}
