"""Keeps the shell's proxies away from this machine's own addresses."""

from __future__ import annotations

from collections.abc import MutableMapping

_OWN = ("localhost", "127.0.0.1")


def spare(environment: MutableMapping[str, str]) -> None:
    """Add the loopback addresses to ``no_proxy``, and keep what it holds.

    Without this, Trino's client and PyIceberg (requests) and Spark Connect (gRPC) send everything to the environment's
    proxy. Both spellings are set: gRPC reads only the lower-case one, others look at the upper-case one first.
    """
    said = environment.get("no_proxy") or environment.get("NO_PROXY") or ""
    names = [name for each in said.split(",") if (name := each.strip())]
    names += [name for name in _OWN if name not in names]
    environment["no_proxy"] = environment["NO_PROXY"] = ",".join(names)
