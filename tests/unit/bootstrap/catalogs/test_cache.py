from __future__ import annotations

from pathlib import Path

from bootstrap.catalogs.cache import FactsCache


def test_what_is_stored_comes_back_and_what_is_gone_does_not(tmp_path: Path) -> None:
    cache = FactsCache(tmp_path / "new" / "folder", "lake")
    assert cache.load() == {}
    cache.store({"s3://a": {"x": 1}, "s3://b": {"y": "ü"}}, [])
    cache.store({"s3://c": {}}, ["s3://a"])
    assert FactsCache(tmp_path / "new" / "folder", "lake").load() == {"s3://b": '{"y": "\\u00fc"}', "s3://c": "{}"}


def test_catalogs_do_not_see_each_other(tmp_path: Path) -> None:
    FactsCache(tmp_path, "one").store({"s3://a": {}}, [])
    assert FactsCache(tmp_path, "two").load() == {}


def test_without_a_folder_nothing_is_kept_and_nothing_fails() -> None:
    cache = FactsCache(None, "lake")
    cache.store({"s3://a": {}}, [])
    assert cache.load() == {}


def test_a_damaged_file_is_replaced(tmp_path: Path) -> None:
    cache = FactsCache(tmp_path, "lake")
    cache.store({"s3://a": {}}, [])
    [file] = tmp_path.iterdir()
    file.write_bytes(b"no database " * 500)
    assert cache.load() == {}
    cache.store({"s3://b": {}}, [])
    assert cache.load() == {"s3://b": "{}"}


def test_a_folder_that_cannot_be_is_no_failure(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    cache = FactsCache(tmp_path / "file" / "sub", "lake")
    cache.store({"s3://a": {}}, [])
    assert cache.load() == {}
