"""The probe's own judgement; what stores really answer is in tests/behaviour/test_stores.py."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from botocore import exceptions

from bootstrap.probe import probe as probing
from bootstrap.probe.probe import OPERATIONS, Operation, ProbeResult, capabilities, probe
from bootstrap.probe.room import Wrong, expect, expect_refusal
from bootstrap.remote.connections import StoreConnection
from bootstrap.remote.errors import Unreachable
from lakehouse.spec.kinds import Capabilities


def answer(status: int, code: str = "") -> exceptions.ClientError:
    error: Any = {"ResponseMetadata": {"HTTPStatusCode": status}, **({"Error": {"Code": code}} if code else {})}
    return exceptions.ClientError(error, "PutObject")


def raising(error: Exception | None) -> Callable[[Any], None]:
    def run(room: Any) -> None:
        if error is not None:
            raise error

    return run


@pytest.mark.parametrize(
    ("error", "outcome", "remark"),
    [
        (None, "works", ""),
        (Wrong("other bytes come back"), "wrong", "other bytes come back"),
        (answer(501, "NotImplemented"), "refused", "PutObject: 501 NotImplemented"),
        (answer(400), "refused", "PutObject: 400"),
        (KeyError("VersionId"), "wrong", "KeyError: 'VersionId'"),
        (ValueError("not enough values to unpack"), "wrong", "ValueError: not enough values to unpack"),
        (exceptions.ReadTimeoutError(endpoint_url="http://x/b/k"), "wrong", "a request is not answered within 10 s"),
        (exceptions.ConnectionClosedError(endpoint_url="http://x"), "wrong", "ConnectionClosedError: Connection"),
    ],
)
def test_an_answer_is_judged(error: Exception | None, outcome: str, remark: str) -> None:
    room: Any = None
    result = probing._one(Operation("it", raising(error)), room)
    assert (result.operation, result.outcome) == ("it", outcome)
    assert result.remark.startswith(remark)
    assert bool(result.remark) == bool(remark)


def test_what_should_be_refused_must_be_and_in_the_right_way() -> None:
    def succeed() -> None:
        pass

    def fail() -> None:
        raise answer(500, "InternalError")

    with pytest.raises(Wrong, match="it is replaced"):
        expect_refusal(succeed, "it is replaced", 412)
    with pytest.raises(Wrong, match="refused by 500 InternalError instead of 412"):
        expect_refusal(fail, "it is replaced", 412)
    expect_refusal(fail, "it is replaced", 412, 500)
    with pytest.raises(Wrong, match="shorter"):
        expect(False, "shorter")


def test_every_flag_of_the_matrix_is_measured() -> None:
    flags = {field.name for field in dataclasses.fields(Capabilities)}
    assert {each.capability for each in OPERATIONS} - {""} == flags
    assert set(capabilities([])) == flags


def test_a_capability_takes_all_of_its_operations() -> None:
    works = [ProbeResult(each.name, "works", 1.0) for each in OPERATIONS]
    assert all(capabilities(works).values())
    for nth, operation in enumerate(OPERATIONS):
        broken = [*works[:nth], ProbeResult(operation.name, "wrong", 1.0), *works[nth + 1 :]]
        found = capabilities(broken)
        assert [name for name, can in found.items() if not can] == (
            [operation.capability] if operation.capability else []
        )


def test_operations_have_names_of_their_own() -> None:
    assert [name for name, count in Counter(each.name for each in OPERATIONS).items() if count > 1] == []
    assert len({each.run for each in OPERATIONS}) == len(OPERATIONS)


def test_no_answer_is_reported(free_port: int) -> None:
    store = StoreConnection(f"http://127.0.0.1:{free_port}", "us-east-1", "key", "secret")
    with pytest.raises(Unreachable, match=str(free_port)):
        list(probe(store))
