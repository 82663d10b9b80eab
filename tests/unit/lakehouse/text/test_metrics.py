"""Prometheus' text format."""

from __future__ import annotations

from lakehouse.text.metrics import Family, label, text


def test_a_metric_is_explained_once_and_has_a_line_for_each_set_of_labels() -> None:
    family = Family("a_b", "What it is", [({"x": "1", "y": "2"}, 3.5), ({}, 4.0)])
    assert list(text([family])) == ["# HELP a_b What it is.", "# TYPE a_b gauge", 'a_b{x="1",y="2"} 3.5', "a_b 4.0"]


def test_no_name_of_a_table_ends_a_label() -> None:
    assert label('a"b\\c\nd') == r"a\"b\\c\nd"
