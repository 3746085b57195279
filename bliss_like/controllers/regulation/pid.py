"""The arithmetic of a PID regulator, without clock and without hardware."""

from __future__ import annotations


class PID:
    """output = kp * error + ki * integral of error - kd * rate of the measured value, within a range.

    The integral does not grow while the output is at its limit (no wind-up), and a new setpoint gives no kick through the
    derivative, as it is that of the measured value.
    """

    def __init__(self, kp: float, ki: float, kd: float, output_range: tuple[float, float]) -> None:
        """:param output_range: (low, high) of what `update` returns."""
        self.kp = kp
        self.ki = ki
        self.kd = kd
        self.output_range = output_range
        self.proportional_on_measurement = False
        self.reset()

    def reset(self) -> None:
        """Forget the past."""
        self._integral = 0.0
        self._proportional = 0.0
        self._last: float | None = None

    def update(self, setpoint: float, measured: float, elapsed: float) -> float:
        """Return the next output.

        :param elapsed: seconds since the last update, > 0.
        """
        error = setpoint - measured
        change = 0.0 if self._last is None else measured - self._last
        self._last = measured
        if self.proportional_on_measurement:
            self._proportional -= self.kp * change
        else:
            self._proportional = self.kp * error
        others = self._proportional - self.kd * change / elapsed
        low, high = self.output_range
        wanted = others + self._integral + self.ki * error * elapsed
        if low <= wanted <= high or (wanted > high) != (error > 0):
            self._integral += self.ki * error * elapsed
        return min(max(others + self._integral, low), high)
