"""Pseudo axes as people write them for BLISS: height and angle of a beam on two legs."""

import numpy

from bliss_like.controllers.motor import CalcController


class Tilt(CalcController):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.length = self.config.get("length", float)
        self.scale = {"mrad": 1000.0, "rad": 1.0}[self.config.get("angle_unit", str, "mrad")]

    def calc_from_real(self, real_positions):
        front, back = real_positions["front"], real_positions["back"]
        return {
            "height": (front + back) / 2,
            "angle": numpy.arctan((front - back) / self.length) * self.scale,
        }

    def calc_to_real(self, pseudo_positions):
        half = self.length / 2 * numpy.tan(pseudo_positions["angle"] / self.scale)
        return {"front": pseudo_positions["height"] + half, "back": pseudo_positions["height"] - half}
