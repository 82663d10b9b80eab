"""`lakehouse access` on the command line; its calls of a store are in tests/behaviour."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

from bootstrap.cli.main import app
from bootstrap.operations.access_keys import PrincipalServers
from bootstrap.remote.errors import Missing
from bootstrap.remote.user_keys import UserKeys
from bootstrap.session.target import find
from bootstrap.stores import proof
from bootstrap.stores.proof import AccessOutcome
from lakehouse.access.proof import Call
from lakehouse.runtimes import owner
from lakehouse.runtimes.state import State

PROJECT = Path(__file__).parents[4]


class Users:
    """The part of a store's users that the commands need. ``gone``: one that the store does not have."""

    keys: UserKeys
    gone = ""
    there: list[str] = []
    renewed: list[str] = []

    def __init__(self, connections: Any, state: State) -> None:
        self.keys = UserKeys(state)

    def renew(self, name: str, existing: str = "") -> bool:
        if name == self.gone:
            raise Missing(name)
        self.renewed.append(name)
        return not existing

    def facts(self, lakehouse: str, existing: Mapping[str, str] | None = None) -> dict[str, None]:
        return dict.fromkeys(name for name in self.there if name.startswith(lakehouse))

    def end_former(self, name: str, existing: str = "") -> int:
        return 2


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr("sys.stdout", sys.stdout)
    monkeypatch.setattr("sys.stderr", sys.stderr)
    monkeypatch.setattr("bootstrap.reconciler.world._USERS", {"iam": Users})
    monkeypatch.setattr(Users, "renewed", [])
    monkeypatch.setattr(Users, "there", [])
    content = yaml.safe_load((PROJECT / "lakehouse.yaml").read_text())
    content["stacks"]["local"]["store"] = "seaweedfs"
    catalog, spaces = next((name, list(each["namespaces"])) for name, each in content["catalogs"].items())
    content["access"] = {
        "roles": {"reader": {"grants": {f"{catalog}.{spaces[0]}": ["read"]}}},
        "principals": {"bi": {"roles": ["reader"]}, "idle": {"roles": []}},
    }
    path = tmp_path / "lakehouse.yaml"
    path.write_text(yaml.safe_dump(content))
    return path


def lakehouse(file: Path, *words: str, expect: int = 0, stack: str = "") -> None:
    named = ["--stack", stack] if stack else []
    with pytest.raises(SystemExit) as ended:
        app(["--file", str(file), *named, "access", *words], prog_name="lakehouse")
    assert ended.value.code == expect


def keep(file: Path, name: str) -> State:
    local = find(file, "local").located
    owner.mark(local.state, local.claim)
    state = local.state
    state.keep(f"{name}-access-key", "AKEY")
    state.keep(f"{name}-secret-key", "SECRET")
    return state


def named(file: Path, principal: str) -> str:
    return f"{yaml.safe_load(file.read_text())['name']}-{principal}"


def test_without_a_word_it_shows_who_may_do_what(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lakehouse(file)
    assert "role reader grants read" in capsys.readouterr().out
    lakehouse(file, "--json")
    shown = json.loads(capsys.readouterr().out)
    assert shown.keys() == {"grants", "layers", "open", "certificates"}
    assert [each["principal"] for each in shown["grants"]] == ["bi", "idle"]
    assert shown["layers"].keys() == {"local"}
    assert shown["layers"]["local"][0].keys() == {"layer", "enforces", "leaves"}
    assert shown["open"]["local"][0].keys() == {"port", "service", "address", "gives", "tls"}
    certificate = shown["certificates"]["local"][0]
    assert certificate["port"] == "seaweedfs-grpc", "for its own parts it has TLS in an open stack too"
    assert (certificate["whose"], certificate["end"]) == ("the stack's own", None)


def test_it_shows_what_each_layer_enforces_and_what_not(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lakehouse(file)
    shown = capsys.readouterr().out
    assert "On stacks.local:" in shown
    assert "store (SeaweedFS)" in shown
    assert "Trino lets everybody in, under any name" in shown
    lakehouse(file, stack="local")
    assert "On stacks.local:" in capsys.readouterr().out
    lakehouse(file, stack="lokal", expect=2)
    assert 'has no stack "lokal". It has local.' in capsys.readouterr().err


def test_it_shows_whose_certificate_a_port_has(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lakehouse(file)
    shown = capsys.readouterr().out
    assert "The certificates of ports with TLS:" in shown
    assert "not made yet" in shown


def test_the_text_of_a_filter_is_shown_as_it_is(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    content = yaml.safe_load(file.read_text())
    catalog, spaces = next((name, each["namespaces"]) for name, each in content["catalogs"].items())
    table = next(f"{catalog}.{space}.{name}" for space, each in spaces.items() for name in each.get("tables", ()))
    grant = {"verbs": ["read"], "rows": "a[1] = '[bold]'"}
    content["access"] |= {"roles": {"reader": {"grants": {table: grant}}}, "enforce": "best-effort"}
    file.write_text(yaml.safe_dump(content))
    lakehouse(file)
    shown = capsys.readouterr().out
    assert "a[1] = '[bold]'" in shown


def test_keys_go_to_a_private_file_and_not_to_the_screen(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    state = keep(file, named(file, "bi"))
    lakehouse(file, "credentials", "bi")
    shown, path = capsys.readouterr().out, state.root / "access" / "bi.ini"
    assert str(path) in shown
    assert f"AWS_CONFIG_FILE={path} aws s3 ls" in shown
    assert "SECRET" not in shown
    assert path.stat().st_mode & 0o777 == 0o600
    assert "aws_secret_access_key = SECRET" in path.read_text()
    lakehouse(file, "credentials", "bi", "--to", str(file.parent / "mine"))
    assert (file.parent / "mine").read_text() == path.read_text()
    lakehouse(file, "credentials", "bi", "--show")
    assert "aws_secret_access_key = SECRET" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (
            ("credentials", "idle"),
            "The state folder has no keys of idle: a deploy or `lakehouse apply` makes them if its roles grant files "
            "or tables. If they were lost, `lakehouse access rotate idle` makes new ones.",
        ),
        (("rotate", "idle"), "idle has no keys: a deploy or `lakehouse apply` makes them if its roles grant any."),
        (("rotate", "idle", "--end-former"), "idle has no keys: a deploy or `lakehouse apply`"),
        (("credentials", "nobody"), 'access.principals has no "nobody". It has bi or idle.'),
        (("rotate",), "Name one principal, or give --all."),
        (("rotate", "bi", "--all"), "Name one principal, or give --all."),
        (("credentials", "bi", "--to", "/proc/none/x"), "/proc/none/x cannot be written"),
    ],
)
def test_what_cannot_be_done_is_said(
    file: Path, capsys: pytest.CaptureFixture[str], words: tuple[str, ...], said: str
) -> None:
    keep(file, named(file, "bi"))
    lakehouse(file, *words, expect=2)
    assert said in " ".join(capsys.readouterr().err.split())


def test_a_store_without_users_is_named_with_those_that_have_them(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file.write_text(file.read_text().replace("store: seaweedfs", "store: s3proxy"))
    lakehouse(file, "test", expect=2)
    assert (
        "stacks.local has no store with users (seaweedfs, minio or aistor), no catalog of kind polaris, no secure one "
        "of kind nessie, and no Trino with `authentication: password`." in " ".join(capsys.readouterr().err.split())
    )


def test_a_polaris_that_does_not_answer_is_no_answer(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    content = yaml.safe_load(file.read_text())
    polaris = {"kind": "polaris", "home": str(file.parent)}
    content["stacks"]["local"] |= {"store": "s3proxy", "catalogs": dict.fromkeys(content["catalogs"], polaris)}
    file.write_text(yaml.safe_dump(content))
    lakehouse(file, "test", expect=1)
    assert "polaris does not answer on" in capsys.readouterr().err


def test_rotation_says_until_when_the_former_keys_work(
    file: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    lakehouse(file, "rotate", "--all")
    assert Users.renewed == [], "nobody has keys"
    keep(file, named(file, "bi"))
    for words in (("--all",), ("bi",)):
        lakehouse(file, "rotate", *words)
        assert "work until `lakehouse access rotate bi --end-former`" in capsys.readouterr().out
    assert Users.renewed == [named(file, "bi")] * 2
    lakehouse(file, "rotate", "bi", "--end-former")
    assert "bi: 2 former pairs of keys have ended." in capsys.readouterr().out
    monkeypatch.setattr(Users, "gone", named(file, "bi"))
    lakehouse(file, "rotate", "bi", expect=1)
    said = "bi is unknown to the store. A deploy or `lakehouse apply` makes what is missing."
    assert said in capsys.readouterr().err
    keep(file, named(file, "idle"))
    lakehouse(file, "rotate", "--all", expect=1)
    assert Users.renewed[2:] == [named(file, "idle")], "one that is gone holds nobody back"
    assert said in capsys.readouterr().err


def test_a_rotation_replaces_keys_that_the_state_folder_has_lost(
    file: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    keep(file, named(file, "bi")).forget(f"{named(file, 'bi')}-secret-key")
    lakehouse(file, "credentials", "bi", expect=2)
    assert "`lakehouse access rotate bi` makes new ones" in " ".join(capsys.readouterr().err.split())
    monkeypatch.setattr(Users, "there", [named(file, "bi")])
    lakehouse(file, "rotate", "bi")
    assert Users.renewed == [named(file, "bi")]


@pytest.mark.parametrize("wrong", [False, True])
def test_calls_that_are_not_as_the_file_says_are_shown(
    file: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, wrong: bool
) -> None:
    def outcomes(calls: Sequence[Call], *_: Any) -> Iterator[AccessOutcome]:
        for n, call in enumerate(calls):
            yield AccessOutcome(call, call.allowed != (wrong and n == 0))

    monkeypatch.setattr(proof, "outcomes", outcomes)
    lakehouse(file, "test", expect=int(wrong))
    shown = capsys.readouterr()
    if wrong:
        [row] = shown.out.splitlines()[1:]
        assert row.split()[:2] == ["bi", "list"]
        assert row.split()[3:] == ["seaweedfs", "boto3", "allowed", "denied"]
        assert "1 of" in shown.err
    else:
        assert "calls at seaweedfs, all answered as the file says. Nothing else was asked." in shown.out
    lakehouse(file, "test", "--all", "--json", expect=int(wrong))
    found = json.loads(capsys.readouterr().out)
    assert {each["principal"] for each in found} == {"bi", "idle"}
    lakehouse(file, "test", "--principal", "idle", "--all", "--json", expect=int(wrong))
    assert {(each["principal"], each["file"]) for each in json.loads(capsys.readouterr().out)} == {("idle", "denied")}


def test_a_file_without_principals_proves_nothing(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    content = yaml.safe_load(file.read_text())
    del content["access"]
    file.write_text(yaml.safe_dump(content))
    lakehouse(file, "test")
    assert "No call was tried, so nothing is proven" in capsys.readouterr().out


def test_an_example_for_the_store_is_shown_only_with_keys_for_it(
    file: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    keep(file, named(file, "idle"))
    monkeypatch.setattr(PrincipalServers, "written", lambda self, principal: iter(["[trino]\n"]))
    lakehouse(file, "credentials", "bi")
    assert "aws s3" not in capsys.readouterr().out


@pytest.mark.parametrize("server", ["polaris", "store"])
def test_an_existing_principal_keeps_credentials_that_nobody_here_knows(
    file: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, server: str
) -> None:
    content = yaml.safe_load(file.read_text())
    content["access"]["principals"] |= {"ann": {"roles": ["reader"], "existing": {server: "Ann"}}}
    file.write_text(yaml.safe_dump(content))
    lakehouse(file, "credentials", "ann", expect=2)
    assert "ann is `existing`: it keeps the credentials that it has" in " ".join(capsys.readouterr().err.split())
    monkeypatch.setattr(proof, "outcomes", lambda calls, *_: (AccessOutcome(each, each.allowed) for each in calls))
    lakehouse(file, "test", "--all", "--json")
    shown = capsys.readouterr()
    assert {each["principal"] for each in json.loads(shown.out)} == {"bi", "idle"}
    assert "Not tried: ann, as the toolkit does not have their credentials (`existing`)." in shown.err
