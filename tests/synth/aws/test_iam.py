"""Each principal gets exactly what the file grants: for generated lakehouses, by the hundred, request by request."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lakehouse.access import iam, policy
from lakehouse.access.explain import Row, explain
from lakehouse.access.grants import VERBS
from lakehouse.access.names import Names, names
from lakehouse.spec import Lakehouse
from tests.synth.aws.oracle import may, sees
from tests.synth.aws.simulator import Request, allowed, glue, s3

ACCOUNT = "123456789012"
KEY = f"arn:aws:kms:eu-west-1:{ACCOUNT}:key/00000000-0000-0000-0000-000000000000"
WHERE = f"arn:aws:glue:eu-west-1:{ACCOUNT}"


@st.composite
def lakehouses(draw: st.DrawFn) -> Lakehouse:
    """One or two catalogs, tables inside and outside their location, names with common prefixes, random roles."""
    spaces = draw(st.permutations(["a", "ab", "b", "b_a"]))
    split = draw(st.integers(0, 3))
    catalogs: dict[str, Any] = {}
    targets = []
    for name, own in (("lake", spaces[:split]), ("lakes", spaces[split:])):
        namespaces: dict[str, Any] = {}
        for space in own:
            tables = {}
            for table in draw(st.lists(st.sampled_from(["t", "t2", "ta"]), unique=True)):
                elsewhere = draw(st.booleans())
                place = {"location": f"s3://other/{space}/{table}"} if elsewhere else {}
                tables[table] = {"columns": {"id": "long"}, **place}
                targets.append(f"{name}.{space}.{table}")
            namespaces[space] = {"tables": tables}
            targets.append(f"{name}.{space}")
        catalogs[name] = {"location": f"s3://warehouse/{name}", "namespaces": namespaces}
        targets.append(name)
    verbs = st.lists(st.sampled_from(VERBS), min_size=1, unique=True)
    grants: st.SearchStrategy[dict[str, Any]] = st.dictionaries(st.sampled_from(targets), verbs, max_size=3)
    roles = draw(st.dictionaries(st.sampled_from(["r", "s", "t"]), st.fixed_dictionaries({"grants": grants})))
    for role in roles.values():
        for target in role["grants"]:
            if target.count(".") == 2 and draw(st.booleans()):
                role["grants"][target] = {"verbs": ["read"], "rows": "id = 1"}
    member = st.lists(st.sampled_from(sorted(roles)), unique=True) if roles else st.just([])
    principals = draw(
        st.dictionaries(st.sampled_from(["p", "q"]), st.fixed_dictionaries({"roles": member}), min_size=1)
    )
    return Lakehouse.model_validate(
        {
            "name": "demo",
            "buckets": {"warehouse": {}, "other": {}},
            "catalogs": catalogs,
            "access": {"roles": roles, "principals": principals},
            "stacks": {"aws": {"region": "eu-west-1", "store": "s3", "catalogs": dict.fromkeys(catalogs, "glue")}},
        }
    )


def requests(lakehouse: Lakehouse, own: Names, principal: str) -> Iterator[tuple[Request, bool]]:
    """Every possible request to the lakehouse, and whether the file grants it."""
    for catalog, content in lakehouse.catalogs.items():
        for space, inner in content.namespaces.items():

            def has(verb: str, table: str = "", catalog: str = catalog, space: str = space) -> bool:
                return may(lakehouse, principal, verb, catalog, space, table)

            yield glue(WHERE, "GetDatabase", space), sees(lakehouse, principal, catalog, space)
            yield glue(WHERE, "GetTables", space), has("read")
            for action in ("CreateDatabase", "UpdateDatabase", "DeleteDatabase"):
                yield glue(WHERE, action, space), has("manage")
            yield glue(WHERE, "CreateTable", space, "unheard_of"), has("manage")
            for table, definition in inner.tables.items():
                yield glue(WHERE, "GetTable", space, table), has("read", table)
                yield glue(WHERE, "UpdateTable", space, table), has("write", table)
                yield glue(WHERE, "CreateTable", space, table), has("manage", table)
                yield glue(WHERE, "DeleteTable", space, table), has("manage", table)
                bucket, _, prefix = (
                    (definition.location or f"{content.location}/{space}/{table}").removeprefix("s3://").partition("/")
                )
                key = f"{prefix}/data/00000-0.parquet"
                yield s3("GetObject", own.bucket(bucket), key), has("read", table)
                yield s3("ListBucket", own.bucket(bucket), prefix=f"{prefix}/"), has("read", table)
                for action in ("PutObject", "DeleteObject", "AbortMultipartUpload"):
                    yield s3(action, own.bucket(bucket), key), has("write", table)
                for other in lakehouse.buckets.keys() - {bucket}:
                    yield s3("GetObject", own.bucket(other), key), False
                    yield s3("ListBucket", own.bucket(other), prefix=f"{prefix}/"), False
    for bucket in lakehouse.buckets:
        for action in ("GetObject", "PutObject", "DeleteObject"):
            yield s3(action, own.bucket(bucket), "lost+found/key"), False
        yield s3("ListBucket", own.bucket(bucket)), False
        yield s3("ListBucket", own.bucket(bucket), prefix="lost"), False
        yield s3("DeleteBucket", own.bucket(bucket)), False
        yield s3("PutBucketPolicy", own.bucket(bucket)), False
    seen = (
        sees(lakehouse, principal, catalog, space)
        for catalog, content in lakehouse.catalogs.items()
        for space in content.namespaces
    )
    yield glue(WHERE, "GetCatalog"), any(seen)
    yield glue(WHERE, "GetTable", "others", "t"), False
    yield s3("GetObject", "other-warehouse", "lake/a/t/data/0.parquet"), False


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(lakehouses())
def test_each_principal_has_exactly_what_the_file_grants(lakehouse: Lakehouse) -> None:
    own = names(lakehouse, "aws", ACCOUNT)
    for principal in lakehouse.access.principals:
        document = policy.document(iam.statements(lakehouse, own, principal, key=KEY))
        wrong = [
            (request, granted)
            for request, granted in requests(lakehouse, own, principal)
            if allowed([document], request) is not granted
        ]
        assert wrong == []


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(lakehouses())
def test_no_action_has_a_wildcard_and_a_resource_has_one_only_at_its_end(lakehouse: Lakehouse) -> None:
    own = names(lakehouse, "aws", ACCOUNT)
    for principal in lakehouse.access.principals:
        for statement in iam.statements(lakehouse, own, principal, key=KEY):
            assert statement.actions
            assert statement.resources
            assert not any("*" in action for action in statement.actions)
            for resource in statement.resources:
                assert "*" not in resource.removesuffix("/*")


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(lakehouses())
def test_the_bootstrap_may_do_everything_and_nothing_else(lakehouse: Lakehouse) -> None:
    own = names(lakehouse, "aws", ACCOUNT)
    document = policy.document(iam.everything(lakehouse, own, key=KEY))
    steward = {"roles": {"all": {"grants": {catalog: ["manage"] for catalog in lakehouse.catalogs}}}}
    whole = lakehouse.model_copy(
        update={
            "access": Lakehouse.model_validate(
                {**lakehouse.model_dump(), "access": {**steward, "principals": {"p": {"roles": ["all"]}}}}
            ).access
        }
    )
    for request, granted in requests(whole, own, "p"):
        assert allowed([document], request) is granted


@pytest.mark.parametrize(
    ("context", "opens"),
    [
        ({"kms:ViaService": "s3.eu-west-1.amazonaws.com", "bucket": "warehouse"}, True),
        ({"kms:ViaService": "s3.eu-west-1.amazonaws.com", "bucket": "other"}, False),
        ({"kms:ViaService": "secretsmanager.eu-west-1.amazonaws.com", "bucket": "warehouse"}, False),
        ({"bucket": "warehouse"}, False),
    ],
)
def test_the_key_opens_granted_buckets_only_through_s3(context: dict[str, str], opens: bool) -> None:
    lakehouse = _granting({"lake.a": ["read"]})
    own = names(lakehouse, "aws", ACCOUNT)
    document = policy.document(iam.statements(lakehouse, own, "p", key=KEY))
    said = {key: value for key, value in context.items() if key != "bucket"}
    said["kms:EncryptionContext:aws:s3:arn"] = own.s3(context["bucket"])
    assert allowed([document], Request("kms:Decrypt", (KEY,), said)) is opens
    assert not allowed([document], Request("kms:GenerateDataKey", (KEY,), said))


def test_who_may_do_what_and_why() -> None:
    lakehouse = _granting({"lake.a": ["read"], "lake.a.t": ["write", "manage"], "lake": ["read"]}, idle=True)
    assert explain(lakehouse) == [
        Row("p", "query every table; list them", "lake.a", "role r grants read"),
        Row("p", "create, alter and drop it; change and query its rows", "lake.a.t", "role r grants manage"),
        Row("p", "query every table; list its namespaces and tables", "lake", "role r grants read"),
        Row("idle", "nothing", "", "none of its roles grants anything"),
    ]


def test_the_floor_is_all_that_the_reference_system_allows() -> None:
    """A steward has every action of the reference's policy document, and none of them on everything."""
    lakehouse = _granting({"lake": ["manage"]})
    statements = iam.statements(lakehouse, names(lakehouse, "aws", ACCOUNT), "p", key=KEY)
    floor = {f"glue:{each}" for each in ("GetDatabase", "GetDatabases", "GetTable", "GetTables")}
    floor |= {f"glue:{each}" for each in ("CreateTable", "UpdateTable", "DeleteTable")}
    floor |= {f"s3:{each}" for each in ("GetObject", "PutObject", "DeleteObject", "ListBucket")}
    assert floor <= {action for statement in statements for action in statement.actions}
    assert all("*" not in statement.resources for statement in statements)


def test_the_order_of_grants_changes_nothing() -> None:
    grants = {"lake.a": ["read"], "lake.a.t": ["write"]}
    compiled = []
    for each in (grants, dict(reversed(grants.items()))):
        lakehouse = _granting(each)
        compiled.append(iam.statements(lakehouse, names(lakehouse, "aws", ACCOUNT), "p", key=KEY))
    assert compiled[0] == compiled[1]


def test_s3_tables_are_distinguished_by_conditions() -> None:
    lakehouse = _granting({"lake.a.t": ["write"]}, store="s3tables")
    own = names(lakehouse, "aws", ACCOUNT)
    document = policy.document(iam.statements(lakehouse, own, "p", key=KEY))
    table = f"arn:aws:s3tables:eu-west-1:{ACCOUNT}:bucket/demo-aws-warehouse/table/00000000"

    def may_write(namespace: str, name: str) -> bool:
        said = {"s3tables:namespace": namespace, "s3tables:tableName": name}
        return allowed([document], Request("s3tables:PutTableData", (table,), said))

    assert may_write("a", "t")
    assert not may_write("a", "u")
    assert not may_write("b", "t")
    assert not allowed([document], Request("s3tables:CreateNamespace", (table.partition("/table")[0],)))


def _in_tables(target: str) -> list[Any]:
    """The policy of a principal that manages a target in S3 Tables."""
    lakehouse = _granting({target: ["manage"]}, store="s3tables")
    return [policy.document(iam.statements(lakehouse, names(lakehouse, "aws", ACCOUNT), "p", key=KEY))]


TABLE_BUCKET = f"arn:aws:s3tables:eu-west-1:{ACCOUNT}:bucket/demo-aws-warehouse"


@pytest.mark.parametrize(("target", "may"), [("lake", True), ("lake.a", True), ("lake.a.t", False)])
def test_a_table_is_created_only_by_who_manages_its_namespace(target: str, may: bool) -> None:
    """A request to create one has no `s3tables:tableName`, so no policy can allow a single name.

    https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3tables.html
    """
    for action, resource in (("CreateTable", TABLE_BUCKET), ("RenameTable", f"{TABLE_BUCKET}/table/some-id")):
        request = Request(f"s3tables:{action}", (resource,), {"s3tables:namespace": "a"})
        assert allowed(_in_tables(target), request) is may, action


@pytest.mark.parametrize(
    ("action", "via", "context", "opens"),
    [
        ("Decrypt", "s3", f"{TABLE_BUCKET}/table/some-id", True),
        ("GenerateDataKey", "s3", f"{TABLE_BUCKET}/table/some-id", True),
        ("Decrypt", "s3", f"{TABLE_BUCKET}-of-others/table/some-id", False),
        ("Decrypt", "s3tables", f"{TABLE_BUCKET}/table/some-id", False),
        ("DescribeKey", "s3tables", "", True),
        ("DescribeKey", "s3", "", False),
    ],
)
def test_s3_reads_the_files_of_tables_with_their_key(action: str, via: str, context: str, opens: bool) -> None:
    """https://docs.aws.amazon.com/AmazonS3/latest/userguide/s3-tables-kms-permissions.html"""
    said = {"kms:ViaService": f"{via}.eu-west-1.amazonaws.com"}
    if context:
        said["kms:EncryptionContext:aws:s3:arn"] = context
    assert allowed(_in_tables("lake"), Request(f"kms:{action}", (KEY,), said)) is opens


@pytest.mark.parametrize("store", ["s3", "s3tables"])
def test_a_catalog_without_namespaces_gives_no_statement(store: str) -> None:
    """IAM refuses a statement without resources, or with a condition on nothing."""
    lakehouse = _granting({"lake": ["manage"]}, store=store)
    bare = lakehouse.catalogs["lake"].model_copy(update={"namespaces": {}})
    lakehouse = lakehouse.model_copy(update={"catalogs": {"lake": bare}})
    assert iam.statements(lakehouse, names(lakehouse, "aws", ACCOUNT), "p", key=KEY) == ()


def _granting(grants: dict[str, list[str]], *, store: str = "s3", idle: bool = False) -> Lakehouse:
    principals = {"p": {"roles": ["r"]}, **({"idle": {}} if idle else {})}
    table = {"columns": {"id": "long"}}
    spaces = {"a": {"tables": {"t": table, "u": table}}, "b": {"tables": {"t": table}}}
    return Lakehouse.model_validate(
        {
            "name": "demo",
            "buckets": {"warehouse": {}, "other": {}},
            "catalogs": {"lake": {"location": "s3://warehouse/lake", "namespaces": spaces}},
            "access": {"roles": {"r": {"grants": grants}}, "principals": principals},
            "stacks": {"aws": {"region": "eu-west-1", "store": store, "catalogs": {"lake": "glue"}}},
        }
    )


@pytest.mark.parametrize("target", ["lake.a.t", "lake.a", "lake"])
def test_who_reads_a_table_reads_its_files_wherever_its_properties_put_them(target: str) -> None:
    table = {"columns": {"id": "long"}, "properties": {"write.data.path": "s3://other/files/t"}}
    lakehouse = Lakehouse.model_validate(
        {
            "name": "demo",
            "buckets": {"warehouse": {}, "other": {}},
            "catalogs": {"lake": {"location": "s3://warehouse/lake", "namespaces": {"a": {"tables": {"t": table}}}}},
            "access": {"roles": {"r": {"grants": {target: ["read"]}}}, "principals": {"p": {"roles": ["r"]}}},
            "stacks": {"aws": {"region": "eu-west-1", "store": "s3", "catalogs": {"lake": "glue"}}},
        }
    )
    own = names(lakehouse, "aws", ACCOUNT)
    found = [policy.document(iam.statements(lakehouse, own, "p", key=KEY))]
    assert allowed(found, s3("GetObject", own.bucket("other"), "files/t/data/x.parquet"))
    assert not allowed(found, s3("GetObject", own.bucket("other"), "files/t2/data/x.parquet"))
