"""Hadoop's configuration files: any XML parser reads back what was written."""

from __future__ import annotations

from xml.etree import ElementTree

from hypothesis import given
from hypothesis import strategies as st

from lakehouse.text.placeholders import Secret, parts
from lakehouse.text.xml import configuration
from tests.unit.lakehouse.services.place import as_text

PRINTABLE = st.text(st.characters(codec="utf-8", exclude_categories=["C"]))


@given(st.dictionaries(PRINTABLE.filter(bool), PRINTABLE))
def test_what_is_written_is_what_is_read(settings: dict[str, str]) -> None:
    found = ElementTree.fromstring(as_text(configuration(settings)))
    assert {each[0].text: each[1].text or "" for each in found} == settings


def test_a_secret_stays_a_placeholder_between_escaped_text() -> None:
    text = configuration({"a": ("<&>", Secret("password"))})
    assert Secret("password") in parts(text)
    assert ElementTree.fromstring(as_text(text))[0][1].text == "<&><secret:password>"
