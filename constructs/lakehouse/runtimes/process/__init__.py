"""Services as supervised processes of this machine: the runtime that needs no Docker."""
