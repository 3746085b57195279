"""A field of dots that becomes lines of text: eight dots of braille in a character, or two rows of ASCII."""

from __future__ import annotations

from typing import Any

import numpy as np

from bliss_like.live.look import Look, Role

Array = np.ndarray[Any, Any]

_BRAILLE = np.array([[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]])
_OF_ASCII = np.frombuffer(b" '.:", np.uint8)
"""Nothing, the upper, the lower of two dots, both."""


class Dots:
    """Dots in columns and rows of characters; each dot belongs to what was drawn there last."""

    def __init__(self, columns: int, rows: int, look: Look) -> None:
        self.columns, self.rows, self._look = columns, rows, look
        across, down = (2, 4) if look.glyphs.has_blocks else (1, 2)
        self.width, self.height = columns * across, rows * down
        self._across, self._down = across, down
        self._owners = np.zeros((self.height, self.width), np.uint8)
        self._roles: list[Role] = []
        self._characters: dict[tuple[int, int], str] = {}

    def begin(self, role: Role) -> None:
        """Draw something else from now on, in front of what is there."""
        self._roles.append(role)

    def draw(self, x: Array, y: Array, joined: Array) -> None:
        """Draw points, and straight lines between some.

        :param x, y: integers, shape (npoints,), within the field; y goes up.
        :param joined: shape (npoints - 1,), whether there is a line from one to the next.
        """
        y = self.height - 1 - y
        self._owners[y, x] = len(self._roles)
        begin = np.flatnonzero(joined)
        across, down = x[begin + 1] - x[begin], y[begin + 1] - y[begin]
        steps = np.maximum(np.abs(across), np.abs(down))
        which = np.repeat(np.arange(len(begin)), steps)
        part = (np.arange(len(which)) - np.repeat(np.cumsum(steps) - steps, steps)) / steps[which]
        on_x = x[begin][which] + np.rint(across[which] * part).astype(np.intp)
        on_y = y[begin][which] + np.rint(down[which] * part).astype(np.intp)
        self._owners[on_y, on_x] = len(self._roles)

    def blot(self, x: Array, y: Array) -> None:
        """Draw points that are larger than a dot."""
        y = self.height - 1 - y
        other_x, other_y = np.minimum(x + 1, self.width - 1), np.where(y > 0, y - 1, min(1, self.height - 1))
        for columns, rows in ((x, y), (x, other_y), (other_x, y), (other_x, other_y)):
            self._owners[rows, columns] = len(self._roles)

    def put(self, x: Array, y: Array, character: str) -> None:
        """Write a character where points are."""
        for column, row in zip(x // self._across, (self.height - 1 - y) // self._down, strict=True):
            self._characters[int(row), int(column)] = character
            self._owners[row * self._down, column * self._across] = len(self._roles)

    def lines(self) -> list[str]:
        """Return a text for each row of characters."""
        blocks = self._owners.reshape(self.rows, self._down, self.columns, self._across)
        codes, owners = self._codes(blocks > 0), blocks.max(axis=(1, 3))
        for (row, column), character in self._characters.items():
            codes[row, column] = ord(character)
        return [self._painted(*row) for row in zip(codes, owners, strict=True)]

    def _codes(self, dots: Array) -> Array:
        if self._look.glyphs.has_blocks:
            bits = np.einsum("rdca,da->rc", dots, _BRAILLE)
            return np.where(bits, 0x2800 + bits, ord(" "))
        characters: Array = _OF_ASCII[dots[:, 0, :, 0] + 2 * dots[:, 1, :, 0]]
        return characters.astype(np.int64)

    def _painted(self, codes: Array, owners: Array) -> str:
        text = codes.astype("<u4").tobytes().decode("utf-32-le")
        bounds = [0, *(np.flatnonzero(np.diff(owners)) + 1).tolist(), len(text)]
        pieces = []
        for begin, end in zip(bounds, bounds[1:], strict=False):
            owner = int(owners[begin])
            pieces.append(self._look.paint(text[begin:end], self._roles[owner - 1]) if owner else text[begin:end])
        return "".join(pieces)
