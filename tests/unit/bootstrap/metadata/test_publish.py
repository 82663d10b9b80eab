"""Publishing, with a program in the place of DataHub's, which does what its recipe says."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from bootstrap.metadata.destination import ToDataHub, ToFile
from bootstrap.metadata.publish import Publisher
from bootstrap.session.target import Target, find
from lakehouse.errors import LakehouseError
from lakehouse.packages.environment import ToolEnvironment
from lakehouse.runtimes.owner import mark
from tests.aws_double import AwsDouble

FILE = """\
name: demo
buckets: {warehouse: {}}
catalogs:
  lake:
    location: s3://warehouse/lake
    namespaces:
      bronze: {tables: {orders: {columns: {id: long}, owners: [ada]}, raw: {columns: {id: long}}}}
stacks:
  local: {runtime: process, store: s3proxy, catalogs: {lake: rest}, metadata: {gms: "http://gms:1"}}
"""
URN = "urn:li:dataset:(urn:li:dataPlatform:iceberg,{},PROD)"
ORDERS, RAW = URN.format("lake.bronze.orders"), URN.format("lake.bronze.raw")
#: Notes each recipe with the keys it was given; reads as the test says, and reports.
PROGRAM = """\
#!{python}
import json, os, sys
recipe, report = json.load(sys.stdin), sys.argv[sys.argv.index("--report-to") + 1]
notes = {folder!r}
with open(notes + "/recipes", "a") as file:
    file.write(json.dumps([recipe, sorted(key for key in os.environ if key.startswith("PYICEBERG")), sys.argv]) + "\\n")
said = json.load(open(notes + "/said"))
if recipe["source"]["type"] == "iceberg":
    proposal = {{"entityType": "dataset", "changeType": "UPSERT", "aspectName": "status", "aspect": {{"json": {{}}}}}}
    with open(recipe["sink"]["config"]["filename"], "w") as file:
        json.dump([proposal | {{"entityUrn": each}} for each in said["tables"]], file)
else:
    os.rename(recipe["source"]["config"]["path"], notes + "/sent")
keys = os.environ["PYICEBERG_CATALOG__LAKE__S3__SECRET_ACCESS_KEY"]
problem = [{{"message": "Bad", "context": ["the key " + keys]}}]
json.dump({{"source": {{"report": {{said["kind"]: problem}}}}, "sink": {{"report": {{}}}}}}, open(report, "w"))
print("last words")
sys.exit(said["code"])
"""

Say = Callable[..., None]


@pytest.fixture
def target(tmp_path: Path) -> Target:
    path = tmp_path / "lakehouse.yaml"
    path.write_text(FILE)
    found = find(path, None)
    mark(found.located.state, found.located.claim)
    for name in ("store-access-key", "store-secret-key"):
        found.local.state.secret(name)
    return found


@pytest.fixture
def say(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Say:
    program = tmp_path / "datahub"
    program.write_text(PROGRAM.format(python=sys.executable, folder=str(tmp_path)))
    program.chmod(0o755)
    monkeypatch.setattr(ToolEnvironment, "set_up", lambda tool: program)

    def said(*tables: str, code: int = 0, kind: str = "nothing") -> None:
        (tmp_path / "said").write_text(json.dumps({"tables": tables, "code": code, "kind": kind}))

    said(ORDERS, RAW)
    return said


def recipes(folder: Path) -> list[list[object]]:
    return [json.loads(line) for line in (folder / "recipes").read_text().splitlines()]


def test_what_datahub_reads_goes_to_the_file_with_what_the_file_adds(target: Target, say: Say, tmp_path: Path) -> None:
    out = tmp_path / "out.json"
    say(ORDERS)
    done = Publisher(target, ToFile(out)).publish()
    assert (done.tables, done.unseen, done.warnings) == (1, ("lake.bronze.raw",), ())
    assert [each["aspectName"] for each in json.loads(out.read_text())] == ["status", "ownership"]


def test_no_secret_is_in_a_recipe_or_an_argument(target: Target, say: Say, tmp_path: Path) -> None:
    Publisher(target, ToFile(tmp_path / "out.json")).publish()
    [[recipe, keys, arguments]] = recipes(tmp_path)
    assert "PYICEBERG_CATALOG__LAKE__S3__SECRET_ACCESS_KEY" in keys  # type: ignore[operator]
    kept = [file.read_text().strip() for file in target.secrets.iterdir() if file.is_file()]
    assert kept
    for secret in kept:
        assert secret not in json.dumps([recipe, arguments])


def test_tables_that_are_gone_are_hidden_once(target: Target, say: Say, tmp_path: Path) -> None:
    to = ToDataHub("http://gms:1")
    assert Publisher(target, to).publish().removed == 0
    say(ORDERS)
    assert Publisher(target, to).publish().removed == 1
    sent = json.loads((tmp_path / "sent").read_text())
    assert [each["entityUrn"] for each in sent if each["aspect"]["json"] == {"removed": True}] == [RAW]
    assert Publisher(target, to).publish().removed == 0


def test_a_failure_is_reported_without_keys_and_changes_nothing(target: Target, say: Say, tmp_path: Path) -> None:
    out = tmp_path / "out.json"
    say(ORDERS, code=1, kind="failures")
    with pytest.raises(LakehouseError, match=r"^DataHub failed, reading the catalog lake: Bad: the key \*\*\*$"):
        Publisher(target, ToFile(out)).publish()
    assert not out.exists()
    say(ORDERS, kind="failures")  # it may end with 0
    with pytest.raises(LakehouseError, match="Bad"):
        Publisher(target, ToFile(out)).publish()
    say(ORDERS, code=1)
    with pytest.raises(LakehouseError, match="reading the catalog lake: last words"):
        Publisher(target, ToFile(out)).publish()


def test_a_stack_that_was_never_deployed_is_said_before_anything_is_set_up(
    target: Target, say: Say, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ToolEnvironment, "set_up", lambda tool: pytest.fail("minutes of set-up for nothing"))
    key = target.local.state.kept("store-access-key")
    key.unlink()
    with pytest.raises(LakehouseError, match=f"The key {key} is missing. `lakehouse deploy` makes it"):
        Publisher(target, ToFile(tmp_path / "out.json")).publish()


def test_warnings_are_passed_on(target: Target, say: Say, tmp_path: Path) -> None:
    say(ORDERS, RAW, kind="warnings")
    assert Publisher(target, ToFile(tmp_path / "out.json")).publish().warnings == ("Bad: the key ***",)


def test_nothing_of_a_run_is_left(target: Target, say: Say, tmp_path: Path) -> None:
    before = set(target.scratch.iterdir())
    Publisher(target, ToFile(tmp_path / "out.json")).publish()
    assert set(target.scratch.iterdir()) == before


def test_in_aws_datahub_gets_the_shells_credentials_and_its_address_for_files(
    tmp_path: Path, say: Say, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Arrow, which reads the files, finds neither by itself; a table that it cannot read is not found."""
    AwsDouble(monkeypatch)
    monkeypatch.setenv("AWS_SESSION_TOKEN", "token")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    path = tmp_path / "lakehouse.yaml"
    own = "  local: {region: eu-west-1, store: s3, catalogs: {lake: glue}}\n"
    path.write_text(FILE[: FILE.index("  local:")] + own)
    assert Publisher(find(path, "local"), ToFile(tmp_path / "out.json")).publish().tables == 2
    [[recipe, keys, _]] = recipes(tmp_path)
    names = ("ACCESS_KEY_ID", "SECRET_ACCESS_KEY", "SESSION_TOKEN", "ENDPOINT", "REGION")
    assert {f"PYICEBERG_CATALOG__LAKE__S3__{each}" for each in names} <= set(keys)  # type: ignore[call-overload]
    assert "nothing" not in json.dumps(recipe)  # the double's secret
