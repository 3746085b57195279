"""Fits of x and y with lmfit.

A fit that does not converge, or cannot be made, says so in its `message`, and raises nothing: there are points that still come.
"""

from __future__ import annotations

import inspect
import math
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from bliss_like.data.counting import counted
from bliss_like.errors import DataError, UsageError

from .digits import uncertain
from .shapes import OTHER_NAMES, POLYNOMIALS, SHAPES, guess

Array = np.ndarray[Any, Any]
Model = str | Callable[..., Any]
"""The name of a shape, a function f(x, parameter, ...), or a model of lmfit."""

Weights = Any
"""None; "counting"; or 1 / the standard deviation of each point, shape (npoints,)."""

BACKGROUNDS = ("none", "constant", "linear")
MOST_POINTS = 4096
"""More are averaged down to that many first."""
MOST_CALLS = 2000
"""Calls of the function in one fit."""
PATIENCE = 2.0
"""Seconds that one fit may take."""
COUNTING = "counting"
_WEIGHTS = "weights: expected None, 'counting', or an array of 1 / standard deviation, got {}"
FEW_SIGMA = 5.0
"""A height of less than that many of its errors is none."""


@dataclass(frozen=True)
class Parameter:
    """A fitted number."""

    value: float
    stderr: float | None
    """Its standard deviation; None when that could not be found."""
    unit: str = ""

    def __float__(self) -> float:
        return self.value

    def __str__(self) -> str:
        return f"{uncertain(self.value, self.stderr)} {self.unit}".rstrip()


@dataclass(frozen=True)
class Fit:
    """What came out of a fit; `fit["center"]` is a parameter, `fit.curve()` the curve for a plot."""

    model: str
    success: bool
    message: str
    params: Mapping[str, Parameter] = field(default_factory=dict)
    npoints: int = 0
    chi2: float = math.nan
    """The sum of squared residuals, as they were weighted."""
    redchi2: float = math.nan
    """The same for each degree of freedom."""
    r2: float = math.nan
    """Which part of the variance is explained: 1 is all of it."""
    title: str = ""
    span: tuple[float, float] = (0.0, 0.0)
    """Where the points were."""
    is_weighted: bool = False
    """Whether points counted by their standard deviations: then `redchi2` is about 1 of a curve that fits."""
    evaluate: Callable[[Array], Array] | None = None
    """Returns the values of the curve at places, shape (n,) both."""

    def __getitem__(self, name: str) -> Parameter:
        """:raises KeyError: the model has no such parameter, or nothing came out."""
        if name not in self.params:
            there = ", ".join(self.params) or f"none: {self.message}"
            raise KeyError(f"fit of {self.model}: no parameter {name!r}; there are {there}")
        return self.params[name]

    def __bool__(self) -> bool:
        return self.success

    def curve(self, x: Any = None) -> tuple[Array, Array]:
        """Return places and values, shape (n,) both: at `x`, else at 200 places over the range; empty when nothing came out."""
        if self.evaluate is None:
            return np.empty(0), np.empty(0)
        places = np.linspace(*self.span, 200) if x is None else np.asarray(x, float)
        return places, self.evaluate(places)

    def report(self) -> str:
        """Return the result in a few aligned lines, with the errors in brackets: 0.697(2) is 0.697 +- 0.002."""
        head = f"{self.model}{f' of {self.title}' if self.title else ''}"
        if not self.params:
            return f"{head}: {self.message}"
        width = max(map(len, [*self.params, "redchi2" if self.is_weighted else ""]))
        lines = [f"{head}, {self.npoints} points{f': {self.message}' if self.message else ''}"]
        lines += [f"  {name:{width}}  {value}" for name, value in self.params.items()]
        quality = f"{'redchi2':{width}}  {self.redchi2:.4g}" if self.is_weighted else f"{'R2':{width}}  {self.r2:.5g}"
        return "\n".join([*lines, f"  {quality}"])

    __str__ = __info__ = report


class Fitter:
    """A model with its background and where it begins, for any points.

    :param model: `gaussian lorentzian voigt pseudo_voigt edge linear parabola cubic`, a function `f(x, parameter, ...)`, or a model
        of lmfit.
    :param background: below a peak or an edge: `constant`, `linear` or `none`.
    :param guess: values with which parameters begin, by name; others are found from the curve (of models of lmfit, if these can), and
        of functions of one's own are their defaults, else 1.
    :param weights: what a point counts: None: all the same; "counting": values are numbers of events, whose standard deviation is
        their square root (1 of none); an array: 1 / the standard deviation of each, as lmfit has it. The errors of the parameters
        are those that come of these standard deviations then, whether the curve fits or not: `redchi2` tells that, about 1 is good.
    :raises UsageError: there is no such model, background or parameter, and no such weights.
    :raises DataError: lmfit is not installed.
    """

    def __init__(
        self,
        model: Model = "gaussian",
        background: str = "constant",
        guess: Mapping[str, float] | None = None,
        weights: Weights = None,
    ) -> None:
        lmfit = _lmfit()
        self._given = dict(guess or {})
        self._weights = weights if weights is None or isinstance(weights, str) else _numbers(weights)
        if isinstance(weights, str) and weights != COUNTING:
            raise UsageError(_WEIGHTS.format(repr(weights)))
        if background not in BACKGROUNDS:
            raise UsageError(f"background: expected one of {', '.join(BACKGROUNDS)}, got {background!r}")
        self._background = background
        self.shape = OTHER_NAMES.get(model, model) if isinstance(model, str) else ""
        if isinstance(model, str):
            if self.shape not in SHAPES:
                raise UsageError(
                    f"model: expected one of {', '.join(SHAPES)}, a function f(x, ...) or a model of lmfit, got {model!r}"
                )
            self._model, self.name = lmfit.Model(SHAPES[self.shape]), self.shape
        elif isinstance(model, lmfit.Model):
            self._model, self.name = model, model.name
        elif callable(model):
            self._model, self.name = _model_of(lmfit, model), getattr(model, "__name__", "function")
        else:
            raise UsageError(f"model: expected a name, a function f(x, ...) or a model of lmfit, got {model!r:.80}")
        self._first: str = self._model.independent_vars[0]
        if unknown := [name for name in self._given if name not in self._model.param_names]:
            raise UsageError(
                f"guess: {self.name} has no parameter {unknown[0]!r}; there are: {', '.join(self._model.param_names)}"
            )

    def fit(self, x: Any, y: Any, title: str = "", units: tuple[str, str] = ("", "")) -> Fit:
        """Return what comes out; nothing is raised that the points or the model are the reason of.

        :param x, y: numbers, shape (npoints,) both; those that are not finite are left out.
        :param units: of x and y.
        :raises UsageError: they do not have the same length, or the weights have another one.
        """
        xs, ys = np.asarray(x, float), np.asarray(y, float)
        if xs.ndim != 1 or xs.shape != ys.shape:
            raise UsageError(f"fit: expected as many x as y, in one dimension, got shapes {xs.shape} and {ys.shape}")
        sigma = self._sigma(ys)
        usable = np.isfinite(xs) & np.isfinite(ys) & np.isfinite(sigma)
        xs, ys, sigma = _averaged(xs[usable], ys[usable], sigma[usable])
        try:
            params = self._start(xs, ys)
            free = sum(param.vary for param in params.values())
            if len(xs) <= free:
                points = counted(len(xs), "point")
                return self._none(f"{points}, it takes more than {free}", title, len(xs))
            if "height" in params and float(np.ptp(ys)) <= 1e-12 * float(np.abs(ys).max()):
                return self._none(f"all {len(ys)} values are the same", title, len(xs))
            with np.errstate(all="ignore"):
                return self._told(self._best(xs, ys, sigma, params), xs, title, units)
        except TimeoutError as error:
            return self._none(str(error), title, len(xs))
        except Exception as error:  # noqa: BLE001  a function of somebody, and what lmfit and scipy raise of odd points
            return self._none(f"{type(error).__name__}: {error}", title, len(xs))

    def _sigma(self, y: Array) -> Array:
        """Return the standard deviation of each value: infinite of one that does not count."""
        if self._weights is None:
            return np.ones_like(y)
        if isinstance(self._weights, str):
            return np.sqrt(np.maximum(y, 1))
        if self._weights.shape != y.shape:
            raise UsageError(f"weights: expected one for each of {len(y)} points, got shape {self._weights.shape}")
        with np.errstate(divide="ignore"):
            return 1 / np.abs(self._weights)

    def _best(self, x: Array, y: Array, sigma: Array, params: Any) -> Any:
        deadline = time.monotonic() + PATIENCE
        result = self._model.fit(
            y,
            params,
            weights=None if self._weights is None else 1 / sigma,
            scale_covar=self._weights is None,
            max_nfev=MOST_CALLS,
            iter_cb=lambda *_, **__: time.monotonic() > deadline,
            **{self._first: x},
        )
        if result.aborted:
            raise TimeoutError(f"it has not converged within {PATIENCE:g} s or {MOST_CALLS} calls")
        return result

    def _start(self, x: Array, y: Array) -> Any:
        params = self._model.make_params()
        for part in self._model.components if not self.shape else ():  # of a sum each part has its own
            with suppress(Exception):  # many models have no guess, and those of others raise what they like
                params.update(part.guess(y, **{self._first: x}))
        start = guess(self.shape, x, y) if self.shape and len(x) > 1 else {}
        for name, param in params.items():
            if name in self._given or name in start:
                param.set(value=float(self._given.get(name, start.get(name, 0.0))))
            elif not math.isfinite(param.value):
                param.set(value=1.0)
        if self.shape and self.shape not in POLYNOMIALS:
            self._bound(params, x)
        return params

    def _bound(self, params: Any, x: Array) -> None:
        least = 1e-6 * (float(np.ptp(x)) or 1.0) if len(x) else 0.0
        for name in ("fwhm", "fwhm_g", "fwhm_l"):
            if name in params:
                params[name].set(min=least)
        if "fraction" in params:
            params["fraction"].set(min=0, max=1)
        if self._background != "linear":
            params["slope"].set(value=0, vary=False)
        if self._background == "none":
            params["background"].set(value=self._given.get("background", 0), vary=False)
        if self.shape == "voigt":  # Olivero and Longbothum (1977), within 0.02 %
            params.add("fwhm", expr="0.5346 * fwhm_l + (0.2166 * fwhm_l**2 + fwhm_g**2)**0.5")

    def _told(self, result: Any, x: Array, title: str, units: tuple[str, str]) -> Fit:
        shown = {name: param for name, param in result.params.items() if param.vary or param.expr}
        variance = float(np.square(result.data - np.mean(result.data)).sum())
        success = bool(result.success) and all(math.isfinite(param.value) for param in shown.values())
        return Fit(
            model=self.name,
            success=success,
            message=_noted(shown) if success else " ".join(str(result.message).split()),
            params={
                name: Parameter(
                    self._rounded(name, param.value, x, result.data), _error_of(param), self._unit(name, units)
                )
                for name, param in shown.items()
            },
            npoints=len(x),
            chi2=float(result.chisqr),
            redchi2=float(result.redchi),
            r2=1 - float(np.square(result.data - result.best_fit).sum()) / variance if variance else math.nan,
            is_weighted=self._weights is not None,
            title=title,
            span=(float(x.min()), float(x.max())),
            evaluate=lambda places: self._evaluated(result, places),
        )

    def _evaluated(self, result: Any, places: Array) -> Array:
        values = np.asarray(self._model.eval(result.params, **{self._first: places}), float)
        return np.broadcast_to(values, places.shape)

    def _rounded(self, name: str, value: float, x: Array, y: Array) -> float:
        """Return a value; 0 for what is as good as that."""
        scale = {"center": x, "height": y, "background": y}.get(name) if self.shape else None
        return 0.0 if scale is not None and abs(value) < 1e-9 * float(np.ptp(scale)) else float(value)

    def _unit(self, name: str, units: tuple[str, str]) -> str:
        if not self.shape or self.shape in POLYNOMIALS:
            return ""
        if name == "center" or name.startswith("fwhm"):
            return units[0]
        return units[1] if name in ("height", "background") else ""

    def _none(self, message: str, title: str, npoints: int) -> Fit:
        return Fit(self.name, False, message, title=title, npoints=npoints)


def _lmfit() -> Any:
    try:
        import lmfit
    except ImportError as error:
        raise DataError(
            f"fits need lmfit, which is not installed here: pip install 'bliss_like[fit]' ({error})"
        ) from None
    return lmfit


def _model_of(lmfit: Any, function: Callable[..., Any]) -> Any:
    """Return the model of a function of x and of parameters.

    :raises UsageError: it takes something else.
    """
    try:
        first, *others = inspect.signature(function).parameters
        if not others:
            raise ValueError("it takes no parameter")
        return lmfit.Model(function, independent_vars=[first])
    except (TypeError, ValueError) as error:
        raise UsageError(f"model: expected a function f(x, parameter, ...), got {function!r:.80}: {error}") from None


def _noted(params: Mapping[str, Any]) -> str:
    height = params.get("height")
    if height is None or not height.stderr or abs(height.value) > FEW_SIGMA * height.stderr:
        return ""
    return "nothing stands out of the noise"


def _error_of(param: Any) -> float | None:
    return float(param.stderr) if param.stderr is not None and math.isfinite(param.stderr) else None


def _numbers(weights: Any) -> Array:
    """:raises UsageError: they are none."""
    try:
        return np.asarray(weights, float)
    except (TypeError, ValueError):
        raise UsageError(_WEIGHTS.format(f"{weights!r:.80}")) from None


def _averaged(x: Array, y: Array, sigma: Array) -> tuple[Array, Array, Array]:
    """Return at most MOST_POINTS points: neighbours are averaged."""
    if len(x) <= MOST_POINTS:
        return x, y, sigma
    order = np.argsort(x, kind="stable")
    size = -(-len(x) // MOST_POINTS)
    whole = len(x) // size * size
    x, y, variance = (each[order][:whole].reshape(-1, size).mean(1) for each in (x, y, sigma**2))
    return x, y, np.sqrt(variance / size)
