"""Which files a source means, and how they are distinguished."""

from __future__ import annotations

from pathlib import Path

import pytest

from bootstrap.files.items import Item, delta_digest, digest, in_path, items, rewritten
from bootstrap.files.places import LocalPlace
from lakehouse.errors import UsageError
from tests.unit.bootstrap.files.test_delta import METADATA, PROTOCOL, add, write


def folder(root: Path, *names: str) -> LocalPlace:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    return LocalPlace(str(root))


def test_a_folder_means_its_data_files(tmp_path: Path) -> None:
    place = folder(tmp_path, "b.csv", "day=2026-01-14/a.parquet", "_SUCCESS", ".x/c.csv", "_tmp/d.parquet", "e.csv.gz")
    found = list(items(place, None, tmp_path))
    assert [(each.name, each.format, each.columns) for each in found] == [
        ("b.csv", "csv", {}),
        ("day=2026-01-14/a.parquet", "parquet", {"day": "2026-01-14"}),
        ("e.csv.gz", "csv", {}),
    ]


def test_a_single_file_may_have_any_name_if_its_format_is_given(tmp_path: Path) -> None:
    folder(tmp_path, "data.txt")
    place = LocalPlace(str(tmp_path / "data.txt"))
    assert [each.format for each in items(place, "csv", tmp_path)] == ["csv"]
    with pytest.raises(UsageError, match=r"data.txt: files are recognised by"):
        list(items(place, None, tmp_path))


@pytest.mark.parametrize(
    ("names", "form", "said"),
    [((), None, "no such file"), (("_SUCCESS",), None, "no data file"), (("a.parquet",), "delta", "not a Delta table")],
)
def test_nothing_to_load_is_reported(tmp_path: Path, names: tuple[str, ...], form: None, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        list(items(folder(tmp_path / "x", *names), form, tmp_path))


def test_columns_in_a_path() -> None:
    assert in_path("a=1/b=x%2Fy/c=__HIVE_DEFAULT_PARTITION__/d.parquet") == {"a": "1", "b": "x/y", "c": None}
    assert in_path("a=1.parquet") == {}


def test_a_digest_is_of_the_content_and_the_columns_of_the_path(tmp_path: Path) -> None:
    one, same, other = (tmp_path / name for name in "abc")
    for path, text in ((one, "x"), (same, "x"), (other, "y")):
        path.write_text(text)
    assert digest(one, {}) == digest(same, {}) != digest(other, {})
    assert len({digest(one, {}), digest(one, {"day": "1"}), digest(one, {"day": "2"})}) == 3


def test_delta_is_recognised_by_its_log_and_its_files_by_their_names(tmp_path: Path) -> None:
    write(tmp_path, 0, PROTOCOL, METADATA, add("a.parquet"), add("b.parquet"))
    folder(tmp_path, "a.parquet", "b.parquet", "gone.parquet")
    found = list(items(LocalPlace(str(tmp_path)), None, tmp_path))
    assert [each.name for each in found] == ["a.parquet", "b.parquet"]
    assert found[0].digest == delta_digest("t-1", "a.parquet") != found[1].digest
    assert found[0].types == {"day": "string"}


def test_a_rewritten_delta_table_is_noticed() -> None:
    place = LocalPlace("there")
    active = [Item(place, name, "parquet", digest=delta_digest("t", name)) for name in ("a", "b")]
    loaded = [each.digest for each in active]
    assert rewritten(active, loaded) is None
    assert rewritten(active, [loaded[0], "some csv", delta_digest("another", "c")]) is None
    assert rewritten(active, [*loaded, delta_digest("t", "gone")]) == "there"
