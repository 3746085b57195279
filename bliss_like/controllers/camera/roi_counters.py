"""Regions of interest of a camera by name, and the counters that they make.

A container behaves as a dict and is kept over sessions. A region that does not fit into the image, since binning or the
image's own region were changed, stays in it and has no counters until it fits again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from bliss_like.config.settings.properties import ObjectSettings
from bliss_like.devices.counter import Counter, CounterController, IntegratingCounter, counter_namespace
from bliss_like.devices.counter_namespace import CounterGroups
from bliss_like.errors import UsageError

from .frame_controller import Calculation, FrameController, Frames
from .geometry import Geometry, clipped
from .rois import STATISTICS, AnyRoi, ArcRoi, Roi, RoiProfile, moved_arc, roi_of, statistics

if TYPE_CHECKING:
    from .camera import Camera

R = TypeVar("R", bound=AnyRoi)
TAKEN = ("image", "images", "bpm", "default", "roi_counters", "roi_profiles", "roi_collection")
"""Names of other counters and groups of a camera."""


class RoiContainer(FrameController, Generic[R]):
    """What the three kinds of regions have in common."""

    def __init__(self, name: str, camera: Camera, settings: ObjectSettings, first: Mapping[str, Any] = {}) -> None:
        super().__init__(name, camera)
        self._settings = settings
        for key in first:
            self._check_name(key)
        self._first = {key: self._make(key, value).get_params() for key, value in first.items()}
        self._cached: dict[str, tuple[Any, list[Counter]]] = {}

    # -- as a dict -----------------------------------------------------------------------------------------------------------

    def _stored(self) -> dict[str, Any]:
        """Parameters by name: those that were set, or those of the configuration if none ever were."""
        stored: dict[str, Any] | None = self._settings.get("rois")
        return self._first if stored is None else stored

    def _all(self) -> dict[str, R]:
        return self._made(self._stored())

    def _made(self, stored: Mapping[str, Any]) -> dict[str, R]:
        return {name: self._make(name, params) for name, params in stored.items()}

    def _change(self, change: Callable[[dict[str, R]], Mapping[str, R]]) -> None:
        """Store what `change` makes of all regions; what another session does meanwhile is not lost."""
        self._settings.update_item(
            "rois",
            lambda stored: {name: self._params(roi) for name, roi in change(self._made(stored)).items()},
            default=self._first,
        )

    def set(self, name: str, roi: Any) -> None:
        """Define a region, or change the one of that name.

        :raises UsageError: it does not fit into the image, or is no region; nothing was changed.
        """
        self.update({name: roi})

    def update(self, rois: Mapping[str, Any]) -> None:
        """Define several regions; all of them or, if one is refused, none."""
        new = {name: self._checked(name, roi) for name, roi in rois.items()}
        self._change(lambda rois: {**rois, **new})

    def get(self, name: str, default: Any = None) -> R | Any:
        return self._all().get(name, default)

    def __getitem__(self, name: str) -> R:
        try:
            return self._all()[name]
        except KeyError:
            raise KeyError(f"{self.fullname} has no region {name!r}; there are: {', '.join(self) or 'none'}") from None

    def __setitem__(self, name: Any, roi: Any) -> None:
        if isinstance(name, list | tuple):
            self.update(dict(zip(name, roi, strict=True)))
        else:
            self.set(name, roi)

    def __delitem__(self, name: str | Sequence[str]) -> None:
        names = [name] if isinstance(name, str) else list(name)
        for each in names:
            self[each]
        self._change(lambda rois: {key: rois[key] for key in rois if key not in names})

    def remove(self, name: Any) -> None:
        """Take a region away.

        :raises KeyError: there is none of that name.
        """
        del self[name]

    def clear(self) -> None:
        """Take all regions away."""
        self._settings["rois"] = {}

    def __contains__(self, name: object) -> bool:
        return name in self._stored()

    def __iter__(self) -> Iterator[str]:
        return iter(self._stored())

    def __len__(self) -> int:
        return len(self._stored())

    def __bool__(self) -> bool:
        return True

    def keys(self) -> Iterable[str]:
        return self._all().keys()

    def values(self) -> Iterable[R]:
        return self._all().values()

    def items(self) -> Iterable[tuple[str, R]]:
        return self._all().items()

    def get_rois(self) -> list[R]:
        """Return all regions, in the order in which they were defined."""
        return list(self._all().values())

    # -- what differs

    def _make(self, name: str, params: Any) -> R:
        raise NotImplementedError

    def _params(self, roi: Any) -> list[Any]:
        return list(roi.get_params())

    def _counters_of(self, roi: R) -> list[Counter]:
        raise NotImplementedError

    # -- checks, and other images -----------------------------------------------------------------------------------------------

    def _check_name(self, name: object) -> None:
        if not isinstance(name, str) or not name.isidentifier():
            raise UsageError(f"{self.fullname}: name of a region: expected letters and digits, got {name!r}")
        if name in TAKEN:
            raise UsageError(f"{self.fullname}: {name!r} is something else of a camera already, take another name")

    def _checked(self, name: str, roi: Any) -> R:
        self._check_name(name)
        camera = self.camera
        for other in (camera.roi_counters, camera.roi_profiles, camera.roi_collection):
            if other is not self and name in other:
                raise UsageError(f"{self.fullname}: {other.fullname} has a region {name!r} already, take another name")
        made = self._make(name, roi)
        if not self._fits(made):
            height, width = camera.geometry.shape
            raise UsageError(
                f"{self.fullname}: region {name!r}, {made}, is not inside the image of {width} x {height} pixels"
            )
        return made

    def _fits(self, roi: AnyRoi) -> bool:
        height, width = self.camera.geometry.shape
        x, y, across, down = roi.outline()
        if (
            x < -1 or y < -1 or x + across > width + 1 or y + down > height + 1
        ):  # else of a large arc much is calculated
            return False
        box = roi.bounding_box()
        return box[2] > 0 and box[3] > 0 and clipped(box, (width, height)) == box

    def _active(self) -> list[R]:
        return [roi for roi in self._all().values() if self._fits(roi)]

    def move(self, old: Geometry, new: Geometry) -> None:
        """Let regions stay on the same pixels of the sensor when images are made in another way."""
        if len(self):
            self._change(lambda rois: {name: self._moved(roi, old, new) for name, roi in rois.items()})

    def _moved(self, roi: Any, old: Geometry, new: Geometry) -> Any:
        box = new.from_sensor(old.to_sensor(roi.bounding_box()))
        return Roi(*box, name=roi.name)

    # -- counters -------------------------------------------------------------------------------------------------------------------

    @property
    def counters(self) -> counter_namespace:
        return counter_namespace([counter for counters in self._by_roi().values() for counter in counters])

    @property
    def counter_groups(self) -> CounterGroups:
        return CounterGroups(default=self.counters)

    def groups(self) -> dict[str, counter_namespace]:
        """Return the counters of each region by its name."""
        return {name: counter_namespace(counters) for name, counters in self._by_roi().items()}

    def _by_roi(self) -> dict[str, list[Counter]]:
        """The counters of regions that fit; the same objects as long as a region is the same."""
        known: dict[str, tuple[Any, list[Counter]]] = {}
        for roi in self._active():
            before = self._cached.get(roi.name)
            is_known = before is not None and before[0] == roi and type(before[0]) is type(roi)
            if before is not None and is_known:
                known[roi.name] = before
            else:
                for counter in before[1] if before is not None else ():
                    self._counters.pop(counter.name, None)
                known[roi.name] = (roi, self._counters_of(roi))
        for name, (_, counters) in self._cached.items():
            if name not in known:
                for counter in counters:
                    self._counters.pop(counter.name, None)
        self._cached = known
        return {name: counters for name, (_, counters) in known.items()}

    def scan_metadata(self) -> dict[str, Any]:
        return {roi.name: roi.to_dict() for roi in self._active()}

    def __info__(self) -> str:
        path = self.fullname.replace(":", ".")
        if not len(self):
            return f"{path}: no regions; {path}['name'] = x, y, width, height makes one"
        rows = [
            f"  {name:<21}{roi}{'' if self._fits(roi) else '  not inside the image, not counted'}"
            for name, roi in self.items()
        ]
        return "\n".join([path, *rows])


class RoiCounter(IntegratingCounter):
    """One statistic of a region."""

    def __init__(self, name: str, controller: CounterController, roi_name: str, stat: str) -> None:
        self.roi_name, self.stat = roi_name, stat
        super().__init__(name, controller, unit="counts")


class RoiCounters(RoiContainer[AnyRoi]):
    """`cam.roi_counters["r"] = x, y, width, height`: counters r_sum, r_avg, r_std, r_min, r_max; also `ArcRoi`."""

    def __init__(self, camera: Camera, settings: ObjectSettings, first: Mapping[str, Any] = {}) -> None:
        super().__init__("roi_counters", camera, settings, first)

    def _make(self, name: str, params: Any) -> AnyRoi:
        given = params.get_params() if isinstance(params, Roi | ArcRoi) else params
        values = _numbers(given, (4, 6))
        if isinstance(params, RoiProfile) or values is None:
            raise UsageError(
                f"{self.fullname}: region {name!r}: expected x, y, width, height; or cx, cy, r1, r2, a1, a2 of an arc; a Roi or an "
                f"ArcRoi; got {params!r}"
            )
        return roi_of(name, values)

    def _moved(self, roi: AnyRoi, old: Geometry, new: Geometry) -> AnyRoi:
        if isinstance(roi, Roi):
            return super()._moved(roi, old, new)  # type: ignore[no-any-return]
        return moved_arc(roi, old, new)

    def _counters_of(self, roi: AnyRoi) -> list[Counter]:
        return [
            self.create_counter(RoiCounter, f"{roi.name}_{stat}", roi_name=roi.name, stat=stat) for stat in STATISTICS
        ]

    def calculation(self, counters: Sequence[Counter], exposure_time: float) -> Calculation:
        wanted: dict[str, list[int]] = {}
        for place, counter in enumerate(counters):
            wanted.setdefault(counter.roi_name, []).append(place)  # type: ignore[attr-defined]
        functions = [
            (places, statistics(self._counted(roi_name), [counters[place].stat for place in places]))  # type: ignore[attr-defined]
            for roi_name, places in wanted.items()
        ]

        def calculate(frames: Frames) -> list[NDArray[Any]]:
            values: dict[int, NDArray[Any]] = {}
            for places, function in functions:
                values.update(zip(places, function(frames), strict=True))
            return [values[place] for place in range(len(counters))]

        return calculate

    def _counted(self, name: str) -> AnyRoi:
        roi = self[name]
        if not self._fits(roi):
            raise UsageError(f"{self.fullname}: region {name!r}, {roi}, is no more inside the image")
        return roi


class ProfileCounter(Counter):
    """The profile of a region, shape (length,)."""


class RoiProfiles(RoiContainer[RoiProfile]):
    """`cam.roi_profiles["p"] = x, y, width, height[, mode]`: a counter p, along x ("horizontal") or y ("vertical")."""

    def __init__(self, camera: Camera, settings: ObjectSettings) -> None:
        super().__init__("roi_profiles", camera, settings)

    def _make(self, name: str, params: Any) -> RoiProfile:
        if isinstance(params, RoiProfile):
            params = self._params(params)
        elif isinstance(params, Roi):
            params = params.get_params()
        values = _numbers(params[:4] if isinstance(params, list | tuple) else params, (4,))
        if values is None or len(params) > 5:
            raise UsageError(f"{self.fullname}: region {name!r}: expected x, y, width, height[, mode], got {params!r}")
        return RoiProfile(*values, *params[4:], name=name)

    def _params(self, roi: Any) -> list[Any]:
        return [*roi.get_params(), str(roi.mode)]

    def get_roi_mode(self, *names: str) -> Any:
        """Return the mode of one region, or those of several by name."""
        modes = {name: str(self[name].mode) for name in names or self}
        return modes[names[0]] if len(names) == 1 else modes

    def set_roi_mode(self, mode: str, *names: str) -> None:
        """Set along which side profiles run; of all regions if none is named."""
        self.update({name: [*self[name].get_params(), mode] for name in names or list(self)})

    def _moved(self, roi: RoiProfile, old: Geometry, new: Geometry) -> RoiProfile:
        turned = (old.rotation - new.rotation) % 180 == 90
        other = {"horizontal": "vertical", "vertical": "horizontal"}[str(roi.mode)]
        box = new.from_sensor(old.to_sensor(roi.bounding_box()))
        return RoiProfile(*box, other if turned else roi.mode, name=roi.name)  # type: ignore[arg-type]

    def _counters_of(self, roi: RoiProfile) -> list[Counter]:
        return [self.create_counter(ProfileCounter, roi.name, unit="counts", shape=(roi.length,))]

    def calculation(self, counters: Sequence[Counter], exposure_time: float) -> Calculation:
        profiles = [self[counter.name].profile for counter in counters]
        return lambda frames: [profile(frames) for profile in profiles]


class RoiCollection(RoiContainer[Roi]):
    """`cam.roi_collection["a1"] = x, y, width, height`: all of them make one counter, an array of their sums."""

    def __init__(self, camera: Camera, settings: ObjectSettings) -> None:
        super().__init__("roi_collection", camera, settings)

    def _make(self, name: str, params: Any) -> Roi:
        values = _numbers(params.get_params() if isinstance(params, Roi) else params, (4,))
        if values is None or isinstance(params, RoiProfile):
            raise UsageError(f"{self.fullname}: region {name!r}: expected x, y, width, height, got {params!r}")
        return Roi(*values, name=name)

    def _by_roi(self) -> dict[str, list[Counter]]:
        active = tuple(self._active())
        if not active:
            self._counters.clear()
        elif "roi_collection" not in self._counters or self._counters["roi_collection"].shape != (len(active),):
            self._counters.clear()
            self.create_counter(ProfileCounter, "roi_collection", unit="counts", shape=(len(active),))
        return {"roi_collection": list(self._counters.values())} if active else {}

    def calculation(self, counters: Sequence[Counter], exposure_time: float) -> Calculation:
        sums = [statistics(roi, ("sum",)) for roi in self._active()]

        def calculate(frames: Frames) -> list[NDArray[Any]]:
            return [np.stack([each(frames)[0] for each in sums], axis=1)]

        return calculate


def _numbers(values: Any, lengths: Sequence[int]) -> list[Any] | None:
    """Return values as a list, None if they are no numbers, or not as many."""
    if isinstance(values, str) or not isinstance(values, Iterable):
        return None
    found = [value.item() if isinstance(value, np.generic) else value for value in values]
    return found if len(found) in lengths and all(isinstance(value, int | float) for value in found) else None
