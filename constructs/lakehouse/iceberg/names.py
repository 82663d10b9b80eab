"""Names that Iceberg reserves, and names as Iceberg writes them into files."""

from __future__ import annotations

#: Columns that engines add to every row: org.apache.iceberg.MetadataColumns of Iceberg 1.12. Spark cannot read a table
#: that has a column of such a name; the last three are those of Spark's changelog views.
METADATA_COLUMNS = frozenset({
    "_file", "_pos", "_deleted", "_spec_id", "_partition", "_row_id", "_last_updated_sequence_number",
    "_change_type", "_change_ordinal", "_commit_snapshot_id",
})  # fmt: skip
_NEVER = r"\s\x00-\x1f\x7f-\xa0\u2000-\u200f\u2028-\u202f\u3000\ufeff.,:;<>()\[\]{}\"'`\\"
#: A name that Spark and Trino can both read, write and partition by: letters and digits of any script, and marks. Dots
#: separate a struct and its field; the others of ``_NEVER`` have a meaning in the file; Trino hides ``$path``.
WORD = rf"[^{_NEVER}$][^{_NEVER}]*"
COLUMN = rf"{WORD}(?: [^{_NEVER}]+)*"
COLUMN_RULE = "letters, digits, single blanks, marks other than . , : ; < > ( ) [ ] { } \\ and quotes; no $ first"
#: Iceberg reserves the field ids above this one: https://iceberg.apache.org/spec/#reserved-field-ids
LAST_FIELD_ID = 2**31 - 1 - 200


def metadata_column(name: str) -> str | None:
    """The metadata column that a column of this name would hide, if any. Spark compares both without case."""
    return name.lower() if name.lower() in METADATA_COLUMNS else None


def folded(name: str) -> str:
    """The name as engines compare it, character by character and without case (Java's equalsIgnoreCase)."""
    return "".join(upper if len(upper := each.upper()) == 1 else each for each in name).lower()


def in_files(name: str) -> str:
    """The name that a column has in data files: org.apache.iceberg.avro.AvroSchemaUtil.makeCompatibleName.

    Two columns of one struct whose names become the same cannot be written.
    """
    first, rest = _start(name[:1]), "".join(c if _letter(c) or _digit(c) or c == "_" else _code(c) for c in name[1:])
    return first + rest


def _start(first: str) -> str:
    if not first or _letter(first) or first == "_":
        return first
    return f"_{first}" if _digit(first) else _code(first)


def _letter(character: str) -> bool:
    return character.isalpha()


def _digit(character: str) -> bool:
    return character.isdecimal()


def _code(character: str) -> str:
    """Java's characters are UTF-16 units: one outside the first plane counts as two."""
    units = character.encode("utf-16-be")
    return "".join(f"_x{int.from_bytes(units[at : at + 2]):X}" for at in range(0, len(units), 2))
