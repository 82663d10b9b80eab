"""A lakehouse with a stack on this machine, and one in AWS."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).parents[2]


def mixed(folder: Path) -> Path:
    """The file, with the stacks ``local`` and ``cloud``."""
    file = folder / "lakehouse.yaml"
    text = (ROOT / "lakehouse.yaml").read_text()
    file.write_text(f"{text}  cloud: {{region: eu-west-1, store: s3, catalogs: {{lake: glue}}}}\n")
    return file
