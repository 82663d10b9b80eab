"""Properties that the bootstrap sets on an object in its catalog, by which a later run knows what it did.

They outlive the object's entry in the file.
"""

from __future__ import annotations

from collections.abc import Mapping

#: Their common prefix.
OURS = "lakehouse."
#: The file has called the object deletable: the second key to destroying it.
DELETABLE = "lakehouse.deletable"
#: The same for columns, listed by name in a property of their table.
DELETABLE_COLUMNS = "lakehouse.deletable-columns"
#: Set on a table whose seed is loaded: the digest of the file.
SEED = "lakehouse.seed"
#: Set with it: the snapshot that added the rows and the number of its data files, as ``ID COUNT``, so that they can be
#: distinguished from other rows.
SEED_FILES = "lakehouse.seed-files"
#: Set on a table or namespace: the properties that the bootstrap has set, with their values, as JSON.
PROPERTIES = "lakehouse.properties"
#: Set on a namespace while the tables of its former name are moved to it: that name.
RENAMED_FROM = "lakehouse.renamed-from"


def is_deletable(properties: Mapping[str, str]) -> bool:
    """Whether the object has the mark of a file that called it deletable."""
    return properties.get(DELETABLE) == "true"
