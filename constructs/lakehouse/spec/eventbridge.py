"""A time as cron writes it, as EventBridge Scheduler writes it.

Each field becomes the list of its values, so that no rule about steps and their first value is left to be different.
Days of the week are names there, and either they or the days of the month are `?`.
https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html#cron-based
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from datetime import UTC, datetime

_WEEK = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
_EVERY_DAY = frozenset(range(1, 32))


def expression(cron: str) -> str:
    """The same times in EventBridge Scheduler, as in ``cron(30 2 ? * MON-FRI *)``.

    ``cron`` is valid for cron. Raises ValueError, with the rule and the fix, for times that AWS cannot say.
    """
    from cronsim import CronSim  # few files have a schedule

    if len(cron.split()) != 5:
        raise ValueError(f'"{cron}" has seconds, which AWS does not know. Write five fields, as in `30 2 * * *`')
    parsed = CronSim(cron, datetime(2026, 1, 1, tzinfo=UTC))
    day, weekday = _days(cron, parsed)
    minutes = _field(parsed.minutes, range(60))
    hours = _field(parsed.hours, range(24))
    return f"cron({minutes} {hours} {day} {_field(parsed.months, range(1, 13))} {weekday} *)"


def _days(cron: str, parsed: object) -> tuple[str, str]:
    """The fields for the day of the month and of the week. cron takes either if both are given, AWS only one."""
    from cronsim import CronSim

    assert isinstance(parsed, CronSim)
    days: Collection[int] = parsed.days
    week = {each % 7 if isinstance(each, int) else each for each in parsed.weekdays}
    any_day, any_weekday = set(days) >= _EVERY_DAY, week >= set(range(7))
    if (any_day and any_weekday) or (not parsed.day_and and (any_day or any_weekday)):
        return "*", "?"
    if not any_day and not any_weekday:
        rule = "it names days of the month and of the week, and a time in AWS has only one of them"
        raise ValueError(f'"{cron}" cannot be a time in AWS: {rule}. Write `*` for the other one')
    if any_weekday:
        return _month(cron, days), "?"
    return "?", _weekday(cron, week)


def _month(cron: str, days: Collection[int]) -> str:
    from cronsim import CronSim

    if set(days) == {CronSim.LAST}:
        return "L"
    if min(days) < 1:
        rule = "AWS knows the last day of a month (`L`) only by itself, and no last working day"
        raise ValueError(f'"{cron}" cannot be a time in AWS: {rule}. Write numbers, or `L`')
    return _field(days, range(1, 32))


def _weekday(cron: str, week: Collection[int | tuple[int, int]]) -> str:
    plain = [each for each in week if isinstance(each, int)]
    if len(plain) == len(week):
        return _field(plain, range(7), _WEEK)
    [first, *more] = [each for each in week if not isinstance(each, int)]
    if plain or more or first[1] < 1:
        rule = "AWS knows the nth day of the week in a month (`5#3`) only by itself, and no last one"
        raise ValueError(f'"{cron}" cannot be a time in AWS: {rule}. Write names of days, or one such day')
    return f"{first[0] % 7 + 1}#{first[1]}"  # its days begin with 1, for Sunday


def _field(values: Collection[int], whole: range, names: Sequence[str] = ()) -> str:
    """A field: `*`, or numbers and ranges."""
    if set(values) >= set(whole):
        return "*"

    def shown(value: int) -> str:
        return names[value] if names else str(value)

    return ",".join(
        shown(first) if first == last else f"{shown(first)}{'-' if last > first + 1 else ','}{shown(last)}"
        for first, last in _runs(sorted(values))
    )


def _runs(values: Sequence[int]) -> Iterator[tuple[int, int]]:
    """First and last of each run of neighbours."""
    first = last = values[0]
    for each in values[1:]:
        if each != last + 1:
            yield first, last
            first = each
        last = each
    yield first, last
