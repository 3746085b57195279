"""Slits: gap and offset of two blades, or of two pairs of them.

::

    - name: s1
      class: Slits
      axes:
        - {name: $s1_up, tags: real up}
        - {name: $s1_down, tags: real down}
        - {name: s1_vg, tags: vgap, unit: mm}
        - {name: s1_vo, tags: voffset, unit: mm}
"""

from __future__ import annotations

from typing import Any, Literal, Self

from pydantic import model_validator

from bliss_like.devices.calc_axis import CalcController
from bliss_like.devices.calc_config import CalcControllerConfig
from bliss_like.devices.calculation import Value

PAIRS = {"vertical": ("up", "down", "vgap", "voffset"), "horizontal": ("front", "back", "hgap", "hoffset")}
"""Tags of the blade towards which the offset is positive, of the other one, of gap and offset."""

OTHER_TAGS = {"hall": "front", "ring": "back", "voff": "voffset", "hoff": "hoffset"}
"""Other tags of the same axes."""


class Slits(CalcController):
    """A blade opens to positive positions; the offset is positive upwards, and towards the hall."""

    class Config(CalcControllerConfig):
        slit_type: Literal["vertical", "horizontal", "both"] | None = None
        no_offset: bool = True

        @model_validator(mode="after")
        def _check_blades(self) -> Self:
            self.require(*(tag for pair in self.pairs for tag in pair))
            return self

        @property
        def pairs(self) -> list[tuple[str, ...]]:
            """The tags of each pair, as they are used here."""
            kinds = self._kinds() if self.slit_type is None else [self.slit_type]
            return [tuple(map(self._there, PAIRS[kind])) for kind in (PAIRS if self.slit_type == "both" else kinds)]

        def _kinds(self) -> list[str]:
            """Return the pairs of which anything is there; both, when nothing is."""
            found = [kind for kind, tags in PAIRS.items() if any(self._there(tag) in self.known_tags for tag in tags)]
            return found or list(PAIRS)

        def _there(self, tag: str) -> str:
            """Return the tag by which an axis is called here."""
            return next((other for other, same in OTHER_TAGS.items() if same == tag and other in self.known_tags), tag)

    def __init__(self, name: str, config: Config) -> None:
        super().__init__(name, config)
        self._pairs = config.pairs

    def calc_from_real(self, real_user_positions: dict[str, Value]) -> dict[str, Value]:
        found: dict[str, Any] = {}
        for plus, minus, gap, offset in self._pairs:
            found[gap] = real_user_positions[plus] + real_user_positions[minus]
            found[offset] = (real_user_positions[plus] - real_user_positions[minus]) / 2
        return found

    def calc_to_real(self, pseudo_dial_positions: dict[str, Value]) -> dict[str, Value]:
        found: dict[str, Any] = {}
        for plus, minus, gap, offset in self._pairs:
            found[plus] = pseudo_dial_positions[gap] / 2 + pseudo_dial_positions[offset]
            found[minus] = pseudo_dial_positions[gap] / 2 - pseudo_dial_positions[offset]
        return found
