"""The entries of ``access`` in lakehouse.yaml: roles, their grants, and principals."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    StrictBool,
    StrictStr,
    Tag,
    model_serializer,
    model_validator,
)

from lakehouse.spec.base import Model, or_empty
from lakehouse.spec.sql import SqlExpression
from lakehouse.spec.values import Identifier, Matching

Verb = Literal["read", "write", "manage"]

#: The word in place of an expression for a masked column: its value is NULL, which fits every type and tells nothing.
MASK = "mask"
#: What a tag's name follows among the ``columns`` of a grant. No column has a colon in its name.
TAG = "tag:"


def _not_empty(what: str) -> BeforeValidator:
    """A value that the file leaves out is an error: nothing would be narrowed, or granted, that somebody meant to."""

    def check(value: Any) -> Any:
        if value is None or value == {}:
            raise ValueError(f"it is empty: {what}")
        return value

    return BeforeValidator(check)


_TEXT = Field(json_schema_extra={"minLength": 1})

_Filter = Annotated[
    SqlExpression,
    _TEXT,
    _not_empty("write an expression of SQL, as in region = 'EU', or remove it if all rows are meant"),
]
_Mask = Annotated[
    SqlExpression, _TEXT, _not_empty("write the word mask for NULL, as in `email: mask`, or an expression of SQL")
]
_Masks = Annotated[
    dict[StrictStr, _Mask],
    Field(min_length=1),
    _not_empty("name what is masked, as in {email: mask}, or remove it if all columns are meant"),
]


class Narrowed(Model):
    """A grant of reading that leaves out rows, or hides values of columns."""

    model_config = ConfigDict(json_schema_extra={"anyOf": [{"required": ["rows"]}, {"required": ["columns"]}]})

    verbs: list[Verb] = Field(min_length=1)
    """Verbs (read, write, manage); only read goes with `rows` and `columns`."""
    rows: _Filter = ""
    """Only rows for which this expression in Trino's SQL is true, as in `region = 'EU'`; only for a table."""
    columns: _Masks = {}
    """Masks by column, or by tag as in `tag:pii`: the word mask for NULL, or an expression in Trino's SQL."""

    @model_validator(mode="before")
    @classmethod
    def _empty_as_default(cls, value: Any) -> Any:
        """Other than elsewhere, a key without a value is no default: the whole table would be granted."""
        if isinstance(value, dict) and value.keys() == {"verbs"}:
            raise ValueError(
                "it has neither `rows` nor `columns`. Write only its verbs, as in [read], if all are meant"
            )
        return value

    @model_serializer(mode="wrap")
    def _without_empty(self, handler: Any) -> Any:
        return {name: each for name, each in handler(self).items() if each}


def _form(value: Any) -> str:
    return "<narrowed>" if isinstance(value, dict | Narrowed) else "<verbs>"


GrantEntry = Annotated[
    Annotated[list[Verb], Tag("<verbs>")] | Annotated[Narrowed, Tag("<narrowed>")],
    Discriminator(_form),
    _not_empty("name read, write or manage, as in [read]"),
]


def verbs_of(granted: list[Verb] | Narrowed) -> list[Verb]:
    """The verbs of a grant in either form."""
    return granted.verbs if isinstance(granted, Narrowed) else granted


class Role(Model):
    """A set of grants."""

    grants: dict[StrictStr, GrantEntry] = {}
    """Verbs (read, write, manage) by target: `catalog`, `catalog.namespace`, or a table or view of that. Or a mapping,
    as in `{verbs: [read], rows: "region = 'EU'", columns: {email: mask}}`."""


#: A server of a stack on this machine that knows principals.
PrincipalServer = Literal["store", "polaris", "trino"]


class Existing(Model):
    """The names of a principal that somebody else made, by the server that has it."""

    model_config = ConfigDict(json_schema_extra={"anyOf": [{"required": ["polaris"]}, {"required": ["store"]}]})

    polaris: Annotated[StrictStr, Field(min_length=1)] | None = None
    """Its name in Polaris."""
    store: Annotated[StrictStr, Field(min_length=1)] | None = None
    """Its name in the store, as `lakehouse import` writes it. MinIO and AIStor: sha256: and a part of its access key's
    digest, because an access key belongs in no file."""

    @model_validator(mode="after")
    def _is_somewhere(self) -> Self:
        if self.polaris is None and self.store is None:
            raise ValueError("it is empty: name a principal as in {polaris: NAME} or {store: NAME}")
        return self

    def names(self) -> dict[PrincipalServer, str]:
        """Its name at each server that has it."""
        found: dict[PrincipalServer, str | None] = {"polaris": self.polaris, "store": self.store}
        return {server: name for server, name in found.items() if name is not None}


def _is_who(arn: str) -> str:
    """Only a part of a name that AWS makes up may be left open: everybody may name a role, but not in AWS's folder."""
    _, _, name = arn.partition(":iam::")
    if "*" in name and not re.fullmatch(rf"\d{{12}}:{_PERMISSION_SET}", name):
        rule = "a * stands only for what AWS makes up in the role of a permission set"
        raise ValueError(f'"{arn}" names more than one role: {rule}. Write it as {_EXAMPLE}')
    return arn


# https://docs.aws.amazon.com/singlesignon/latest/userguide/referencingpermissionsets.html
_PERMISSION_SET = (
    r"role/aws-reserved/sso\.amazonaws\.com/(([a-z0-9-]+|\*)/)?AWSReservedSSO_[\w+=,.@-]+_([0-9a-f]{16}|\*)"
)
_EXAMPLE = "arn:aws:iam::ACCOUNT:role/aws-reserved/sso.amazonaws.com/*/AWSReservedSSO_NAME_*"

TrustedArn = Annotated[
    StrictStr,
    Matching(
        "the ARN of a user or role",
        r"arn:aws(-cn|-us-gov)?:iam::\d{12}:(role|user)/[\w+=,.@/*-]{1,576}",
        "it looks like arn:aws:iam::123456789012:role/NAME",
    ),
    AfterValidator(_is_who),
]


class Trusted(Model):
    """A user or role, usually of another organisation, that sends a word: so nobody else makes it act on your data.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_common-scenarios_third-party.html
    """

    arn: TrustedArn
    """Its ARN."""
    external_id: Annotated[
        StrictStr, Matching("an external id", r"[\w+=,.@:/-]{2,1224}", "2 to 1,224 letters, digits and +=,.@:/-")
    ]
    """The word that its owner chose for you, and sends with each request. It is no secret."""

    @model_serializer(mode="plain")
    def _written(self) -> dict[str, str]:
        return {"arn": self.arn, "external_id": self.external_id}


def _trusted(value: Any) -> str:
    return "<who>" if isinstance(value, dict | Trusted) else "<arn>"


TrustEntry = Annotated[
    Annotated[TrustedArn, Tag("<arn>")] | Annotated[Trusted, Tag("<who>")],
    Discriminator(_trusted),
]


class Principal(Model):
    """A user or a program."""

    roles: list[Identifier] = []
    """Names of roles."""
    existing: Existing | None = None
    """A principal that somebody else made in Polaris or in the store: the toolkit adds grants to it, only there, and
    never removes it or its credentials."""
    deletable: StrictBool = False
    """The second key to deletion: `--allow-destroy` removes the principal's user and keys only if this is true."""
    trust: Annotated[list[TrustEntry], Field(min_length=1)] | None = None
    """In AWS: ARNs of the users and roles that may take the principal's role, or `{arn: ..., external_id: ...}`.
    Default: those of the account that have the tag `lakehouse-principal` with the principal's name."""

    @model_validator(mode="after")
    def _is_ours_to_delete(self) -> Self:
        if self.existing is not None and self.deletable:
            raise ValueError("`deletable` is for principals that the toolkit makes, and this one is `existing`")
        return self

    def is_known_to(self, server: PrincipalServer) -> bool:
        """Whether the server shall know the principal, if its roles grant anything there."""
        return self.existing is None or server in self.existing.names()

    def named(self, server: PrincipalServer) -> str:
        """Its name at a server, if somebody else made it there; else empty."""
        return "" if self.existing is None else self.existing.names().get(server, "")


class Access(Model):
    """Who may do what."""

    roles: dict[Identifier, Annotated[Role, BeforeValidator(or_empty)]] = {}
    """Roles by name."""
    principals: dict[Identifier, Annotated[Principal, BeforeValidator(or_empty)]] = {}
    """Principals by name."""
    grants: Literal["additive", "authoritative"] = "additive"
    """authoritative: grants that others gave the file's principals are drift, and `--allow-destroy` takes them away.
    additive, the default: they stay, and are not shown."""
    enforce: Literal["best-effort"] | None = None
    """best-effort: accept filters and masks on stacks where a principal can get around them. Default: refuse them."""
