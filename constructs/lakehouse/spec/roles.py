"""The entries of ``access`` in lakehouse.yaml: roles, their grants, and principals."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Discriminator, Field, StrictBool, StrictStr, Tag

from lakehouse.spec.base import Model, or_empty
from lakehouse.spec.sql import SqlExpression
from lakehouse.spec.values import Identifier

Verb = Literal["read", "write", "manage"]

#: The word in place of an expression for a masked column: its value is NULL, which fits every type and tells nothing.
MASK = "mask"
#: What a tag's name follows among the ``columns`` of a grant. No column has a colon in its name.
TAG = "tag:"


class Narrowed(Model):
    """A grant of reading that leaves out rows, or hides values of columns."""

    verbs: list[Verb] = Field(min_length=1)
    """Verbs (read, write, manage); only read goes with `rows` and `columns`."""
    rows: SqlExpression | None = None
    """Only rows for which this expression in Trino's SQL is true, as in `region = 'EU'`; only for a table."""
    columns: dict[StrictStr, SqlExpression] = {}
    """Masks by column, or by tag as in `tag:pii`: the word mask for NULL, or an expression in Trino's SQL."""

    @property
    def narrows(self) -> bool:
        """Whether it leaves out anything."""
        return bool(self.rows or self.columns)


def _form(value: Any) -> str:
    return "<narrowed>" if isinstance(value, dict | Narrowed) else "<verbs>"


GrantEntry = Annotated[
    Annotated[list[Verb], Tag("<verbs>")] | Annotated[Narrowed, Tag("<narrowed>")], Discriminator(_form)
]


def verbs_of(granted: list[Verb] | Narrowed) -> list[Verb]:
    """The verbs of a grant in either form."""
    return granted.verbs if isinstance(granted, Narrowed) else granted


class Role(Model):
    """A set of grants."""

    grants: dict[StrictStr, GrantEntry] = {}
    """Verbs (read, write, manage) by target: `catalog`, `catalog.namespace`, or a table or view of that. Or a mapping,
    as in `{verbs: [read], rows: "region = 'EU'", columns: {email: mask}}`."""


class Principal(Model):
    """A user or a program."""

    roles: list[Identifier] = []
    """Names of roles."""
    deletable: StrictBool = False
    """The second key to deletion: `--allow-destroy` removes the principal's user and keys only if this is true."""


class Access(Model):
    """Who may do what."""

    roles: dict[Identifier, Annotated[Role, BeforeValidator(or_empty)]] = {}
    """Roles by name."""
    principals: dict[Identifier, Annotated[Principal, BeforeValidator(or_empty)]] = {}
    """Principals by name."""
    enforce: Literal["best-effort"] | None = None
    """best-effort: accept filters and masks on stacks where a principal can get around them. Default: refuse them."""
