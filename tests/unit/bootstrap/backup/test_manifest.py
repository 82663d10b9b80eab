"""A manifest is read as it was written; what is damaged or newer is named."""

from __future__ import annotations

import json
import string
from contextlib import suppress

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bootstrap.backup.manifest import (
    FORMAT,
    BackupManifest,
    BranchesCopy,
    CatalogCopy,
    CommitCopy,
    ReferenceCopy,
    StoredFile,
    from_bytes,
    to_bytes,
)
from lakehouse.errors import LakehouseError

words = st.text(string.printable, min_size=1, max_size=12)
files = st.builds(StoredFile, words, st.integers(0, 2**60), words)
namespaces = st.dictionaries(words, st.dictionaries(words, words, max_size=2), max_size=3)


@st.composite
def branches(draw: st.DrawFn) -> BranchesCopy:
    commits = tuple(
        CommitCopy(draw(st.none() | st.integers(0, number - 1)) if number else None, ({"name": draw(words)},))
        for number in range(draw(st.integers(0, 3)))
    )
    numbers = st.none() | (st.integers(0, len(commits) - 1) if commits else st.none())
    kinds = st.sampled_from(("branch", "tag"))
    references = st.builds(ReferenceCopy, words, kinds, numbers, st.booleans())
    return BranchesCopy(commits, tuple(draw(st.lists(references, max_size=3))))


@st.composite
def manifests(draw: st.DrawFn) -> BackupManifest:
    known = draw(st.dictionaries(words, files, max_size=4))
    addresses = st.lists(st.sampled_from(sorted(known)), unique=True).map(sorted) if known else st.just([])
    views = st.dictionaries(words, st.dictionaries(words, words), max_size=1)
    copies = st.builds(
        CatalogCopy, words, namespaces, st.dictionaries(words, words, max_size=3), views, st.none() | branches()
    )
    return BackupManifest(
        id=draw(words),
        created=draw(words),
        lakehouse=draw(words),
        stack=draw(words),
        file_name=draw(words),
        file=StoredFile(draw(words), 3),
        secrets=draw(st.none() | files),
        catalogs=draw(st.dictionaries(words, copies, max_size=2)),
        heads={head: tuple(of) for head, of in draw(st.dictionaries(words, addresses, max_size=3)).items()},
        files=known,
        excluded=tuple(draw(st.lists(words, max_size=2))),
    )


@settings(
    max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)  # a loaded machine makes large values slowly
@given(manifests())
def test_it_is_read_as_it_was_written(manifest: BackupManifest) -> None:
    assert from_bytes("it", to_bytes(manifest)) == manifest


ONE = BackupManifest(
    "id", "then", "demo", "local", "lakehouse.yaml", StoredFile("d", 2), None, {}, {}, {"s3://w/a": StoredFile("d", 2)}
)


def test_files_that_share_their_content_count_once() -> None:
    assert ONE.size == 2
    assert len(ONE.everything) == 2


@settings(deadline=None)
@given(st.integers(0, len(to_bytes(ONE)) - 1), st.integers(1, 255))
def test_one_altered_byte_is_noticed(at: int, other: int) -> None:
    data = bytearray(to_bytes(ONE))
    data[at] ^= other
    found = ONE
    with suppress(LakehouseError):  # the first line may have a space more, say
        found = from_bytes("backup id", bytes(data))
    assert found == ONE


@pytest.mark.parametrize("data", [b"", b"\n", b"{}", b"[]\n", b'{"lakehouse-backup": 1}\n', to_bytes(ONE)[:-3]])
def test_what_is_damaged_is_named(data: bytes) -> None:
    with pytest.raises(LakehouseError, match=r"backup id: it is damaged: .* Use another backup"):
        from_bytes("backup id", data)


def test_a_newer_format_is_named_whatever_else_it_has() -> None:
    newer = json.dumps({"lakehouse-backup": FORMAT + 1}).encode() + b"\nwhat nobody knows"
    with pytest.raises(
        LakehouseError, match=rf"backup id has format {FORMAT + 1}, .* reads up to {FORMAT}\. Use a newer"
    ):
        from_bytes("backup id", newer)
