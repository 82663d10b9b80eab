"""Times of cron as AWS's: the same minutes, by an evaluator of AWS's fields that is ours."""

from __future__ import annotations

import re
from calendar import monthrange
from datetime import UTC, datetime, timedelta
from itertools import islice

import pytest
from cronsim import CronSim
from hypothesis import given, settings
from hypothesis import strategies as st

from lakehouse.spec.eventbridge import expression

WEEK = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"]


def _holds(field: str, value: int, names: list[str] | None = None) -> bool:
    def number(word: str) -> int:
        return names.index(word) if names else int(word)

    for part in field.split(","):
        first, _, last = part.partition("-")
        if part == "*" or number(first) <= value <= number(last or first):
            return True
    return False


def comes(aws: str, at: datetime) -> bool:
    """Whether a time of AWS's cron is at a minute, as its documents say: `?` is any day, `L` a month's last."""
    match = re.fullmatch(r"cron\((\S+) (\S+) (\S+) (\S+) (\S+) \*\)", aws)
    assert match is not None
    minute, hour, day, month, weekday = match.groups()
    assert [day, weekday].count("?") == 1
    if not (_holds(minute, at.minute) and _holds(hour, at.hour) and _holds(month, at.month)):
        return False
    of_week = at.isoweekday() % 7
    if weekday != "?":
        if "#" in weekday:
            which, _, nth = weekday.partition("#")
            return of_week == int(which) - 1 and (at.day - 1) // 7 + 1 == int(nth)
        return _holds(weekday, of_week, WEEK)
    return at.day == monthrange(at.year, at.month)[1] if day == "L" else _holds(day, at.day)


@pytest.mark.parametrize(
    ("cron", "aws"),
    [
        ("30 2 * * *", "cron(30 2 * * ? *)"),
        ("*/15 * * * 1-5", "cron(0,15,30,45 * ? * MON-FRI *)"),
        ("0 9-17/4 * * 7", "cron(0 9,13,17 ? * SUN *)"),
        ("0 0 1,15 1-3 *", "cron(0 0 1,15 1-3 ? *)"),
        ("0 0 L * *", "cron(0 0 L * ? *)"),
        ("0 0 * * fri#3", "cron(0 0 ? * 6#3 *)"),
        ("0 0 * * 7#1", "cron(0 0 ? * 1#1 *)"),
        ("0 0 1-31 * 1", "cron(0 0 * * ? *)"),  # cron takes either of two that are given, and each day is one
        ("0 0 1 * 0-6", "cron(0 0 * * ? *)"),
        ("0 0 * * 1", "cron(0 0 ? * MON *)"),
    ],
)
def test_a_time_is_the_same(cron: str, aws: str) -> None:
    assert expression(cron) == aws


@pytest.mark.parametrize(
    ("cron", "said"),
    [
        ("0 0 1 * 1", "it names days of the month and of the week"),
        ("0 0 */2 * 1", "it names days of the month and of the week"),
        ("0 0 LW * *", "no last working day"),
        ("0 0 1,L * *", "only by itself"),
        ("0 0 * * 5L", "and no last one"),
        ("0 0 * * 1,5#3", "only by itself"),
        ("0 0 * * 1#1,5#3", "only by itself"),
        ("0 * * * * *", "has seconds"),
    ],
)
def test_what_aws_cannot_say_is_refused_with_the_rule_and_the_fix(cron: str, said: str) -> None:
    with pytest.raises(ValueError, match=said) as caught:
        expression(cron)
    assert f'"{cron}"' in str(caught.value)
    assert "Write " in str(caught.value)


def _field(least: int, most: int) -> st.SearchStrategy[str]:
    number = st.integers(least, most)
    span = st.tuples(number, number).map(lambda two: f"{min(two)}-{max(two)}")
    step = st.tuples(st.one_of(st.just("*"), span, number.map(str)), st.integers(1, most)).map("{0[0]}/{0[1]}".format)
    part = st.one_of(number.map(str), span, step)
    return st.one_of(st.just("*"), st.lists(part, min_size=1, max_size=3).map(",".join))


DAYS = st.one_of(_field(1, 28), st.just("L"))
WEEKDAYS = st.one_of(_field(0, 7), st.tuples(st.integers(0, 7), st.integers(1, 4)).map("{0[0]}#{0[1]}".format))
STARTS = st.datetimes(datetime(2024, 1, 1), datetime(2032, 1, 1))  # noqa: DTZ001 - hypothesis wants them so
#: Days of the month or of the week: both are refused.
EITHER = st.one_of(st.tuples(DAYS, st.just("*")), st.tuples(st.just("*"), WEEKDAYS))


@settings(max_examples=300, deadline=None)
@given(_field(0, 59), _field(0, 23), EITHER, _field(1, 12), STARTS)
def test_aws_starts_when_cron_would(minute: str, hour: str, days: tuple[str, str], month: str, start: datetime) -> None:
    cron = f"{minute} {hour} {days[0]} {month} {days[1]}"
    aws = expression(cron)
    assert len(aws) <= 256  # botocore's ScheduleExpression
    now = start.replace(second=0, microsecond=0, tzinfo=UTC)
    for due in islice(CronSim(cron, now), 5):
        assert comes(aws, due), (cron, aws, due)
    for minutes in range(1, 120):  # and at no other time
        at = now + timedelta(minutes=minutes)
        assert comes(aws, at) is (next(CronSim(cron, at - timedelta(seconds=1))) == at), (cron, aws, at)
