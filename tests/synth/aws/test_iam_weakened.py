"""The compiler of IAM's policies, weakened: what each principal may do is then not what the file says."""

from __future__ import annotations

from typing import Any

import pytest

from lakehouse.access import iam, policy
from lakehouse.access.grants import Grant, grants
from lakehouse.access.names import names
from lakehouse.access.s3 import files
from lakehouse.spec import Lakehouse, Verb
from tests.synth.aws.simulator import allowed
from tests.synth.aws.test_iam import ACCOUNT, KEY, requests

TABLE = {"columns": {"id": "long"}}
Actions = dict[Verb, tuple[str, ...]]


def lakehouse() -> Lakehouse:
    """A reader, a writer and a manager of one namespace, a reader of one table, and one whose rows are filtered."""
    spaces = {"a": {"tables": {"t": TABLE, "ta": TABLE}}, "ab": {"tables": {"t": TABLE}}}
    given: dict[str, dict[str, Any]] = {
        "reads": {"lake.a": ["read"]},
        "writes": {"lake.a": ["write"]},
        "manages": {"lake.a": ["manage"]},
        "single": {"lake.a.t": ["read"]},
        "narrow": {"lake.a.t": {"verbs": ["read"], "rows": "id = 1"}},
    }
    return Lakehouse.model_validate(
        {
            "name": "demo",
            "buckets": {"warehouse": {}, "other": {}},
            "catalogs": {
                "lake": {"location": "s3://warehouse/lake", "namespaces": spaces},
                "lakes": {"location": "s3://warehouse/lakes", "namespaces": {"b": {"tables": {"t": TABLE}}}},
            },
            "access": {
                "roles": {name: {"grants": of} for name, of in given.items()},
                "principals": {name: {"roles": [name]} for name in (*given, "nobody") if name in given},
            },
            "stacks": {"aws": {"region": "eu-west-1", "store": "s3", "catalogs": {"lake": "glue", "lakes": "glue"}}},
        }
    )


def wrong(file: Lakehouse) -> list[tuple[str, str, bool]]:
    """Requests that the policies decide other than the file."""
    own = names(file, "aws", ACCOUNT)
    found = []
    for principal in file.access.principals:
        document = policy.document(iam.statements(file, own, principal, key=KEY))
        found += [
            (principal, str(request), granted)
            for request, granted in requests(file, own, principal)
            if allowed([document], request) is not granted
        ]
    return found


def test_the_compiler_as_it_is() -> None:
    assert wrong(lakehouse()) == []


def _more(of: Actions, verb: Verb, *actions: str) -> Actions:
    return {**of, verb: (*of[verb], *actions)}


def _less(of: Actions, verb: Verb, *actions: str) -> Actions:
    return {**of, verb: tuple(each for each in of[verb] if each not in actions)}


FILES, COMPILE = files, iam.compile_grants
TABLES, DATABASES = iam._GLUE_TABLE, iam._GLUE_DATABASE
MUTANTS: dict[str, tuple[str, Any]] = {
    "readers commit": ("_GLUE_TABLE", _more(TABLES, "read", "glue:UpdateTable")),
    "readers drop": ("_GLUE_TABLE", _more(TABLES, "read", "glue:DeleteTable")),
    "writers create": ("_GLUE_TABLE", _more(TABLES, "write", "glue:CreateTable")),
    "writers change databases": ("_GLUE_DATABASE", _more(DATABASES, "write", "glue:UpdateDatabase")),
    "readers change databases": ("_GLUE_DATABASE", _more(DATABASES, "read", "glue:UpdateDatabase")),
    "readers load nothing": ("_GLUE_TABLE", _less(TABLES, "read", "glue:GetTable")),
    "writers commit nothing": ("_GLUE_TABLE", _less(TABLES, "write", "glue:UpdateTable")),
    "managers drop nothing": ("_GLUE_TABLE", _less(TABLES, "manage", "glue:DeleteTable")),
    "readers write files": (
        "files",
        lambda arn, verb, prefixes: FILES(arn, "write", prefixes) + FILES(arn, verb, prefixes),
    ),
    "writers write no files": ("files", lambda arn, verb, prefixes: FILES(arn, "read", prefixes)),
    "files are those of the bucket": (
        "files",
        lambda arn, verb, prefixes: FILES(arn, verb, [(bucket, "lake") for bucket, _ in prefixes]),
    ),
    "a folder is all that begin alike": (
        "files",
        lambda arn, verb, prefixes: FILES(lambda bucket, key="": arn(bucket, key.replace("/*", "*")), verb, prefixes),
    ),
    "filters are none": ("plain", grants),
    "everybody has everything": ("plain", lambda of, who: [Grant(who, "manage", "lake", "r")]),
    "nobody has anything": ("plain", lambda of, who: []),
    "a verb is the highest": (
        "compile_grants",
        lambda file, own, wanted, key: COMPILE(file, own, [(target, "manage") for target, _ in wanted], key),
    ),
    "a table is its namespace": (
        "compile_grants",
        lambda file, own, wanted, key: COMPILE(
            file, own, [(".".join(at.split(".")[:2]), verb) for at, verb in wanted], key
        ),
    ),
}


@pytest.mark.parametrize("mutant", MUTANTS)
def test_a_compiler_that_allows_too_much_or_too_little_is_noticed(mutant: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(iam, *MUTANTS[mutant])
    assert wrong(lakehouse())
