"""Hadoop's configuration files. https://hadoop.apache.org/docs/stable/api/org/apache/hadoop/conf/Configuration.html"""

from __future__ import annotations

from collections.abc import Mapping
from xml.sax.saxutils import escape

from lakehouse.text.placeholders import Part, Text, joined, parts


def configuration(settings: Mapping[str, Text]) -> Text:
    """A ``property`` per setting; a placeholder in a value stays one."""
    found: list[Text] = ["<configuration>\n"]
    for key, value in settings.items():
        found += [f"<property><name>{escape(key)}</name><value>", *map(_escaped, parts(value))]
        found.append("</value></property>\n")
    return joined([*found, "</configuration>\n"])


def _escaped(part: Part) -> Text:
    """What a placeholder stands for may have ``&`` and ``<``, but no end of a section (``is_value``)."""
    return escape(part) if isinstance(part, str) else ("<![CDATA[", part, "]]>")
