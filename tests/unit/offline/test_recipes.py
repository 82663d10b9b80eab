"""The sources of images: Dockerfiles that agree with the catalogue, and a digest that covers everything."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lakehouse.runtimes.docker.images import IMAGES
from offline import debian, recipes
from offline.recipes import RECIPES, Recipe, digest, in_order

ALL = pytest.mark.parametrize("recipe", RECIPES.values(), ids=RECIPES.keys())
OFFICIAL = pytest.mark.parametrize("key", [key for key in IMAGES if key in RECIPES])


def _lines(recipe: Recipe, instruction: str) -> list[str]:
    text = (recipe.files / "Dockerfile").read_text().replace("\\\n", " ")
    return re.findall(rf"^{instruction} +(.*)$", text, re.MULTILINE)


def test_all_but_aistor_and_polaris_can_be_built() -> None:
    assert set(IMAGES) - set(RECIPES) == {"aistor-2026-06-06", "polaris-1.7.0"}


def test_every_folder_is_of_a_recipe() -> None:
    folders = {path.name for path in recipes.FOLDER.iterdir() if path.is_dir()}
    assert folders == {recipe.folder for recipe in RECIPES.values()}


@ALL
def test_its_base_is_the_one_that_its_dockerfile_names(recipe: Recipe) -> None:
    base = debian.REFERENCE if recipe.base == debian.KEY else RECIPES[recipe.base].reference
    (named,) = _lines(recipe, "FROM")
    for name, value in recipe.arguments.items():
        assert re.fullmatch(rf"{name}=\d+", _lines(recipe, "ARG")[0])
        named = named.replace(f"${{{name}}}", value)
    assert named == base


@ALL
def test_it_copies_its_packages_to_their_paths(recipe: Recipe) -> None:
    copied = [line for line in _lines(recipe, "COPY") if "rootfs/" in line]
    assert len(copied) == len(recipe.packages)
    for path in recipe.packages.values():
        assert any(
            f"rootfs{path}" in line or f"rootfs{Path(path).parent} {Path(path).parent}" in line for line in copied
        )


@OFFICIAL
def test_its_user_is_the_official_one(key: str) -> None:
    recipe, (uid, gid) = RECIPES[key], IMAGES[key].user.split(":")
    text = (recipe.files / "Dockerfile").read_text()
    if uid in ("0", "65534"):  # root and nobody, whom every image has
        assert "USER " not in text
        assert "useradd" not in text
    else:
        assert re.search(rf"groupadd .*--gid {gid} (\w+)", text)
        assert re.search(rf"useradd .*--uid {uid} ", text)


@given(st.sets(st.sampled_from(sorted(RECIPES))))
def test_bases_come_first_and_each_image_once(keys: set[str]) -> None:
    order = [recipe.key for recipe in in_order(keys)]
    assert len(order) == len(set(order))
    assert keys <= set(order)
    for n, key in enumerate(order):
        assert RECIPES[key].base == debian.KEY or RECIPES[key].base in order[:n]


def _edit(path: Path) -> None:
    path.write_text(path.read_text() + "\n")


def _run(path: Path) -> None:
    path.chmod(path.stat().st_mode ^ 0o100)


@pytest.mark.parametrize("change", [_edit, _run, Path.unlink, lambda path: path.rename(path.with_name("other"))])
def test_a_changed_file_changes_the_digest(
    change: Callable[[Path], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recipes, "FOLDER", tmp_path)
    for folder in ("java", "trino"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "Dockerfile").write_text("FROM lakehouse/debian:bookworm\n")
    before = {key: digest(key) for key in ("java-25", "trino-476")}
    assert {key: digest(key) for key in before} == before
    change(tmp_path / "trino" / "Dockerfile")
    assert digest("java-25") == before["java-25"]
    assert digest("trino-476") != before["trino-476"]


def test_a_changed_base_changes_the_digest(monkeypatch: pytest.MonkeyPatch) -> None:
    before = digest("trino-476")
    monkeypatch.setattr(debian, "_INCLUDED", ("bash",))
    assert digest("trino-476") != before


def test_a_changed_package_changes_the_digest(monkeypatch: pytest.MonkeyPatch) -> None:
    before = digest("minio-2025-09-07")
    changed = replace(RECIPES["minio-2025-09-07"], packages={"rustfs-1.0.1": "/usr/bin/minio"})
    monkeypatch.setitem(recipes.RECIPES, "minio-2025-09-07", changed)
    assert digest("minio-2025-09-07") != before
