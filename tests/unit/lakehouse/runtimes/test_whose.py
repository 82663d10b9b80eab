"""A folder of another user, or one whose mode forbids to read it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from bootstrap import output
from lakehouse.errors import LakehouseError
from lakehouse.runtimes import generations
from lakehouse.runtimes.state import State
from lakehouse.runtimes.whose import check_readable, unreadable


def forbidden(*_: object) -> None:
    raise PermissionError(13, "Permission denied")  # root may read everything, so it is made up


def test_a_folder_of_another_user_is_said_before_all_output_is_withheld(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Secrets that cannot be read cannot be blacked out, so nothing could be printed later."""
    monkeypatch.setattr(os, "scandir", forbidden)
    monkeypatch.setattr(os, "getuid", lambda: 4_000_000_000)
    said = f"{tmp_path} belongs to user .*, and user 4000000000 may not read it: .* Run this as user "
    with pytest.raises(LakehouseError, match=said):
        output.guard(tmp_path / "local" / "secrets")


def test_a_folder_whose_mode_forbids_it_has_the_command_that_allows_it(tmp_path: Path) -> None:
    assert unreadable(tmp_path) == (
        f"{tmp_path} cannot be read, because its mode forbids it. `chmod u+rwx {tmp_path}`."
    )


def test_one_that_is_not_there_or_is_readable_is_no_error(tmp_path: Path) -> None:
    check_readable(tmp_path)
    check_readable(tmp_path / "none")


def test_the_count_of_another_users_credentials_is_not_to_be_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Path, "read_text", forbidden)
    with pytest.raises(LakehouseError) as refused:
        generations.read(State(tmp_path))
    assert "cannot be read, because its mode forbids it" in str(refused.value)
    assert "Remove it" not in str(refused.value)
