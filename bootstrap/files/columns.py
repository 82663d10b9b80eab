"""Columns of files: read, converted to a table's types, or inferred for a section of lakehouse.yaml."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv as csv
import pyarrow.parquet as pq

from bootstrap.files.items import Item
from lakehouse.errors import LakehouseError, UsageError

_NAMES = {
    pa.bool_(): "boolean", pa.int8(): "int", pa.int16(): "int", pa.int32(): "int", pa.int64(): "long",
    pa.uint8(): "int", pa.uint16(): "int", pa.uint32(): "long", pa.float16(): "float", pa.float32(): "float",
    pa.float64(): "double", pa.string(): "string", pa.large_string(): "string", pa.string_view(): "string",
    pa.binary(): "binary", pa.large_binary(): "binary", pa.binary_view(): "binary", pa.date32(): "date",
    pa.date64(): "date", pa.null(): "string",
}  # fmt: skip
_DELTA = {
    "string": pa.string(), "long": pa.int64(), "integer": pa.int32(), "short": pa.int16(), "byte": pa.int8(),
    "double": pa.float64(), "float": pa.float32(), "boolean": pa.bool_(), "date": pa.date32(),
    "timestamp": pa.timestamp("us", "UTC"), "timestamp_ntz": pa.timestamp("us"), "binary": pa.binary(),
}  # fmt: skip


def iceberg_type(type: pa.DataType) -> str:
    """The Iceberg type that holds all values of an Arrow type. Raises UsageError if there is none."""
    if type in _NAMES:
        return _NAMES[type]
    if pa.types.is_timestamp(type):
        return "timestamptz" if type.tz else "timestamp"
    if pa.types.is_time(type):
        return "time"
    if pa.types.is_decimal(type):
        return f"decimal({type.precision}, {type.scale})"
    if pa.types.is_fixed_size_binary(type):
        return f"fixed[{type.byte_width}]"
    if pa.types.is_dictionary(type):
        return iceberg_type(type.value_type)
    if pa.types.is_map(type):
        return f"map<{iceberg_type(type.key_type)}, {iceberg_type(type.item_type)}>"
    if pa.types.is_list(type) or pa.types.is_large_list(type) or pa.types.is_fixed_size_list(type):
        return f"list<{iceberg_type(type.value_type)}>"
    if pa.types.is_struct(type):
        return f"struct<{', '.join(f'{each.name}: {iceberg_type(each.type)}' for each in type)}>"
    raise UsageError(f"the type {type} has no equivalent in Iceberg. Convert the column first")


def schema_of(item: Item, path: Path) -> pa.Schema:
    """The columns of a file, and those that its path adds."""
    try:
        schema = pq.read_schema(path) if item.format == "parquet" else csv.read_csv(path).schema
    except (pa.ArrowInvalid, OSError) as error:
        raise UsageError(f"{item} is not valid {item.format}: {error}") from None
    if item.format == "csv":  # later CSV files may lack a value
        schema = pa.schema([each.with_nullable(True) for each in schema])
    for name in item.columns:
        if name not in schema.names:
            schema = schema.append(pa.field(name, _DELTA.get(str(item.types.get(name)), pa.string())))
    return schema.remove_metadata()


def section(catalog: str, namespace: str, table: str, schemas: Iterable[pa.Schema]) -> dict[str, Any]:
    """The part of lakehouse.yaml for a table that takes all of the files."""
    try:
        merged = pa.unify_schemas(list(schemas), promote_options="permissive")
    except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
        raise UsageError(f"the files do not fit one table: {error}") from None
    columns: dict[str, Any] = {}
    for each in merged:
        try:
            type = iceberg_type(each.type)
        except UsageError as error:
            raise UsageError(f"column {each.name}: {error}") from None
        columns[each.name] = type if each.nullable else {"type": type, "required": True}
    return {"catalogs": {catalog: {"namespaces": {namespace: {"tables": {table: {"columns": columns}}}}}}}


def fitted(item: Item, path: Path, wanted: pa.Schema) -> Iterator[pa.Table]:
    """The rows of a file in batches, with the table's columns and types.

    A column that the file lacks is null; times without a zone are read as UTC. Raises UsageError if the file has a
    column that the table does not have, or values that do not fit.
    """
    for batch in _batches(item, path, wanted):
        table = batch
        for name, value in item.columns.items():
            if name not in table.column_names:
                table = table.append_column(name, pa.array([value] * table.num_rows, pa.string()))
        unknown = [name for name in table.column_names if name not in wanted.names]
        if unknown:
            raise UsageError(
                f"{item} has columns that the table does not have: {', '.join(unknown)}. Add them to the file, then "
                "`lakehouse apply`"
            )
        yield pa.Table.from_arrays([_column(item, table, each) for each in wanted], schema=wanted)


def _column(item: Item, table: pa.Table, wanted: pa.Field) -> pa.ChunkedArray:
    if wanted.name not in table.column_names:
        column = pa.chunked_array([pa.nulls(table.num_rows, wanted.type)])
    else:
        try:
            column = table[wanted.name].cast(wanted.type)
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
            why = str(error).partition("\n")[0]
            raise UsageError(f"{item}: column {wanted.name} does not fit {wanted.type}: {why}") from None
    if not wanted.nullable and column.null_count:
        raise UsageError(f"{item}: column {wanted.name} is required, but some rows have no value for it")
    return column


def _batches(item: Item, path: Path, wanted: pa.Schema) -> Iterator[pa.Table]:
    try:
        if item.format == "parquet":
            with pq.ParquetFile(path) as file:
                for batch in file.iter_batches(131_072):
                    yield pa.Table.from_batches([batch])
        else:
            # The table's types, not guessed ones: 007 stays text if the column is text.
            types = {each.name: each.type for each in wanted}
            convert = csv.ConvertOptions(column_types=types, strings_can_be_null=True, quoted_strings_can_be_null=False)
            with csv.open_csv(path, convert_options=convert) as reader:
                for batch in reader:
                    yield pa.Table.from_batches([batch])
    except pa.ArrowInvalid as error:
        raise UsageError(f"{item}: {str(error).partition(chr(10))[0]}") from None
    except OSError as error:
        raise LakehouseError(f"{item} cannot be read: {error}") from None
