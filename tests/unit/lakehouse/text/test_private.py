"""Files with secrets are read only if nobody but their owner may read them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from lakehouse.errors import UsageError
from lakehouse.text.private import private, token


def test_a_file_of_ones_own_is_read(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text("word\n")
    file.chmod(0o400)
    assert private(file, "The file") == "word\n"


@pytest.mark.parametrize("mode", [0o604, 0o640, 0o620, 0o601])
def test_a_file_that_others_may_use_is_refused(tmp_path: Path, mode: int) -> None:
    file = tmp_path / "a secret"
    file.write_text("word")
    file.chmod(mode)
    with pytest.raises(UsageError, match=f"The file has mode {mode:04o}, so other users may read it") as error:
        private(file, "The file")
    assert "Run `chmod 600 'a secret'`" in str(error.value)
    assert "word" not in str(error.value)


def test_a_file_of_another_user_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "secret"
    file.touch(0o600)
    other = os.getuid() + 1
    monkeypatch.setattr(os, "getuid", lambda: other)
    with pytest.raises(UsageError, match="The file belongs to another user"):
        private(file, "The file")


def test_what_is_no_text_or_no_file_is_reported(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"The file does not exist\. Create it with mode 0600, or remove `webhook`"):
        private(tmp_path / "missing", "The file", "webhook")
    with pytest.raises(UsageError, match=r"Create it with mode 0600\.$"):
        private(tmp_path / "missing", "The file")
    file = tmp_path / "secret"
    file.write_bytes(b"\xff")
    file.chmod(0o600)
    with pytest.raises(UsageError, match="The file cannot be read: it is not text"):
        private(file, "The file")


@pytest.mark.parametrize(("text", "fits"), [("t0ken\n", True), ("", False), ("two words", False), ("a\nb", False)])
def test_a_token_is_one_word(tmp_path: Path, text: str, fits: bool) -> None:
    file = tmp_path / "token"
    file.touch(0o600)
    file.write_text(text)
    if fits:
        assert token(file, "The file", "token") == "t0ken"
    else:
        with pytest.raises(UsageError, match="The file does not hold one token on one line"):
            token(file, "The file", "token")
