"""Questions to many at the same time, of whom none may hold up a scan or cost it its metadata."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from time import monotonic, perf_counter
from typing import Any

import gevent

from bliss_like.data.codec import to_json

_log = logging.getLogger(__name__)

PATIENCE = 2.0
"""Seconds that all together have to answer."""

LARGEST = 4_000_000
"""Bytes of JSON that one answer may have: a scan's info is read by everybody, whole."""

Question = Callable[[], Mapping[str, Any] | None]


class Gatherer:
    """Asks side by side, within a time; who has not answered in it is left to it, and asked again when it has.

    Nobody is killed in the middle of a request: a driver would have to open its line again, perhaps in the middle of a
    motion.
    """

    def __init__(self, patience: float = PATIENCE) -> None:
        self.patience = patience
        self.seconds: dict[str, float] = {}
        """How long each took, since somebody has cleared it."""
        self._silent: dict[str, tuple[gevent.Greenlet[..., None], float]] = {}
        self._told: dict[str, str] = {}
        self.is_quiet = False
        """Whether problems are of no interest to people, who are told something worse."""

    def ask(self, questions: Mapping[str, Question], missing: dict[str, str]) -> dict[str, dict[str, Any]]:
        """Return the answers by name, in the order of the questions; what is not there is said in `missing`."""
        answers: dict[str, dict[str, Any]] = {}
        problems: dict[str, str] = {}
        tasks = {}
        for name, question in questions.items():
            silent, since = self._silent.get(name, (None, 0.0))
            if silent is not None and not silent.ready():
                problems[name] = f"no answer for {monotonic() - since:.0f} s"
            else:
                tasks[name] = gevent.spawn(self._ask_one, name, question, answers, problems)
        began = monotonic()
        gevent.joinall(list(tasks.values()), timeout=self.patience)
        self._silent = {name: known for name, known in self._silent.items() if not known[0].ready()}
        for name, task in tasks.items():
            if not task.ready():
                self._silent[name] = (task, began)
                self.seconds[name] = monotonic() - began
                problems[name] = f"no answer within {self.patience:g} s"
        self.note(problems, missing, questions)
        return {name: answers[name] for name in questions if name in answers}

    def note(self, problems: Mapping[str, str], missing: dict[str, str], asked: Mapping[str, Any]) -> None:
        """Say in `missing` what is, and log what is news.

        :param asked: all names that were asked for; those without a problem are well again.
        """
        for name in asked:
            if name not in problems:
                self._told.pop(name, None)
        missing.update(problems)
        if self.is_quiet:
            return
        news: dict[str, list[str]] = {}
        for name, problem in problems.items():
            if name not in self._told:
                news.setdefault(problem, []).append(name)
            self._told[name] = problem
        for problem, names in news.items():  # what is lost is lost to all axes of it
            _log.warning("metadata %s are missing in the scan: %s", ", ".join(names), problem)

    def _ask_one(
        self, name: str, question: Question, answers: dict[str, dict[str, Any]], problems: dict[str, str]
    ) -> None:
        began = perf_counter()
        try:
            answer = question()
            if answer:
                answers[name] = storable(answer)
        except gevent.GreenletExit:
            problems[name] = "the greenlet that asked was killed from outside"
        except BaseException as error:  # noqa: BLE001  a driver may raise gevent.Timeout; none may cost the scan
            problems[name] = f"{type(error).__name__}: {error}"
        self.seconds[name] = perf_counter() - began


def storable(metadata: Mapping[str, Any]) -> dict[str, Any]:
    """Return metadata as a dict.

    :raises TypeError: they are none, or something in them cannot be published, which would cost the scan its end.
    :raises ValueError: they are too large.
    """
    if not isinstance(metadata, Mapping):
        raise TypeError(f"expected a dict, got {metadata!r:.80}")
    size = len(to_json(metadata))
    if size > LARGEST:
        raise ValueError(f"{size / 1e6:.1f} MB, expected at most {LARGEST / 1e6:g} MB: arrays belong into channels")
    return dict(metadata)
