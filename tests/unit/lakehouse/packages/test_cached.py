"""Where the cache is."""

from __future__ import annotations

from pathlib import Path

import pytest

from lakehouse.errors import LakehouseError
from lakehouse.packages import cached


def test_a_user_without_a_home_folder_gets_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HOME", raising=False)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setattr(
        Path, "home", lambda: (_ for _ in ()).throw(RuntimeError("Could not determine home directory."))
    )
    with pytest.raises(LakehouseError, match="has no home folder: HOME is not set"):
        cached.root()


@pytest.mark.parametrize(("variable", "inside"), [("XDG_CACHE_HOME", "lakehouse"), ("HOME", ".cache/lakehouse")])
def test_a_colon_in_the_path_is_refused(monkeypatch: pytest.MonkeyPatch, variable: str, inside: str) -> None:
    """A class path and the path of a class archive would end there."""
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setenv(variable, "/srv/a:b")
    with pytest.raises(LakehouseError, match=f'cache folder "/srv/a:b/{inside}" has a colon.*Set XDG_CACHE_HOME'):
        cached.root()


def test_scratch_is_in_the_cache_or_if_that_is_read_only_in_the_system_s(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cached.scratch() == tmp_path / "lakehouse" / "tmp"
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    assert cached.scratch().is_dir()
