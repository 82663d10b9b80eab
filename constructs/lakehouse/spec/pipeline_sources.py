"""What a pipeline reads, besides topics and the changes of a database. SeaTunnel reads these."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StrictBool, StrictInt, StrictStr, model_validator

from lakehouse.spec.base import Model
from lakehouse.spec.values import Matching

_HOST = r"[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?(:[0-9]{1,5})?"
JdbcAddress = Annotated[
    StrictStr,
    Matching(
        "a JDBC address",
        # A parameter such as `password` would be seen wherever the address is.
        rf"jdbc:(postgresql|mysql)://{_HOST}/[A-Za-z0-9_$-]+"
        r"(\?(?![^ ]*([Pp][Aa][Ss][Ss][Ww][Oo][Rr][Dd]|[Uu][Ss][Ee][Rr])=)[A-Za-z0-9_=&.-]+)?",
        "jdbc:postgresql://HOST:PORT/DATABASE or jdbc:mysql://..., without a user and a password, which have keys of"
        " their own",
    ),
]
JdbcUser = Annotated[
    StrictStr, Matching("a user of a database", r"[^\s\"'\\$]{1,63}", "at most 63 printable characters")
]
JdbcTable = Annotated[
    StrictStr,
    Matching(
        "a table of a database",
        r"[A-Za-z_][A-Za-z0-9_$]{0,62}(\.[A-Za-z_][A-Za-z0-9_$]{0,62}){1,2}",
        "its schema (in MySQL its database), a dot and its name, as in public.orders",
    ),
]
FilesPath = Annotated[
    StrictStr,
    Matching(
        "a place of files",
        r"(s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](/[A-Za-z0-9_.=+-]+)*/?|(/[A-Za-z0-9_.=+ -]+)+/?)",
        "s3://BUCKET/FOLDER of the stack's store, or an absolute path where the services run",
    ),
]
SourceAddress = Annotated[
    StrictStr,
    Matching(
        "an HTTP address",
        rf"https?://{_HOST}(/[^\s\"'\\$]*)?(\?[^\s\"'\\$]*)?",
        "http(s)://HOST:PORT/PATH, without quotes, spaces, $ and a user",
    ),
]
JobFile = Annotated[
    StrictStr,
    Matching(
        "a job of SeaTunnel",
        r"(?!.*\.\.)[A-Za-z0-9_][A-Za-z0-9_./-]*\.conf",
        "the path of a file beside this one, or below, whose name ends with .conf",
    ),
]
SelectText = Annotated[StrictStr, Field(min_length=1, max_length=10_000)]


class JdbcSource(Model):
    """Rows of a database, read once: exactly one of `table` and `query`."""

    url: JdbcAddress
    """Its address: `jdbc:postgresql://HOST:PORT/DATABASE`, or `jdbc:mysql://...`."""
    user: JdbcUser
    """A user that may read it. Its password is `pipeline-NAME` in `credentials` of a stack."""
    table: JdbcTable | None = None
    """The table: `public.orders`."""
    query: SelectText | None = None
    """A query, in its SQL."""

    @model_validator(mode="after")
    def _one(self) -> JdbcSource:
        if (self.table is None) == (self.query is None):
            raise ValueError("a database is read by `table` or by `query`. Write exactly one of them")
        return self

    @property
    def system(self) -> str:
        """postgresql or mysql."""
        return self.url.split(":")[1]

    @property
    def whole_table(self) -> str | None:
        """The table with its database: DATABASE.SCHEMA.TABLE, in MySQL DATABASE.TABLE; None of a query."""
        if self.table is None or self.system == "mysql" or self.table.count(".") == 2:
            return self.table
        return f"{self.url.rpartition('/')[2].partition('?')[0]}.{self.table}"


class FilesSource(Model):
    """Files of a folder, read once."""

    path: FilesPath
    """`s3://BUCKET/FOLDER` of the stack's store, or an absolute path where the services run."""
    format: Literal["json", "csv", "parquet"] = "json"
    """json: an object in each line."""
    header: StrictBool = True
    """Whether the first line of a CSV file has names, which are skipped: fields are in the order of the columns."""


class HttpSource(Model):
    """What an address answers to GET, as JSON, asked again and again: the rows that it has at each time."""

    url: SourceAddress
    """The address. It has no secrets: services' files and the state of Terraform show it."""
    seconds: Annotated[StrictInt, Field(ge=1, le=86_400)] = 60
    """Seconds from the end of a request, and of the commit of its rows, to the next."""
    rows: Annotated[StrictStr, Matching("a JSON path", r"\$[A-Za-z0-9_.*\[\]]*", "as in $.data.*")] | None = None
    """The JSON path of the rows in the answer. Default: the answer is one object, or a list of them."""
