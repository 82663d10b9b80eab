"""Trino's files of users and rules. That Trino reads them is seen in tests/kinds/access/test_trino_password.py."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import bcrypt
import pytest

from bootstrap.engines import trino_files
from bootstrap.engines.trino_files import TrinoFiles, TrinoUser
from bootstrap.remote.errors import Missing, Refused
from lakehouse.kinds.engines.trino_password import RULES, SECONDS, USERS
from lakehouse.runtimes.state import State, write_private


@pytest.fixture
def state(tmp_path: Path) -> State:
    found = State(tmp_path / "state")
    write_private(found.config("trino") / USERS, "")
    return found


@pytest.fixture
def files(state: State) -> TrinoFiles:
    return TrinoFiles(state, pause=lambda seconds: None)


def lines(state: State) -> dict[str, str]:
    """Trino's file: hashes by user."""
    text = (state.config("trino") / USERS).read_text()
    return {name: found for name, _, found in (line.partition(":") for line in text.splitlines())}


def logs_in(state: State, name: str, password: str) -> bool:
    found = lines(state).get(name, "")
    return found.startswith("$2y$") and bcrypt.checkpw(password.encode(), found.encode())


def test_a_user_through_its_life(files: TrinoFiles, state: State) -> None:
    assert files.users() == {}
    files.create("bi", deletable=True)
    password = files.password("bi")
    assert password is not None
    assert logs_in(state, "bi", password)
    assert files.users() == {"bi": TrinoUser(deletable=True)}
    files.change("bi", enabled=False, deletable=True)
    assert lines(state) == {}
    assert files.users() == {"bi": TrinoUser(enabled=False, right=False, deletable=True)}
    files.change("bi", enabled=True, deletable=False)
    assert logs_in(state, "bi", password), "who gets access again has the same password"
    files.remove("bi")
    assert (files.users(), files.password("bi"), lines(state)) == ({}, None, {})
    files.create("bi", deletable=False)
    assert files.password("bi") != password


def test_a_new_password_replaces_the_former_one(files: TrinoFiles, state: State) -> None:
    files.create("bi", deletable=True)
    former = files.password("bi") or ""
    files.renew("bi")
    password = files.password("bi") or ""
    assert not logs_in(state, "bi", former)
    assert logs_in(state, "bi", password)
    assert files.users() == {"bi": TrinoUser(deletable=True)}
    files.change("bi", enabled=False, deletable=False)
    files.renew("bi")
    assert lines(state) == {}, "no new password gives access back"


def test_what_others_changed_is_seen_and_repaired(files: TrinoFiles, state: State) -> None:
    for name in ("bi", "etl"):
        files.create(name, deletable=False)
    before, path = lines(state), state.config("trino") / USERS
    path.write_text(f"bi:$2y$10$other\nintruder:{before['bi']}\n\n")
    assert files.users() == {
        "bi": TrinoUser(right=False),
        "etl": TrinoUser(enabled=False, right=False),
        "intruder": TrinoUser(ours=False),
    }
    files.change("bi", enabled=True, deletable=False)
    assert lines(state) == before
    path.unlink()
    assert files.users() == dict.fromkeys(("bi", "etl"), TrinoUser(enabled=False, right=False))
    files.change("intruder", enabled=False, deletable=False)
    assert lines(state) == before


def test_a_lost_password_or_a_rotation_that_was_cut_short_is_seen(files: TrinoFiles, state: State) -> None:
    files.create("bi", deletable=False)
    for lost in (False, True):
        if lost:
            state.forget("trino-user-bi")
        else:
            state.keep("trino-user-bi", "another")
        assert files.users() == {"bi": TrinoUser(right=False)}
        files.change("bi", enabled=True, deletable=False)
        assert files.users() == {"bi": TrinoUser()}
        assert logs_in(state, "bi", files.password("bi") or "")


def test_records_that_are_lost_are_made_again_from_the_passwords(files: TrinoFiles, state: State) -> None:
    files.create("bi", deletable=False)
    password = files.password("bi") or ""
    (state.root / "access" / "trino.json").unlink()
    assert files.users() == {"bi": TrinoUser(ours=False)}
    files.create("bi", deletable=False)
    assert logs_in(state, "bi", password)
    (state.root / "access" / "trino.json").write_text("{")
    with pytest.raises(Refused, match="Remove it"):
        files.users()


def test_nobody_who_is_not_there_is_changed(files: TrinoFiles) -> None:
    with pytest.raises(Missing, match="Trino has no user bi"):
        files.change("bi", enabled=True, deletable=False)
    with pytest.raises(Missing, match="Trino has no user bi"):
        files.renew("bi")
    with pytest.raises(Missing, match="Trino has no user bi"):
        files.remove("bi")


def test_others_cannot_read_the_files_and_no_password_is_in_them(files: TrinoFiles, state: State) -> None:
    files.create("bi", deletable=False)
    files.write_rules({"catalogs": []})
    password = files.password("bi") or ""
    written = [state.config("trino") / USERS, state.config("trino") / RULES, state.root / "access" / "trino.json"]
    for path in written:
        assert path.stat().st_mode & 0o777 == 0o600
        assert password not in path.read_text()


def test_a_container_may_read_its_files_and_nothing_else(state: State) -> None:
    files = TrinoFiles(state, apart=True, pause=lambda seconds: None)
    files.create("bi", deletable=False)
    files.write_rules({"catalogs": []})
    modes = {path: (state.config("trino") / path).stat().st_mode & 0o777 for path in (USERS, RULES)}
    assert modes == {USERS: 0o644, RULES: 0o644}
    assert (state.root / "access" / "trino.json").stat().st_mode & 0o777 == 0o600


def test_changes_at_the_same_time_all_stay(state: State) -> None:
    names = [f"user{n}" for n in range(8)]
    threads = [threading.Thread(target=TrinoFiles(state).create, args=(n,), kwargs={"deletable": False}) for n in names]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert lines(state).keys() == set(names)


def test_rules_that_trino_cannot_read_count_as_none(files: TrinoFiles, state: State) -> None:
    assert files.rules() is None
    files.write_rules({"catalogs": [{"user": "lakehouse", "allow": "all"}]})
    assert files.rules() == {"catalogs": [{"user": "lakehouse", "allow": "all"}]}
    for text in ("{", "[]", json.dumps("x")):
        (state.config("trino") / RULES).write_text(text)
        assert files.rules() is None


def test_rules_are_in_force_when_they_are_written(state: State) -> None:
    seen = []
    TrinoFiles(state, pause=lambda seconds: seen.append((seconds, TrinoFiles(state).rules()))).write_rules({"x": []})
    assert seen == [(SECONDS, {"x": []})]


def test_a_password_that_trino_does_not_know_is_not_handed_out(files: TrinoFiles, state: State) -> None:
    assert (files.password("bi"), files.made("bi")) == (None, False)
    files.create("bi", deletable=False)
    password = files.password("bi")
    state.keep("trino-user-bi", "another")
    with pytest.raises(Refused, match="the password of bi in Trino.*`lakehouse apply` makes them agree"):
        files.password("bi")
    state.forget("trino-user-bi")
    with pytest.raises(Refused, match="is lost"):
        files.password("bi")
    assert not state.kept("trino-user-bi").exists(), "looking makes none"
    files.change("bi", enabled=True, deletable=False)
    assert files.password("bi") not in (None, password)
    assert files.made("bi")


def test_a_removal_that_is_cut_short_leaves_no_password(
    files: TrinoFiles, state: State, monkeypatch: pytest.MonkeyPatch
) -> None:
    files.create("bi", deletable=True)

    def full(*_: object) -> None:
        raise OSError("disk")

    monkeypatch.setattr(trino_files, "write_private", full)
    with pytest.raises(OSError, match="disk"):
        files.remove("bi")
    assert not state.kept("trino-user-bi").exists()
    monkeypatch.undo()
    assert "bi" in files.users(), "so the next apply removes it again"
    files.remove("bi")
    assert files.users() == {}


def test_what_only_a_deploy_gives_trino_is_asked_for(files: TrinoFiles, state: State) -> None:
    config, catalog = (state.config("trino") / path for path in ("config.properties", "catalog/lake.properties"))
    need = {"iceberg.table-statistics-enabled": "false"}
    for text in (None, "coordinator=true\n"):
        if text:
            config.write_text(text)
        with pytest.raises(Refused, match="deploy first: Trino was started without passwords"):
            files.check_deployed({})
    config.write_text("coordinator=true\nhttp-server.authentication.type=PASSWORD\n")
    files.check_deployed({})
    files.check_deployed({"lake": need})  # Trino does not have it yet
    catalog.parent.mkdir()
    catalog.write_text("connector.name=iceberg\n")
    files.check_deployed({})
    with pytest.raises(Refused, match="deploy first: .*lake was started without iceberg.table-statistics-enabled=f"):
        files.check_deployed({"lake": need})
    catalog.write_text("connector.name=iceberg\niceberg.table-statistics-enabled=false\n")
    files.check_deployed({"lake": need})


def test_files_are_written_where_trino_runs(state: State) -> None:
    brought: dict[str, str] = {}
    files = TrinoFiles(state, write=brought.__setitem__, pause=lambda seconds: None)
    files.create("bi", deletable=False)
    files.write_rules({"catalogs": []})
    assert brought[USERS].startswith("bi:$2y$")
    assert json.loads(brought[RULES]) == {"catalogs": []}
    assert "bi:" not in (state.config("trino") / USERS).read_text(), "who brings it writes the copy here, too"
