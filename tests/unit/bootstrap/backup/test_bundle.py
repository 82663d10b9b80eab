"""The file, what it names and the secrets, into a backup and out of it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from bootstrap.backup.bundle import Bundle, gather, unpack
from lakehouse.errors import LakehouseError, UsageError
from lakehouse.runtimes import owner
from lakehouse.spec import load

TEXT = """
name: demo
buckets: {warehouse: {}}
catalogs:
  lake:
    location: s3://warehouse/lake
    namespaces:
      n: {tables: {t: {columns: {i: int}, seed: seeds/t.csv}}}
stacks:
  local: {runtime: process, store: s3proxy, catalogs: {lake: rest}}
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    folder = tmp_path / "one"
    (folder / "seeds").mkdir(parents=True)
    (folder / "seeds/t.csv").write_text("i\n1\n")
    (folder / "stranger.csv").write_text("not named")
    secrets = folder / ".lakehouse/local/secrets"
    secrets.mkdir(parents=True)
    (secrets / "store-secret-key").write_text("hidden")
    (folder / ".lakehouse/local/data").mkdir()
    (folder / ".lakehouse/local/data/rows").write_text("data")
    path = folder / "lakehouse.yaml"
    path.write_text(TEXT)
    return path


def test_it_has_what_a_new_machine_cannot_make_again(path: Path) -> None:
    found = gather(path, load(path), "local")
    assert found.file == TEXT.encode()
    assert found.beside == {"beside/seeds/t.csv": b"i\n1\n", "state/secrets/store-secret-key": b"hidden"}
    assert "hidden" not in repr(found)


def test_it_makes_a_folder_to_deploy_from(path: Path, tmp_path: Path) -> None:
    made = unpack(tmp_path / "two", gather(path, load(path), "local"), {"app": "lakehouse synth"})
    assert made == tmp_path / "two/lakehouse.yaml"
    assert made.read_text() == TEXT
    assert (tmp_path / "two/cdktf.json").read_text() == '{\n  "app": "lakehouse synth"\n}\n'
    secret = tmp_path / "two/.lakehouse/local/secrets/store-secret-key"
    assert secret.read_text() == "hidden"
    assert secret.stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "two/.lakehouse/local").stat().st_mode & 0o777 == 0o700
    mark = owner.read(tmp_path / "two/.lakehouse/local")
    assert mark is not None
    assert (mark.lakehouse, mark.stack, mark.file) == ("demo", "local", str(made))
    assert gather(made, load(made), "local").beside == gather(path, load(path), "local").beside


def test_a_folder_that_is_not_empty_is_refused(path: Path) -> None:
    with pytest.raises(UsageError, match="is not an empty folder"):
        unpack(path.parent, Bundle("demo", "local", "lakehouse.yaml", b"", {}), {})
    for folder in (path / "inside", path.parent / ("x" * 300)):
        with pytest.raises(UsageError, match=r"cannot be made: .*\. Name another folder"):
            unpack(folder, Bundle("demo", "local", "lakehouse.yaml", b"", {}), {})


@pytest.mark.parametrize("name", ["beside/../../x", "beside//etc/x", "state/../../../x"])
def test_no_file_gets_out_of_the_folder(name: str, path: Path, tmp_path: Path) -> None:
    bundle = replace(gather(path, load(path), "local"), beside={name: b"x"})
    with pytest.raises(LakehouseError, match="is outside of its folder"):
        unpack(tmp_path / "inner/two", bundle, {})
    assert not list(tmp_path.rglob("x"))


def test_a_long_text_in_any_script_is_no_name_of_a_file(path: Path) -> None:
    path.write_text(TEXT.replace("seed:", f"doc: {'表' * 200}, seed:"))
    assert "beside/seeds/t.csv" in gather(path, load(path), "local").beside


def test_the_secrets_of_a_lakehouse_that_has_the_state_folder_stay(path: Path, tmp_path: Path) -> None:
    path.write_text(TEXT.replace("store:", f"state: {tmp_path / 'shared'}, store:"))
    secret = tmp_path / "shared/local/secrets/store-secret-key"
    secret.parent.mkdir(parents=True)
    secret.write_text("in use")
    bundle = replace(gather(path, load(path), "local"), beside={"state/secrets/store-secret-key": b"of the backup"})
    with pytest.raises(UsageError, match=r"two/lakehouse\.yaml says that the state folder is .*shared/local, which is"):
        unpack(tmp_path / "two", bundle, {})
    assert secret.read_text() == "in use"
    unpack(tmp_path / "three", replace(bundle, beside={}), {})


def test_the_file_of_a_former_version_comes_with_its_secrets(path: Path, tmp_path: Path) -> None:
    bundle = replace(gather(path, load(path), "local"), file=TEXT.replace("s3proxy", "a-former-store").encode())
    made = unpack(tmp_path / "two", bundle, {})
    assert "a-former-store" in made.read_text()
    assert (tmp_path / "two/.lakehouse/local/secrets/store-secret-key").read_text() == "hidden"
