from __future__ import annotations

import json
from typing import Any

import pytest

from bootstrap.doctor import catalogs
from bootstrap.doctor.store import Answer
from bootstrap.remote.errors import Refused, RemoteError, Unreachable
from lakehouse.spec.claims import Claim, Register

URI = "http://127.0.0.1:19120/iceberg"


def answered(status: int, content: Any) -> Answer:
    return Answer(status, {}, content if isinstance(content, str) else json.dumps(content))


@pytest.mark.parametrize(
    ("config", "severity", "word"),
    [
        (answered(200, {"defaults": {}, "overrides": {"prefix": "main|lake"}}), "ok", "answers"),
        (answered(200, {"defaults": {"warehouse": "x"}}), "ok", "answers"),
        (answered(200, "<html>hello</html>"), "error", "another program"),
        (answered(200, []), "error", "another program"),
        (answered(404, "not found"), "error", "another program"),
        (answered(400, {"error": {"message": "Warehouse 'lake' is not known", "code": 400}}), "error", "earlier file"),
        (Answer(reason="silent for 5 s"), "error", "hangs"),
        (Answer(reason="no", unresolved=True), "error", "does not resolve"),
    ],
)
def test_answers(config: Answer, severity: str, word: str) -> None:
    found = catalogs.answers("lake", "nessie", URI, config, "local")
    assert found.severity == severity
    assert word in f"{found.found} {found.cause}"
    assert bool(found.fix) == (severity == "error")


def failed(status: int, message: str) -> Answer:
    return answered(status, {"error": {"message": message, "type": "", "code": status}})


@pytest.mark.parametrize(
    ("listed", "severity", "words", "fix"),
    [
        (answered(200, {"namespaces": [["a"]]}), "ok", "answers", ""),
        (failed(403, "The access key ID you provided does not exist"), "error", "HTTP 403", "secret rotate store"),
        (failed(404, "table bucket lake not found"), "error", "deleted the table bucket", "lakehouse apply"),
        (failed(500, "attribute not found: s3tables.metadata"), "error", "ordinary one", "remove that bucket"),
        (answered(200, "<html>"), "error", "another program", "stop that program"),
        (Answer(reason="silent for 5 s"), "error", "hangs", "lakehouse restart seaweedfs"),
    ],
)
def test_a_catalog_that_the_store_serves(listed: Answer, severity: str, words: str, fix: str) -> None:
    found = catalogs.signed("lake", "seaweedfs", URI, listed, "local")
    assert found.severity == severity
    assert words in f"{found.found} {found.cause}"
    assert fix in found.fix


def test_a_catalog_that_its_server_lacks_is_created_by_apply() -> None:
    lost = answered(404, {"error": {"message": "Unable to find warehouse lake", "code": 404}})
    assert "`lakehouse apply`" in catalogs.answers("lake", "polaris", URI, lost, "local", creates=True).fix
    assert "`lakehouse deploy`" in catalogs.answers("lake", "nessie", URI, lost, "local").fix


def test_credentials_that_the_server_refuses_are_an_error_with_its_words() -> None:
    found = catalogs.unproven("polaris", 'catalog "lake": no token for root (HTTP 401, unauthorized_client)')
    assert found.severity == "error"
    assert "401" in found.found
    assert "lakehouse restart polaris" in found.fix


@pytest.mark.parametrize(
    ("tables", "inner", "outer"),
    [
        ({}, "", ""),
        ({"lake.a.t": "s3://w/lake/a/t_1", "lake.a.t2": "s3://w/lake/a/t_12", "dim.a": "s3://w/dim/a"}, "", ""),
        ({"lake.a.t": "s3://w/lake/a/t", "lake.b.u": "s3://w/lake/a/t/inner"}, "lake.b.u", "lake.a.t"),
        ({"lake.a.t": "s3://w/lake/a/t/", "lake.b.u": "s3://w/lake/a/t"}, "lake.b.u", "lake.a.t"),
        ({"lake.a.t": "s3://w/lake/a/t", "lake.b.u": "s3a://w/lake/a/t/x"}, "lake.b.u", "lake.a.t"),
        (
            {"x.a": "s3://w/a", "x.b": "s3://w/a/b", "x.c": "s3://w/c"},
            "x.b", "x.a",
        ),
    ],
)  # fmt: skip
def test_locations(tables: dict[str, str], inner: str, outer: str) -> None:
    found = catalogs.locations(Register(Claim(at, name, name[0]) for name, at in tables.items()), len(tables))
    assert found.severity == ("error" if inner else "ok")
    if inner:
        assert found.found.startswith(f"{inner} is in the folder of {outer}: ")
        assert "CREATE TABLE" in found.fix


def test_readable() -> None:
    assert catalogs.readable({"lake.a.t": []}).severity == "ok"
    found = catalogs.readable({"lake.a.t": [], "lake.a.u": ["column x: rule. Fix"], "lake.a.v": ["rule"]})
    assert (found.severity, found.cause) == ("error", "column x: rule. Fix")
    assert found.found == "lake.a.u breaks a rule of Iceberg (so do 1 more: lake.a.v)"
    assert "lakehouse apply" in found.fix


@pytest.mark.parametrize(
    ("counts", "refused", "severity", "word"),
    [
        ({"create": 0, "update": 0, "destroy": 0}, 0, "ok", "matches the file"),
        ({"create": 2, "update": 1, "destroy": 0}, 0, "warning", "2 to create, 1 to update"),
        ({"create": 2, "update": 0, "destroy": 0}, 1, "warning", "allow 1 of the changes"),
    ],
)
def test_contents(counts: dict[str, int], refused: int, severity: str, word: str) -> None:
    found = catalogs.contents(counts, refused)
    assert found.severity == severity
    assert word in found.found
    assert ("`lakehouse plan`" in found.fix) == (severity != "ok")


def test_what_an_engine_sees() -> None:
    assert catalogs.seen_by_engine("trino", "lake", "", "local").severity == "ok"
    found = catalogs.seen_by_engine("trino", "lake", "Catalog 'lake' not found", "local")
    assert found.severity == "error"
    assert "Catalog 'lake' not found" in found.found
    assert "`lakehouse restart trino`" in found.fix


def test_what_an_engine_reads() -> None:
    assert (
        catalogs.read_by_engine("trino", "lake.n.t", "", "http://minio:9000", "local").found == "trino reads lake.n.t"
    )
    assert catalogs.read_by_engine("trino", "", "", "http://minio:9000", "local").severity == "ok"
    found = catalogs.read_by_engine("trino", "lake.n.t", "Cannot obtain metadata", "http://minio:9000", "local")
    assert found.severity == "error"
    assert found.found == "trino cannot read lake.n.t: Cannot obtain metadata"
    assert "it should use http://minio:9000" in found.cause
    assert "`lakehouse restart trino`" in found.fix


def refused(*stack: str) -> Answer:
    return answered(500, {"error": {"message": "Failed to execute query: SELECT 1", "code": 500, "stack": list(stack)}})


@pytest.mark.parametrize(
    ("answer", "log", "cause", "fix"),
    [
        (
            refused(
                "at JdbcCatalog.fetch", 'Caused by: PSQLException: FATAL: password authentication failed for user "r"'
            ),
            [],
            "PostgreSQL refuses its password",
            "`lakehouse restart postgres`",
        ),
        (
            refused("Caused by: PSQLException: This connection has been closed."),
            ['2026 UTC [1] FATAL:  database "rest" does not exist'],
            "somebody dropped its database",
            "`lakehouse restart rest`",
        ),
        (
            refused('Caused by: PSQLException: ERROR: could not extend file "base/1": No space left on device'),
            [],
            "the disk is full",
            "free disk space",
        ),
        (
            refused("Caused by: PSQLException: Connection to 127.0.0.1:5432 refused."),
            [],
            "does not take its connections",
            "`lakehouse logs postgres`",
        ),
        (
            refused("Caused by: PSQLException: FATAL: sorry, too many clients already"),
            [],
            "no connection left",
            "`clients`",
        ),
        (refused("at nothing.known"), [], "its log says more", "`lakehouse restart rest`"),
        (Answer(reason="silent for 5 s"), [], "its log says more", "`lakehouse restart rest`"),
    ],
)
def test_a_database_that_cannot_be_read(answer: Answer, log: list[str], cause: str, fix: str) -> None:
    found = catalogs.database("rest", answer, log, "local")
    assert found.severity == "error"
    assert found.found.startswith("rest cannot read its database: ")
    assert cause in found.cause
    assert fix in found.fix


def test_a_database_that_is_read() -> None:
    assert (
        catalogs.database("rest", answered(200, {"namespaces": []}), ["FATAL: of long ago"], "local").severity == "ok"
    )


CALL = "when calling the GetDatabases operation"


@pytest.mark.parametrize(
    ("failure", "cause", "fix"),
    [
        (Unreachable("catalog", "http://127.0.0.1:1", "refused"), "no way there", "`endpoint` or `region`"),
        (
            Refused(f"(UnrecognizedClientException) {CALL}: The security token is invalid."),
            "keys",
            "secret rotate glue",
        ),
        (
            Refused(f"(InvalidClientTokenId) {CALL}: The token is invalid."),
            "keys are wrong",
            "`credentials` of stacks.",
        ),
        (Refused(f"(AccessDeniedException) {CALL}: not authorized to perform: glue:GetDatabases"), "may not", "allow"),
        (Refused(f"(EntityNotFoundException) {CALL}"), "message", "`lakehouse plan`"),
    ],
)
def test_a_catalog_of_aws_that_does_not_list_its_databases(failure: RemoteError, cause: str, fix: str) -> None:
    found = catalogs.of_account("lake", "Glue in eu-west-1", failure, "local")
    assert found.severity == "error"
    assert str(failure) in found.found
    assert cause in found.cause
    assert fix in found.fix


def test_a_catalog_of_aws_that_lists_its_databases_is_well() -> None:
    assert catalogs.of_account("lake", "Glue in eu-west-1", None, "local").severity == "ok"
