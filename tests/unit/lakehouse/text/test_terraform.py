"""Text in Terraform's JSON; tests/synth/test_text.py checks it with Terraform itself."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis.strategies import lists

from lakehouse.text.terraform import expression, rendered
from tests.unit.lakehouse.text.strategies import lines


@settings(max_examples=200)
@given(lists(lines, max_size=3))
def test_nothing_is_left_that_begins_an_expression(texts: list[str]) -> None:
    """``$${`` and ``%%{`` are text; ``${"$"}`` is the only expression."""
    value = rendered({"".join(texts): texts})
    for text in (*value, *next(iter(value.values()), [])):
        assert "TfToken[" not in text or not any(f"{sign}{{TfToken[" in text for sign in "$#%")
        rest = text.replace("$${", "").replace("%%{", "")
        for signs in ("$", "%", "#"):
            rest = rest.replace(f'${{"{signs}', "")
        assert "${" not in rest.replace('${"', "")


def test_a_mark_is_no_text_that_a_user_can_write() -> None:
    mark = expression("a.b")
    assert rendered(f"arn:{mark}") == "arn:${a.b}"
    assert rendered("<0123456789abcdef a.b>") == "<0123456789abcdef a.b>"
    with pytest.raises(ValueError, match="marked"):
        expression("a > b")
