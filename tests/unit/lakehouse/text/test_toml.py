"""Whatever a text holds, TOML reads it back."""

from __future__ import annotations

import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lakehouse.errors import LakehouseError
from lakehouse.text.toml import string


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_what_is_written_is_read_back(value: str) -> None:
    assert tomllib.loads(f"key = {string(value)}\n") == {"key": value}


@pytest.mark.parametrize("value", ["/home/ann/\U0001f40b data", 'a "b" \\ c', "\x7f\x00\n"])
def test_odd_folders_are_read_back(value: str) -> None:
    assert tomllib.loads(f"key = {string(value)}\n") == {"key": value}


def test_what_is_no_text_is_refused() -> None:
    with pytest.raises(LakehouseError, match="is not UTF-8"):
        string("/home/\udcff")
