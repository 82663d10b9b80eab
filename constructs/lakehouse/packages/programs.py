"""Programs that are available only as Go modules: their source, and the name of each build.

The ``tool`` line of ``go/NAME/go.mod`` names what is built, and the file pins every module. ``go.sum`` beside it has
their SHA-256, and Go refuses modules that differ. https://go.dev/ref/mod#go-mod-file-tool
"""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

from lakehouse.errors import LakehouseError

MODULES = Path(__file__).with_name("go")
# Neither the machine's paths nor the surrounding checkout become part of the program: the same Go makes the same bytes.
_FLAGS = ("-trimpath", "-mod=readonly", "-buildvcs=false")
# Variables that a program's makers set in a release. Without this one OpenTofu calls itself a development version.
_VARIABLES = {"tofu": {"github.com/opentofu/opentofu/version.dev": "no"}}


def flags(name: str) -> tuple[str, ...]:
    """The arguments of ``go build``."""
    variables = "".join(f" -X {variable}={value}" for variable, value in _VARIABLES.get(name, {}).items())
    return (*_FLAGS, f"-ldflags=-s -w{variables}")


def build_name(name: str) -> str:
    """``NAME-DIGEST``. Other pins or other flags make another build."""
    pins = b"".join((MODULES / name / file).read_bytes() for file in ("go.mod", "go.sum"))
    digest = hashlib.sha256(pins + " ".join(flags(name)).encode()).hexdigest()[:12]
    return f"{name}-{digest}"


def directive(name: str, word: str) -> str:
    """The value after ``word`` in go.mod. Raises LakehouseError if go.mod has no such line."""
    path = MODULES / name / "go.mod"
    found = re.search(rf"^{word} (\S+)$", path.read_text(), re.MULTILINE)
    if found is None:
        raise LakehouseError(f"{path}: no `{word}` line")
    return found[1]
