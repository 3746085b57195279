"""What YAML says of pseudo axes, and of the axes that they are calculated from."""

from __future__ import annotations

from typing import Annotated, Any, Self

from pydantic import Field, WithJsonSchema, model_validator

from bliss_like.config.models import expect
from bliss_like.devices.axis_config import AxisConfig
from bliss_like.devices.motor_controller import MotorControllerConfig

_ROLES = ("real", "param")
_OWN_KEYS = {"name", "tags", "unit", "sign", "low_limit", "high_limit", "tolerance", "user_tag", "interlock", "class_"}
_NAME_SCHEMA = {"type": "string", "description": "of a pseudo axis; $name of another axis: with `tags: real ...`"}


class CalcAxisConfig(AxisConfig):
    """What YAML says of one axis: of a pseudo axis, or of another one that it is calculated from."""

    name: Annotated[Any, WithJsonSchema(_NAME_SCHEMA)]
    tags: str | list[str] = Field(
        default="", description="`real <tag>`, `param <tag>` of a $axis; `<tag>` of a pseudo axis"
    )

    @property
    def label(self) -> str:
        """Its name, as it is written."""
        name = getattr(self.name, "name", None)
        return f"${name}" if isinstance(name, str) else str(self.name)

    @property
    def words(self) -> list[str]:
        return self.tags.split() if isinstance(self.tags, str) else self.tags

    @property
    def role(self) -> str:
        """`real`, `param`, or `pseudo`."""
        return self.words[0] if self.words and self.words[0] in _ROLES else "pseudo"

    @property
    def tag(self) -> str:
        """How the calculation calls the axis: the last word of its tags, else its name."""
        words = self.words[0 if self.role == "pseudo" else 1 :]
        return words[-1] if words else str(getattr(self.name, "name", self.name))

    @model_validator(mode="after")
    def _check_role(self) -> Self:
        is_own = isinstance(self.name, str)
        if is_own and self.name.startswith("$"):  # a reference to nothing: an error that is told already
            return self
        if is_own and self.role != "pseudo":
            raise ValueError(
                f"tags {self.tags!r} are for an axis that is there already; write its name as '${self.name}'"
            )
        if not is_own and self.role == "pseudo":
            raise ValueError(f"tags: of a $axis, they begin with 'real' or 'param', came {self.tags!r}")
        if not is_own:
            expect(self.name, "an axis", "position", "move")
        known = _OWN_KEYS if is_own else {"name", "tags"}
        meaningless = sorted((self.model_fields_set - known) & AxisConfig.model_fields.keys())
        if meaningless and is_own:
            raise ValueError(f"{', '.join(meaningless)}: a pseudo axis has none; give it to its real axes")
        if meaningless:
            raise ValueError(f"{', '.join(meaningless)}: to be given where the axis itself is, not where it is used")
        return self


class CalcControllerConfig(MotorControllerConfig):
    """What YAML says of a calc controller."""

    axes: list[CalcAxisConfig]  # type: ignore[assignment]

    @model_validator(mode="after")
    def _check_tags(self) -> Self:
        tags: dict[str, str] = {}
        inputs: set[str] = set()
        for item in self.axes:
            if item.tag in tags:
                raise ValueError(f"axes {tags[item.tag]} and {item.label} have the same tag {item.tag!r}")
            if item.label in inputs:
                raise ValueError(f"{item.label} is there twice; it can be one thing only")
            tags[item.tag] = item.label
            inputs.add(item.label)
        return self

    @property
    def known_tags(self) -> set[str]:
        """All words by which an axis may be called."""
        return {tag for item in self.axes for tag in (*item.words, item.tag)}

    def require(self, *tags: str) -> None:
        """:raises ValueError: an axis is missing that the calculation needs."""
        missing = [tag for tag in tags if tag not in self.known_tags]
        if missing:
            there = ", ".join(f"{item.label} ({item.tag})" for item in self.axes)
            raise ValueError(f"no axis has the tag {', '.join(missing)}; there are {there or 'none'}")

    no_offset: bool = Field(
        default=False,
        description="the pseudo axes have no offset: to set the position of one sets those of its real axes",
    )
