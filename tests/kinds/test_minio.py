"""The lakehouse on MinIO, as processes: deployed, queried, probed, its users created, destroyed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from bootstrap.remote.s3 import client
from bootstrap.session.connect import store
from lakehouse.runtimes import processes
from tests.integration.deployment import Changes, Deployment, kept, up
from tests.integration.findings import behind, doctor, errors, stopped
from tests.integration.listening import further

pytestmark = [pytest.mark.integration, pytest.mark.timeout(1800)]


@pytest.fixture(scope="module")
def on_minio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    changes: Changes = {
        ("stacks", "local", "store"): "minio",
        ("buckets", "warehouse"): {"versioning": True, "noncurrent_days": 7},
        ("buckets", "open-data"): {"access": "public-read"},
        ("engines",): {"trino": {"memory": "640m"}},
    }
    with up(Deployment.make(tmp_path_factory.mktemp("minio") / "a lakehouse", changes)) as deployment:
        yield deployment


def test_rows_are_written_and_read(on_minio: Deployment) -> None:
    on_minio.trino("CREATE TABLE lake.bronze.nation AS SELECT 1 AS a, 'x' AS b")
    assert on_minio.trino("SELECT * FROM lake.bronze.nation") == [[1, "x"]]
    assert "No changes." in on_minio.lakehouse("plan")


def test_the_buckets_are_as_the_file_says(on_minio: Deployment) -> None:
    s3 = client(store(on_minio.local))
    assert s3.get_bucket_versioning(Bucket="warehouse")["Status"] == "Enabled"
    for bucket, days in (("warehouse", {"NoncurrentDays": 7}), ("staging", {"Days": 7})):
        (rule,) = s3.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"]
        assert days in (rule.get("NoncurrentVersionExpiration"), rule.get("Expiration"))
    assert "LakehousePublicRead" in s3.get_bucket_policy(Bucket="open-data")["Policy"]


def test_the_probe_agrees_with_the_matrix(on_minio: Deployment) -> None:
    assert "STS AssumeRole" in on_minio.lakehouse("store", "probe")


def test_principals_become_users(on_minio: Deployment) -> None:
    assert "Every user matches the file." in on_minio.lakehouse("store", "users"), "the deploy made them"
    with kept(on_minio.file):
        on_minio.change("access", "principals", to={})
        assert "~ user demo-bi" in on_minio.lakehouse("store", "users", code=2)
        assert "1 users changed." in on_minio.lakehouse("store", "users", "--apply")
    assert "1 users changed." in on_minio.lakehouse("store", "users", "--apply")
    assert "Every user matches the file." in on_minio.lakehouse("store", "users")


def test_no_process_shows_a_key(on_minio: Deployment) -> None:
    secrets = {path.read_text() for path in (on_minio.local.state.root / "secrets").iterdir()}
    assert len(secrets) >= 4
    seen = list(processes.belonging(on_minio.local.state))
    assert any("minio" in " ".join(process.cmdline()) for process in seen)
    for process in seen:
        shown = " ".join((*process.cmdline(), *process.environ().values()))
        assert not [secret for secret in secrets if secret in shown]


def test_the_address_is_listed_with_the_console(on_minio: Deployment) -> None:
    shown = on_minio.lakehouse("endpoints")
    for name in ("minio", "minio-console"):
        assert f"http://127.0.0.1:{on_minio.port(name)}" in shown


def test_what_listens_is_declared(on_minio: Deployment) -> None:
    assert further(on_minio) == []


def test_doctor_names_the_store_that_is_stopped(on_minio: Deployment) -> None:
    with stopped(on_minio, "minio"):
        found = doctor(on_minio, code=1)
    assert errors(found) == {"service minio"}
    assert found["service minio"]["fix"] == "`cdktf deploy local`"
    assert {"store", "keys", "buckets", "catalog lake"} <= behind(found, "service minio")


def test_doctor_names_a_table_that_somebody_dropped(on_minio: Deployment) -> None:
    on_minio.trino("DROP TABLE lake.silver.minute_aggs")
    found = doctor(on_minio, code=0)
    on_minio.lakehouse("apply")
    assert found["contents"]["severity"] == "warning"
    assert "1 to create" in found["contents"]["found"]
    assert "`lakehouse apply`" in found["contents"]["fix"]
    assert on_minio.trino("SELECT * FROM lake.silver.minute_aggs") == []


def test_rows_outlive_a_restart(on_minio: Deployment) -> None:
    on_minio.trino("CREATE TABLE lake.bronze.kept AS SELECT 7 AS a")
    on_minio.lakehouse("restart", "minio")
    assert on_minio.trino("SELECT a FROM lake.bronze.kept") == [[7]]
    assert Path(on_minio.local.state.data("minio")).is_dir()
