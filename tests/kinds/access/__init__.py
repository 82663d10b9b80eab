"""Who may do what, on one lakehouse with four kinds of catalog; it ends when the tests of this folder have run."""
