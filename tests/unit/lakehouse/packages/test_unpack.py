"""How often an archive is read; tests of fetch.py have what becomes of each entry."""

from __future__ import annotations

import io
import os
import tarfile
from pathlib import Path

from lakehouse.packages import unpack


def test_a_file_with_many_names_is_unpacked_without_a_jump_back_for_each(tmp_path: Path) -> None:
    """Trino's whole server has most jars once for each plugin."""
    jar, names = os.urandom(3_000_000), [f"plugin/{nth}/a.jar" for nth in range(20)]
    with tarfile.open(tmp_path / "whole.tar.gz", "w:gz") as tape:
        entry = tarfile.TarInfo("lib/a.jar")
        entry.size = len(jar)
        tape.addfile(entry, io.BytesIO(jar))
        for name in names:
            link = tarfile.TarInfo(name)
            link.type, link.linkname = tarfile.LNKTYPE, "lib/a.jar"
            tape.addfile(link)
    whole = (tmp_path / "whole.tar.gz").read_bytes()
    was_read = 0

    class Counted(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            nonlocal was_read
            part = super().read(size)
            was_read += len(part)
            return part

    found = {str(path): content.read() for path, _, content in unpack._files(Counted(whole), lambda path: True)}
    assert found == dict.fromkeys(["lib/a.jar", *names], jar)
    assert was_read < 4 * len(whole)
