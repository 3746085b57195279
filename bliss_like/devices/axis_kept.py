"""What the configuration says of an axis and what a user has set: from one to the other, and back."""

from __future__ import annotations

from typing import Any

from bliss_like.devices.axis_speed import AxisSpeed
from bliss_like.devices.naming import name_of

_KEYS = {
    "velocity": ("velocity", "velocity_low_limit", "velocity_high_limit", "jog_velocity"),
    "acceleration": ("acceleration",),
    "limits": ("low_limit", "high_limit"),
    "sign": ("sign",),
    "backlash": ("backlash",),
}


class AxisKept(AxisSpeed):
    """An axis between its configuration and its settings."""

    def set_by_hand(self) -> list[str]:
        """Return lines on what has another value than the configuration says."""
        now = self.settings.now()
        lines = []
        for key in (key for keys in _KEYS.values() for key in keys):
            written = getattr(self.config, key)
            if key in now and now[key] != written:
                said = "nothing" if written is None else f"{written:g}"
                scale = "dial " if key in _KEYS["limits"] and (self.offset or self.sign < 0) else ""
                lines.append(f"  set by hand: {scale}{key} {now[key]:g} (the configuration says {said})")
        return [*lines, *([f"  {name_of(self)}.apply_config() takes what the configuration says"] if lines else [])]

    def apply_config(
        self,
        reload: bool = False,
        velocity: bool = True,
        acceleration: bool = True,
        limits: bool = True,
        sign: bool = True,
        backlash: bool = True,
    ) -> None:
        """Forget what was set by hand, and take what the configuration says; of the named things only.

        :param reload: read the file again first.
        """
        self.refuse_change()
        if reload:
            self._read_config_again()
        if keys := self._keys_set_by_hand(velocity, acceleration, limits, sign, backlash):
            self.settings.store(**dict.fromkeys(keys))
        self.make_ready()
        self.push_speed()
        self.announce_scale()

    def settings_to_config(
        self,
        velocity: bool = True,
        acceleration: bool = True,
        limits: bool = True,
        sign: bool = True,
        backlash: bool = True,
    ) -> None:
        """Write what was set by hand into the configuration file; the named things only.

        :raises ConfigError: the file cannot be written, or somebody else has changed it.
        :raises RuntimeError: the axis is not in the configuration.
        """
        node = self._node()
        now = self.settings.now()
        for key in self._keys_set_by_hand(velocity, acceleration, limits, sign, backlash):
            node[key] = now[key]
        node.save()
        self._read_config_again()

    def _keys_set_by_hand(self, *wanted: bool) -> list[str]:
        """:param wanted: whether those of velocity, acceleration, limits, sign and backlash are meant."""
        now = self.settings.now()
        groups = zip(_KEYS.values(), wanted, strict=True)
        return [key for keys, is_wanted in groups if is_wanted for key in keys if key in now]

    def _node(self) -> Any:
        tree = getattr(getattr(self.controller.config, "node", None), "config", None)
        if tree is None:
            raise RuntimeError(f"{name_of(self)} was made in Python: there is no configuration of it")
        return tree.get_config(self.name)

    def _read_config_again(self) -> None:
        node = self._node()
        node.reload()
        keys = {key: node[key] for keys in _KEYS.values() for key in keys if key in node}
        absent = {key: type(self.config).model_fields[key].default for keys in _KEYS.values() for key in keys}
        self.config = self.config.model_copy(update={**absent, **keys})
