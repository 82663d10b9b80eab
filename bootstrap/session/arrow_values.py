"""Values of Spark, which come as Arrow."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from bootstrap.session.values import (
    JsonText,
    ValueDecoder,
    date_text,
    distinct,
    interval_text,
    months_text,
    text,
    time_text,
    timestamp_text,
)

if TYPE_CHECKING:
    import pyarrow as pa


def rows(batch: pa.RecordBatch) -> Iterator[tuple[Any, ...]]:
    """The rows of a batch, in our values."""
    import pyarrow as pa

    plans = [_plan(field) for field in batch.schema]
    # A view: dates, times and intervals as the numbers that they are, because Python's own types cannot hold all of
    # them. It is one of the whole batch: pyarrow cannot even give out a column of months.
    whole = batch.to_struct_array().view(pa.struct([(str(n), stored) for n, (stored, _) in enumerate(plans)]))
    columns = (map(_some(decode), whole.field(n).to_pylist()) for n, (_, decode) in enumerate(plans))
    return zip(*columns, strict=True)


def _plan(field: pa.Field) -> tuple[pa.DataType, ValueDecoder]:
    """The type in which a column is read, and what turns such a value into the one that is printed."""
    import pyarrow as pa
    from pyarrow import types

    kind = field.type
    if (field.metadata or {}).get(b"variant") == b"true" or _is_variant(kind):
        return kind, _variant
    if types.is_struct(kind):
        return _struct([kind.field(n) for n in range(kind.num_fields)])
    if types.is_map(kind):
        (key, of_key), (item, of_item) = _plan(kind.key_field), _plan(kind.item_field)
        inner = _some(of_item)
        return pa.map_(key, item), lambda value: {text(of_key(name)): inner(each) for name, each in value}
    if types.is_list(kind):
        element, of_element = _plan(kind.value_field)
        inner = _some(of_element)
        return pa.list_(element), lambda value: [inner(each) for each in value]
    if types.is_date32(kind):
        return pa.int32(), date_text
    if types.is_timestamp(kind):
        zone = "" if kind.tz is None else "+00:00"  # Spark sends instants; the session's zone only labels them
        return pa.int64(), lambda value: timestamp_text(value) + zone
    if types.is_time64(kind):
        per = 1000 if kind.unit == "ns" else 1
        return pa.int64(), lambda value: time_text(value // per)
    if types.is_duration(kind):
        return pa.int64(), interval_text
    if str(kind) == "month_interval":
        return pa.int32(), months_text
    if str(kind) == "month_day_nano_interval":
        return kind, _calendar_interval
    if types.is_float32(kind):
        return kind, _shortest
    return kind, lambda value: value


def _struct(fields: list[pa.Field]) -> tuple[pa.DataType, ValueDecoder]:
    import pyarrow as pa

    plans = [_plan(each) for each in fields]
    names = distinct([each.name for each in fields])
    decoders = [_some(decode) for _, decode in plans]
    stored = pa.struct([(name, kind) for name, (kind, _) in zip(names, plans, strict=True)])
    return stored, lambda value: {name: decode(value[name]) for name, decode in zip(names, decoders, strict=True)}


def _some(decode: ValueDecoder) -> ValueDecoder:
    return lambda value: None if value is None else decode(value)


def _is_variant(kind: pa.DataType) -> bool:
    """Whether it is how Spark sends a VARIANT: its second field is marked."""
    from pyarrow import types

    if not types.is_struct(kind) or kind.num_fields != 2:
        return False
    return any((kind.field(n).metadata or {}).get(b"variant") == b"true" for n in range(2))


def _variant(value: dict[str, bytes]) -> JsonText:
    from pyspark.sql.types import VariantVal

    return JsonText(VariantVal(value["value"], value["metadata"]).toJson())


def _calendar_interval(value: Any) -> str:
    return f"{months_text(value.months)} {value.days} {_signed_time(value.nanoseconds // 1000)}"


def _signed_time(micros: int) -> str:
    return f"{'-' if micros < 0 else ''}{time_text(abs(micros))}"


def _shortest(value: float) -> float:
    """A float of 32 bits as the float with the fewest digits that means the same."""
    import numpy as np

    return float(str(np.float32(value)))
