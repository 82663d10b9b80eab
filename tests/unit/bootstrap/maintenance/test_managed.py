"""What AWS maintains by itself: each request is checked against botocore's model. moto has neither service."""
# ruff: noqa: N803 - arguments have AWS's names

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from bootstrap.cli.main import app
from bootstrap.maintenance import managed
from tests.aws_double import AwsDouble, refusal

FILE = """
name: demo
buckets: {warehouse: {}}
catalogs:
  lake:
    location: s3://warehouse%s
    namespaces:
      sales:
        tables:
          orders:
            columns: {id: long}
            maintenance:
              compact: {target_file_size: 128m, min_files: 7}
              expire_snapshots: {older_than_days: 9, retain_last: 3}
              remove_orphans: {older_than_days: 4}
          rest: {columns: {id: long}}
stacks:
  aws: {region: eu-west-1, store: %s, catalogs: {lake: glue}%s}
"""
ROLE = "arn:aws:iam::123456789012:role/demo-aws-maintenance-eu-west-1"
ARN = "arn:aws:s3tables:eu-west-1:123456789012:bucket/demo-aws-warehouse"


class Glue:
    """Optimizers, by table and type. They do nothing."""

    def __init__(self) -> None:
        self.kept: dict[tuple[str, str], dict[str, Any]] = {}

    def get_table_optimizer(self, *, TableName: str, Type: str, **_: str) -> Mapping[str, Any]:
        if (TableName, Type) not in self.kept:
            raise refusal("GetTableOptimizer", "EntityNotFoundException", "none")
        last = {"eventType": "failed", "error": "no role"}
        return {"TableOptimizer": {"type": Type, "configuration": self.kept[TableName, Type], "lastRun": last}}

    def create_table_optimizer(self, *, TableName: str, Type: str, TableOptimizerConfiguration: Any, **_: str) -> Any:
        assert (TableName, Type) not in self.kept
        self.kept[TableName, Type] = TableOptimizerConfiguration
        return {}

    def update_table_optimizer(self, *, TableName: str, Type: str, TableOptimizerConfiguration: Any, **_: str) -> Any:
        assert (TableName, Type) in self.kept
        self.kept[TableName, Type] = TableOptimizerConfiguration
        return {}


class Tables:
    """S3 Tables: what each new table and bucket has is on, with AWS's values."""

    def __init__(self) -> None:
        self.table: dict[str, Any] = {
            "icebergCompaction": {"status": "enabled", "settings": {"icebergCompaction": {"targetFileSizeMB": 512}}},
            "icebergSnapshotManagement": {
                "status": "enabled",
                "settings": {"icebergSnapshotManagement": {"minSnapshotsToKeep": 1, "maxSnapshotAgeHours": 120}},
            },
        }
        days = {"unreferencedDays": 3, "nonCurrentDays": 10}
        kind = "icebergUnreferencedFileRemoval"
        self.bucket: dict[str, Any] = {kind: {"status": "enabled", "settings": {kind: days}}}

    def get_table_maintenance_configuration(self, **_: str) -> Mapping[str, Any]:
        return {"tableARN": f"{ARN}/table/x", "configuration": self.table}

    def get_table_maintenance_job_status(self, **_: str) -> Mapping[str, Any]:
        return {"tableARN": f"{ARN}/table/x", "status": {"icebergCompaction": {"status": "Not_Yet_Run"}}}

    def get_table_bucket_maintenance_configuration(self, *, tableBucketARN: str) -> Mapping[str, Any]:
        return {"tableBucketARN": tableBucketARN, "configuration": self.bucket}

    def put_table_maintenance_configuration(self, *, type: str, value: Any, **_: str) -> Mapping[str, Any]:
        self.table[type] = value
        return {}

    def put_table_bucket_maintenance_configuration(self, *, type: str, value: Any, **_: str) -> Mapping[str, Any]:
        self.bucket[type] = value
        return {}


def _maintain(path: Path, *words: str) -> tuple[int, str]:
    done = CliRunner().invoke(app, ["--file", str(path), "--stack", "aws", "maintain", *words])
    return done.exit_code, done.output


@pytest.fixture
def glue(tmp_path: Path) -> Path:
    path = tmp_path / "lakehouse.yaml"
    path.write_text(FILE % ("/lake", "s3", ", optimizers: true"))
    return path


@pytest.fixture
def tables(tmp_path: Path) -> Path:
    path = tmp_path / "lakehouse.yaml"
    path.write_text(FILE % ("", "s3tables", ""))
    return path


def test_glue_gets_an_optimizer_for_each_part_of_a_policy(monkeypatch: pytest.MonkeyPatch, glue: Path) -> None:
    service = Glue()
    AwsDouble(monkeypatch, glue=service)
    monkeypatch.setattr(managed, "_guarded", lambda target, meant: {})
    assert _maintain(glue, "--plan")[0] == 2
    assert service.kept == {}
    code, said = _maintain(glue)
    assert code == 0, said
    own = {"roleArn": ROLE, "enabled": True}
    assert service.kept == {
        ("orders", "compaction"): own
        | {"compactionConfiguration": {"icebergConfiguration": {"strategy": "binpack", "minInputFiles": 7}}},
        ("orders", "retention"): own
        | {
            "retentionConfiguration": {
                "icebergConfiguration": {
                    "snapshotRetentionPeriodInDays": 9,
                    "numberOfSnapshotsToRetain": 3,
                    "cleanExpiredFiles": True,
                }
            }
        },
        ("orders", "orphan_file_deletion"): own
        | {"orphanFileDeletionConfiguration": {"icebergConfiguration": {"orphanFileRetentionPeriodInDays": 4}}},
    }
    code, said = _maintain(glue, "--plan")
    assert code == 0
    assert "lake.sales.orders: compaction on, set; last run: failed: no role" in said


def test_what_leaves_the_file_is_turned_off(monkeypatch: pytest.MonkeyPatch, glue: Path) -> None:
    service = Glue()
    AwsDouble(monkeypatch, glue=service)
    monkeypatch.setattr(managed, "_guarded", lambda target, meant: {})
    _maintain(glue)
    text = glue.read_text()
    glue.write_text(text[: text.index("            maintenance:")] + text[text.index("          rest:") :])
    assert _maintain(glue)[0] == 0
    assert [each["enabled"] for each in service.kept.values()] == [False] * 3


def test_orphans_beside_another_table_are_not_deleted(monkeypatch: pytest.MonkeyPatch, glue: Path) -> None:
    service = Glue()
    AwsDouble(monkeypatch, glue=service)
    monkeypatch.setattr(managed, "_guarded", lambda target, meant: {"lake.sales.orders": "lake.sales.rest is in it"})
    code, said = _maintain(glue)
    assert code == 1
    assert "refused: lake.sales.orders: orphan_file_deletion: lake.sales.rest is in it" in said
    assert ("orders", "orphan_file_deletion") not in service.kept


def test_s3_tables_does_what_the_policy_says_and_not_what_aws_does(
    monkeypatch: pytest.MonkeyPatch, tables: Path
) -> None:
    service = Tables()
    double = AwsDouble(monkeypatch, s3tables=service)
    assert _maintain(tables, "--plan")[0] == 2
    code, said = _maintain(tables)
    assert code == 0, said
    assert service.table == {
        "icebergCompaction": {"status": "enabled", "settings": {"icebergCompaction": {"targetFileSizeMB": 128}}},
        "icebergSnapshotManagement": {
            "status": "enabled",
            "settings": {"icebergSnapshotManagement": {"minSnapshotsToKeep": 3, "maxSnapshotAgeHours": 216}},
        },
    }
    assert service.bucket["icebergUnreferencedFileRemoval"]["settings"] == {
        "icebergUnreferencedFileRemoval": {"unreferencedDays": 4, "nonCurrentDays": 4}
    }
    assert {each["name"] for each in double.called("s3tables", "PutTableMaintenanceConfiguration")} == {"orders"}
    assert {each["tableBucketARN"] for each in double.called("s3tables", "PutTableMaintenanceConfiguration")} == {ARN}
    assert _maintain(tables, "--plan")[0] == 0


def test_s3_tables_expires_nothing_that_the_policy_keeps(monkeypatch: pytest.MonkeyPatch, tables: Path) -> None:
    service = Tables()
    AwsDouble(monkeypatch, s3tables=service)
    text = tables.read_text()
    for line in ("expire_snapshots: {older_than_days: 9, retain_last: 3}", "remove_orphans: {older_than_days: 4}"):
        text = text.replace(line, "")
    tables.write_text(text)
    assert _maintain(tables)[0] == 0
    assert service.table["icebergSnapshotManagement"] == {"status": "disabled"}
    assert service.bucket["icebergUnreferencedFileRemoval"] == {"status": "disabled"}


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("128m", "32m", "files of 64 to 512 MiB, and the policy wants 32"),
        ("compact:", "rewrite_manifests: true\n              compact:", "S3 Tables rewrites no manifests"),
        (
            "rest: {columns: {id: long}}",
            "rest: {columns: {id: long}, maintenance: {remove_orphans: {older_than_days: 8}}}",
            "their policies differ in `remove_orphans`",
        ),
    ],
)
def test_what_s3_tables_does_not_do_is_refused(
    monkeypatch: pytest.MonkeyPatch, tables: Path, old: str, new: str, said: str
) -> None:
    AwsDouble(monkeypatch, s3tables=Tables())
    tables.write_text(tables.read_text().replace(old, new))
    code, output = _maintain(tables)
    assert code == 1
    assert said in output
