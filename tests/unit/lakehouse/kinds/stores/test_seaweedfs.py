"""SeaweedFS passes over a security.toml that it cannot parse, and then every port is open."""

from __future__ import annotations

import json
import tomllib
from fnmatch import fnmatchcase

import pytest

from lakehouse.kinds.stores import seaweedfs
from lakehouse.services.secrets import STORE
from lakehouse.services.service import Service
from lakehouse.spec.entries import KindEntry
from lakehouse.spec.stacks import Secure
from lakehouse.text.placeholders import filled, issued
from tests.unit.lakehouse.services.place import Somewhere, default, local


class Elsewhere(Somewhere):
    """A place whose folders have names that a configuration file must escape."""

    def config(self, service: str) -> str:
        return f'/it\'s "a" \\ folder \U0001f40b/{service}'


def built(secure: Secure | None = None) -> Service:
    lakehouse = default()
    stack = local(lakehouse).model_copy(update={"store": KindEntry(kind=seaweedfs.NAME), "secure": secure})
    lakehouse = lakehouse.model_copy(update={"stacks": {"local": stack}})
    return seaweedfs.seaweedfs(Elsewhere(lakehouse), stack)


def text(name: str) -> str:
    return filled(next(file.text for file in built().files if file.path == name), lambda secret: f"value-of-{secret}")


def test_each_part_has_a_certificate_and_asks_for_one() -> None:
    found = tomllib.loads(text("security.toml"))
    folder = Elsewhere(default()).config(seaweedfs.NAME)
    own = {"cert": f"{folder}/certificate.pem", "key": f"{folder}/key.pem"}
    assert found["grpc"]["ca"] == f"{folder}/authority.pem"
    for part in ("master", "volume", "filer"):
        assert found["https"][part] == own | {"ca": f"{folder}/authority.pem"}
    for part in ("master", "volume", "filer", "s3", "client"):
        assert found["grpc"][part] == own
    assert found["https"]["client"]["enabled"] is True
    for section in (found["jwt"]["signing"], found["jwt"]["filer_signing"]):
        assert section["key"] == section["read"]["key"] == "value-of-seaweedfs-tokens"


def test_the_only_key_is_the_owners_and_only_the_owner_may_assume_the_role() -> None:
    [identity] = json.loads(text("s3.json"))["identities"]
    [credential] = identity["credentials"]
    assert list(credential.values()) == [f"value-of-{each.secret}" for each in (STORE.name, STORE.value)]
    roles = json.loads(text("iam.json"))
    [statement] = roles["roles"][0]["trustPolicy"]["Statement"]
    assert statement["Principal"] == {"AWS": f"arn:aws:iam::000000000000:user/{identity['name']}"}
    assert roles["sts"]["signingKey"] == "value-of-seaweedfs-tokens"


def test_its_sockets_have_short_paths_however_deep_the_folder() -> None:
    command = built().command
    for part in ("filer", "s3"):
        [path] = [word.partition("=")[2] for word in command if word.startswith(f"-{part}.localSocket=")]
        assert not path.startswith("/")
        assert len(path) < 100


@pytest.mark.parametrize("key", ["s3.ip.bind", "s3.key.file", "master.dir", "volume.dir.idx", "filer.allowedOrigins"])
def test_no_property_opens_a_door_or_moves_the_data(key: str) -> None:
    assert any(fnmatchcase(key, pattern) for pattern in seaweedfs.SEAWEEDFS.further.owned)  # type: ignore[union-attr]


def test_the_users_certificate_opens_no_inner_port() -> None:
    files = {each.path: each.text for each in built(Secure(certificate="c", key="k", authority="a")).files}
    settings = filled(files["security.toml"], lambda secret: f"value-of-{secret}")
    folder = Elsewhere(default()).config(seaweedfs.NAME)
    for settings_of in tomllib.loads(settings)["https"].values():
        assert settings_of["ca"] == f"{folder}/inner-authority.pem"
        assert settings_of["key"] == f"{folder}/inner-key.pem"
    assert tomllib.loads(settings)["grpc"]["ca"] == f"{folder}/inner-authority.pem"
    named = {path: {each.certificate for each in issued(text)} for path, text in files.items()}
    assert named["certificate.pem"] == named["key.pem"] == {"seaweedfs"}
    assert named["authority.pem"] == {"authority"}
    assert named["inner-certificate.pem"] == named["inner-key.pem"] == {"seaweedfs-inner"}
    assert named["inner-authority.pem"] == {"inner-authority"}
