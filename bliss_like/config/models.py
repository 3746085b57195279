"""What the classes that YAML can create say about their keys.

A class declares its keys in a class attribute `Config`::

    class Diode(SamplingCounterController):
        class Config(ObjectConfig):
            gain: float = 1.0
            axis: Reference | None = None

        def __init__(self, name: str, config: Config) -> None: ...

A misspelt key or a wrong value is an error that names file, line, object and key.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    PrivateAttr,
    WithJsonSchema,
)
from pydantic_core import CoreSchema, core_schema

from .node import ConfigNode
from .references import Objects, ResolvedText, WrongReference, dereference


def _refuse_names(value: Any) -> Any:
    if value is None or (isinstance(value, str) and not isinstance(value, ResolvedText)):
        hint = f"; write '${value}'" if value and not value.startswith("$") else ""
        came = "nothing" if value is None else repr(value)
        raise ValueError(f"expected a reference to an object, such as $robx, came {came}{hint}")
    return value


REFERENCE_SCHEMA = {
    "type": "string",
    "pattern": r"^\$[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)*$",
    "description": "another object, or an attribute of it: $robx, $robx.velocity",
}
"""How editors know a reference."""

Reference = Annotated[Any, AfterValidator(_refuse_names), WithJsonSchema(REFERENCE_SCHEMA)]
"""A key that is written `$name` or `$name.attribute` and arrives as the live object."""


def having(what: str, *attributes: str) -> AfterValidator:
    """Say what a reference must lead to: `Annotated[Reference, having("an axis", "position", "move")]`.

    :param attributes: those that it must have; their values are not read.
    """

    return AfterValidator(lambda value: expect(value, what, *attributes))


def expect(value: Any, what: str, *attributes: str) -> Any:
    """Return what a reference leads to.

    :raises WrongReference: it has not all of the attributes; None and texts are let pass, for others to judge.
    """
    if value is None or isinstance(value, str) or all(_may_have(value, name) for name in attributes):
        return value
    raise WrongReference(f"expected a reference to {what}, came {value!r}")


def _may_have(value: Any, attribute: str) -> bool:
    told = getattr(type(value), "may_have", None)  # of what stands for something else
    if told is not None:
        return bool(told(value, attribute))
    return hasattr(type(value), attribute) or attribute in getattr(value, "__dict__", {})


class Unresolved:
    """Marks a key whose references stay text: `$name` is looked up when it is needed, not when the object is made.

    ::

        devices: Annotated[list[str], Unresolved()]
    """


class LazyReference:
    """A key that is written `$name` and arrives as something to call, which makes the object: `self._partner()`.

    Objects that know each other need it. The object is looked up at each call, so it is never one that was closed.
    """

    def __init__(self, text: str, objects: Objects) -> None:
        self._text = text
        self._objects = objects

    def __call__(self) -> Any:
        """Return the object.

        :raises ConfigError: it cannot be made.
        """
        return dereference(self._text, self._objects)

    def may_have(self, attribute: str) -> bool:
        """Tell whether the object may have an attribute, as far as that is known without making it."""
        look = getattr(self._objects, "dereference", None)  # of a survey
        return look is None or _may_have(look(self._text), attribute)

    def __repr__(self) -> str:
        return self._text

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(_refuse_all_but_lazy)

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return dict(REFERENCE_SCHEMA)


def _refuse_all_but_lazy(value: Any) -> LazyReference:
    if isinstance(value, LazyReference):
        return value
    _refuse_names(value)
    raise ValueError(f"expected a reference to an object, such as $robx, came {value!r}")


class StrictModel(BaseModel):
    """Keys that are not declared are refused; the base of what stands inside an object (regions, calibrations...)."""

    model_config = ConfigDict(extra="forbid", arbitrary_types_allowed=True, populate_by_name=True)


class ItemConfig(StrictModel):
    """The keys that every item of a container (an axis, a counter) has."""

    name: str
    user_tag: str | list[str] = Field(default_factory=list)
    interlock: bool | None = Field(default=None, description="whether one session at a time may drive it")


class ObjectConfig(StrictModel):
    """The keys that every object has."""

    name: str
    class_: str = Field("", alias="class")
    package: str = ""
    module: str = ""
    plugin: str = ""
    user_tag: str | list[str] = Field(default_factory=list)
    interlock: bool | None = Field(
        default=None, description="whether one session at a time may drive it; of a session: whether it asks the others"
    )
    service: bool = False

    _node: ConfigNode | None = PrivateAttr(default=None)

    def apply_to(self, made: Any) -> None:
        """Tell the object that was made with these keys what its constructor does not ask for."""

    @property
    def node(self) -> ConfigNode | None:
        """Where this was read; None when it was made in Python."""
        return self._node
