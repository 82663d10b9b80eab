"""``python -m bootstrap``: the same as ``lakehouse``."""

from bootstrap.cli.main import main

main()
