"""The choice of a kind, as a value of the model: what is registered for a runtime is what the file may say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler, ValidationError
from pydantic_core import CoreSchema, PydanticKnownError, core_schema

from lakehouse.spec.entries import KindEntry
from lakehouse.spec.kinds import KindRules, known


@dataclass(frozen=True)
class Chosen:
    """The rule that an entry names a kind of ``what`` that is available on one of the runtimes ``on``."""

    what: Literal["stores", "catalogs"]
    on: tuple[str, ...]

    def offered(self) -> Mapping[str, KindRules]:
        """Kinds by their words."""
        every: Mapping[str, KindRules] = getattr(known(), self.what)
        return {word: kind for word, kind in every.items() if set(kind.on) & set(self.on)}

    def check(self, value: Any) -> KindEntry:
        """The entry that a word, a mapping or an entry stands for."""
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
        return (offered[word].entry if isinstance(word, str) else KindEntry).model_validate(value)

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        serialized = core_schema.plain_serializer_function_ser_schema(
            lambda entry: entry.model_dump(exclude_unset=True)
        )
        return core_schema.no_info_plain_validator_function(self.check, serialization=serialized)

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        """The words, and a mapping for each set of keys that kinds take."""
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
    """The words, as pydantic lists those of a Literal."""
    words = [f"'{word}'" for word in offered]
    return " or ".join(filter(None, [", ".join(words[:-1]), words[-1]]))
