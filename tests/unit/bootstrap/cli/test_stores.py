"""``lakehouse store probe`` and the table of docs/stores.md; the store is a double with a list of answers."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from bootstrap.cli.main import app
from bootstrap.probe import probe as probing
from bootstrap.probe import table
from bootstrap.probe.probe import OPERATIONS, ProbeResult
from bootstrap.reconciler.world import World
from bootstrap.remote.connections import StoreConnection
from bootstrap.remote.errors import Refused
from bootstrap.stores.users import Policy, StoreUser
from lakehouse.kinds import STORES
from lakehouse.spec import load, support
from tests.unit.bootstrap.reconciler.simulation import world

PROJECT = Path(__file__).parents[4]


def answers(works: bool = True, lacking: tuple[str, ...] = ()) -> list[ProbeResult]:
    return [
        ProbeResult(each.name, "works", 1.4)
        if works and each.capability not in lacking
        else ProbeResult(each.name, "refused", 2.0, "PutObject: 501 NotImplemented")
        for each in OPERATIONS
    ]


@pytest.fixture
def answered(monkeypatch: pytest.MonkeyPatch) -> list[ProbeResult]:
    """The store's answers; a test adds them."""
    results: list[ProbeResult] = []

    def probe(store: StoreConnection) -> Iterator[ProbeResult]:
        assert store.secret_key
        yield from results

    monkeypatch.setattr(probing, "probe", probe)
    monkeypatch.setattr("sys.stdout", sys.stdout)
    monkeypatch.setattr("sys.stderr", sys.stderr)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "not-for-eyes")
    return results


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "lakehouse.yaml"
    path.write_text((PROJECT / "lakehouse.yaml").read_text())
    return path


def lakehouse(*words: str, expect: int) -> None:
    with pytest.raises(SystemExit) as ended:
        app(list(words), prog_name="lakehouse")
    assert ended.value.code == expect


@pytest.mark.parametrize(("lacking", "code"), [(("sts", "policies", "versioning", "lifecycle"), 0), (("sts",), 1)])
def test_it_compares_with_the_matrix(
    file: Path, answered: list[ProbeResult], capsys: pytest.CaptureFixture[str], lacking: tuple[str, ...], code: int
) -> None:
    answered += answers(lacking=lacking)
    lakehouse("--file", str(file), "store", "probe", expect=code)
    out, err = capsys.readouterr()
    assert f"{len(OPERATIONS)} operations: " in out
    assert [name in out for name in (each.name for each in OPERATIONS)] == [True] * len(OPERATIONS)
    assert bool(err) == bool(code)
    if code:
        assert "says otherwise about s3proxy: versioning, lifecycle, policies." in err


def test_json(file: Path, answered: list[ProbeResult], capsys: pytest.CaptureFixture[str]) -> None:
    answered += answers(works=False)
    lakehouse("--file", str(file), "store", "probe", "--json", "--endpoint", "http://127.0.0.1:1", expect=0)
    found = json.loads(capsys.readouterr().out)
    assert found["store"] == "http://127.0.0.1:1"
    assert set(found["capabilities"].values()) == {False}
    assert found["results"][0]["remark"] == "PutObject: 501 NotImplemented"


def test_another_store_takes_its_keys_from_the_environment(
    answered: list[ProbeResult], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    lakehouse("store", "probe", "--endpoint", "http://127.0.0.1:1", expect=2)
    assert "set both" in capsys.readouterr().err


def test_the_table_takes_the_place_of_the_former_one(tmp_path: Path) -> None:
    document = tmp_path / "stores.md"
    document.write_text(f"before\n{table.BEGIN}old\n{table.END}after\n")
    wrong = [{"operation": "copy", "outcome": "wrong", "milliseconds": 3.0, "remark": "other bytes come back"}]
    right = [{"operation": "copy", "outcome": "works", "milliseconds": 3.4, "remark": ""}]
    refused = [{"operation": "copy", "outcome": "refused", "milliseconds": 1.0, "remark": "CopyObject: 501 No"}]
    for _ in range(2):
        table.write(document, {"one": wrong, "two": right, "three": refused})
    text = document.read_text()
    assert text.startswith("before\n")
    assert text.endswith("after\n")
    assert "old" not in text
    assert "| copy | **wrong** | 3 ms | refused (501 No) |" in text
    assert "- one, copy: other bytes come back." in text


def test_the_document_has_every_operation_and_agrees_with_the_matrix() -> None:
    text = (PROJECT / "docs" / "stores.md").read_text()
    rows = [
        [cell.strip() for cell in line.strip("|\n").split("|")]
        for line in text.partition(table.BEGIN)[2].partition(table.END)[0].splitlines()
        if line.startswith("|")
    ]
    head, body = rows[0], rows[2:-1]
    assert [row[0] for row in body] == [each.name for each in OPERATIONS]
    columns = {"S3Proxy": "s3proxy", "SeaweedFS": "seaweedfs", "MinIO": "minio", "RustFS": "rustfs"}
    assert {"S3Proxy", "SeaweedFS", "MinIO"} <= set(head)
    for nth, name in enumerate(head):
        if name in columns:
            can = STORES[columns[name]].can
            for operation, row in zip(OPERATIONS, body, strict=True):
                if operation.capability and getattr(can, operation.capability):
                    assert re.fullmatch(r"\d+ ms", row[nth]), (name, row)
    assert set(columns.values()) >= set(support.on(STORES, "process"))


class Users:
    """A store with users, in memory."""

    def __init__(self) -> None:
        self.there: dict[str, StoreUser] = {}
        self.fails = False

    def any_made(self, lakehouse: str) -> bool:
        return bool(self.there)

    def facts(self, lakehouse: str, existing: object = None) -> dict[str, StoreUser]:
        return dict(self.there)

    def create(self, name: str, policy: Policy) -> None:
        if self.fails:
            raise Refused("the object store: no")
        self.there[name] = StoreUser(policy)


@pytest.fixture
def users(monkeypatch: pytest.MonkeyPatch, answered: list[ProbeResult]) -> Users:
    made = Users()
    monkeypatch.setattr(World, "of", lambda connections: world(None, users=lambda: made))
    return made


def with_users(file: Path) -> str:
    """The file with a store that has users; it has a principal, bi, already."""
    lines = file.read_text().replace("store: s3proxy", "store: minio")
    assert "store: minio" in lines
    assert "bi: {roles: [analyst]}" in lines
    return lines


def test_users_of_the_store_are_a_view_on_the_plan(
    file: Path, users: Users, capsys: pytest.CaptureFixture[str]
) -> None:
    file.write_text(with_users(file))
    name = load(file).name
    lakehouse("--file", str(file), "store", "users", expect=2)
    shown = capsys.readouterr().out.splitlines()
    assert (shown[0], shown[-1]) == (f"+ user {name}-bi", "1 users to change.")
    assert {line[:6] for line in shown[1:-1]} == {"    + "}
    lakehouse("--file", str(file), "store", "users", "--apply", expect=0)
    assert capsys.readouterr().out.splitlines()[-1] == "1 users changed."
    assert list(users.there) == [f"{name}-bi"]
    lakehouse("--file", str(file), "store", "users", expect=0)
    assert capsys.readouterr().out == "Every user matches the file.\n"


def test_a_user_that_cannot_be_made_is_reported(file: Path, users: Users, capsys: pytest.CaptureFixture[str]) -> None:
    file.write_text(with_users(file))
    users.fails = True
    lakehouse("--file", str(file), "store", "users", "--apply", expect=1)
    out, err = capsys.readouterr()
    assert out.splitlines()[-1] == "0 users changed."
    assert "the object store: no" in err


def test_a_store_without_users_is_reported(file: Path, users: Users, capsys: pytest.CaptureFixture[str]) -> None:
    lakehouse("--file", str(file), "store", "users", expect=2)
    assert "s3proxy, has no users" in capsys.readouterr().err
