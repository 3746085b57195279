"""Counters that are calculated by a formula of YAML.

::

    - name: absorption
      class: ExpressionCalcCounter
      inputs:
        - {counter: $i0, tags: i0}
        - {counter: $i1, tags: i1}
      constants: {dark: 12.5}
      expression: log((i0 - dark) / (i1 - dark))
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from pydantic import Field, ValidationError, ValidationInfo, field_validator
from pydantic_core import InitErrorDetails

from bliss_like.config.models import LazyReference
from bliss_like.config.settings import ObjectSettings
from bliss_like.config.table import table
from bliss_like.devices.calc_counter import CalcCounter, CalcCounterController, Calculation, Inputs
from bliss_like.devices.calc_counter_config import (
    CalcInputsConfig,
    CalcOutputConfig,
    all_differ,
    validated,
)
from bliss_like.devices.counter import Counter
from bliss_like.devices.expression import Expression
from bliss_like.devices.naming import both_names_of
from bliss_like.errors import DeviceError

Written = dict[str, float | LazyReference]
"""Constants as YAML has them: numbers, and what is looked up whenever it is needed, such as $mono_energy.position."""


def _formula(text: str) -> str:
    Expression(text)
    return text


class ExpressionOutputConfig(CalcOutputConfig):
    """One counter that is calculated by a formula."""

    expression: str = Field(
        description="in the syntax of numpy, with the tags of the inputs and the constants as names"
    )

    _is_formula = field_validator("expression")(_formula)


class ExpressionConfig(CalcInputsConfig):
    """What YAML says of several counters that are calculated from the same inputs."""

    constants: Written = Field(
        default_factory=dict, description="numbers that can be changed at the prompt, or $name.attribute"
    )
    outputs: list[ExpressionOutputConfig] = Field(min_length=1)

    _outputs_differ = field_validator("outputs")(all_differ)

    @field_validator("constants")
    @classmethod
    def _constants_are_names(cls, constants: Written, info: ValidationInfo) -> Written:
        return _checked_constants(constants, info)

    @field_validator("outputs")
    @classmethod
    def _names_are_known(cls, outputs: list[ExpressionOutputConfig], info: ValidationInfo) -> Any:
        wrong = [
            InitErrorDetails(type="value_error", loc=(n, "expression"), input=each.expression, ctx={"error": problem})
            for n, each in enumerate(outputs)
            if (problem := _problem(each.expression, info)) is not None
        ]
        if wrong:
            raise ValidationError.from_exception_data("outputs", wrong)
        return outputs


class SingleExpressionConfig(CalcInputsConfig):
    """What YAML says of one counter that is calculated by a formula."""

    constants: Written = Field(
        default_factory=dict, description="numbers that can be changed at the prompt, or $name.attribute"
    )
    expression: str = Field(
        description="in the syntax of numpy, with the tags of the inputs and the constants as names"
    )
    unit: str | None = None
    dim: int | None = Field(default=None, ge=0, description="of one point: 0 a number, 1 a spectrum, 2 an image")
    shape: list[int] | None = Field(default=None, description="of one point, instead of dim; -1: it may vary")

    @field_validator("constants")
    @classmethod
    def _constants_are_names(cls, constants: Written, info: ValidationInfo) -> Written:
        return _checked_constants(constants, info)

    @field_validator("expression")
    @classmethod
    def _names_are_known(cls, text: str, info: ValidationInfo) -> str:
        _formula(text)
        problem = _problem(text, info)
        if problem is not None:
            raise problem
        return text


def _tags(info: ValidationInfo) -> list[str]:
    """Return the tags of the inputs; none when one of them cannot be told."""
    tags = [each.tag for each in info.data.get("inputs", ())]
    return tags if all(tags) else []


def _checked_constants(constants: Written, info: ValidationInfo) -> Written:
    tags = _tags(info)
    for name in constants:
        if not name.isidentifier() or name.startswith("_"):
            raise ValueError(f"expected names such as dark_level, came {name!r}")
        if name in tags or hasattr(Constants, name):
            other = "the tag of an input" if name in tags else "a method of constants"
            raise ValueError(f"{name!r} is {other} too; take another name")
    return constants


def _problem(text: str, info: ValidationInfo) -> ValueError | None:
    """Return what is wrong with the names in a formula, which is one."""
    tags = _tags(info)
    if not tags or "constants" not in info.data:
        return None
    try:
        Expression(text, [*tags, *info.data["constants"]])
    except ValueError as error:
        return error
    return None


class Constants:
    """The numbers in formulas, as attributes: `ratio.constants.dark = 12`; what is set is kept, also over a restart."""

    _owner: str
    _written: Written
    _settings: ObjectSettings

    def __init__(self, owner: str, written: Written, settings: ObjectSettings) -> None:
        vars(self).update(_owner=owner, _written=written, _settings=settings)

    def to_dict(self) -> dict[str, float]:
        """Return the present values by name."""
        return self.bound()()

    def bound(self) -> Callable[[], dict[str, float]]:
        """Return what gives the values: those that can be set as they are now, what is looked up elsewhere as it is then."""
        kept = self._settings.get_all() if self._written else {}
        references = {name: value for name, value in self._written.items() if isinstance(value, LazyReference)}
        numbers = {name: kept.get(name, value) for name, value in self._written.items() if name not in references}
        return lambda: numbers | {name: self._looked_up(name, where) for name, where in references.items()}

    def reset(self) -> None:
        """Forget what was set at the prompt: the values are those of YAML again."""
        self._settings.clear()

    def _looked_up(self, name: str, reference: LazyReference) -> float:
        found = reference()
        if not _is_number(found):
            raise DeviceError(f"{self._owner}: constant {name}: expected a number at {reference!r}, came {found!r}")
        return float(found)

    def __getattr__(self, name: str) -> float:
        if name.startswith("_"):
            raise AttributeError(name)
        if name not in self._written:
            raise AttributeError(self._no_such(name))
        return self.to_dict()[name]

    def __setattr__(self, name: str, value: float) -> None:
        if name not in self._written:
            raise AttributeError(self._no_such(name))
        written = self._written[name]
        if isinstance(written, LazyReference):
            raise DeviceError(f"{self._owner}: constant {name} is that of {written!r}; change it there, or in YAML")
        if not _is_number(value):
            raise DeviceError(f"{self._owner}: constant {name}: expected a number, got {value!r}")
        self._settings[name] = float(value)

    def _no_such(self, name: str) -> str:
        return f"{self._owner} has no constant {name!r}; there are: {', '.join(self._written) or 'none'}"

    def __dir__(self) -> list[str]:
        return ["to_dict", "reset", *self._written]

    def rows(self) -> Iterator[tuple[str, str, str]]:
        """Yield name, value, and where that comes from."""
        kept = self._settings.get_all()
        for name, value in self.to_dict().items():
            written = self._written[name]
            if isinstance(written, LazyReference):
                yield name, f"{value:g}", repr(written)
            else:
                yield name, f"{value:g}", f"set at the prompt, {written:g} in YAML" if name in kept else ""

    def __info__(self) -> str:
        return table(("constant", "value", ""), list(self.rows()))

    __repr__ = __info__


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


class _Formulas(CalcCounterController):
    """Calculates its outputs by formulas."""

    constants: Constants
    _expressions: dict[str, Expression]
    """By the tags of the outputs."""

    def calculation(self, counters: Sequence[Counter]) -> Calculation:
        tags = {self.tag_of(counter) for counter in counters}
        expressions = {tag: expression for tag, expression in self._expressions.items() if tag in tags}
        constants = self.constants.bound()
        return lambda inputs: {
            tag: expression(values) for values in [{**constants(), **inputs}] for tag, expression in expressions.items()
        }

    def calc_function(self, input_dict: Inputs) -> Mapping[str, Any]:
        return self.calculation(list(self.counters))(input_dict)

    def scan_metadata(self) -> dict[str, Any] | None:
        """Formulas and constants, as they are at the start of a scan."""
        formulas = {tag: expression.text for tag, expression in self._expressions.items()}
        return {"expressions": formulas, "constants": self.constants.to_dict()}

    def __info__(self) -> str:
        formulas = [f"{tag} = {expression.text}" for tag, expression in self._expressions.items()]
        return "\n".join([super().__info__(), *formulas, *_told(self.constants)])


def _told(constants: Constants) -> Iterable[str]:
    return [constants.__info__()] if constants.to_dict() else []


class ExpressionCalcCounterController(_Formulas):
    """Several counters, each with its formula, of the same inputs and constants."""

    Config = ExpressionConfig

    def __init__(self, name: str, config: ExpressionConfig | Mapping[str, Any]) -> None:
        if isinstance(config, Mapping):
            config = validated(ExpressionConfig, name, config)
        self.constants = Constants(name, config.constants, ObjectSettings.of(config, ":constants"))
        self._expressions = {each.tag: Expression(each.expression) for each in config.outputs}
        super().__init__(name, config)

    def apply_config(self, reload: bool = False) -> None:
        """Forget the constants that were set at the prompt."""
        self.constants.reset()


class SingleExpressionCalcCounterController(_Formulas):
    """The controller of one counter that has a formula."""

    def __init__(self, name: str, config: SingleExpressionConfig, constants: Constants) -> None:
        self.constants = constants
        self._expressions = {config.name: Expression(config.expression)}
        super().__init__(name, config)

    def build_counters(self, config: Any) -> None:
        for each in config.inputs:
            self.add_input(each.counter, each.tag)


class ExpressionCalcCounter(CalcCounter):
    """A counter with a formula."""

    Config = SingleExpressionConfig

    def __init__(self, name: str, config: SingleExpressionConfig | Mapping[str, Any]) -> None:
        if isinstance(config, Mapping):
            config = validated(SingleExpressionConfig, name, config)
        self.constants = Constants(name, config.constants, ObjectSettings.of(config, ":constants"))
        self.expression = config.expression
        controller = SingleExpressionCalcCounterController(f"{name}_ctrl", config, self.constants)
        super().__init__(name, controller, config.dim, unit=config.unit, shape=config.shape)

    def apply_config(self, reload: bool = False) -> None:
        """Forget the constants that were set at the prompt."""
        self.constants.reset()

    def __info__(self) -> str:
        inputs = [f"  {self.controller.tag_of(each)}: {both_names_of(each)}" for each in self.controller.input_counters]
        what = f"{type(self).__name__} {both_names_of(self)} = {self.expression}, unit {self.unit or 'none'}"
        return "\n".join([what, *inputs, *_told(self.constants)])
