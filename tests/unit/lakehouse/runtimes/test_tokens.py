"""Tokens are signed with a key of the stack's own, and end with it."""

from __future__ import annotations

import base64
import json
import time
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_public_key

from lakehouse.errors import LakehouseError, UsageError
from lakehouse.runtimes import certificates, credentials, generations, tokens
from lakehouse.runtimes.generations import NOTHING, Planned
from lakehouse.runtimes.process.incarnation import look
from lakehouse.runtimes.state import State
from lakehouse.services.service import File, Probe, Service
from lakehouse.text.placeholders import Secret, is_value

SIGNER = "catalog-tokens"
VERIFIER = Secret("catalog-tokens.pub", "verifier", SIGNER)
READER = Secret("catalog-reader.jwt", "token", SIGNER, subject="lakehouse/reader")
WRITER = Secret("catalog-writer.jwt", "token", SIGNER, subject="lakehouse/writer")


def service(name: str, *texts: Secret) -> Service:
    files = tuple(File(f"{nth}.conf", text) for nth, text in enumerate(texts))
    return Service(name, "image", (), (name,), Probe("tcp", 1), files=files)


SERVICES = (service("catalog", VERIFIER), service("reader", READER), service("writer", WRITER), service("other"))


@pytest.fixture
def state(tmp_path: Path) -> State:
    return State(tmp_path / "state")


def deploy(state: State) -> Planned:
    planned = generations.plan(state, SERVICES, None)
    generations.make(state, SERVICES, planned)
    generations.renew(state, SERVICES, planned)
    return planned


def read(token: str, public: str) -> dict[str, Any]:
    """The claims of a token whose signature that key confirms."""
    signed, _, signature = token.rpartition(".")
    header, claims = (json.loads(_decoded(part)) for part in signed.split("."))
    assert header == {"alg": "RS256", "typ": "JWT"}
    key = load_der_public_key(base64.b64decode(public))
    assert isinstance(key, RSAPublicKey)
    key.verify(_decoded(signature), signed.encode(), PKCS1v15(), SHA256())
    assert isinstance(claims, dict)
    return claims


def _decoded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def test_a_token_says_who_shows_it_until_when(state: State) -> None:
    deploy(state)
    claims = read(state.secret(READER.secret), state.secret(VERIFIER.secret))
    assert (claims["iss"], claims["sub"]) == (tokens.ISSUER, "lakehouse/reader")
    assert claims["iat"] <= time.time()
    assert abs(claims["exp"] - time.time() - certificates.DAYS * 86_400) < 3600
    assert claims["groups"] == ["lakehouse"], "servers let who has it do everything"
    for each in (VERIFIER, READER, WRITER):
        assert is_value(state.secret(each.secret)), "a configuration file can hold it"
    for path in (state.root / "certificates").rglob("*"):
        assert path.stat().st_mode & 0o077 == 0, path


def test_one_of_a_principal_has_groups_and_is_not_kept(state: State) -> None:
    deploy(state)
    kept = sorted((state.root / "secrets").iterdir())
    claims = read(tokens.mint(state, SIGNER, "bi", ["g"]), state.secret(VERIFIER.secret))
    assert (claims["sub"], claims["groups"]) == ("bi", ["g"])
    assert sorted((state.root / "secrets").iterdir()) == kept


def test_a_rotation_makes_key_and_tokens_again_and_restarts_all_that_use_them(state: State) -> None:
    deploy(state)
    before = {name: each.digest for name, each in look(SERVICES, state, NOTHING).items()}
    secrets = {each: state.secret(each.secret) for each in (VERIFIER, READER, WRITER)}
    found = generations.rotate(state, SERVICES, SIGNER, None)
    assert (found.kind, found.users) == ("tokens", ("catalog", "reader", "writer"))
    planned = deploy(state)
    after = {name: each.digest for name, each in look(SERVICES, state, planned).items()}
    assert {name for name in before if before[name] != after[name]} == {"catalog", "reader", "writer"}
    assert all(state.secret(each.secret) != value for each, value in secrets.items())
    read(state.secret(WRITER.secret), state.secret(VERIFIER.secret))
    made = state.secret(READER.secret)
    deploy(state)
    assert state.secret(READER.secret) == made, "the next deploy replaces nothing"


def test_they_are_made_again_before_they_end_and_if_the_key_is_lost(
    state: State, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert deploy(state) == NOTHING
    day = 86_400
    assert not tokens.due(state, SIGNER, lambda: time.time() + (certificates.DAYS - 31) * day)
    assert tokens.due(state, SIGNER, lambda: time.time() + (certificates.DAYS - 29) * day)
    with monkeypatch.context() as patched:
        patched.setattr(certificates, "RENEWED_DAYS", certificates.DAYS + 1)
        assert generations.plan(state, SERVICES, None).generations == {SIGNER: 1}
    end = state.root / "certificates" / SIGNER / "end"
    for content in ("", "x"):
        end.write_text(content)
        assert tokens.due(state, SIGNER)
    (state.root / "certificates" / SIGNER / "key.pem").unlink()
    assert deploy(state).generations == {SIGNER: 1}
    read(state.secret(READER.secret), state.secret(VERIFIER.secret))


def test_one_that_is_lost_is_made_again_with_the_same_key_by_a_deploy_only(state: State) -> None:
    deploy(state)
    public = state.secret(VERIFIER.secret)
    for each, what in ((READER, "token"), (VERIFIER, "public key")):
        state.kept(each.secret).unlink()
        with pytest.raises(LakehouseError, match=f"The {what} .* is missing. `lakehouse deploy` makes it"):
            state.secret(each.secret)
    deploy(state)
    assert state.secret(VERIFIER.secret) == public
    read(state.secret(READER.secret), public)


def test_a_file_of_credentials_cannot_set_them(state: State, tmp_path: Path) -> None:
    path = tmp_path / "credentials"
    path.write_text(f"{SIGNER}=x\n")
    path.chmod(0o600)
    with pytest.raises(UsageError, match=SIGNER):
        credentials.read(path, credentials.known(SERVICES))


def test_a_service_that_comes_back_after_the_key_was_replaced_has_a_token_of_the_new_one(state: State) -> None:
    deploy(state)
    without = tuple(each for each in SERVICES if each.name != "writer")
    generations.rotate(state, without, SIGNER, None)
    planned = generations.plan(state, without, None)
    generations.make(state, without, planned)
    generations.renew(state, without, planned)
    kept = state.secret(READER.secret)
    deploy(state)
    assert read(state.secret(WRITER.secret), state.secret(VERIFIER.secret))["sub"] == "lakehouse/writer"
    assert state.secret(READER.secret) == kept, "one of the key that is there stays"
