"""Credentials of a stack, and those that a user chooses in a file."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from lakehouse.errors import LakehouseError, UsageError
from lakehouse.runtimes import credentials
from lakehouse.services.certificate import Certificate
from lakehouse.services.secrets import STORE, Pair
from lakehouse.services.service import File, Probe, Service
from lakehouse.text.placeholders import Secret, Text
from lakehouse.text.profiles import Profile

ROOT = Pair.of("polaris-root", "polaris-id", "polaris-secret", default="root", barred=(",;:", ",;"))
TOKEN = Secret("token")


def service(name: str, *texts: Text, reading: Text = "") -> Service:
    files = tuple(File(f"{n}.conf", text) for n, text in enumerate(texts))
    return Service(name, "image", (), ("run",), Probe("tcp", 1), files=files, reading=(File("0.conf", reading),))


SERVICES = (
    service("store", ("id=", STORE.name, "\n", "key=", STORE.value)),
    service("catalog", ("key=", STORE.value), ("root=", ROOT.value, ROOT.name)),
    service("connect", TOKEN, Certificate.of("connect", "c").key, reading=Secret("word", "password")),
)
KNOWN = credentials.known(SERVICES)


def test_what_files_have_placeholders_for_are_the_credentials() -> None:
    found = {name: (each.kind, each.users) for name, each in KNOWN.items()}
    assert found == {
        "store": ("pair", ("store", "catalog")),
        "polaris-root": ("pair", ("catalog",)),
        "token": ("key", ("connect",)),
        "connect-certificate": ("certificate", ("connect",)),
        "word": ("password", ("connect",)),
    }
    assert KNOWN["store"].keys == {"store.name": STORE.name, "store.value": STORE.value}
    assert KNOWN["polaris-root"].secrets == (ROOT.name, ROOT.value), "the name first"
    assert credentials.names(SERVICES[2]) == {"token", "connect-certificate", "word"}
    with pytest.raises(LakehouseError, match='no credential "tokn"; it has: store, .*"token"'):
        credentials.one(KNOWN, "tokn")


def chosen(tmp_path: Path, text: str, name: str = "credentials.yaml", mode: int = 0o600) -> dict[str, str]:
    path = tmp_path / name
    path.write_text(text)
    path.chmod(mode)
    return credentials.read(path, KNOWN)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("credentials.yaml", "store: {name: admin, value: s3cr3t}\ntoken: '0123'\n"),
        ("credentials.env", "# mine\nstore.name=admin\n\nstore.value = s3cr3t\ntoken=0123\n"),
    ],
)
def test_a_file_chooses_names_and_values(tmp_path: Path, name: str, text: str) -> None:
    assert chosen(tmp_path, text, name) == {
        "store-access-key": "admin",
        "store-secret-key": "s3cr3t",
        "token": "0123",
    }


def test_each_part_of_a_pair_has_its_own_rule(tmp_path: Path) -> None:
    found = chosen(tmp_path, "polaris-root: {name: a, value: 'b:c$'}\ntoken: 'd,e;$f:'\n")
    assert list(found.values()) == ["a", "b:c$", "d,e;$f:"]


def test_an_empty_file_chooses_nothing(tmp_path: Path) -> None:
    assert chosen(tmp_path, "") == chosen(tmp_path, "# nothing\n", "c.env") == {}


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644])
def test_a_file_that_others_can_read_is_refused_with_the_fix(tmp_path: Path, mode: int) -> None:
    with pytest.raises(UsageError, match=rf"mode {mode:04o}.*Run `chmod 600 credentials.yaml`"):
        chosen(tmp_path, "token: x", mode=mode)


def test_a_file_of_another_user_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = os.getuid() + 1
    monkeypatch.setattr(os, "getuid", lambda: other)
    with pytest.raises(UsageError, match="belongs to another user"):
        chosen(tmp_path, "token: x")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("tokn: SECRET", 'has "tokn". This stack has the credentials: store.name, store.value, .*"token"'),
        ("store: SECRET", 'has "store". This stack has the credentials'),
        ("store: {key: SECRET}", 'has "store.key"'),
        ("connect-certificate: SECRET", 'has "connect-certificate"'),
        ("token: 'SECRET x'", "a value of token that a configuration file cannot contain"),
        ("token: ''", "it is empty"),
        # Trino, Spark, Hadoop and Quarkus would put another text in their place.
        ("word: 'SECRET${HOME}'", r"a value of word that .*\$\{"),
        ("store: {name: a, value: 'SECRET$$'}", r"a value of store.value that .*\$\$"),
        ("token: 12345", 'Quote it: token: "..."'),
        ("polaris-root: {name: 'a:SECRET'}", "a value of polaris-root.name with one of the characters , ; :, which"),
        (
            "polaris-root: {name: a, value: 'SECRET;'}",
            "polaris-root.value with one of the characters , ;, .*without them",
        ),
        ("- SECRET", "write names and values"),
        ("token: 'SECRET", "is malformed YAML: line 1"),
    ],
)
def test_what_is_wrong_is_reported_without_the_value(tmp_path: Path, text: str, why: str) -> None:
    with pytest.raises(UsageError, match=why) as error:
        chosen(tmp_path, text)
    assert "SECRET" not in str(error.value)
    assert "12345" not in str(error.value)


def test_a_line_without_a_value_is_reported_by_its_number(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="line 2 is not KEY=VALUE") as error:
        chosen(tmp_path, "token=x\nSECRET\n", "c.env")
    assert "SECRET" not in str(error.value)


def test_a_file_that_cannot_be_read_is_reported(tmp_path: Path) -> None:
    with pytest.raises(
        UsageError, match=r"does not exist\. Create it with mode 0600 and lines KEY=VALUE, .*token, word, or "
    ):
        credentials.read(tmp_path / "missing", KNOWN)
    with pytest.raises(UsageError, match="mode 0600 and lines KEY: VALUE, with any of the keys"):
        credentials.read(tmp_path / "missing.yaml", KNOWN)
    (tmp_path / "bytes").write_bytes(b"\xff")
    (tmp_path / "bytes").chmod(0o600)
    with pytest.raises(UsageError, match="it is not text"):
        credentials.read(tmp_path / "bytes", KNOWN)


def source(tmp_path: Path) -> tuple[Path, dict[str, credentials.Credential]]:
    """A pair that the user keeps in a file of its own, next to one of the stack's."""
    path = tmp_path / "keys"
    profile = Profile(str(path), "default", "sources.feed.credentials")
    pair = Pair.of("source-feed", "feed-id", "feed-key", "missing", profile=profile)
    return path, credentials.known([service("connect", (pair.name, pair.value), (STORE.name, STORE.value))])


def test_a_source_has_the_keys_of_its_own_file(tmp_path: Path) -> None:
    path, known = source(tmp_path)
    path.write_text("[default]\naws_access_key_id = their-id\naws_secret_access_key = their+key/\n")
    assert credentials.chosen(None, known) == {"feed-id": "their-id", "feed-key": "their+key/"}
    own = tmp_path / "stack.yaml"
    own.write_text("store: {value: s3cr3t}\n")
    own.chmod(0o600)
    assert credentials.chosen(own, known)["store-secret-key"] == "s3cr3t"
    assert credentials.unusable(known) == []
    own.write_text("source-feed: {name: other}\n")
    with pytest.raises(
        UsageError, match=r'has "source-feed.name". This stack has the credentials: store.name, store.value'
    ):
        credentials.chosen(own, known)


def test_a_source_whose_file_is_missing_is_reported_and_stops_nothing(tmp_path: Path) -> None:
    path, known = source(tmp_path)
    assert credentials.chosen(None, known) == {}
    (said,) = credentials.unusable(known)
    assert said == (
        f"sources.feed.credentials: {path} does not exist, so no engine can read this bucket. "
        "Create it, with a section [default] with aws_access_key_id and aws_secret_access_key, then deploy"
    )


@pytest.mark.parametrize("value", ["", "hid den", "hidden="])
def test_a_source_with_a_key_that_no_file_can_hold_is_reported_and_stops_nothing(tmp_path: Path, value: str) -> None:
    path, known = source(tmp_path)
    path.write_text(f"[default]\naws_access_key_id = a\naws_secret_access_key = {value}\n")
    assert credentials.chosen(None, known) == {}
    (said,) = credentials.unusable(known)
    assert said.startswith(f"sources.feed.credentials: {path} has a key that a configuration file")
    assert "so no engine can read this bucket. Replace the key at its store (" in said
    assert "hid" not in said
