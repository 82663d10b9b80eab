"""The owner of a state folder: marks, folders of earlier versions, and what is refused before anything is written."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from lakehouse.errors import LakehouseError, UsageError
from lakehouse.runtimes import owner
from lakehouse.runtimes.incarnation import Incarnation, record
from lakehouse.runtimes.local import Local
from lakehouse.runtimes.locate import locate
from lakehouse.runtimes.owner import MARK
from lakehouse.runtimes.process.incarnation import SUPERVISOR
from lakehouse.runtimes.process.steps import preflight
from lakehouse.spec import load

FILE = """
name: {name}
buckets: {{warehouse: {{}}}}
catalogs: {{{catalog}: {{location: "s3://warehouse/{catalog}"}}}}
stacks:
  local: {{runtime: process, store: s3proxy, catalogs: {{{catalog}: nessie}}{state}}}
"""


@pytest.fixture(autouse=True)
def _packages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lakehouse.packages.java", lambda feature: Path(f"/java-{feature}/bin/java"))


def at(folder: Path, name: str = "demo", state: str = "", file: str = "lakehouse.yaml", catalog: str = "lake") -> Local:
    """The local stack of a file with that content."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / file
    path.write_text(FILE.format(name=name, catalog=catalog, state=f', state: "{state}"' if state else ""))
    return locate(load(path), "local", path)


def deploy(local: Local) -> str:
    """Do what a deploy's preflight does with the folder. Returns the id in its mark."""
    preflight(local.state, [], local.claim)
    found = owner.read(local.state.root)
    assert found is not None
    return found.id


def former(local: Local, catalog: str = "lake") -> None:
    """Create the state folder as the version before the marks left it after a deploy and a destroy."""
    state = local.state
    state.prepare()
    for name in ("store-access-key", "store-secret-key"):
        state.secret(name)
    record(state, SUPERVISOR, Incarnation(SUPERVISOR, "0badcafe"))
    for name in ("s3proxy", "nessie"):
        record(state, name, Incarnation("0123456789ab", "0badcafe"))
        (state.data(name)).mkdir()
        state.log(name).write_text("")
    (state.data("s3proxy") / "warehouse" / catalog).mkdir(parents=True)
    (state.data("s3proxy") / "warehouse" / catalog / "0.parquet").write_bytes(b"PAR1")
    settings = state.config("nessie") / "config" / "application.properties"
    settings.parent.mkdir(parents=True)
    settings.write_text(f"nessie.catalog.warehouses.{catalog}.location=s3://warehouse/{catalog}\n")


def refusal(local: Local) -> str:
    """The reason of the refusal; nothing may have been written."""
    root = local.state.root
    before = sorted(root.rglob("*")) if root.is_dir() else []
    with pytest.raises(LakehouseError) as failure:
        preflight(local.state, [], local.claim)
    assert (sorted(root.rglob("*")) if root.is_dir() else []) == before
    return str(failure.value)


def test_a_new_folder_is_marked_and_keeps_its_id(tmp_path: Path) -> None:
    first = deploy(at(tmp_path))
    assert deploy(at(tmp_path)) == first
    assert (tmp_path / ".lakehouse" / "local" / MARK).stat().st_mode & 0o777 == 0o600
    assert deploy(at(tmp_path / "other")) != first


def test_asking_writes_nothing(tmp_path: Path) -> None:
    local = at(tmp_path, state="mine")
    owner.check(local.state, local.claim)
    assert sorted(each.name for each in tmp_path.iterdir()) == ["lakehouse.yaml"]


@pytest.mark.parametrize("there", ["data/thesis.txt", "notes.txt", "secrets/store-access-key", "services/nessie.json"])
def test_a_folder_with_something_else_in_it_is_refused(tmp_path: Path, there: str) -> None:
    path = tmp_path / "mine" / "local" / there
    path.parent.mkdir(parents=True)
    path.write_text("years of work")
    said = refusal(at(tmp_path, state="mine"))
    assert "not empty, and no lakehouse created it" in said
    assert there.partition("/")[0] in said
    assert f"stacks.local.state in {tmp_path}/lakehouse.yaml" in said


def test_an_empty_folder_and_that_of_a_file_system_are_taken(tmp_path: Path) -> None:
    (tmp_path / "mine" / "local" / "lost+found").mkdir(parents=True)
    (tmp_path / "mine" / "local" / "data").mkdir()
    assert deploy(at(tmp_path, state="mine"))


@pytest.mark.parametrize("state", ["", "mine"])
def test_the_folder_of_an_earlier_version_is_recognised_and_marked(tmp_path: Path, state: str) -> None:
    local = at(tmp_path, state=state)
    former(local)
    deploy(at(tmp_path, state=state))
    found = owner.read(local.state.root)
    assert found is not None
    assert (found.lakehouse, found.stack, found.buckets) == ("demo", "local", False)
    assert (local.state.data("s3proxy") / "warehouse" / "lake" / "0.parquet").exists()


def test_an_earlier_versions_folder_of_other_catalogs_is_refused(tmp_path: Path) -> None:
    former(at(tmp_path / "a", "one", state=str(tmp_path / "shared"), catalog="theirs"), catalog="theirs")
    said = refusal(at(tmp_path / "b", "two", state=str(tmp_path / "shared")))
    assert "another lakehouse (catalog theirs at s3://warehouse/theirs)" in said


def test_two_files_cannot_share_a_state_folder(tmp_path: Path) -> None:
    shared = str(tmp_path / "shared")
    deploy(at(tmp_path / "a", "one", state=shared))
    assert f'belongs to the lakehouse "one", stack local, of {tmp_path}/a' in refusal(at(tmp_path / "b", "two", shared))
    assert "another file with the same name" in refusal(at(tmp_path / "b", "one", shared))
    assert "another file with the same name" in refusal(at(tmp_path / "a", "one", shared, file="copy.yaml"))


def test_another_spelling_of_the_folder_is_the_same_folder(tmp_path: Path) -> None:
    deploy(at(tmp_path / "a", "one", state=str(tmp_path / "shared")))
    (tmp_path / "link").symlink_to(tmp_path / "shared")
    assert "belongs to the lakehouse" in refusal(at(tmp_path / "b", "two", state=str(tmp_path / "link")))
    assert deploy(at(tmp_path / "a", "one", state="../link"))


def test_a_stack_inside_the_state_folder_of_another_is_refused(tmp_path: Path) -> None:
    deploy(at(tmp_path / "a", "one", state="mine"))
    said = refusal(at(tmp_path / "b", "two", state=str(tmp_path / "a" / "mine" / "local" / "data")))
    assert "is inside the state folder" in said


def test_a_renamed_lakehouse_gets_the_fix(tmp_path: Path) -> None:
    deploy(at(tmp_path, "before"))
    said = refusal(at(tmp_path, "after"))
    assert 'holds the data of the lakehouse "before"' in said
    assert "name: after" in said
    assert "`lakehouse adopt`" in said


def test_what_was_renamed_can_still_be_stopped_and_what_is_others_not(tmp_path: Path) -> None:
    deploy(at(tmp_path / "a", "before", state="../shared"))
    renamed = at(tmp_path / "a", "after", state="../shared")
    assert owner.may_stop(renamed.state, renamed.claim)
    others = at(tmp_path / "b", "before", state="../shared")
    assert not owner.may_stop(others.state, others.claim)


def test_a_moved_project_keeps_its_data_and_its_id(tmp_path: Path) -> None:
    first = deploy(at(tmp_path / "here"))
    (tmp_path / "here").rename(tmp_path / "there")
    assert deploy(at(tmp_path / "there")) == first
    found = owner.read(tmp_path / "there" / ".lakehouse" / "local")
    assert found is not None
    assert found.file == str(tmp_path / "there" / "lakehouse.yaml")


def test_a_copied_project_is_another_lakehouse(tmp_path: Path) -> None:
    first = deploy(at(tmp_path / "here"))
    shutil.copytree(tmp_path / "here", tmp_path / "copy")
    copy = deploy(at(tmp_path / "copy"))
    assert copy != first
    assert deploy(at(tmp_path / "copy")) == copy
    assert deploy(at(tmp_path / "here")) == first


@pytest.mark.parametrize("content", ["", "{", "[]", '{"lakehouse": "demo"}', "null"])
def test_a_damaged_mark_is_no_permission(tmp_path: Path, content: str) -> None:
    local = at(tmp_path)
    deploy(local)
    (local.state.root / MARK).write_text(content)
    said = refusal(at(tmp_path))
    assert f"{MARK}, which names the owner of the state folder, is damaged" in said
    assert "lakehouse adopt" in said


@pytest.mark.parametrize("state", ["..", "/", "../..", "."])
def test_places_that_no_state_folder_can_be(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, state: str) -> None:
    """The stack is called local: so is the folder that holds the project, or the home folder."""
    home = tmp_path / "local"
    monkeypatch.setenv("HOME", str(home))
    project = home / "local"
    if state == ".":
        assert deploy(at(project, state=state))  # a folder "local" next to the file, and a new one
        return
    with pytest.raises(UsageError, match=r"stacks.local.state: .*which is or contains|at the top of the file system"):
        at(project, state=state)
    assert sorted(each.name for each in project.iterdir()) == ["lakehouse.yaml"]


def test_the_claim_survives_being_written(tmp_path: Path) -> None:
    asked = replace(at(tmp_path).claim, deployed=True)
    owner.write_claim(tmp_path, asked)
    assert owner.read_claim(tmp_path / MARK) == asked
