"""Which lakehouse.yaml a command is about; tests/unit/bootstrap/session/test_target.py has what commands make of it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from bootstrap.cli import packages
from lakehouse import project
from lakehouse.runtimes import training
from offline import images

ROOT = Path(__file__).parents[3]


@pytest.fixture
def below(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of a project, in which the command runs."""
    (tmp_path / "lakehouse.yaml").write_text((ROOT / "lakehouse.yaml").read_text())
    folder = tmp_path / "models" / "silver"
    folder.mkdir(parents=True)
    monkeypatch.delenv("LAKEHOUSE_FILE", raising=False)
    monkeypatch.chdir(folder)
    return folder


def strangers(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the file one of another user."""
    if me := os.getuid():
        monkeypatch.setattr(os, "getuid", lambda: me + 1)
    else:
        os.chown(path, 65534, -1)


def test_a_name_wins_then_the_environment_then_the_nearest_folder(below: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert project.file() == below.parents[1] / "lakehouse.yaml"
    monkeypatch.setenv("LAKEHOUSE_FILE", "other.yaml")
    assert project.file() == below / "other.yaml"
    assert project.file(Path("third.yaml")) == below / "third.yaml"
    monkeypatch.setenv("LAKEHOUSE_FILE", "")
    assert project.file() == below.parents[1] / "lakehouse.yaml"


def test_a_file_that_another_user_put_where_everyone_can_write_is_not_found(
    below: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Such as /tmp/lakehouse.yaml: it says which programs run, and with which options."""
    path = below.parents[1] / "lakehouse.yaml"
    strangers(path, monkeypatch)
    assert project.file() == path, "a colleague's, in a folder of the project"
    path.parent.chmod(0o1777)
    with pytest.raises(project.NoProject):
        project.file()
    assert project.file(path) == path, "who names it means it"


def test_without_a_project_the_error_says_how_to_make_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LAKEHOUSE_FILE", raising=False)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(project.NoProject, match="`lakehouse init FOLDER`"):
        project.file()


@pytest.mark.usefixtures("below")
def test_images_packages_and_archives_are_those_of_the_project_above(monkeypatch: pytest.MonkeyPatch) -> None:
    fetched: list[str] = []
    monkeypatch.setattr("bootstrap.project.set_up.set_up", lambda names, *rest, **options: fetched.extend(names))
    assert packages.main(["fetch"]) == 0
    assert "trino-476" in fetched
    trained: list[str] = []
    monkeypatch.setattr(training, "train", lambda lakehouse, stack, path: trained.append(stack))
    assert training.main([]) == 0
    assert trained == ["local"]
    assert "trino-476" in images._needed(None, everything=False)


def test_a_command_without_a_project_ends_with_code_2(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("LAKEHOUSE_FILE", raising=False)
    monkeypatch.chdir(tmp_path)
    assert packages.main(["fetch"]) == training.main([]) == images.main([]) == 2
    assert capsys.readouterr().err.count("there is no lakehouse.yaml here") == 3


def test_a_destroy_is_known_by_its_variable_or_by_cdktfs_command_line(monkeypatch: pytest.MonkeyPatch) -> None:
    class Parent:
        def __init__(self, *line: str) -> None:
            self.cmdline = lambda: list(line)

    monkeypatch.delenv(project.DESTROYING, raising=False)
    for line, destroys in (
        (("node", "/x/cdktf.js", "destroy", "local"), True),
        (("node", "/x/cdktf.js", "deploy", "destroy-me"), False),
        (("destroy", "x"), False),
    ):
        parents = [Parent("sh"), Parent(*line)]
        monkeypatch.setattr("psutil.Process.parents", lambda _, parents=parents: parents)
        assert project.destroying() == destroys
    monkeypatch.setenv(project.DESTROYING, "yes")
    assert project.destroying()
