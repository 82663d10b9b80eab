from __future__ import annotations

import os
from pathlib import Path

import pytest

from lakehouse.errors import LakehouseError
from lakehouse.runtimes import shell_keys

ID, PROOF = "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """A shell without AWS."""
    for name in [each for each in os.environ if each.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, os.devnull)


def test_variables_come_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(ID, "mine")
    monkeypatch.setenv(PROOF, "x" * 8)
    assert shell_keys.pair() == ("mine", "x" * 8)


def test_a_profile_is_read(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / "credentials"
    file.write_text(f"[work]\n{ID.lower()} = theirs\n{PROOF.lower()} = {'y' * 8}\n")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(file))
    monkeypatch.setenv("AWS_PROFILE", "work")
    assert shell_keys.pair() == ("theirs", "y" * 8)


def test_temporary_keys_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(ID, "mine")
    monkeypatch.setenv(PROOF, "x" * 8)
    monkeypatch.setenv("AWS_SESSION_TOKEN", "z" * 8)
    with pytest.raises(LakehouseError, match=r"temporary.*`glue\.name` and `glue\.value`") as caught:
        shell_keys.pair()
    assert "z" * 8 not in str(caught.value)


@pytest.mark.parametrize("profile", ["", "nowhere"])
def test_a_shell_without_keys_is_named_with_the_fix(monkeypatch: pytest.MonkeyPatch, profile: str) -> None:
    if profile:
        monkeypatch.setenv("AWS_PROFILE", profile)
    with pytest.raises(LakehouseError, match=r"Glue.*Set `credentials` of the stack"):
        shell_keys.pair()


def test_keys_with_a_stray_character_are_named_and_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(ID, "mine")
    monkeypatch.setenv(PROOF, "x" * 8 + " ")
    with pytest.raises(LakehouseError, match=r"such as a space.*Set them again") as caught:
        shell_keys.pair()
    assert "x" * 8 not in str(caught.value)
