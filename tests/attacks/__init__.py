"""What somebody without a login tries at the ports of a lakehouse, and what they get."""
