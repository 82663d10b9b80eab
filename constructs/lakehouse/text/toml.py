"""Text in TOML files. https://toml.io/en/v1.0.0#string"""

from __future__ import annotations

import json

from lakehouse.errors import LakehouseError


def string(value: str) -> str:
    """The value as a basic string.

    Raises LakehouseError if it is no text, as a path in another encoding than UTF-8 is.
    """
    try:
        value.encode()
    except UnicodeEncodeError:
        raise LakehouseError(f"{value!r} is not UTF-8, which a configuration file requires. Rename it.") from None
    # JSON's escapes are also TOML's, but for characters that JSON writes as two, and for one that it does not escape.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
