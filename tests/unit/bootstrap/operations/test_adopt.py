"""A state folder is taken over only after a confirmation."""

from __future__ import annotations

from pathlib import Path

import pytest

from bootstrap.operations.adopt import adopt
from bootstrap.session.target import Target, find
from lakehouse.errors import LakehouseError, UsageError
from lakehouse.runtimes import owner
from lakehouse.runtimes.owner import MARK


@pytest.fixture
def marked(target: Target) -> Target:
    """The target, whose state folder has its mark."""
    target.local.state.prepare()
    owner.mark(target.local.state, target.local.claim)
    return target


def renamed(file: Path) -> Target:
    file.write_text(file.read_text().replace("name: demo", "name: another"))
    return find(file, None)


def test_a_renamed_lakehouse_keeps_its_data_and_its_id(marked: Target, file: Path) -> None:
    before = owner.read(marked.local.state.root)
    assert before is not None
    other = renamed(file)
    with pytest.raises(LakehouseError, match="lakehouse adopt"):
        _ = other.local
    with pytest.raises(UsageError, match="add --yes"):
        adopt(other, yes=False)
    assert 'the lakehouse "another"' in adopt(other, yes=True)
    after = owner.read(find(file, None).local.state.root)
    assert after is not None
    assert (after.lakehouse, after.id) == ("another", before.id)


def test_a_damaged_mark_is_written_again(marked: Target, file: Path) -> None:
    (marked.local.state.root / MARK).write_text("{")
    with pytest.raises(LakehouseError, match="is damaged"):
        _ = find(file, None).local
    adopt(find(file, None), yes=True)
    assert find(file, None).local.state.root == marked.local.state.root


def test_what_is_ones_own_stays_as_it_is(marked: Target) -> None:
    assert "already" in adopt(marked, yes=False)


def test_a_folder_that_no_lakehouse_made_is_never_adopted(target: Target) -> None:
    thesis = target.located.state.root / "data" / "thesis.txt"
    thesis.parent.mkdir(parents=True)
    thesis.write_text("years of work")
    with pytest.raises(LakehouseError, match="was not made by a lakehouse"):
        adopt(target, yes=True)
    assert not (target.located.state.root / MARK).exists()
