"""Runtimes: each places the same services, as processes, containers or hosts."""
