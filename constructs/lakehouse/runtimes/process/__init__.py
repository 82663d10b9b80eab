"""The runtime that needs no Docker: services are supervised processes on this machine."""
