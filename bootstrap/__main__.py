"""``python -m bootstrap``: the same as ``lakehouse``."""

from bootstrap.cli.start import main

main()
