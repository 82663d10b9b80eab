"""Rules of `pipelines`: what cannot work is refused before anything runs."""

from __future__ import annotations

from collections.abc import Iterator

from lakehouse.iceberg import types
from lakehouse.spec.kinds import AWS, known
from lakehouse.spec.model import Lakehouse, Table
from lakehouse.spec.pipelines import PipelineEntry, PipelineSource
from lakehouse.spec.problems import KeyPath, Problem
from lakehouse.spec.stacks import LocalStack
from lakehouse.spec.values import on_loopback
from lakehouse.text.words import listed, suggest

CHANGES = "_cdc"  # the column in which Iceberg's transform for Debezium says what a change row is
#: The fields that tell one change from another, and which came first. The transform fills others too.
CHANGE_FIELDS = {"op": "string", "ts": "timestamptz", "offset": "long"}
_CHANGES_TYPE = f"struct<{', '.join(f'{name}: {kind}' for name, kind in CHANGE_FIELDS.items())}>"
_WHO = {each: {"user"} for each in ("postgres", "mysql", "jdbc")}  # what a user reads, another one reads too
_INNER = ("__", "connect-", "control-", "cdc-")  # how topics begin that Kafka, Connect and pipelines make


def check_pipelines(lakehouse: Lakehouse) -> Iterator[Problem]:
    """Problems of the pipelines."""
    readers: dict[tuple[object, str], str] = {}
    topics: dict[str, tuple[str, str]] = {}
    for name, pipeline in lakehouse.pipelines.items():
        at: KeyPath = ("pipelines", name)
        topic = pipeline.source.topic
        if topic is not None and topic.startswith(_INNER):
            begins = next(each for each in _INNER if topic.startswith(each))
            message = f'"{topic}" begins with "{begins}", as topics of Kafka and of pipelines do. Choose another name'
            yield Problem((*at, "from", "topic"), message)
        if topic is not None and (first := topics.setdefault(topic.replace(".", "_"), (topic, name)))[0] != topic:
            message = f'Kafka takes "{topic}" and "{first[0]}" for one name in its metrics, and makes only one of them'
            yield Problem((*at, "from", "topic"), f"{message}. Choose another name", beside=("pipelines", first[1]))
        yield from _engine(at, pipeline)
        yield from _target(at, pipeline, lakehouse)
        same = (pipeline.source.model_dump_json(exclude=_WHO), pipeline.to)
        if (other := readers.setdefault(same, name)) != name:
            message = f'"{other}" already reads that into {pipeline.to}, so each row would be there twice. Remove one.'
            yield Problem(at, message, beside=("pipelines", other))
    for word in lakehouse.pipeline_engines:
        yield from known().pipelines[word].check(lakehouse)
    yield from _stacks(lakehouse)


def _engine(at: KeyPath, pipeline: PipelineEntry) -> Iterator[Problem]:
    """What the engine does not read, or does not do with rows."""
    engine, read = known().pipelines[pipeline.engine], pipeline.source.kind
    others = [word for word, each in known().pipelines.items() if read in each.sources]
    if read not in engine.sources:
        message = f"{engine.label} does not read `{read}` here. Write engine: {listed(others)}"
        yield Problem((*at, "from", read), message, ((*at, "engine"),))
    for key in ("columns", "transforms"):
        if getattr(pipeline, key) and key not in engine.takes:
            able = listed([word for word, each in known().pipelines.items() if key in each.takes])
            message = f"{engine.label} does not know `{key}`. Remove it, or write engine: {able}"
            yield Problem((*at, key), message, ((*at, "engine"),))


def _target(at: KeyPath, pipeline: PipelineEntry, lakehouse: Lakehouse) -> Iterator[Problem]:
    place = (*at, "to")
    if pipeline.catalog not in lakehouse.catalogs:
        message = f'"{pipeline.catalog}" is not one of `catalogs`.{suggest(pipeline.catalog, lakehouse.catalogs)}'
        yield Problem(place, message)
        return
    namespaces = lakehouse.catalogs[pipeline.catalog].namespaces
    tables = {
        f"{space}.{table}": each for space, content in namespaces.items() for table, each in content.tables.items()
    }
    if (table := tables.get(pipeline.table)) is None:
        views = {f"{space}.{view}" for space, content in namespaces.items() for view in content.views}
        what = "a view, and rows go into tables" if pipeline.table in views else "not a table of the file"
        near = suggest(pipeline.table, tables).replace('"', f'"{pipeline.catalog}.', 1)  # as `to` has it
        fix = near or " Declare it with its columns: a pipeline makes no table"
        yield Problem(place, f'"{pipeline.to}" is {what}.{fix}')
        return
    namespace, _, leaf = pipeline.table.rpartition(".")
    entry: KeyPath = ("catalogs", pipeline.catalog, "namespaces", namespace, "tables", leaf)
    if table.format_version > 2:
        message = f"{pipeline.to} has Iceberg's format {table.format_version}, which pipelines were not tried with"
        yield Problem(place, f"{message}. Write format_version: 2", ((*entry, "format_version"),))
    if pipeline.source.changes is not None:
        yield from _changes(place, entry, pipeline.to, table)


def _changes(place: KeyPath, entry: KeyPath, name: str, table: Table) -> Iterator[Problem]:
    """What a table of change rows needs."""
    column = table.columns.get(CHANGES)
    fix = f"Declare `{CHANGES}: {_CHANGES_TYPE}` among its columns"
    if column is None:
        message = f'{name} gets one row for each change, and has no column "{CHANGES}" that says what the change is'
        yield Problem(place, f"{message}. {fix}", ((*entry, "columns"),))
        return
    kind = column.iceberg_type
    found = {field.name: str(field.type) for field in kind.fields} if isinstance(kind, types.Struct) else {}
    if wrong := [each for each, of in CHANGE_FIELDS.items() if found.get(each) != of]:
        message = f'the column "{CHANGES}" of {name} lacks {listed(f"{each}: {CHANGE_FIELDS[each]}" for each in wrong)}'
        yield Problem(place, f"{message}. {fix}", ((*entry, "columns", CHANGES),))


def _stacks(lakehouse: Lakehouse) -> Iterator[Problem]:
    for stack_name, stack in lakehouse.stacks.items():
        if not lakehouse.pipelines and isinstance(stack, LocalStack):
            yield from _emptied(lakehouse, stack_name, stack)
        for name, pipeline in lakehouse.pipelines.items():
            engine = known().pipelines[pipeline.engine]
            at: KeyPath = ("pipelines", name)
            about: tuple[KeyPath, ...] = (("stacks", stack_name),)
            runtime = stack.runtime if isinstance(stack, LocalStack) else AWS
            if runtime not in engine.on:
                where = "in AWS" if runtime == AWS else f"on runtime: {runtime}"
                message = f"{engine.label} does not run {where}, where stacks.{stack_name} is"
                yield Problem((*at, "engine"), f"{message}. Keep that stack in a file without pipelines", about)
            elif (entry := stack.catalogs.get(pipeline.catalog)) is not None and entry.kind not in engine.catalogs:
                message = f'"{pipeline.catalog}" is of kind {entry.kind} in stacks.{stack_name}, which {engine.label}'
                fix = f"cannot write to. Give it the kind {listed(engine.catalogs)}"
                yield Problem((*at, "to"), f"{message} {fix}", (*about, ("stacks", stack_name, "catalogs")))
            elif runtime == "docker":
                yield from _unreachable((*at, "from"), pipeline.source, stack_name)


def _unreachable(at: KeyPath, source: PipelineSource, stack: str) -> Iterator[Problem]:
    """What containers do not see: this machine by an address of its own, and its folders."""
    about: tuple[KeyPath, ...] = (("stacks", stack, "runtime"),)
    there = f"the services of stacks.{stack} run in containers"
    for key, value, url in _addresses(source):
        if on_loopback(url):
            fix = "Name a host that containers and this machine both know"
            message = f'"{value}" cannot be reached: {there}, and there it is the container itself. {fix}'
            yield Problem((*at, source.kind, key), message, about)
    if source.files is not None and not source.files.path.startswith("s3://"):
        message = f'"{source.files.path}" is a folder of this machine, and {there}, which do not see it'
        yield Problem((*at, "files", "path"), f"{message}. Put the files into a bucket: s3://BUCKET/FOLDER", about)


def _addresses(source: PipelineSource) -> Iterator[tuple[str, str, str]]:
    """The servers outside of the lakehouse that a source names: by which key, as what, and as a URL."""
    if source.changes is not None:
        yield "host", source.changes.host, f"tcp://{source.changes.host}"
    if source.jdbc is not None:
        yield "url", source.jdbc.url, source.jdbc.url.removeprefix("jdbc:")
    if source.http is not None:
        yield "url", source.http.url, source.http.url


def _emptied(lakehouse: Lakehouse, name: str, stack: LocalStack) -> Iterator[Problem]:
    """`pipelines: {}` keeps the engine, to remove what pipelines left behind: it must run there."""
    for word in lakehouse.pipeline_engines:
        engine = known().pipelines[word]
        if stack.runtime not in engine.on:
            message = f"{engine.label} does not run on runtime: {stack.runtime}, where stacks.{name} is. Remove it"
            yield Problem(("pipelines",), message, (("stacks", name),))
