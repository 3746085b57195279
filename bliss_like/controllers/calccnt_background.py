"""Counters without what their detectors give without beam.

::

    - name: chambers_net
      class: BackgroundCalcCounterController
      open_close: $safety_shutter            # closed while the background is taken
      inputs: [{counter: $i0, tags: i0}, {counter: $i1, tags: i1}]
      outputs: [{name: i0_net, tags: i0}, {name: i1_net, tags: i1}]
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from functools import partial
from typing import Annotated, Any, Self

import numpy as np
from pydantic import Field, model_validator

from bliss_like.config.models import Reference, having
from bliss_like.config.settings import ObjectSettings, property_setting
from bliss_like.config.table import table
from bliss_like.devices.calc_counter import Array, CalcCounterController, Inputs
from bliss_like.devices.calc_counter_config import CalcCounterControllerConfig
from bliss_like.devices.counter import Counter, IntegratingCounter, SamplingCounter, SamplingMode
from bliss_like.devices.naming import name_of
from bliss_like.errors import CalculationError, DeviceError
from bliss_like.scanning.acquisition import AcquisitionObject
from bliss_like.scanning.acquisition.calc import CalcCounterAcquisitionSlave
from bliss_like.scanning.default_chain import default_chain
from bliss_like.scanning.scan import Scan

TIME = "count_time"
"""Tag of an input that measures how long was counted; without it, what the scan says counts."""
_GROWING = (SamplingMode.INTEGRATE, SamplingMode.INTEGRATE_STATS)
_Shutter = Annotated[Reference, having("a shutter", "closed_context")]


class BackgroundCalcCounterController(CalcCounterController):
    """Subtracts from each input the background that `take_background` has measured; an output has the tag of its input.

    Of counters that grow with the count time, as much is subtracted as belongs to it.
    """

    class Config(CalcCounterControllerConfig):
        open_close: _Shutter | None = Field(default=None, description="closed while the background is taken")

        @model_validator(mode="after")
        def _check_tags(self) -> Self:
            tags = [each.tag for each in self.inputs]
            for output in self.outputs:
                if all(tags) and output.tag not in tags:
                    raise ValueError(
                        f"outputs: {output.name} has the tag {output.tag!r}, expected that of an input: {', '.join(tags)}"
                    )
            return self

    background: property_setting = property_setting(
        default={}, doc="What is subtracted, by tag; it survives a restart."
    )
    background_time: property_setting = property_setting(default=0.0, doc="Seconds for which that was counted.")

    def __init__(self, name: str, config: Any) -> None:
        super().__init__(name, config)
        self.settings = ObjectSettings.of(self._config)
        images = [name_of(counter) for counter in self.input_counters if counter.shape]
        if images:
            raise DeviceError(f"{name}: expected inputs that are single numbers, not {', '.join(images)}")

    def take_background(
        self, time: float = 1.0, set_value: float | None = None, save: bool = False
    ) -> dict[str, float]:
        """Count without beam and keep that as the background; return it, by the names of the counters.

        :param time: seconds.
        :param set_value: keep this for all inputs instead, as if counted for `time`.
        :param save: save the count as a scan.
        :raises DeviceError: a value is no number; the background stays as it was.
        """
        if not (isinstance(time, int | float) and math.isfinite(time) and time > 0):
            raise DeviceError(f"{self.name}: take_background: expected seconds > 0 as time, got {time!r}")
        counted = [counter for counter in self.input_counters if self.tag_of(counter) != TIME]
        if set_value is not None:
            values = [float(set_value)] * len(counted)
        else:
            with self._config.open_close.closed_context() if self._config.open_close else nullcontext():
                values = self._count(counted, time, save)
        for counter, value in zip(counted, values, strict=True):
            if not math.isfinite(value):
                raise DeviceError(
                    f"{self.name}: expected a number as the background of {name_of(counter)}, got {value}"
                )
        self.background = {self.tag_of(counter): value for counter, value in zip(counted, values, strict=True)}
        self.background_time = float(time)
        return {name_of(counter): value for counter, value in zip(counted, values, strict=True)}

    def _count(self, counters: Sequence[Counter], time: float, save: bool) -> list[float]:
        # Without presets: one may open a shutter.
        chain = default_chain().without_presets().get({"count_time": time, "npoints": 1}, counters)
        info = {"type": "ct", "title": f"background of {self.name}", "count_time": time, "npoints": 1}
        scan = Scan(chain, "background", info, save=save)
        scan.with_metadata = save
        scan.run()
        return [float(scan.get_data(counter)[0]) for counter in counters]

    def clear_background(self) -> None:
        """Subtract nothing any more."""
        self.background, self.background_time = {}, 0.0

    def get_acquisition_object(
        self,
        acq_params: dict[str, Any],
        ctrl_params: dict[str, Any],
        parent_acq_params: dict[str, Any],
        acq_devices: Sequence[Any] = (),
    ) -> Any:
        return _BackgroundAcquisitionSlave(self, acq_devices, acq_params, ctrl_params)

    def calc_function(self, input_dict: Inputs) -> Mapping[str, Any]:
        return self.subtracted(input_dict, {}, self.background, self.background_time)

    def subtracted(
        self, inputs: Inputs, count_times: Mapping[str, float | Array], background: Mapping[str, float], time: float
    ) -> dict[str, Array]:
        """Return the inputs without background.

        :param count_times: seconds of these points, by the tags of the inputs, where they are known.
        :param background: by the tags of the inputs, counted for `time` seconds.
        :raises CalculationError: a count time has to be known.
        """
        found = {}
        for counter in self.input_counters:
            tag = self.tag_of(counter)
            level: Any = background.get(tag, 0.0)
            if level and _grows(counter):
                count_time = inputs.get(TIME, count_times.get(tag))
                if count_time is None:
                    raise CalculationError(
                        f"{self.name}: {name_of(counter)} grows with the count time, which only a scan has; count it with ct"
                    )
                level = level / time * count_time
            found[tag] = inputs[tag] - level
        return found

    def scan_metadata(self) -> dict[str, Any] | None:
        """The background that is subtracted in a scan."""
        return {"background": dict(self.background), "background_time": self.background_time}

    def __info__(self) -> str:
        background = self.background
        rows = [
            (
                name_of(counter),
                f"{background.get(tag, 0.0):g}",
                "x count time / background time" if _grows(counter) else "",
            )
            for counter in self.input_counters
            if (tag := self.tag_of(counter)) != TIME
        ]
        time = f"counted for {self.background_time:g} s" if background else f"none yet: {self.name}.take_background()"
        return f"{super().__info__()}\nbackground {time}\n{table(('input', 'background', ''), rows)}"


class _BackgroundAcquisitionSlave(CalcCounterAcquisitionSlave):
    """Tells how long each point of each input was counted."""

    def __init__(
        self,
        controller: BackgroundCalcCounterController,
        devices: Sequence[AcquisitionObject],
        acq_params: Mapping[str, Any],
        ctrl_params: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(controller, devices, acq_params, ctrl_params)
        of_scan = acq_params.get("count_time")
        self._of_each_point = isinstance(of_scan, Sequence | np.ndarray)
        self._count_times: dict[str, Any] = {}
        for counter in controller.input_counters:
            owner = next(device for device in devices if counter in device.counters)
            own = None if self._of_each_point else getattr(owner, "count_time", None)
            if own is not None or of_scan is not None:
                self._count_times[controller.tag_of(counter)] = of_scan if own is None else own

    def prepare(self) -> None:
        super().prepare()
        self._subtract = partial(
            self.device.subtracted, background=self.device.background, time=self.device.background_time
        )

    def calculate(self, inputs: Inputs) -> Mapping[str, Any]:
        count_times = self._count_times
        if self._of_each_point:
            npoints = len(next(iter(inputs.values())))
            these = slice(self.npoints_calculated, self.npoints_calculated + npoints)
            count_times = {tag: np.asarray(times[these], float) for tag, times in count_times.items()}
        result: Mapping[str, Any] = self._subtract(inputs, count_times)
        return result


def _grows(counter: Counter) -> bool:
    return isinstance(counter, IntegratingCounter) or (
        isinstance(counter, SamplingCounter) and counter.mode in _GROWING
    )
