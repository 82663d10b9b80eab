"""Rules for the ``properties`` of a kind: settings without a key of their own that the lakehouse does not set."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from lakehouse.spec.kinds import Further, KindRules
from lakehouse.spec.problems import KeyPath, Problem

# The end of a key decides: s3.session-token is a secret; client.credentials-provider, token-exchange-enabled are not.
_SECRET = re.compile(
    r"(secret|password|passphrase|token|credential|(secret|private)[-._]?(access[-._]?)?key)$", re.IGNORECASE
)


def check_properties(at: KeyPath, properties: Mapping[str, str], kind: KindRules) -> Iterator[Problem]:
    """Problems of the ``properties`` of an entry at ``at``."""
    if properties and kind.further is None:
        message = f"{kind.label} accepts no properties, because no server of it runs here. Remove them"
        yield Problem((*at, "properties"), message, about=((*at, "kind"),))
        return
    for key, value in properties.items():
        assert kind.further is not None
        if why := _refusal(key, value, kind.label, kind.further):
            yield Problem((*at, "properties", key), why, about=((*at, "kind"),))


def _refusal(key: str, value: str, label: str, further: Further) -> str | None:
    if not re.fullmatch(further.key, key, re.ASCII):
        rule = f"properties of {label} are written into {further.file}, as in {further.example}"
        return f'"{key}" is not a property here: {rule}. Remove it'
    if owner := next((who for owned, who in further.owned.items() if covers(owned, key)), None):
        return f'{key} is set by {owner}, and "{value}" would replace that. Remove it'
    if not value.isprintable():
        return f'the value of "{key}" has a line break, a tab or an invisible character. Write one line'
    for part, what in further.forbidden.items():
        if part in value:
            return f'"{value}" has {part}, which {label} would read as {what}. Write the value itself'
    return None


def covers(owned: str, key: str) -> bool:
    """Whether a key is the owned one, or begins with it if that ends with ``*``."""
    return key.startswith(owned[:-1]) if owned.endswith("*") else key == owned


def no_secrets(at: KeyPath, properties: Mapping[str, str]) -> Iterator[Problem]:
    """Secrets in the file; only Trino's references to its environment are allowed. No message repeats a value."""
    for key, value in properties.items():
        if _SECRET.search(key) and not re.fullmatch(r"\$\{ENV:\w+\}", value):
            yield Problem((*at, key), "this looks like a secret, and secrets do not belong in the file. Remove it")
