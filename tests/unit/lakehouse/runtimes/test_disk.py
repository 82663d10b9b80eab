"""Free space on a disk: what is too little, as text, and the ballast."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from lakehouse.errors import LakehouseError
from lakehouse.runtimes import disk
from lakehouse.runtimes.disk import BALLAST, BALLAST_MB, DiskRoom
from lakehouse.services.service import Probe, Service


def test_the_disk_of_a_folder_that_is_not_made_yet(tmp_path: Path) -> None:
    room = disk.look(tmp_path / "not" / "made")
    assert room.folder == tmp_path
    assert room.free_mb > 0


@pytest.mark.parametrize(
    ("free", "inodes", "said"),
    [
        (600, None, ""),
        (600, 5000, ""),
        (300, None, "The disk is nearly full: /s has 300 MB free."),
        (10, 5000, "The disk is full: /s has 10 MB free and room for 5000 more files."),
        (9000, 12, "The disk is full: /s has 9000 MB free and room for 12 more files."),
    ],
)
def test_shortage_in_words(tmp_path: Path, free: int, inodes: int | None, said: str) -> None:
    found = disk.shortage(DiskRoom(Path("/s"), free, inodes), tmp_path)
    assert found.startswith(said)
    assert ("lakehouse maintain" in found) == bool(said)
    assert "rm '" not in found


def test_the_ballast_is_named_while_it_is_there(tmp_path: Path) -> None:
    (tmp_path / BALLAST).touch()
    assert f"`rm '{tmp_path}/{BALLAST}'` frees {BALLAST_MB} MB" in disk.shortage(DiskRoom(tmp_path, 10, None), tmp_path)


def test_few_inodes_refuse_a_deploy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(disk, "look", lambda folder: DiskRoom(folder, 100_000, 7))
    with pytest.raises(LakehouseError, match="room for 7 more files; 2000 are needed: .* no more inodes"):
        disk.check(tmp_path)


def test_ballast_is_created_if_there_is_space_and_freed_in_parts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as scarce:
        scarce.setattr(disk, "look", lambda folder: DiskRoom(folder, BALLAST_MB, None))
        disk.fill(tmp_path)
        assert not (tmp_path / BALLAST).exists()
    disk.fill(tmp_path)
    assert (tmp_path / BALLAST).stat().st_blocks * 512 >= BALLAST_MB << 20, "real room, no hole"
    disk.release(tmp_path, 2)
    assert (tmp_path / BALLAST).stat().st_size == (BALLAST_MB - 2) << 20
    (tmp_path / BALLAST).unlink()
    disk.release(tmp_path, 2)


@pytest.mark.parametrize(("free", "severity"), [(0, "error"), (511, "error"), (512, "warning"), (2048, "ok")])
def test_disk(free: int, severity: str) -> None:
    found = disk.finding(DiskRoom(Path("/data"), free, None), "free room")
    assert found.severity == severity
    assert f"/data has {free} MB free" in found.found
    assert ("free room" in found.fix) == (severity != "ok")


@pytest.mark.parametrize(("inodes", "severity"), [(0, "error"), (1999, "error"), (2000, "ok"), (None, "ok")])
def test_inodes(inodes: int | None, severity: str) -> None:
    found = disk.finding(DiskRoom(Path("/data"), 100_000, inodes), "free room")
    assert found.severity == severity
    assert ("files" in found.cause) == (severity != "ok")


def test_a_store_that_takes_no_writes_is_an_error(tmp_path: Path) -> None:
    found = disk.finding(
        DiskRoom(Path("/data"), 3000, None), "free room", closed="Since 12:00 the store takes no writes"
    )
    assert (found.severity, found.cause) == ("error", "Since 12:00 the store takes no writes")


def test_a_fix_says_what_has_to_be_started_again() -> None:
    usual = Service("s3proxy", "", (), (), Probe("tcp"))
    stuck = replace(usual, name="seaweedfs", stuck_when_full=True)
    assert disk.again([usual]) == ""
    assert disk.again([usual, stuck]) == ", then `lakehouse restart seaweedfs`: until then it refuses writes"
