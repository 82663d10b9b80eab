"""The catalogue of images: pinned, used, and consistent with the matrix and the packages."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from lakehouse.errors import LakehouseError
from lakehouse.kinds import CATALOGS, STORES
from lakehouse.kinds.engines.spark_rules import LINES, SparkLine
from lakehouse.kinds.engines.trino_rules import RELEASES
from lakehouse.kinds.needed import images
from lakehouse.packages import catalogue
from lakehouse.runtimes.docker.images import IMAGES, Image, image
from lakehouse.spec import load, support
from lakehouse.spec.engines import Spark, Trino
from lakehouse.spec.entries import KindEntry
from lakehouse.spec.stacks import Secure

ROOT = Path(__file__).parents[5]
ALL = pytest.mark.parametrize("each", IMAGES.values(), ids=IMAGES.keys())


def _asked(spark: str = "4.1", trino: str = "476", **stack: Any) -> set[str]:
    default = load(ROOT / "lakehouse.yaml")
    engines = default.engines.model_copy(update={"spark": Spark(version=spark), "trino": Trino(version=trino)})
    stacks = {"local": default.stacks["local"].model_copy(update=stack)}
    return set(images(default.model_copy(update={"engines": engines, "stacks": stacks})))


def test_every_image_is_used_and_every_one_that_is_asked_for_is_pinned() -> None:
    asked = set().union(*(_asked(spark, trino) for spark in LINES for trino in RELEASES))
    asked |= set().union(
        *(_asked(store=KindEntry(kind=store), license="a.license") for store in support.on(STORES, "docker"))
    )
    served = [each for each in support.on(CATALOGS, "docker") if not CATALOGS[each].in_store]  # the others: the store's
    asked |= set().union(*(_asked(catalogs={"lake": CATALOGS[each].entry(kind=each)}) for each in served))
    asked |= _asked(secure=Secure(), catalogs={"lake": KindEntry(kind="rest")})
    assert asked == set(IMAGES)


def test_a_stack_on_docker_is_asked_for_its_own_images() -> None:
    default = load(ROOT / "lakehouse.yaml")
    one = default.stacks["local"]
    other = one.model_copy(update={"runtime": "docker", "store": KindEntry(kind="rustfs")})
    assert "rustfs-1.0.1" in images(default.model_copy(update={"stacks": {"a": one, "b": other}}))
    assert "s3proxy-4.1.0" not in images(default.model_copy(update={"stacks": {"a": one, "b": other}}))
    assert "s3proxy-4.1.0" in images(default.model_copy(update={"stacks": {"a": one}}))


def test_nothing_is_pinned_twice() -> None:
    for values in ([each.key for each in IMAGES.values()], [each.reference for each in IMAGES.values()]):
        assert [value for value, count in Counter(values).items() if count > 1] == []


@ALL
def test_an_image_is_pinned_by_a_tag_of_its_registry(each: Image) -> None:
    repository, _, tag = each.reference.rpartition(":")
    host, _, path = repository.partition("/")
    assert "." in host
    assert re.fullmatch(r"[a-z0-9]+(/[a-z0-9-]+)+", path)
    assert re.fullmatch(r"[A-Za-z0-9][\w.-]*", tag)
    assert re.search(r"\d", tag)  # neither latest nor stable nor another name that moves on
    assert re.fullmatch(r"\d+:\d+", each.user)
    assert each.reason


@ALL
def test_its_tag_names_the_version_that_its_package_has(each: Image) -> None:
    for name in each.packages:
        if name not in (
            "aistor-2026-06-06",
            "polaris-1.7.0",
        ):  # an image alone: it is called after its release, as the packages are
            assert catalogue.package(name).version in each.reference.rpartition(":")[2]


@pytest.mark.parametrize("line", LINES.values(), ids=LINES.keys())
def test_spark_has_the_scala_and_the_java_of_the_matrix(line: SparkLine) -> None:
    tag = f"{line.pyspark}-scala{line.scala}-java{line.java[0]}-python3-ubuntu"
    assert image(f"spark-{line.line}").reference.endswith(f":{tag}")


def test_a_package_has_one_path_in_all_images() -> None:
    paths: dict[str, set[str]] = {}
    for each in IMAGES.values():
        for name, path in each.packages.items():
            paths.setdefault(name, set()).add(path)
    assert {name: found for name, found in paths.items() if len(found) > 1} == {}


def test_an_unknown_image_is_named_with_those_there_are() -> None:
    with pytest.raises(LakehouseError, match=r"image 'trino-1': not in the catalogue .* has: .*trino-476"):
        image("trino-1")
