"""Stores of certificates as Java reads them: PKCS #12, because it reads no PEM there.

https://docs.oracle.com/en/java/javase/25/security/java-secure-socket-extension-jsse-reference-guide.html

The library is imported where it is used: only a deploy of a secure stack needs it.
"""

from __future__ import annotations

import warnings
from pathlib import Path


def roots() -> str:
    """The public authorities that certifi ships, in PEM."""
    import certifi

    return Path(certifi.where()).read_text()


def truststore(authority: str) -> bytes:
    """What trusts the public authorities and that one, given in PEM. It has no password, and nothing to hide."""
    from cryptography.hazmat.primitives.serialization import NoEncryption, pkcs12
    from cryptography.x509 import load_pem_x509_certificates

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # some roots are older than today's rules for serial numbers
        every = load_pem_x509_certificates(f"{roots()}\n{authority}".encode())
    named = [pkcs12.PKCS12Certificate(each, f"{nth}".encode()) for nth, each in enumerate(every)]
    return pkcs12.serialize_java_truststore(named, NoEncryption())
