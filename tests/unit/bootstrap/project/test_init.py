"""New projects: what is written, what is refused, and what is left as it is."""

from __future__ import annotations

import errno
import json
import os
import socket
from pathlib import Path

import pytest

from bootstrap.project.init import planned, suggested, write
from bootstrap.project.templates import named
from lakehouse import project as projects
from lakehouse.errors import LakehouseError, UsageError
from lakehouse.spec import load
from lakehouse.spec.ports import ports

MEDALLION = named("medallion")


@pytest.fixture(autouse=True)
def bindable(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every port is free, whatever runs on this machine."""
    monkeypatch.setattr("bootstrap.project.init.is_bindable", lambda port: True)


def test_a_new_project_is_complete(tmp_path: Path) -> None:
    folder = tmp_path / "some where" / "lake"
    written = write(planned(folder, MEDALLION, "mine"))
    assert {path.name for path in written} == {
        "lakehouse.yaml", "cdktf.json", ".gitignore", "lakehouse.schema.json", "gold.sql"
    }  # fmt: skip
    assert load(folder / "lakehouse.yaml").name == "mine"
    assert (folder / "lakehouse.yaml").read_text().startswith("# yaml-language-server: $schema=lakehouse.schema.json\n")
    cdktf = json.loads((folder / "cdktf.json").read_text())
    assert cdktf["app"] == "lakehouse synth"
    assert cdktf["projectId"] != json.loads(planned(folder, MEDALLION, "mine").files["cdktf.json"])["projectId"]


@pytest.mark.parametrize(
    ("folder", "name"),
    [
        ("lake", "lake"),
        ("My Lake!", "my-lake"),
        ("2026 sales", "sales"),
        ("Ä", ""),
        ("42", ""),
        ("a" * 29 + " bc", "a" * 29 + "-b"),
    ],
)
def test_the_name_is_that_of_the_folder_as_far_as_it_can_be(folder: str, name: str) -> None:
    assert suggested(Path(folder)) == name


@pytest.mark.parametrize("name", ["", "My Lake", "9", "a" * 32, "ok\n", "x: {y"])
def test_odd_names_are_refused_and_nothing_is_written(name: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"is not a name for a lakehouse: lower-case letters.* --name"):
        planned(tmp_path / "new", MEDALLION, name)
    assert list(tmp_path.iterdir()) == []


def test_existing_files_are_named_and_stay(tmp_path: Path) -> None:
    (tmp_path / "cdktf.json").write_text("mine")
    project = planned(tmp_path, MEDALLION, "mine")
    assert project.existing == ["cdktf.json"]
    with pytest.raises(UsageError, match=r"has cdktf\.json already.*replace it with --force"):
        write(project)
    assert [path.name for path in tmp_path.iterdir()] == ["cdktf.json"]
    write(project, replace=["cdktf.json"])
    assert (tmp_path / "cdktf.json").read_text() != "mine"


def test_a_gitignore_is_completed(tmp_path: Path) -> None:
    path = tmp_path / ".gitignore"
    path.write_text("*.pyc\ncdktf.out/")
    write(planned(tmp_path, MEDALLION, "mine"))
    lines = path.read_text().splitlines()
    assert lines[:2] == ["*.pyc", "cdktf.out/"]
    assert lines.count("cdktf.out/") == 1
    assert ".lakehouse/" in lines
    again = write(planned(tmp_path, MEDALLION, "mine"), replace=planned(tmp_path, MEDALLION, "mine").existing)
    assert path not in again
    assert path.read_text().splitlines() == lines


def test_a_file_in_place_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "lake").touch()
    with pytest.raises(UsageError, match="is a file"):
        planned(tmp_path / "lake", MEDALLION, "mine")


@pytest.mark.parametrize(
    ("folder", "why"), [("a\nb", "cannot be printed"), ("x" * 300, "cannot be a folder: File name")]
)
def test_odd_folders_are_refused(folder: str, why: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=why):
        planned(tmp_path / folder, MEDALLION, "mine")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_made_is_an_error_in_words(tmp_path: Path) -> None:
    (tmp_path / "lake").touch()
    with pytest.raises(LakehouseError, match="cannot be written: Not a directory"):
        write(planned(tmp_path / "lake" / "below", MEDALLION, "mine"))


def test_a_full_disk_leaves_no_half_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else the next try would refuse a folder with files that are not whole."""
    folder = tmp_path / "some" / "lake"
    (tmp_path / "some").mkdir()
    (tmp_path / "some" / "mine.txt").touch()
    put = Path.write_text

    def until_full(path: Path, text: str) -> int:
        if path.name == "lakehouse.schema.json":
            put(path, text[:10])
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return put(path, text)

    project = planned(folder, MEDALLION, "mine")
    monkeypatch.setattr(Path, "write_text", until_full)
    with pytest.raises(LakehouseError, match="schema.json cannot be written: No space left on device"):
        write(project)
    assert [each.name for each in tmp_path.rglob("*")] == ["some", "mine.txt"]


def test_taken_ports_are_avoided_in_all_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bootstrap.project.init.is_bindable", lambda port: port != 8085)
    project = planned(tmp_path, named("dbt"), "mine")
    assert project.moved["trino"] == 8185
    write(project)
    file = projects.file(tmp_path / "lakehouse.yaml")
    assert ports(load(file), "local") == project.moved
    assert "port: 8185 #" in (tmp_path / "profiles.yml").read_text()


def test_a_port_counts_as_taken_while_something_listens(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    usual = ports(load(MEDALLION.source), "local")
    if any(not _free(number) for number in usual.values()):
        pytest.skip("another lakehouse has the usual ports")
    with socket.create_server(("127.0.0.1", usual["trino"])):
        assert planned(tmp_path, MEDALLION, "mine").moved["trino"] > usual["trino"]


def _free(number: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", number)) != 0


@pytest.mark.parametrize("name", ["null", "true", "on"])
def test_a_name_that_yaml_takes_for_something_else_stays_a_name(name: str, tmp_path: Path) -> None:
    write(planned(tmp_path / name, MEDALLION, name))
    assert load(tmp_path / name / "lakehouse.yaml").name == name


def test_a_link_is_not_written_through(tmp_path: Path) -> None:
    folder = tmp_path / "lake"
    folder.mkdir()
    (folder / "lakehouse.yaml").symlink_to(tmp_path / "elsewhere.yaml")
    with pytest.raises(UsageError, match="has lakehouse.yaml already"):
        write(planned(folder, MEDALLION, "lake"))
    assert not (tmp_path / "elsewhere.yaml").exists()
