"""The entry `schedule`: times, places, and who is told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from lakehouse.spec import AwsStack, LocalStack
from lakehouse.spec.problems import SpecError
from lakehouse.spec.schedule import Schedule
from tests.unit.lakehouse.kinds.platform.monitored import lakehouse

MAIL = {"server": "smtp.example.com:587", "sender": "lake@example.com", "to": ["ops@example.com"]}
BACKUP = {"at": "0 1 * * *", "to": "backups"}


def test_its_tasks_come_in_the_usual_order_whatever_the_runtime(tmp_path: Path) -> None:
    entry = {"time_zone": "Europe/Berlin", "drift": "0 * * * *", "backup": {**BACKUP, "keep": 3}}
    stack = lakehouse(tmp_path, False, schedule=entry, runtime="docker").stacks["local"]
    assert isinstance(stack, LocalStack)
    assert stack.schedule is not None
    assert list(stack.schedule.times.items()) == [("backup", "0 1 * * *"), ("drift", "0 * * * *")]
    assert Schedule.model_validate(stack.schedule.model_dump(mode="json")) == stack.schedule


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ({}, "it has no task. Add one of maintenance, metadata, backup, drift"),
        ({"drift": "hourly"}, '"hourly" is not a time of cron'),
        ({"drift": "61 * * * *"}, "five fields (minute, hour, day, month, day of the week)"),
        ({"drift": "0 0 30 2 *"}, "0 0 30 2 *"),
        ({"drift": "*/5 * * * * *"}, '"*/5 * * * * *" is not a time of cron: it has five fields'),
        ({"drift": "0 * * * *", "time_zone": "Berlin"}, '"Berlin" is not a time zone: it looks like Europe/Berlin'),
        ({"backup": {**BACKUP, "to": "gs://b"}}, "write a folder, or s3://BUCKET/PREFIX"),
        ({"backup": {**BACKUP, "keep": 0}}, "keep"),
        ({"backup": {**BACKUP, "to": "s3:/vault/lake"}}, "its bucket is missing, as in s3://BUCKET/PREFIX"),
        ({"backup": {**BACKUP, "to": "~/backups"}}, '"~/backups" begins with ~, which only a shell replaces'),
        ({"drift": "0 * * * *", "notify": {"mail": {**MAIL, "server": "smtp..example.com:25"}}}, "not a mail server"),
        ({"drift": "0 * * * *", "notify": {"mail": {**MAIL, "server": "smtp.example.com:99999"}}}, "not a mail server"),
        (
            {"drift": "0 * * * *", "notify": {"webhook": "https://hooks.example/hidden"}},
            "looks like the address itself",
        ),
        ({"drift": "0 * * * *", "notify": {"mail": {**MAIL, "user": "me"}}}, "`user` and `password` belong together"),
        (
            {"drift": "0 * * * *", "notify": {"mail": {**MAIL, "user": "me", "password": "p", "tls": False}}},
            "a password is sent only over TLS",
        ),
    ],
)
def test_what_is_wrong_is_said_and_no_address_is_repeated(tmp_path: Path, entry: Any, said: str) -> None:
    with pytest.raises(SpecError) as caught:
        lakehouse(tmp_path, False, schedule=entry)
    assert said in str(caught.value)
    assert "hidden" not in str(caught.value)


def test_a_stack_in_aws_has_the_same_entry() -> None:
    entry = {"region": "eu-west-1", "store": "s3", "catalogs": {}, "schedule": {"drift": "0 * * * *"}}
    assert AwsStack.model_validate(entry).schedule == Schedule(drift="0 * * * *")
