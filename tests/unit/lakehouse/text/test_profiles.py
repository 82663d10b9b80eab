"""Sections of files in the format of ~/.aws/credentials."""

from __future__ import annotations

from pathlib import Path

import pytest

from lakehouse.errors import UsageError
from lakehouse.text.profiles import Profile


def profile(path: Path, name: str = "default") -> Profile:
    return Profile(str(path), name, "lakehouse.yaml: sources.feed.credentials")


def test_a_section_has_two_keys(tmp_path: Path) -> None:
    path = tmp_path / "keys"
    path.write_text("[default]\naws_access_key_id = a\naws_secret_access_key = b%c\n[other]\naws_access_key_id = d\n")
    assert profile(path).keys() == ("a", "b%c")


@pytest.mark.parametrize(
    ("text", "name", "said"),
    [
        (None, "default", "keys cannot be read: No such file"),
        ("aws_secret_access_key = hidden\n", "default", r"keys has no section \[default\]"),
        ("[default]\naws_secret_access_key = hidden\n", "default", "aws_access_key_id and aws_secret_access_key"),
        ("[default]\naws_secret_access_key = hidden\n", "other", r"keys has no section \[other\]"),
        ("[default\nhidden", "default", r"no section \[default\]"),
    ],
)
def test_a_fault_is_named_and_no_key(tmp_path: Path, text: str | None, name: str, said: str) -> None:
    path = tmp_path / "keys"
    if text is not None:
        path.write_text(text)
    with pytest.raises(UsageError, match=f"^lakehouse.yaml: sources.feed.credentials: .*{said}") as caught:
        profile(path, name).keys()
    assert "hidden" not in str(caught.value)


def test_a_file_that_may_not_be_looked_at_is_no_missing_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert not profile(tmp_path / "keys").is_there

    def refuse(path: Path, **_: object) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "stat", refuse)
    assert profile(tmp_path / "keys").is_there
