"""From targets of grants to the folders of tables."""

from __future__ import annotations

import pytest

from lakehouse.access.scope import scope
from tests.unit.bootstrap.reconciler.simulation import lakehouse

T = {"columns": {"a": "long"}}


@pytest.mark.parametrize(
    ("target", "folders"),
    [
        ("lake", ["lake/n", "lake/x"]),
        ("lake.n", ["lake/n"]),
        ("lake.n.m", ["lake/n/m"]),
        ("lake.n.m.t", ["lake/n/m/t"]),
        ("lake.x", ["elsewhere/u", "lake/x"]),
        ("lake.x.u", ["elsewhere/u"]),
    ],
)
def test_a_grant_covers_the_folders_in_which_tables_are_created(target: str, folders: list[str]) -> None:
    spaces = {"n": {}, "n.m": {"tables": {"t": T}}, "x": {"tables": {}}}
    if ".x" in target:
        spaces["x"] = {"tables": {"u": {**T, "location": "s3://warehouse/elsewhere/u"}}}
    found = scope(lakehouse(spaces), [target]).prefixes
    assert [key for _, key in found] == folders


def test_a_grant_on_a_namespace_covers_tables_elsewhere_of_the_namespaces_in_it() -> None:
    spaces = {"n": {}, "n.m": {"tables": {"t": {**T, "location": "s3://warehouse/elsewhere/t"}}}, "nm": {}}
    found = scope(lakehouse(spaces), ["lake.n"]).prefixes
    assert [key for _, key in found] == ["elsewhere/t", "lake/n"]


def test_a_whole_catalog_is_one_folder_and_its_tables_elsewhere() -> None:
    spaces = {"n": {}, "n.m": {"tables": {"t": {**T, "location": "s3://warehouse/elsewhere/t"}}}, "x": {}}
    found = scope(lakehouse(spaces), ["lake"], one_folder=True)
    assert [key for _, key in found.prefixes] == ["elsewhere/t", "lake"]
    assert found.databases == ("n", "n.m", "x")
    assert [key for _, key in scope(lakehouse(spaces), ["lake.n"], one_folder=True).prefixes] == [
        "elsewhere/t",
        "lake/n",
    ]
