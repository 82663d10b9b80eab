"""The choice of a kind, as a value of the model. The file may name the kinds that are registered for a runtime."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler, ValidationError
from pydantic_core import CoreSchema, PydanticCustomError, PydanticKnownError, core_schema

from lakehouse.spec.entries import KindEntry
from lakehouse.spec.kinds import KindRules, known


@dataclass(frozen=True)
class Chosen:
    """The rule that an entry names a kind of ``what`` that one of the runtimes ``on`` supports."""

    what: Literal["stores", "catalogs"]
    on: tuple[str, ...]

    def offered(self) -> Mapping[str, KindRules]:
        """Supported kinds by their words."""
        every: Mapping[str, KindRules] = getattr(known(), self.what)
        return {word: kind for word, kind in every.items() if set(kind.on) & set(self.on)}

    def check(self, value: Any) -> KindEntry:
        """The entry for a word, a mapping or an entry.

        Raises PydanticKnownError or ValidationError, which pydantic reports at its place in the file.
        """
        offered = self.offered()
        if isinstance(value, KindEntry):
            return value
        if not isinstance(value, dict):
            if not isinstance(value, str) or value not in offered:
                raise PydanticKnownError("literal_error", {"expected": _words(offered)})
            return offered[value].entry(kind=value)
        word = value.get("kind")
        if isinstance(word, str) and word not in offered:
            raise ValidationError.from_exception_data(
                "KindEntry",
                [{"type": "literal_error", "loc": ("kind",), "input": word, "ctx": {"expected": _words(offered)}}],
            )
        if not isinstance(word, str):
            # Only that the kind is missing: which other keys there are depends on it.
            return KindEntry.model_validate({key: value[key] for key in value if key in KindEntry.model_fields})
        entry = offered[word].entry
        if unknown := [key for key in value if key not in entry.model_fields]:  # each kind has keys of its own
            why = PydanticCustomError("unknown_key", "not a key of this kind", {"known": list(entry.model_fields)})
            raise ValidationError.from_exception_data(
                "KindEntry", [{"type": why, "loc": (key,), "input": value[key]} for key in unknown]
            )
        return entry.model_validate(value)

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        serialized = core_schema.plain_serializer_function_ser_schema(
            lambda entry: entry.model_dump(exclude_unset=True)
        )
        return core_schema.no_info_plain_validator_function(self.check, serialization=serialized)

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        """The words, and one mapping for each set of keys that a kind accepts."""
        offered = self.offered()
        by_keys: dict[tuple[type[KindEntry], bool], list[str]] = {}
        for word, kind in offered.items():
            by_keys.setdefault((kind.entry, kind.further is not None), []).append(word)
        options: list[dict[str, Any]] = [{"enum": list(offered)}]
        for (entry, further), words in by_keys.items():
            content = entry.model_json_schema()
            content["properties"]["kind"] |= {"enum": words}
            if not further:
                del content["properties"]["properties"]
            options.append({key: each for key, each in content.items() if key not in ("title", "description")})
        return {"anyOf": options}


def _words(offered: Mapping[str, KindRules]) -> str:
    """The words, listed as pydantic lists the values of a Literal."""
    words = [f"'{word}'" for word in offered]
    return " or ".join(filter(None, [", ".join(words[:-1]), words[-1]]))
