"""Descriptions of the JSON Schema from the fields' docstrings."""

from __future__ import annotations

from pydantic import Field

from lakehouse.spec import Lakehouse
from lakehouse.spec.base import Model
from lakehouse.spec.described import descriptions


class Part(Model):
    size: int
    """Its size,
    in bytes."""
    plain: str = ""


class Whole(Part):
    """A class's own docstring describes the class."""

    from_: str = Field(alias="from")
    """Where it comes from."""
    size: int = 1
    """Its size, if it has one."""
    part: Part | None = Field(default=None, description="Described otherwise.")
    """Not shown."""


def test_each_class_has_its_own_and_those_that_it_inherits() -> None:
    assert descriptions(Part) == {"size": "Its size,\nin bytes."}
    assert descriptions(Whole) == {
        "size": "Its size, if it has one.", "from_": "Where it comes from.", "part": "Not shown."
    }  # fmt: skip


def test_the_schema_has_them_by_the_names_of_the_file() -> None:
    found = Whole.model_json_schema()
    shown = {name: each.get("description") for name, each in found["properties"].items()}
    assert shown == {
        "size": "Its size, if it has one.",
        "plain": None,
        "from": "Where it comes from.",
        "part": "Described otherwise.",
    }
    assert found["$defs"]["Part"]["properties"]["size"]["description"] == "Its size,\nin bytes."
    assert found["description"] == "A class's own docstring describes the class."


def test_the_import_of_the_model_reads_none() -> None:
    assert not any(field.description for field in Lakehouse.model_fields.values())
    assert Lakehouse.model_json_schema()["properties"]["catalogs"]["description"]
