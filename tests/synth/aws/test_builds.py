"""The builds of the schedule, as CodeBuild would run them: the zip in a plain folder, the commands one after the other.

AWS is moto's server, with the policies of each task's role enforced (``enforced.py``). The toolkit's packages are those
of this environment. Terraform, its provider and `cdktf`, which no machine of these tests can fetch, are short programs:
`cdktf` synthesises from the sources in the zip, and what it declares must be what was deployed.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import boto3
import pyarrow as pa
import pytest
from pyiceberg.catalog.glue import GlueCatalog
from pyiceberg.types import IntegerType

from lakehouse.aws import builds
from tests import moto
from tests.synth.aws.conftest import FILE, ROOT, synthesise
from tests.synth.aws.test_enforced import REGION, Take, catalog, endpoint, own, take

__all__ = ["catalog", "endpoint", "own", "take"]  # fixtures

pytestmark = pytest.mark.timeout(900)

_CDKTF = """\
#!/bin/sh
set -e
[ "$1 $2" = "diff aws" ] && [ "$TF_CLI_ARGS_plan" = -lock=false ] && [ "$LAKEHOUSE_ONLY_STACK" = aws ]
"{python}" main.py
touch cdktf.out/stacks/aws/plan
"""
_TERRAFORM = """\
#!/bin/sh
case "$*" in *"show -json plan") cat "$FOUND" ;; *) echo "No changes." ;; esac
"""
_CURL = """\
#!/bin/sh
for word; do case "$last" in -o) to="$word" ;; esac; last="$word"; done
cp "$SERVER/$(basename "$last")" "$to"
"""


def _program(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)


@pytest.fixture(scope="module")
def synthesised(tmp_path_factory: pytest.TempPathFactory) -> tuple[Mapping[str, Any], Path]:
    """The stack, and the zip that a deploy would upload."""
    folder = tmp_path_factory.mktemp("deployed")
    return synthesise(folder)["aws"], folder / "cdktf.out" / "stacks" / "aws" / "source.zip"


class Machine:
    """What CodeBuild gives a build: its sources in a folder, its variables, a shell."""

    def __init__(self, folder: Path, stack: Mapping[str, Any], source: Path, url: str, keys: Mapping[str, str]) -> None:
        self.folder, self.stack = folder, stack
        self.source = folder / "src with a space"
        with zipfile.ZipFile(source) as archive:
            archive.extractall(self.source)
        for each in self.source.rglob("*"):
            os.utime(each, (0, 0))  # older than what is set up
        self._set_up(self.source / "toolkit")
        self.found = folder / "plan.json"
        self.found.write_text('{"resource_changes": []}')
        self.environment = {
            **moto.environment(url, REGION),
            "AWS_ACCESS_KEY_ID": keys["access-key-id"],
            "AWS_SECRET_ACCESS_KEY": keys["secret-access-key"],
            "AWS_SESSION_TOKEN": keys["session-token"],
            "CODEBUILD_SRC_DIR": str(self.source),
            "PYTHONPATH": os.pathsep.join(str(self.source / "toolkit" / each) for each in (".", "constructs")),
            "PATH": f"{folder / 'path'}{os.pathsep}{os.environ['PATH']}",
            "HOME": str(folder),
            "SERVER": str(folder / "server"),
            "FOUND": str(self.found),
        }

    def _set_up(self, toolkit: Path) -> None:
        """What `make` makes of the locks, with this environment's packages; and what cannot be fetched."""
        venv = toolkit / ".venv"
        lib = venv / "lib" / Path(sysconfig.get_path("stdlib")).name
        lib.mkdir(parents=True)
        (lib / "site-packages").symlink_to(sysconfig.get_path("purelib"))
        (venv / "pyvenv.cfg").write_text((Path(sys.prefix) / "pyvenv.cfg").read_text())
        (venv / "bin").mkdir()
        (venv / "bin" / "python").symlink_to(Path(sys.executable).resolve())
        (venv / "bin" / "node").symlink_to(Path(sys.prefix) / "bin" / "node")
        start = f'#!/bin/sh\nexec "{venv / "bin" / "python"}" -m bootstrap "$@"\n'
        _program(venv / "bin" / "lakehouse", start)
        _program(venv / "bin" / "cdktf", _CDKTF.format(python=venv / "bin" / "python"))
        (venv / "done").mkdir()
        for each in ("venv", "runtime", "commands", "node", "compiled"):
            (venv / "done" / each).touch()
        server = self.folder / "server"
        _program(server / "terraform", _TERRAFORM)
        name = f"terraform_{builds.TERRAFORM}_linux_amd64.zip"
        with zipfile.ZipFile(server / name, "w") as archive:
            archive.write(server / "terraform", "terraform")
        sums = subprocess.run(["sha256sum", name], cwd=server, capture_output=True, text=True, check=True).stdout
        (server / f"terraform_{builds.TERRAFORM}_SHA256SUMS").write_text(f"{'0' * 64}  of-another.zip\n{sums}")
        _program(self.folder / "path" / "curl", _CURL)
        _program(self.folder / "path" / "terraform", "#!/bin/sh\nexit 99\n")  # not the one that was checked

    def build(self, task: str) -> tuple[int, str]:
        """The commands of all phases in one shell, as CodeBuild runs them. Returns the exit code and the log."""
        project = self.stack["resource"]["aws_codebuild_project"][f"schedule_{task}"]
        given = {each["name"]: moto.resolved(each["value"]) for each in project["environment"]["environment_variable"]}
        spec = json.loads(project["source"]["buildspec"])
        assert spec["env"] == {"shell": "bash"}
        commands = [each for phase in ("install", "build") for each in spec["phases"][phase]["commands"]]
        script = "\n".join(f"{each} || exit $?" for each in commands)
        done = subprocess.run(
            ["bash", "-c", script], cwd=self.source, env={**self.environment, **given}, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, timeout=300,
        )  # fmt: skip
        return done.returncode, done.stdout


ROW = pa.table({"id": pa.array([1], pa.int64())})


@pytest.fixture(scope="module")
def table(
    endpoint: str, take: Take, catalog: Callable[[str], GlueCatalog], tmp_path_factory: pytest.TempPathFactory
) -> Callable[[], Any]:
    """The file's tables, made by `lakehouse apply` as the role that deploys, one with snapshots."""
    keys = take("ci-deploy")
    environment = moto.environment(endpoint, REGION) | {
        "AWS_ACCESS_KEY_ID": keys["access-key-id"],
        "AWS_SECRET_ACCESS_KEY": keys["secret-access-key"],
        "AWS_SESSION_TOKEN": keys["session-token"],
        "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "constructs")]),
    }
    file = tmp_path_factory.mktemp("applied") / FILE.name  # its state folder is beside it
    file.write_text(FILE.read_text())
    command = [sys.executable, "-m", "bootstrap", "--file", str(file), "--stack", "aws", "apply"]
    done = subprocess.run(command, cwd=file.parent, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return lambda: catalog("ci-deploy").load_table(("people", "departments"))


@pytest.fixture
def machine(
    endpoint: str,
    take: Take,
    table: Callable[[], Any],
    synthesised: tuple[Mapping[str, Any], Path],
    tmp_path: Path,
) -> Callable[[str], Machine]:
    return lambda task: Machine(tmp_path, *synthesised, endpoint, take(f"runs-{task}"))


def test_a_look_for_drift_runs_what_was_deployed_and_finds_nothing(machine: Callable[[str], Machine]) -> None:
    made = machine("drift")
    code, log = made.build("drift")
    assert code == 0, log
    assert "No drift." in log
    again = json.loads((made.source / "toolkit/cdktf.out/stacks/aws/cdk.tf.json").read_text())
    source = again["resource"]["aws_s3_object"]["schedule_source"]
    assert source == made.stack["resource"]["aws_s3_object"]["schedule_source"], "each look would find the zip changed"


def test_drift_of_the_stack_fails_the_build(machine: Callable[[str], Machine]) -> None:
    made = machine("drift")
    change = {"address": "aws_s3_bucket.x", "type": "aws_s3_bucket", "change": {"actions": ["update"]}}
    made.found.write_text(json.dumps({"resource_changes": [change]}))
    code, log = made.build("drift")
    assert code == 2, log
    assert "drift: aws_s3_bucket.x (update)" in log


def test_drift_of_the_contents_fails_the_build(machine: Callable[[str], Machine], table: Callable[[], Any]) -> None:
    found = table()
    with found.update_schema() as update:
        update.add_column("stray", IntegerType())
    try:
        code, log = machine("drift").build("drift")
    finally:
        with found.update_schema() as update:
            update.delete_column("stray")
    assert code == 2, log
    assert "column glue_catalog.people.departments.stray exists, but is not in the file" in log


def test_another_terraform_than_the_one_of_its_checksum_is_not_run(machine: Callable[[str], Machine]) -> None:
    made = machine("drift")
    archive = made.folder / "server" / f"terraform_{builds.TERRAFORM}_linux_amd64.zip"
    archive.write_bytes(archive.read_bytes() + b"\0")
    code, log = made.build("drift")
    assert code == 1
    assert "FAILED" in log
    assert "cdktf diff" not in log


def _as(keys: Mapping[str, str]) -> boto3.Session:
    access, secret, token = keys.values()
    return boto3.Session(access, secret, token, REGION)


def _aged(url: str, keys: Mapping[str, str], location: str, days: int) -> None:
    """Every time in a table's metadata file becomes an earlier one."""
    s3 = _as(keys).client("s3", endpoint_url=url)
    bucket, _, key = location.removeprefix("s3://").partition("/")
    metadata = json.loads(s3.get_object(Bucket=bucket, Key=key)["Body"].read())
    entries = [metadata, *metadata["snapshots"], *metadata["snapshot-log"], *metadata["metadata-log"]]
    for each in entries:
        for name in ("timestamp-ms", "last-updated-ms"):
            if name in each:
                each[name] -= days * 86_400_000
    s3.put_object(Bucket=bucket, Key=key, Body=json.dumps(metadata).encode())


def test_maintenance_compacts_and_expires_as_its_role(
    machine: Callable[[str], Machine], table: Callable[[], Any], endpoint: str, take: Take
) -> None:
    """Athena in moto executes nothing, so only what is asked of it is seen."""
    schema = table().schema().as_arrow()
    row = pa.table({"id": pa.array([1], pa.int64()), "title": pa.array(["x"])}).select(schema.names).cast(schema)
    for _ in range(6):
        table().append(row)
    _aged(endpoint, take("ci-deploy"), table().metadata_location, days=40)
    assert len(table().metadata.snapshots) == 6
    made = machine("maintenance")
    file = made.source / "project" / FILE.name
    file.write_text(file.read_text().replace("older_than_days: 30", "older_than_days: 30, retain_last: 1"))
    code, log = made.build("maintenance")
    assert code == 0, log
    assert len(table().metadata.snapshots) == 1, log
    assert table().scan().to_arrow().num_rows == 6
    athena = _as(take("runs-maintenance")).client("athena", endpoint_url=endpoint)
    [execution] = athena.list_query_executions(WorkGroup="employees-aws-operators")["QueryExecutionIds"]
    query = athena.get_query_execution(QueryExecutionId=execution)["QueryExecution"]["Query"]
    assert query.startswith('OPTIMIZE "people"."departments"'), query


def test_a_look_for_drift_changes_nothing_even_if_it_is_told_to(machine: Callable[[str], Machine]) -> None:
    made = machine("drift")
    script = ".venv/bin/lakehouse --stack aws maintain"
    made.environment["LAKEHOUSE_FILE"] = str(made.source / "project" / FILE.name)
    done = subprocess.run(
        ["bash", "-c", script], cwd=made.source / "toolkit", env=made.environment, capture_output=True, text=True,
        check=False, timeout=300,
    )  # fmt: skip
    assert done.returncode == 1
    assert "ACCESS_DENIED" in done.stderr


def test_nothing_of_the_folder_is_in_the_zip_but_what_is_named(
    synthesised: tuple[Mapping[str, Any], Path],
) -> None:
    with zipfile.ZipFile(synthesised[1]) as archive:
        names = archive.namelist()
    assert [each for each in names if each.startswith("project/")] == [f"project/{FILE.name}"]
    wrong = (".lakehouse", ".git/", "tfstate", "__pycache__", ".venv", "cdktf.out", "node_modules")
    assert [each for each in names if any(part in each for part in wrong)] == []
    assert shutil.which("bash")
