"""Makes a running lakehouse match its file: facts -> diff -> plan -> apply."""
