"""What the command line does with a running lakehouse: look at it, query it, fill it, prove that it works."""
