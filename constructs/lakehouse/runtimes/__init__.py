"""Runtimes: each runs the same services, as processes, containers or on hosts."""
