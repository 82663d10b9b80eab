"""A credential that is replaced restarts the services that use it, and no others."""

from __future__ import annotations

from pathlib import Path

import pytest

from lakehouse.errors import LakehouseError, UsageError
from lakehouse.runtimes import certificates, generations, shell_keys
from lakehouse.runtimes.generations import NOTHING, Generation, Planned
from lakehouse.runtimes.process.incarnation import look
from lakehouse.runtimes.state import State
from lakehouse.services.certificate import Certificate
from lakehouse.services.secrets import Pair
from lakehouse.services.service import File, Service
from lakehouse.text.placeholders import Secret
from tests.unit.lakehouse.runtimes.test_credentials import ROOT, SERVICES, service

WORD = Secret("word", "password")


@pytest.fixture
def state(tmp_path: Path) -> State:
    return State(tmp_path / "state")


def digests(state: State, some: tuple[Service, ...], file: Path | None = None) -> dict[str, str]:
    planned = generations.plan(state, some, file)
    return {name: each.digest for name, each in look(some, state, planned).items()}


def deploy(state: State, some: tuple[Service, ...] = SERVICES, file: Path | None = None) -> Planned:
    planned = generations.plan(state, some, file)
    generations.make(state, some, planned)
    generations.renew(state, some, planned)
    return planned


def chosen(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "credentials.yaml"
    path.write_text(text)
    path.chmod(0o600)
    return path


def values(state: State) -> dict[str, str]:
    return {name: state.secret(name) for name in ("store-access-key", "store-secret-key", "token", "polaris-secret")}


def test_what_was_never_replaced_adds_nothing_to_the_digest(state: State) -> None:
    before = {name: each.digest for name, each in look(SERVICES, state, NOTHING).items()}
    assert digests(state, SERVICES) == before
    assert deploy(state) == NOTHING
    assert digests(state, SERVICES) == before
    assert not (state.root / generations.FILE).exists()


def test_each_is_made_by_its_shape_closed_to_others(state: State) -> None:
    deploy(state)
    assert len(state.secret("token")) == 40
    assert len(state.secret("word")) == 24
    assert state.secret("word").isalnum()
    assert state.secret("polaris-id") == ROOT.name.default == "root"
    assert not (state.root / "secrets" / "polaris-id").exists(), "a known name is no secret, so it is not blacked out"
    for path in (*(state.root / "secrets").iterdir(), *(state.root / "names").iterdir()):
        assert path.stat().st_mode & 0o777 == 0o600
    before = values(state)
    deploy(state)
    assert values(state) == before


def test_a_rotation_changes_only_its_users_and_nothing_before_the_deploy(state: State) -> None:
    deploy(state)
    before, secrets = digests(state, SERVICES), values(state)
    assert generations.rotate(state, SERVICES, "polaris-root", None).users == ("catalog",)
    after = digests(state, SERVICES)
    assert {name for name in before if before[name] != after[name]} == {"catalog"}
    assert values(state) == secrets
    generations.rotate(state, SERVICES, "polaris-root", None)  # twice before a deploy is once
    assert digests(state, SERVICES) == after

    planned = deploy(state)
    assert planned.generations == {"polaris-root": 1}
    assert {name for name, value in values(state).items() if value != secrets[name]} == {"polaris-secret"}
    assert state.secret("polaris-id") == "root"
    assert digests(state, SERVICES) == after, "the next deploy restarts nothing"
    rotated = values(state)
    deploy(state)
    assert values(state) == rotated


def test_both_parts_of_a_pair_that_was_made_are_replaced(state: State) -> None:
    deploy(state)
    secrets = values(state)
    generations.rotate(state, SERVICES, "store", None)
    deploy(state)
    assert {name for name, value in values(state).items() if value != secrets[name]} == {
        "store-access-key",
        "store-secret-key",
    }


def test_a_rotation_after_the_plan_waits_for_the_next_deploy(state: State) -> None:
    deploy(state)
    planned, secrets = generations.plan(state, SERVICES, None), values(state)
    generations.rotate(state, SERVICES, "store", None)
    generations.renew(state, SERVICES, planned)
    assert values(state) == secrets
    assert generations.read(state)["store"] == Generation(0, 1)


def test_chosen_values_are_taken_and_a_change_of_them_restarts_their_users(state: State, tmp_path: Path) -> None:
    file = chosen(tmp_path, "store: {name: admin, value: first-value}\n")
    unchosen = digests(state, SERVICES)
    assert digests(state, SERVICES, file) == unchosen
    deploy(state, file=file)
    assert values(state)["store-access-key"] == "admin"
    assert values(state)["store-secret-key"] == "first-value"
    assert not (state.root / "secrets" / "store-access-key").exists()
    assert digests(state, SERVICES, file) == unchosen

    chosen(tmp_path, "store: {name: admin, value: second-value}\n")
    after = digests(state, SERVICES, file)
    assert {name for name in after if after[name] != unchosen[name]} == {"store", "catalog"}
    assert values(state)["store-secret-key"] == "first-value", "it is the services' until they are restarted"
    deploy(state, file=file)
    assert values(state)["store-secret-key"] == "second-value"
    assert digests(state, SERVICES, file) == after
    assert deploy(state, file=file).generations == {"store": 1}
    with pytest.raises(UsageError, match="store is set in .*Write another value there"):
        generations.rotate(state, SERVICES, "store", file)


def test_a_file_for_a_lakehouse_that_has_made_its_own(state: State, tmp_path: Path) -> None:
    deploy(state)
    before = digests(state, SERVICES)
    file = chosen(tmp_path, "store: {name: admin}\n")
    after = digests(state, SERVICES, file)
    assert {name for name in before if before[name] != after[name]} == {"store", "catalog"}
    deploy(state, file=file)
    assert state.secret("store-access-key") == "admin"
    generations.rotate(state, SERVICES, "token", file)  # the others are still ours to make


def test_what_was_never_made_is_not_rotated(state: State) -> None:
    for name in ("token", "connect-certificate"):
        with pytest.raises(LakehouseError, match=f"{name} was never made"):
            generations.rotate(state, SERVICES, name, None)
    with pytest.raises(LakehouseError, match="no credential"):
        generations.rotate(state, SERVICES, "nothing", None)


def test_what_a_server_keeps_from_its_first_start_is_not_rotated(state: State) -> None:
    root = Pair.of("root", "root-name", "root-secret", lasting=True)
    some = (service("catalog", root.name, root.value),)
    deploy(state, some)
    with pytest.raises(UsageError, match="root cannot be replaced here: its server keeps the one of its first start"):
        generations.rotate(state, some, "root", None)
    assert generations.read(state) == {}


def test_another_value_of_what_a_server_keeps_is_warned_of_until_it_is_deployed(state: State, tmp_path: Path) -> None:
    root = Pair.of("root", "root-name", "root-secret", "admin", lasting=True)
    some = (service("catalog", root.name, root.value), *SERVICES)
    first = chosen(tmp_path, "root: {value: the-first}\nstore: {value: the-first}\n")
    assert generations.lasting(state, some, first) == [], "it was never made"
    deploy(state, some, first)
    assert generations.lasting(state, some, first) == generations.lasting(state, some, None) == []
    second = chosen(tmp_path, "root: {value: the-second}\nstore: {value: the-second}\n")
    [warning] = generations.lasting(state, some, second)
    assert warning.startswith(f"root in {second} is another one than before")
    assert "the-" not in warning
    deploy(state, some, second)
    assert generations.lasting(state, some, second) == []
    assert generations.lasting(state, some, chosen(tmp_path, "root: {name: other}"))


def test_certificates_are_rotated_like_secrets(state: State) -> None:
    web = Certificate.of("web", "web")
    some = (service("web", web.key, web.chain), service("client", web.authority), service("other", WORD))
    deploy(state, some)
    before, key = digests(state, some), state.secret(web.key.kept)
    generations.rotate(state, some, "web-certificate", None)
    after = digests(state, some)
    assert {name for name in before if before[name] != after[name]} == {"web"}
    deploy(state, some)
    assert state.secret(web.key.kept) != key
    assert digests(state, some) == after


def test_another_authority_restarts_all_who_use_certificates(state: State) -> None:
    web = Certificate.of("web", "web")
    some = (service("web", web.key, web.chain), service("client", web.authority), service("other", WORD))
    deploy(state, some)
    before, key, trusted = digests(state, some), state.secret(web.key.kept), state.secret(web.authority.kept)
    generations.rotate(state, some, "authority-certificate", None)
    after = digests(state, some)
    assert {name for name in before if before[name] != after[name]} == {"web", "client"}
    deploy(state, some)
    assert state.secret(web.key.kept) != key
    assert state.secret(web.authority.kept) != trusted
    assert not certificates.due(state, web.chain)
    assert digests(state, some) == after


def test_a_certificate_whose_end_is_near_restarts_its_users(state: State, monkeypatch: pytest.MonkeyPatch) -> None:
    web = Certificate.of("web", "web")
    some = (service("web", web.key, web.chain), service("client", web.authority))
    deploy(state, some)
    assert deploy(state, some) == NOTHING
    monkeypatch.setattr(certificates, "RENEWED_DAYS", certificates.DAYS + 1)
    assert generations.plan(state, some, None).generations == {"web-certificate": 1}


def test_what_is_planned_survives_json_and_holds_no_secret(tmp_path: Path) -> None:
    for planned in (NOTHING, Planned({"store": 2}, tmp_path / "credentials.yaml")):
        generations.write(tmp_path, planned)
        assert generations.planned_in(tmp_path) == planned


@pytest.mark.parametrize("content", ["{", "[]", '{"store": 1}', '{"store": ["a", 1]}'])
def test_a_damaged_record_is_reported_with_the_fix(state: State, content: str) -> None:
    state.root.mkdir()
    (state.root / generations.FILE).write_text(content)
    with pytest.raises(LakehouseError, match="Remove it: the next deploy"):
        generations.read(state)


def test_a_deploy_that_was_interrupted_is_done_again(
    state: State, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    deploy(state)
    file = chosen(tmp_path, "store: {value: second-value}\n")
    with monkeypatch.context() as patched:
        patched.setattr(generations, "_write", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            deploy(state, file=file)
    state.kept("store-secret-key").write_text("second-value")  # the deploy was interrupted after this step
    assert generations.plan(state, SERVICES, file).generations == {"store": 1}
    deploy(state, file=file)
    assert generations.read(state)["store"] == Generation(1, 1)


def test_a_service_without_credentials_never_changes(state: State) -> None:
    plain = Service("plain", "image", (), ("run",), SERVICES[0].probe, files=(File("x", "y"),))
    assert generations.marked("d", generations.used(plain), Planned({"store": 3})) == "d"
    assert generations.marked("d", generations.used(SERVICES[0]), Planned({"store": 3})) != "d"


GLUE = Pair.of("glue", "glue-access-key", "glue-secret-key", of_aws=True)


def of_glue() -> tuple[Service, ...]:
    return (service("spark", (GLUE.name, ":", GLUE.value)),)


def test_keys_of_aws_are_those_of_the_shell_until_they_are_rotated(
    state: State, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(LakehouseError, match="`lakehouse deploy` writes the keys"):
        state.value(GLUE.value)
    monkeypatch.setattr(shell_keys, "pair", lambda: ("first", "1" * 8))
    deploy(state, of_glue())
    assert (state.value(GLUE.name), state.value(GLUE.value)) == ("first", "1" * 8)
    monkeypatch.setattr(shell_keys, "pair", lambda: ("second", "2" * 8))
    deploy(state, of_glue())
    assert state.value(GLUE.name) == "first", "a running lakehouse keeps its keys, whichever shell deploys it"
    generations.rotate(state, of_glue(), "glue", None)
    deploy(state, of_glue())
    assert (state.value(GLUE.name), state.value(GLUE.value)) == ("second", "2" * 8)


def test_keys_of_aws_in_the_users_file_come_before_the_shells(
    state: State, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shell_keys, "pair", lambda: pytest.fail("the shell was asked"))
    deploy(state, of_glue(), chosen(tmp_path, f"glue: {{name: theirs, value: {'k' * 8}}}"))
    assert (state.value(GLUE.name), state.value(GLUE.value)) == ("theirs", "kkkkkkkk")
