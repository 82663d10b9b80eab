"""What is removed from the cache because nobody uses it any longer."""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path

import pytest

from lakehouse.packages import uses


def made(path: Path, days: float) -> Path:
    path.mkdir(parents=True)
    (path / "program").touch()
    os.utime(path, (0, time.time() - days * 86_400))
    return path


def test_only_what_is_old_and_not_named_is_removed(tmp_path: Path) -> None:
    old, recent, named = made(tmp_path / "tofu-1", 31), made(tmp_path / "tofu-2", 29), made(tmp_path / "tofu-3", 31)
    other, file = made(tmp_path / "minio-1", 31), tmp_path / "tofu-4"
    file.touch()
    os.utime(file, (0, 0))
    assert uses.remove_former(tmp_path, "tofu-*", {"tofu-3"}) == [old]
    assert not old.exists()
    assert all(each.exists() for each in (recent, named, other, file))


def test_an_interrupted_removal_leaves_no_half_of_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old = made(tmp_path / "tofu-1", 31)

    def interrupted(path: Path, *, ignore_errors: bool) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as during:
        during.setattr(shutil, "rmtree", interrupted)
        with pytest.raises(KeyboardInterrupt):
            uses.remove_former(tmp_path, "tofu-*", set())
    assert not old.exists()
    assert uses.remove_former(tmp_path, "tofu-*", set()) == []
    assert list(tmp_path.iterdir()) == []


def test_what_cannot_be_removed_is_not_returned(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old = made(tmp_path / "tofu-1", 31)

    def refused(path: Path, target: Path) -> None:
        raise PermissionError(target)

    monkeypatch.setattr(Path, "rename", refused)
    assert uses.remove_former(tmp_path, "tofu-*", set()) == []
    assert old.exists()


def test_a_use_counts_from_now(tmp_path: Path) -> None:
    old = made(tmp_path / "tofu-1", 31)
    uses.note(old)
    assert not uses.is_over(old)
    uses.note(tmp_path / "gone")
    assert not uses.is_over(tmp_path / "gone")
    assert uses.remove_former(tmp_path / "no cache yet", "*", set()) == []
