"""Lifecycle rules and bucket policies: ours next to those of others."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bootstrap.stores import lifecycle, policies

THEIRS: Any = {"ID": "theirs", "Status": "Enabled", "Filter": {"Prefix": "tmp/"}, "Expiration": {"Days": 1}}
KEYS = st.sampled_from(["expire_days", "noncurrent_days"])
WORDS = st.lists(st.tuples(KEYS, st.none() | st.integers(1, 400)), max_size=6)
DENY: Any = {"Sid": "Theirs", "Effect": "Deny", "Principal": "*", "Action": "s3:DeleteObject", "Resource": "arn:x"}


@given(WORDS)
def test_the_last_word_on_each_key_counts_and_others_rules_stay(words: list[tuple[str, int | None]]) -> None:
    rules = [THEIRS]
    for key, days in words:
        rules = lifecycle.with_days(rules, key, days)
    assert lifecycle.days(rules) == {key: days for key, days in dict(words).items() if days is not None}
    assert rules[0] == THEIRS
    assert len({rule["ID"] for rule in rules}) == len(rules)


def test_a_rule_is_as_s3_has_it() -> None:
    (rule,) = lifecycle.with_days([], "noncurrent_days", 30)
    assert rule["NoncurrentVersionExpiration"] == {"NoncurrentDays": 30}
    assert "Expiration" not in rule


@pytest.mark.parametrize("before", [None, json.dumps({"Statement": [DENY]}), json.dumps({"Statement": DENY})])
def test_a_bucket_is_opened_and_closed_and_others_statements_stay(before: str | None) -> None:
    assert not policies.is_public(before)
    opened = policies.with_public(before, "open-data", public=True)
    assert policies.is_public(opened)
    assert policies.with_public(opened, "open-data", public=True) == opened
    *others, ours = json.loads(opened or "")["Statement"]
    assert others == ([DENY] if before else [])
    assert (ours["Action"], ours["Resource"]) == (["s3:GetObject"], ["arn:aws:s3:::open-data/*"])
    closed = policies.with_public(opened, "open-data", public=False)
    assert (json.loads(closed)["Statement"] == [DENY]) if before else closed is None  # type: ignore[arg-type]
