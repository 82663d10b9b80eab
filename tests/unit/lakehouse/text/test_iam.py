"""Text in a policy matches only itself."""

from __future__ import annotations

import re

from hypothesis import given

from lakehouse.text.iam import literal
from tests.unit.lakehouse.text.strategies import texts

_VARIABLE = re.compile(r"\$\{([*?$])\}")


@given(texts)
def test_no_wildcard_and_no_variable_is_left(text: str) -> None:
    written = literal(text)
    assert not set("*?$") & set(_VARIABLE.sub("", written))
    assert _VARIABLE.sub(r"\1", written) == text
