"""``python -m bootstrap``: the same as ``lakehouse``."""

from bootstrap.cli import main

main()
