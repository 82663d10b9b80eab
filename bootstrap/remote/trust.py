"""How PyIceberg trusts a store whose certificate the system does not trust."""

from __future__ import annotations

#: The setting of :mod:`bootstrap.remote.trusting` with the file of an authority's certificate.
FILE = "lakehouse.trust"


def of_store(file: str | None) -> dict[str, str]:
    """Settings of PyIceberg for the store; none if the system trusts its certificate, or it has none."""
    return {"py-io-impl": "bootstrap.remote.trusting.TrustingFileIO", FILE: file} if file else {}
