"""Warnings of a file about what is outside it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bootstrap.operations.validate import problems, warnings
from lakehouse.runtimes.state import State
from lakehouse.spec import Lakehouse
from tests.unit.lakehouse.kinds.pipelines.streaming import ORDERS, SHOP, lakehouse

POLARIS = {"runtime": "process", "store": "s3proxy", "credentials": "own.yaml", "catalogs": {}}
FILE = {
    "name": "demo",
    "buckets": {"warehouse": {}},
    "catalogs": {"lake": {"location": "s3://warehouse/lake"}},
    "stacks": {"local": {**POLARIS, "catalogs": {"lake": {"kind": "polaris", "home": "polaris"}}}},
}


def warned(folder: Path, chosen: str) -> list[str]:
    """The warnings while the state folder has the credentials `root` and `the-first`."""
    path, own = folder / "lakehouse.yaml", folder / "own.yaml"
    own.write_text(chosen)
    own.chmod(0o600)
    state = State(folder / ".lakehouse" / "local")
    for kept, value in (("names/polaris-root-name", "root"), ("secrets/polaris-root-secret", "the-first")):
        (state.root / kept).parent.mkdir(parents=True, exist_ok=True)
        (state.root / kept).write_text(value)
    lakehouse = Lakehouse.model_validate(FILE)
    assert list(problems(lakehouse, path)) == []
    return [f"{each.at}: {each.message}" for each in warnings(lakehouse, path)]


def test_another_value_of_what_a_server_keeps_is_a_warning(tmp_path: Path) -> None:
    [warning] = warned(tmp_path, "polaris-root: {value: the-second}")
    assert warning.startswith(f"('stacks', 'local', 'credentials'): polaris-root in {tmp_path / 'own.yaml'} is another")
    assert "the-" not in warning


def test_the_same_value_and_another_one_that_its_server_replaces_are_none(tmp_path: Path) -> None:
    assert (
        warned(tmp_path, "{polaris-root: {name: root, value: the-first}, store: {name: admin, value: something-else}}")
        == []
    )


def test_a_secret_that_may_be_a_common_word_is_a_warning(tmp_path: Path) -> None:
    [warning] = warned(tmp_path, "store: {name: lake, value: bronze}")
    assert "store.value in own.yaml has fewer than 8 characters. Output hides them wherever they occur" in warning
    assert "bronze" not in warning


@pytest.mark.parametrize(
    ("keys", "wrong", "warning"),
    [
        (None, "", "does not exist, so no engine can read this bucket. Create it, with a section [default]"),
        ("[default]\naws_access_key_id = a\naws_secret_access_key = b\n", "", ""),
        (
            "[default]\naws_access_key_id = a\naws_secret_access_key = b=\n",
            "",
            "so no engine can read this bucket. Rep",
        ),
        ("[other]\n", "has no section [default]", ""),
    ],
)
def test_the_file_of_a_source_is_looked_for_beside_the_lakehouses(
    keys: str | None, wrong: str, warning: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (elsewhere := tmp_path / "elsewhere").mkdir()
    (elsewhere / "keys").write_text("something else")
    monkeypatch.chdir(elsewhere)
    source = {"endpoint": "http://files:9000", "credentials": "keys"}
    stack = {"runtime": "process", "store": "s3proxy", "credentials": "own.yaml", "catalogs": {"lake": "rest"}}
    lakehouse = Lakehouse.model_validate(
        {**FILE, "engines": {"spark": {}}, "sources": {"feed": source}, "stacks": {"local": stack}}
    )
    (tmp_path / "own.yaml").write_text("store: {name: admin}")
    (tmp_path / "own.yaml").chmod(0o600)
    if keys is not None:
        (tmp_path / "keys").write_text(keys)
    path, at = tmp_path / "lakehouse.yaml", ("sources", "feed", "credentials")
    for said, found in ((wrong, problems(lakehouse, path)), (warning, () if wrong else warnings(lakehouse, path))):
        each = list(found)
        assert [one.at for one in each] == [at] * bool(said)
        assert all(one.message.startswith(f"{tmp_path / 'keys'} ") and said in one.message for one in each)


@pytest.mark.parametrize(
    ("runtime", "engines", "endpoint", "warned"),
    [
        ("docker", {"spark": {}}, "http://127.0.0.1:9000", True),
        ("docker", {"spark": {}}, "http://files:9000", False),
        ("docker", {"trino": {}}, "http://127.0.0.1:9000", False),
        ("process", {"spark": {}}, "http://127.0.0.1:9000", False),
    ],
)
def test_a_source_on_this_machine_is_not_reached_from_containers(
    runtime: str, engines: dict[str, Any], endpoint: str, warned: bool, tmp_path: Path
) -> None:
    (tmp_path / "keys").write_text("[default]\naws_access_key_id = a\naws_secret_access_key = b\n")
    stack = {"runtime": runtime, "store": "s3proxy", "catalogs": {"lake": "rest"}}
    sources = {"feed": {"endpoint": endpoint, "credentials": "keys"}}
    lakehouse = Lakehouse.model_validate({**FILE, "engines": engines, "sources": sources, "stacks": {"local": stack}})
    found = [each.message for each in warnings(lakehouse, tmp_path / "lakehouse.yaml")]
    why = "Spark in stacks.local runs in containers, and there it is the container itself"
    assert found == [f'"{endpoint}": {why}. Name a host that containers and this machine both know'] * warned


@pytest.mark.parametrize(
    ("mode", "message"),
    [
        (None, "does not exist. Create it with mode 0600"),
        (0o644, "has mode 0644, so other users may read it"),
        (0o600, ""),
    ],
)
def test_the_address_of_alerts_is_for_its_owner_only(tmp_path: Path, mode: int | None, message: str) -> None:
    local = FILE["stacks"]["local"] | {"credentials": None, "monitoring": {"slack": "slack.url"}}  # type: ignore[index]
    lakehouse = Lakehouse.model_validate(FILE | {"stacks": {"local": local}})
    if mode is not None:
        (tmp_path / "slack.url").write_text("https://example.com/T0/B0/secret")
        (tmp_path / "slack.url").chmod(mode)
    found = [(each.at, each.message) for each in problems(lakehouse, tmp_path / "lakehouse.yaml")]
    assert [at for at, _ in found] == ([("stacks", "local")] if message else [])
    assert all(message in each and "T0" not in each for _, each in found)


@pytest.mark.parametrize(
    ("mode", "content", "said"),
    [
        (None, "", "does not exist. Create it with mode 0600, or remove `token`."),
        (0o644, "t0ken", "has mode 0644, so other users may read it. Run `chmod 600 marquez.key`."),
        (0o600, "two\nlines", "does not hold one token on one line."),
        (0o600, "t0ken\n", ""),
    ],
)
def test_the_token_of_who_gets_lineage_is_private(tmp_path: Path, mode: int | None, content: str, said: str) -> None:
    file = tmp_path / "marquez.key"
    if mode is not None:
        file.write_text(content)
        file.chmod(mode)
    local = {"runtime": "process", "store": "s3proxy", "catalogs": {"lake": "rest"}}
    lineage = {"url": "http://marquez:5000", "token": "marquez.key"}
    lakehouse = Lakehouse.model_validate({**FILE, "stacks": {"local": {**local, "lineage": lineage}}})
    found = [(each.at, each.message) for each in problems(lakehouse, tmp_path / "lakehouse.yaml")]
    assert found == ([(("stacks", "local", "lineage", "token"), f"{file} {said}")] if said else [])


NOTIFY = {
    "webhook": "hook.url",
    "mail": {
        "server": "smtp.example.com:587",
        "sender": "lake@example.com",
        "to": ["ops@example.com"],
        "user": "lake",
        "password": "mail.password",
    },
}


def test_files_that_a_run_of_the_schedule_reads_are_looked_at_before(tmp_path: Path) -> None:
    """A webhook that is not there would be missed when something has failed."""
    backup = {"at": "30 1 * * *", "to": "backups", "key": "backup.key"}
    stack = {"runtime": "process", "store": "s3proxy", "catalogs": {"lake": "nessie"}}
    schedule = {"backup": backup, "notify": NOTIFY}
    lakehouse = Lakehouse.model_validate({**FILE, "stacks": {"local": {**stack, "schedule": schedule}}})

    def found() -> dict[str, str]:
        return {".".join(map(str, each.at)): each.message for each in problems(lakehouse, tmp_path / "lakehouse.yaml")}

    at = "stacks.local.schedule"
    assert found().keys() == {f"{at}.notify.webhook", f"{at}.notify.mail.password", f"{at}.backup.key"}
    assert "does not exist. Create it with mode 0600" in found()[f"{at}.backup.key"]
    texts = {"hook.url": "hooks.example.com", "mail.password": "secret", "backup.key": "a long secret"}
    for each, text in texts.items():
        (tmp_path / each).write_text(text)
        (tmp_path / each).chmod(0o600)
    assert found() == {
        f"{at}.notify.webhook": f"{tmp_path}/hook.url has no address. Write that of the webhook into it, as in https://..."
    }
    (tmp_path / "hook.url").write_text("https://hooks.example.com/1\n")
    assert found() == {}
    (tmp_path / "backup.key").write_text("too short\n")
    assert "the passphrase in" in found()[f"{at}.backup.key"]
    assert "too short: it needs at least 12 bytes" in found()[f"{at}.backup.key"]
    (tmp_path / "hook.url").chmod(0o644)
    assert "has mode 0644, so other users may read it" in found()[f"{at}.notify.webhook"]


@pytest.mark.parametrize(
    ("to", "wrong"),
    [("backups", False), (".lakehouse/backups", False), (".lakehouse/local/backups", True), ("s3://vault/lake", False)],
)
def test_backups_are_not_where_a_destroy_of_the_data_would_delete_them(tmp_path: Path, to: str, wrong: bool) -> None:
    stack = {"runtime": "process", "store": "s3proxy", "catalogs": {"lake": "nessie"}}
    schedule = {"backup": {"at": "30 1 * * *", "to": to}}
    lakehouse = Lakehouse.model_validate({**FILE, "stacks": {"local": {**stack, "schedule": schedule}}})
    found = [each for each in problems(lakehouse, tmp_path / "lakehouse.yaml") if each.at[-1] == "to"]
    assert bool(found) == wrong
    if wrong:
        assert "`lakehouse destroy --data` deletes with the lakehouse. Name a folder elsewhere" in found[0].message


def test_a_backup_in_a_bucket_of_the_lakehouse_is_named(tmp_path: Path) -> None:
    stack = {"runtime": "process", "store": "s3proxy", "catalogs": {"lake": "nessie"}}
    for to, count in (("s3://warehouse/backups", 1), ("s3://vault/lake", 0)):
        schedule = {"backup": {"at": "30 1 * * *", "to": to}}
        lakehouse = Lakehouse.model_validate({**FILE, "stacks": {"local": {**stack, "schedule": schedule}}})
        found = list(warnings(lakehouse, tmp_path / "lakehouse.yaml"))
        assert [f"{to} is a place in a bucket of this lakehouse" in each.message for each in found] == [True] * count


def test_a_database_without_a_password_is_named(tmp_path: Path) -> None:
    def found(**stack: Any) -> list[str]:
        of = lakehouse({"orders": ORDERS, "shop": SHOP}, **stack)
        return [f"{'.'.join(map(str, each.at))}: {each.message}" for each in warnings(of, tmp_path / "lakehouse.yaml")]

    said = "pipelines.shop: stacks.local has no password for its database. Write it into the file of "
    assert found() == [f"{said}stacks.local.credentials, as `pipeline-shop: ...`"]
    (tmp_path / "own.yaml").write_text("pipeline-shop: a-long-password\n")
    (tmp_path / "own.yaml").chmod(0o600)
    assert found(credentials="own.yaml") == []
