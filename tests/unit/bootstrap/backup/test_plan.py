"""Nothing is copied twice, and nothing is missed."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bootstrap.backup.manifest import StoredFile
from bootstrap.backup.plan import LiveFile, excluded, incremental

addresses = st.sampled_from([f"s3://w/{name}" for name in "abcdef"])
sizes = st.integers(0, 2)
etags = st.sampled_from(["", "x", "y"])
digests = st.sampled_from(["1", "2", "3"])


@settings(deadline=None)
@given(
    st.dictionaries(addresses, st.builds(LiveFile, sizes, etags)),
    st.dictionaries(addresses, st.builds(StoredFile, digests, sizes, etags)),
    st.dictionaries(digests, sizes),
)
def test_each_wanted_file_is_kept_or_copied(
    wanted: dict[str, LiveFile], known: dict[str, StoredFile], stored: dict[str, int]
) -> None:
    plan = incremental(wanted, known, stored)
    assert sorted([*plan.kept, *plan.copied]) == sorted(wanted)
    for address, file in plan.kept.items():
        assert file == known[address]
        assert (file.size, file.etag) == wanted[address]
        assert stored[file.digest] == file.size, "the target has it, as a whole"
    for address in plan.copied:
        file = known.get(address, StoredFile("", -1))
        same = bool(file.etag) and (file.size, file.etag) == wanted[address]
        assert not (same and stored.get(file.digest) == file.size)


def test_a_second_backup_copies_only_what_is_new() -> None:
    known = {"s3://w/a": StoredFile("1", 5, "x")}
    wanted = {"s3://w/a": LiveFile(5, "x"), "s3://w/b": LiveFile(7, "y")}
    plan = incremental(wanted, known, {"1": 5})
    assert (plan.kept, plan.copied) == (known, ["s3://w/b"])
    assert incremental(wanted, known, {}).copied == ["s3://w/a", "s3://w/b"], "the target lost it"
    assert incremental(wanted, known, {"1": 4}).copied == ["s3://w/a", "s3://w/b"], "the target has half of it"


@pytest.mark.parametrize(
    ("name", "out"), [("lake.n.t", True), ("lake.n.t2", False), ("lake.n2.t", False), ("lake", False)]
)
def test_names_are_excluded_as_a_whole(name: str, out: bool) -> None:
    assert excluded(name, ["lake.n.t", "other"]) == out
    assert excluded("lake.n.t", ["lake"])
