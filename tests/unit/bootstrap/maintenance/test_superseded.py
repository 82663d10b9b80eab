"""Former metadata files: which are known to be replaced, and which of them may be removed."""

from __future__ import annotations

from typing import Any

import pytest

from bootstrap.maintenance.superseded import Superseded, chain, removable

HOME = "s3://w/t"


def at(number: int) -> str:
    return f"{HOME}/metadata/{number:05d}.metadata.json"


def metadata(number: int, log: int = 3) -> dict[str, Any]:
    """The nth metadata file, written at 10 * n, whose log names the ``log`` before it."""
    entries = [{"metadata-file": at(n), "timestamp-ms": 10 * n} for n in range(max(0, number - log), number)]
    return {"last-updated-ms": 10 * number, "metadata-log": entries}


def test_logs_lead_from_one_to_the_next_to_the_first() -> None:
    found = chain(metadata(10), lambda location: metadata(int(location.rsplit("/", 1)[-1][:5])))
    assert found == [Superseded(at(n), 10 * (n + 1)) for n in range(10)]


def test_what_is_gone_ends_the_way() -> None:
    found = chain(metadata(10), lambda location: None)
    assert found == [Superseded(at(n), 10 * (n + 1)) for n in range(7, 10)]
    assert chain({"last-updated-ms": 5}, lambda location: pytest.fail("nothing to read")) == []


def test_what_goes_was_replaced_long_ago_and_is_named_by_nobody() -> None:
    former = [Superseded(at(n), 10 * (n + 1)) for n in range(10)]
    there = {at(n) for n in range(10) if n != 1}  # one was removed before
    gone = removable(former, before=60, keep={at(2)}, least=2, home=HOME, there=there)
    assert gone == [at(0), at(3), at(4)]
    assert removable(former, before=1000, keep=(), least=2, home=HOME, there=there)[-1] == at(7)
    assert removable(former, before=1000, keep=(), least=50, home=HOME, there=there) == []
    assert removable(former, before=1000, keep=(), least=1, home="s3://w/t2", there=there) == []
    assert removable(former, before=1000, keep=(), least=1, home="s3://w/tt", there=there) == []
