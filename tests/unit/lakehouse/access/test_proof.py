"""What each principal must be allowed and denied at the store."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from fnmatch import fnmatchcase
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from lakehouse.access import s3
from lakehouse.access.grants import VERBS, Grant, plain
from lakehouse.access.grants import grants as all_grants
from lakehouse.access.proof import NEEDS, Call, calls, places
from lakehouse.access.s3 import on_files
from lakehouse.spec import Lakehouse, Verb
from lakehouse.spec.access import check_access
from tests.unit.bootstrap.reconciler.simulation import lakehouse

T = {"columns": {"a": "long"}}
SPACES: dict[str, Any] = {
    "n": {"tables": {"t": T}},
    "n.m": {"tables": {"u": {**T, "location": "s3://warehouse/elsewhere/u"}}},
    "nm": {"tables": {"v": {**T, "properties": {"write.data.path": "s3://warehouse/data/v"}}}},
}
TARGETS = ["lake", "lake.n", "lake.n.m", "lake.nm", "lake.n.t", "lake.n.m.u", "lake.nm.v"]


def granting(grants: dict[str, Any], spaces: dict[str, Any] = SPACES) -> Lakehouse:
    access = {"roles": {"r": {"grants": grants}}, "principals": {"p": {"roles": ["r"]}}}
    return Lakehouse.model_validate({**lakehouse(spaces).model_dump(exclude_none=True), "access": access})


def test_every_folder_of_a_table_is_a_place() -> None:
    assert {place.name: place.key for place in places(granting({}))} == {
        "lake.n": "lake/n",
        "lake.n.t": "lake/n/t",
        "lake.n.m": "lake/n/m",
        "lake.n.m.u": "elsewhere/u",
        "lake.nm": "lake/nm",
        "lake.nm.v": "data/v",
    }
    assert [place.key for place in places(granting({})) if place.table == "v"] == ["lake/nm/v", "data/v"]


@pytest.mark.parametrize(
    ("target", "covered"),
    [
        ("lake", {"lake.n", "lake.n.t", "lake.n.m", "lake.n.m.u", "lake.nm", "lake.nm.v"}),
        ("lake.n", {"lake.n", "lake.n.t", "lake.n.m", "lake.n.m.u"}),
        ("lake.n.m", {"lake.n.m", "lake.n.m.u"}),
        ("lake.nm.v", {"lake.nm.v"}),
    ],
)
@pytest.mark.parametrize("verb", VERBS)
def test_a_verb_allows_what_needs_no_higher_one(target: str, covered: set[str], verb: Verb) -> None:
    found = list(calls(granting({target: [verb]})))
    assert len(found) == len(NEEDS) * len(places(granting({})))
    for each in found:
        enough = VERBS.index(NEEDS[each.operation]) <= VERBS.index(verb)
        assert each.allowed == (each.place.name in covered and enough), each


def differing(file: Lakehouse) -> list[Call]:
    """Calls that the store's policies decide other than the proof: by prefixes here, by places there."""
    statements = on_files(file, "p", lambda bucket, key="": f"{bucket}/{key}" if key else bucket)
    actions = {
        "list": "s3:ListBucket",
        "get": "s3:GetObject",
        "put": "s3:PutObject",
        "delete": "s3:DeleteObject",
    }

    def allowed(each: Call) -> bool:
        at = each.place.bucket if each.operation == "list" else f"{each.place.bucket}/{each.place.key}/x"
        return any(
            actions[each.operation] in statement.actions
            and any(fnmatchcase(at, resource) for resource in statement.resources)
            and _holds(statement.conditions, f"{each.place.key}/")
            for statement in statements
        )

    return [each for each in calls(file) if allowed(each) != each.allowed]


def _holds(conditions: Mapping[str, Any], asked: str) -> bool:
    """Whether the only condition that the compiler knows holds for a list of what begins so."""
    patterns = conditions.get("StringLike", {}).get("s3:prefix", ["*"])
    return any(fnmatchcase(asked, pattern) for pattern in patterns)


NARROWED = {"verbs": ["read"], "rows": "a = 1"}
_VERBS: st.SearchStrategy[Any] = st.lists(st.sampled_from(VERBS), min_size=1, unique=True)
_GRANTS = st.tuples(
    st.dictionaries(st.sampled_from(TARGETS), _VERBS),
    st.dictionaries(st.sampled_from(["lake.n.t", "lake.n.m.u", "lake.nm.v"]), st.just(NARROWED)),
)


@given(_GRANTS)
def test_the_stores_policies_allow_exactly_that(grants: tuple[dict[str, Any], dict[str, Any]]) -> None:
    """Two derivations of the same grants, some with filters, in every file that is valid."""
    file = granting({**grants[0], **grants[1]})
    file = file.model_copy(update={"access": file.access.model_copy(update={"enforce": "best-effort"})})
    assume(not list(check_access(file)))
    assert differing(file) == []


def test_a_compiler_that_forgets_filters_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    file = granting({"lake.n.t": NARROWED, "lake.nm": ["read"]})
    assert differing(file) == []
    monkeypatch.setattr("lakehouse.access.s3.plain", all_grants)
    found = {(each.operation, each.place.name) for each in differing(file)}
    assert found == {("list", "lake.n.t"), ("get", "lake.n.t")}


OBJECTS, FILES = s3._S3_OBJECTS, s3.files
MUTANTS: dict[str, tuple[str, Any]] = {
    "readers write": ("_S3_OBJECTS", {**OBJECTS, "read": (*OBJECTS["read"], "s3:PutObject")}),
    "readers delete": ("_S3_OBJECTS", {**OBJECTS, "read": (*OBJECTS["read"], "s3:DeleteObject")}),
    "readers read nothing": ("_S3_OBJECTS", {**OBJECTS, "read": ("s3:GetObjectVersion",)}),
    "writers write nothing": ("_S3_OBJECTS", {**OBJECTS, "write": ("s3:DeleteObject",)}),
    "writers delete nothing": ("_S3_OBJECTS", {**OBJECTS, "write": ("s3:PutObject",)}),
    "files are those of the bucket": ("files", lambda arn, verb, at: FILES(arn, verb, [(each, "*") for each, _ in at])),
    "a folder is all that begin alike": (
        "files",
        lambda arn, verb, at: FILES(lambda bucket, key="": arn(bucket, key.replace("/*", "*")), verb, at),
    ),
    "the folder around": (
        "files",
        lambda arn, verb, at: FILES(arn, verb, [(each, key.rpartition("/")[0]) for each, key in at]),
    ),
    "lists without a condition": (
        "files",
        lambda arn, verb, at: [replace(each, conditions={}) for each in FILES(arn, verb, at)],
    ),
    "nothing is listed": (
        "files",
        lambda arn, verb, at: [each for each in FILES(arn, verb, at) if "s3:ListBucket" not in each.actions],
    ),
    "a verb is the highest": ("plain", lambda of, who: [replace(each, verb="manage") for each in plain(of, who)]),
    "a verb is the lowest": ("plain", lambda of, who: [replace(each, verb="read") for each in plain(of, who)]),
    "nothing is granted": ("plain", lambda of, who: []),
    "everybody has everything": ("plain", lambda of, who: [Grant(who, "manage", "lake", "r")]),
    "filters are none": ("plain", all_grants),
}


@pytest.mark.parametrize("mutant", MUTANTS)
def test_a_compiler_that_allows_too_much_or_too_little_is_noticed(mutant: str, monkeypatch: pytest.MonkeyPatch) -> None:
    file = granting({"lake.n": ["read"], "lake.n.m.u": ["write"], "lake.nm.v": NARROWED})
    assert differing(file) == []
    monkeypatch.setattr(s3, *MUTANTS[mutant])
    assert differing(file)


def test_a_table_with_a_filter_or_mask_has_no_permission_on_its_files() -> None:
    narrowed = {"lake.n.t": {"verbs": ["read"], "rows": "a = 1"}, "lake.nm": ["read"]}
    file = granting(narrowed)
    allowed = {each.place.name for each in calls(file) if each.allowed}
    assert allowed == {"lake.nm", "lake.nm.v"}
    arns = [arn for each in on_files(file, "p", lambda bucket, key="": f"{bucket}/{key}") for arn in each.resources]
    assert arns
    assert not any("lake/n/" in arn for arn in arns)


def test_files_of_a_folder_whose_name_only_begins_alike_are_not_listed() -> None:
    """IAM compares patterns with the prefix that a request asks for, and S3 lists every key that begins with it."""
    found = on_files(granting({"lake.n.t": ["read"]}), "p", lambda bucket, key="": f"{bucket}/{key}")
    patterns = [each for one in found for each in one.conditions.get("StringLike", {}).get("s3:prefix", ())]
    asked = {"lake/n/t/": True, "lake/n/t/data/": True, "lake/n/t": False, "lake/n/t_eu/": False, "lake/n/": False}
    assert {each: any(fnmatchcase(each, pattern) for pattern in patterns) for each in asked} == asked


def test_a_masked_namespace_gives_the_folders_of_its_other_tables_only() -> None:
    tagged = {"columns": {"a": {"type": "long", "tags": ["pii"]}}}
    spaces = {"n": {"tables": {"secret": tagged, "t": T}}, "n.m": {"tables": {"u": T, "v": tagged}}}
    file = granting({"lake.n": {"verbs": ["read"], "columns": {"tag:pii": "mask"}}}, spaces)
    assert {each.place.name for each in calls(file) if each.allowed} == {"lake.n.t", "lake.n.m.u"}
    found = [arn for each in on_files(file, "p", lambda bucket, key="": f"{bucket}/{key}") for arn in each.resources]
    assert {arn for arn in found if arn.endswith("*")} == {"warehouse/lake/n/t/*", "warehouse/lake/n/m/u/*"}
