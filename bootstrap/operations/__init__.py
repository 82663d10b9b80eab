"""What the command line does with a running lakehouse: inspect it, query it, fill it, prove that it works."""
