"""The shell's proxies are not for this machine's own addresses."""

from __future__ import annotations

from collections.abc import MutableMapping

_OWN = ("localhost", "127.0.0.1")


def spare(environment: MutableMapping[str, str]) -> None:
    """Name the loopback addresses in ``no_proxy``, beside what is there.

    Trino's client and PyIceberg (requests) and Spark Connect (gRPC) send all to a proxy of the environment but for
    that. Both spellings: gRPC reads the small one alone, others look at the large one first.
    """
    said = environment.get("no_proxy") or environment.get("NO_PROXY") or ""
    names = [name for each in said.split(",") if (name := each.strip())]
    names += [name for name in _OWN if name not in names]
    environment["no_proxy"] = environment["NO_PROXY"] = ",".join(names)
