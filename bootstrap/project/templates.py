"""The templates of ``lakehouse init``: the files of ``lakehouses/``, and how they become a project's."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from lakehouse import toolkit
from lakehouse.errors import UsageError
from lakehouse.text.terminal import shown
from lakehouse.text.words import suggest

_FILE_OF_NAME = {"aws": "aws-glue"}  # others have the name of their file
_NO_TEXT = ("true", "false", "null")  # what YAML takes for something else without quotes
_LEFT = {"target", "logs", "__pycache__"}  # what tools leave in a checkout's folders
_PORT = re.compile(r"(?<=:)\d{4,5}\b|(?<=port: )\d{4,5}\b")


@dataclass(frozen=True)
class Template:
    """``beside``: further files of the project, relative to its folder, with their sources."""

    name: str
    about: str
    beside: Mapping[str, Path]

    @property
    def source(self) -> Path:
        return _folder() / f"{_FILE_OF_NAME.get(self.name, self.name)}.yaml"


_KNOWN = {
    "medallion": "bronze, silver and gold tables; Spark and Trino on Nessie, as processes",
    "ingest": "files of a folder, loaded into a table each once; Spark and Trino on Nessie, as processes",
    "dbt": "a dbt project on Trino and an Iceberg REST catalog, as processes",
    "aws": "Glue and S3 in an AWS account, with EMR Serverless and Athena, or on instances, or S3 Tables",
    "000-polaris": "Apache Polaris with two catalogs, RustFS, Spark 3.5, in containers",
    "001-nessie-minio": "Nessie, MinIO, Spark, Trino, in containers",
    "002-hive-glue": "Hive Metastore and AWS Glue, MinIO, Spark 4.0 with beeline, as processes",
    "003-rest-postgres": "Kafka into Iceberg: a REST catalog on PostgreSQL, MinIO, Trino, monitored, as processes",
    "004-sigv4-tables": "tables that SeaweedFS serves to clients that sign; Spark, Trino, as processes",
}
DEFAULT = next(iter(_KNOWN))


def templates() -> tuple[Template, ...]:
    """All templates, the default one first."""
    return tuple(Template(name, about, dict(_beside(name))) for name, about in _KNOWN.items())


def named(word: str) -> Template:
    """The template of that name, or the only one whose name begins with it or has it after its number.

    Raises UsageError that lists all if there is none.
    """
    known = templates()
    exact = [each for each in known if each.name == word]
    near = [each for each in known if word and (each.name.startswith(word) or each.name.partition("-")[2] == word)]
    for found in (exact, near):
        if len(found) == 1:
            return found[0]
    lines = "\n".join(f"  {each.name:18} {each.about}" for each in known)
    raise UsageError(f'There is no template "{shown(word)}".{suggest(word, _KNOWN)} The templates are:\n{lines}')


def _beside(name: str) -> Iterator[tuple[str, Path]]:
    if name == "004-sigv4-tables":
        yield "taxi_trips.py", _folder() / "taxi_trips.py"
    folder = _folder() / name
    for path in sorted(folder.rglob("*")):
        within = path.relative_to(folder)
        if path.is_file() and not any(part.startswith(".") or part in _LEFT for part in within.parts):
            yield str(within), path


def _folder() -> Path:
    return toolkit.root() / "lakehouses"


def lakehouse_yaml(text: str, name: str) -> str:
    """A template's text as the file of the project ``name``, beside its schema."""
    text = text.replace("$schema=../lakehouse.schema.json", "$schema=lakehouse.schema.json", 1)
    said = f'"{name}"' if name in _NO_TEXT else name
    return re.sub(r"^name: [\w-]+", f"name: {said}", text, count=1, flags=re.MULTILINE)


def with_ports(text: str, ports: Mapping[str, int]) -> str:
    """The file with these ports in its stack ``local``, instead of those that it names."""
    lines = "".join(f"      {port}: {number}\n" for port, number in ports.items())
    text = re.sub(r"^    ports: \{.*\n", "", text, flags=re.MULTILINE)
    mapping = f"    ports: # the usual ones were taken when this file was written\n{lines}"
    return re.sub(r"^  local:\n", lambda found: found[0] + mapping, text, count=1, flags=re.MULTILINE)


def readdressed(text: str, moved: Mapping[int, int]) -> str:
    """The text with the new number of each port that moved, wherever it is part of an address."""
    return _PORT.sub(lambda found: str(moved.get(int(found[0]), found[0])), text)
