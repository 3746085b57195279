"""Times as people say them: `today`, `2 h`, `2026-11-20`, `14:30`."""

from __future__ import annotations

import re
from datetime import date, datetime, time, timedelta

from bliss_like.errors import CatalogueError

When = str | float | date | datetime | timedelta

_UNITS = {"s": 1, "sec": 1, "second": 1, "min": 60, "minute": 60, "h": 3600, "hour": 3600, "d": 86400, "day": 86400}
_UNITS |= {"w": 7 * 86400, "week": 7 * 86400, "month": 30 * 86400, "year": 365 * 86400}
_AGO = re.compile(r"(?:last\s+)?(\d+(?:\.\d*)?|an?)\s*([a-z]+?)s?(?:\s+ago)?")
_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


def timestamp(when: When, *, end: bool = False, now: datetime | None = None) -> float:
    """Return a time in seconds since the epoch.

    :param when: a time stamp, a datetime (local if it has no zone), a date, a timedelta or a text like `2 h` (so long ago),
        `now`, `today`, `yesterday`, `monday` (the last one), ISO 8601 or `14:30` (today).
    :param end: of a day, its end is meant.
    :raises CatalogueError: it is no time.
    """
    now = now or datetime.now().astimezone()
    if isinstance(when, str):
        when = _from_text(when.strip().lower(), now)
    if isinstance(when, timedelta):
        when = now - when
    if isinstance(when, datetime):
        return when.timestamp()
    if isinstance(when, date):
        return datetime.combine(when + timedelta(days=1 if end else 0), time()).timestamp() - (1e-6 if end else 0)
    if isinstance(when, int | float) and not isinstance(when, bool):
        return float(when)
    raise _no_time(when)


def _from_text(text: str, now: datetime) -> datetime | date | timedelta:
    today = now.date()
    if text == "now":
        return now
    if text in ("today", "yesterday"):
        return today - timedelta(days=text == "yesterday")
    if text in _DAYS:
        return today - timedelta(days=(today.weekday() - _DAYS.index(text)) % 7)
    if (ago := _AGO.fullmatch(text)) and ago[2] in _UNITS:
        count = 1.0 if ago[1].startswith("a") else float(ago[1])
        return timedelta(seconds=count * _UNITS[ago[2]])
    try:
        if re.fullmatch(r"\d{1,2}:\d\d(:\d\d)?", text):
            return datetime.combine(today, time.fromisoformat(text.zfill(len(text) + (text[1] == ":"))))
        if re.fullmatch(r"\d{4}-\d\d-\d\d", text):
            return date.fromisoformat(text)
        return datetime.fromisoformat(text)
    except ValueError:
        raise _no_time(text) from None


def _no_time(when: object) -> CatalogueError:
    return CatalogueError(
        f"expected a time: 'today', 'yesterday', 'monday', '2 h', '3 days', '14:30', '2026-11-20', '2026-11-20T14:30', "
        f"a datetime or a time stamp, got {when!r}"
    )
