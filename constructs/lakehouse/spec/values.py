"""Rules for single values of lakehouse.yaml: names, locations, sizes, types, properties."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    StrictInt,
    StrictStr,
    WithJsonSchema,
)
from pydantic_core import CoreSchema, core_schema

from lakehouse.iceberg import names


@dataclass(frozen=True)
class Matching:
    """The rule that text matches ``pattern``. The error explains the rule and suggests a valid value."""

    what: str
    pattern: str
    rule: str
    better: Callable[[str], str] = str

    def check(self, value: str) -> str:
        if re.fullmatch(self.pattern, value, re.ASCII):
            return value
        better = self.better(value)
        fix = f' Did you mean "{better}"?' if re.fullmatch(self.pattern, better, re.ASCII) else ""
        raise ValueError(f'"{value}" is not {self.what}: {self.rule}.{fix}')

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_after_validator_function(self.check, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return {**handler(schema), "pattern": f"^{self.pattern}$"}


_WRITTEN = core_schema.plain_serializer_function_ser_schema(str, return_schema=core_schema.str_schema())


@dataclass(frozen=True)
class Parsed:
    """The rule that ``parse`` accepts the text. The model holds the parsed value and is written as the text."""

    parse: Callable[[str], Any]  # raises ValueError with the rule
    pattern: str = ""
    numbers: bool = False  # YAML's numbers are text too

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        text: CoreSchema = core_schema.str_schema(strict=True)
        if self.numbers:
            text = core_schema.no_info_before_validator_function(_text, text)
        return core_schema.no_info_after_validator_function(self.parse, text, serialization=_WRITTEN)

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return {**handler(schema), **({"pattern": f"^{self.pattern}$"} if self.pattern else {})}


class Size(str):
    """A size of memory or of a file: text as for the JVM's -Xmx (``640m``, ``2g``), and the number of MiB."""

    mb: int  # MiB

    def __new__(cls, text: str) -> Size:
        """Raises ValueError with the rule if the text is not a size."""
        match = re.fullmatch(r"([1-9]\d{0,6})([mg])", text, re.ASCII)
        if not match:
            raise ValueError(f'"{text}" is not a size of memory: write a whole number and m or g, as in 640m or 2g')
        made = super().__new__(cls, text)
        made.mb = int(match[1]) * (1024 if match[2] == "g" else 1)
        return made

    @property
    def bytes(self) -> int:
        """The size in bytes."""
        return self.mb << 20

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.is_instance_schema(cls, serialization=_WRITTEN)  # a default in the JSON Schema is text


class Location(str):
    """``s3://BUCKET/PREFIX``: text, as every client needs it, and its parts."""

    bucket: str
    prefix: str  # empty: the bucket as a whole

    def __new__(cls, text: str) -> Location:
        made = super().__new__(cls, text)
        made.bucket, _, made.prefix = text.removeprefix("s3://").partition("/")
        return made


def _hyphened(value: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", value.lower()).strip("-")


def _underscored(value: str) -> str:
    return re.sub(r"[^a-z0-9.]+", "_", value.lower()).strip("_.")


LakehouseName = Annotated[
    StrictStr,
    Matching(
        "a name for a lakehouse",
        r"[a-z][a-z0-9-]{0,30}",
        "lower-case letters, digits and hyphens, at most 31, a letter first",
        _hyphened,
    ),
]
StackName = Annotated[
    StrictStr,
    Matching(
        "a name for a stack",
        r"[a-z][a-z0-9-]{0,30}",
        "lower-case letters, digits and hyphens, a letter first",
        _hyphened,
    ),
]
BucketName = Annotated[
    StrictStr,
    Matching(
        "a name for a bucket",
        r"[a-z0-9][a-z0-9-]{1,61}[a-z0-9]",
        "3 to 63 lower-case letters, digits and hyphens, no hyphen at either end",
        _hyphened,
    ),
]
CatalogName = Annotated[
    StrictStr,
    Matching(
        "a name for a catalog",
        r"[a-z][a-z0-9_]{0,62}",
        "lower-case letters, digits and underscores, a letter first",
        _underscored,
    ),
]
NamespaceName = Annotated[
    StrictStr,
    Matching(
        "a name for a namespace",
        r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)*",
        "lower-case letters, digits and underscores, a letter first; dots between the levels",
        _underscored,
    ),
]
Identifier = Annotated[
    StrictStr,
    Matching(
        "a name", r"[a-z_][a-z0-9_]{0,126}", "lower-case letters, digits and underscores, no digit first", _underscored
    ),
]
FormerName = Annotated[
    StrictStr,
    Matching(
        "a name of a table",
        r"([a-z][a-z0-9_]*\.)*[a-z_][a-z0-9_]{0,126}",
        "its name, or its namespace, a dot and its name, all in lower-case letters, digits and underscores",
        _underscored,
    ),
]


def _column(value: str) -> str:
    if unstable := [each for each in value if len(each.lower()) != 1]:
        rule = f"engines write names in lower case and do not find one with {unstable[0]} again"
        raise ValueError(f'"{value}" is not a name for a column: {rule}. Use another letter')
    return value


ColumnName = Annotated[
    StrictStr,
    Matching(
        "a name for a column",
        names.COLUMN,
        names.COLUMN_RULE,
        lambda value: re.sub(r"\W+", "_", value, flags=re.ASCII).strip("_"),
    ),
    AfterValidator(_column),
]
# https://projectnessie.org/nessie-latest/spec/#content-of-references
ReferenceName = Annotated[
    StrictStr,
    Matching(
        "a name for a branch or tag",
        r"[A-Za-z][A-Za-z0-9]*(?:[./_-][A-Za-z0-9]+)*",
        "letters and digits, single . / _ - between them, a letter first",
    ),
]
Region = Annotated[StrictStr, Matching("an AWS region", r"[a-z]{2,4}(-[a-z]+)+-\d", "it looks like eu-west-1")]

Zone = Annotated[StrictStr, Matching("an availability zone", r"[a-z]{2}(-[a-z]+)+-\d[a-z]", "it looks like eu-west-1a")]
EmrRelease = Annotated[
    StrictStr,
    Matching(
        "a release of EMR that is known here",
        r"(emr-7\.\d{1,2}\.\d{1,2}|emr-spark-8\.[01]\.0)",
        "it looks like emr-7.10.0, with Spark 3.5, or is emr-spark-8.0.0, with Spark 4.0, or emr-spark-8.1.0, with 4.1",
    ),
]
Repository = Annotated[
    StrictStr, Matching("a repository", r"[A-Za-z0-9][\w.-]*/[\w.-]+", "it looks like owner/repository")
]
OwnerName = Annotated[
    StrictStr,
    Matching(
        "an owner",
        r"(group:)?[A-Za-z0-9][\w.@+-]*",
        "a user's name or mail address, or group: and the name of a group",
    ),
]
TagName = Annotated[
    StrictStr, Matching("a tag", r"[A-Za-z0-9_][\w.-]*", "letters, digits, _ . and -, as in gold or team.sales")
]
Upstream = Annotated[
    StrictStr,
    Matching(
        "where rows come from",
        r"([a-z][a-z0-9-]*://[^\s,()]+|[a-z][a-z0-9_]*(\.[a-z_][a-z0-9_]*){2,})",
        "a table of a catalog (lake.bronze.orders), or a place (s3://bucket/folder, kafka://topic, "
        "postgres://database.schema.table)",
    ),
]
Email = Annotated[
    StrictStr, Matching("a mail address", r"[^@\s\"$%{}]+@[^@\s\"$%{}]+\.[a-z]+", "it looks like data@example.com")
]
# https://docs.aws.amazon.com/tag-editor/latest/userguide/tagging.html
TagText = Annotated[
    StrictStr,
    Matching("the value of a tag", r"[\w .:/=+@-]{1,128}", "letters, digits, spaces and _ . : / = + - @, at most 128"),
]


def _cidr(value: str) -> ipaddress.IPv4Network:
    if "/" not in value:
        raise ValueError(f'"{value}" has no mask: a range of addresses looks like 10.20.0.0/16. Write "{value}/16"')
    try:
        network = ipaddress.IPv4Network(value)
    except ValueError as error:
        raise ValueError(f'"{value}" is not a range of addresses ({error}): it looks like 10.20.0.0/16') from None
    if not 16 <= network.prefixlen <= 20:
        raise ValueError(f'"{value}" is too {"large" if network.prefixlen < 16 else "small"}: it must be /16 to /20')
    if not any(network.subnet_of(ipaddress.IPv4Network(each)) for each in _PRIVATE):
        raise ValueError(f'"{value}" is not private: use a range of {", ".join(_PRIVATE)}')
    return network


_PRIVATE = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")
Cidr = Annotated[ipaddress.IPv4Network, Parsed(_cidr)]


def _location(value: str, *, root: bool = False) -> Location:
    fix = re.sub(r"^\w+://|^/+", "s3://", value).rstrip("/")
    if re.match(r"s3[an]://", value):
        raise ValueError(
            f'"{value}" has the scheme of Hadoop\'s file systems; locations begin with s3://. Write "{fix}"'
        )
    if not value.startswith("s3://"):
        raise ValueError(f'"{value}" is not a location: it begins with s3://, then a bucket, as in s3://warehouse/lake')
    bucket, *prefix = value.removeprefix("s3://").split("/")
    if not bucket or (not prefix and not root) or prefix == [""]:
        raise ValueError(f'"{value}" is not a location: a bucket and a prefix in it, as in s3://warehouse/lake')
    if value.endswith("/"):
        raise ValueError(f'"{value}" ends with a slash; a location does not. Write "{fix}"')
    if not all(re.fullmatch(r"[\w.=+@-]+", part, re.ASCII) and part.strip(".") for part in prefix):
        raise ValueError(f'"{value}" is not a location: letters, digits and _ . = + @ - between single slashes')
    return Location(value)


S3Location = Annotated[Location, Parsed(_location, "s3://[^/]+/.*[^/]")]
# A catalog may use a whole bucket.
CatalogLocation = Annotated[Location, Parsed(lambda value: _location(value, root=True), "s3://[^/]+(/.*[^/])?")]


def _memory(value: str) -> Size:
    size = Size(value)
    if size.mb < 256:
        raise ValueError(f'"{value}" is too little memory for a JVM of Spark or Trino: the minimum is 256m')
    return size


def _text(value: Any) -> Any:
    """Accept YAML's numbers and booleans as text, as they are written in the file."""
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, int | float) else value


Memory = Annotated[Size, Parsed(_memory, numbers=True)]


_ADDRESS = "https://HOST or http://HOST:PORT, and nothing after it"


def _address(what: str) -> Matching:
    return Matching(what, r"https?://([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(:\d{1,5})?", _ADDRESS)


def _split(value: str) -> str:
    try:
        _ = urlsplit(value).port  # raises ValueError if the host or the port is none
    except ValueError as error:
        raise ValueError(f'"{value}" is not an address ({error}): {_ADDRESS}') from None
    return value


def on_loopback(address: str) -> bool:
    """Whether a valid address is one of the machine itself; asked in a container, it is one of the container."""
    host = urlsplit(address).hostname or ""
    return host in ("localhost", "::1", "::", "0.0.0.0") or host.startswith("127.")  # noqa: S104 - nothing is bound


Endpoint = Annotated[StrictStr, _address("the address of a store"), AfterValidator(_split)]
GlueAddress = Annotated[StrictStr, _address("the address of Glue"), AfterValidator(_split)]
_FILE_SIZE = Matching("a size of a file", r"[1-9]\d{0,4}[mg]", "a whole number and m or g, as in 128m")
FileSize = Annotated[Size, Parsed(lambda value: Size(_FILE_SIZE.check(value)), _FILE_SIZE.pattern, numbers=True)]
Version = Annotated[
    StrictStr, BeforeValidator(_text), WithJsonSchema({"type": ["string", "number"]}, mode="validation")
]
Scalar = Annotated[
    StrictStr, BeforeValidator(_text), WithJsonSchema({"type": ["string", "number", "boolean"]}, mode="validation")
]
Properties = dict[StrictStr, Scalar]
PortNumber = Annotated[StrictInt, Field(ge=1024, le=65535)]


def _container_prefix(value: str) -> str:
    if not re.fullmatch(r"([a-zA-Z0-9][a-zA-Z0-9_.-]*)?", value):
        rule = "letters, digits, _ . and -, a letter or digit first"
        raise ValueError(f'"{value}" cannot begin the name of a container: {rule}')
    return value


ContainerPrefix = Annotated[StrictStr, AfterValidator(_container_prefix)]
