"""Stores of certificates as Java reads them: PKCS #12, because it reads no PEM there.

https://docs.oracle.com/en/java/javase/25/security/java-secure-socket-extension-jsse-reference-guide.html

The library is imported where it is used: only a deploy of a secure stack needs it.
"""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

PHRASE = "lakehouse"  # of a store with a key, for which Java wants one


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


def keystore(key: str, chain: str) -> bytes:
    """A certificate and its key, both given in PEM."""
    from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, load_pem_private_key, pkcs12
    from cryptography.x509 import load_pem_x509_certificates

    own: Any = load_pem_private_key(key.encode(), None)
    certificate, *authorities = load_pem_x509_certificates(chain.encode())
    return pkcs12.serialize_key_and_certificates(
        b"server", own, certificate, authorities, BestAvailableEncryption(PHRASE.encode())
    )


def holds(store: bytes, chain: str) -> bool:
    """Whether a store that :func:`keystore` made has the certificate that is the first in ``chain``, in PEM."""
    from cryptography.hazmat.primitives.serialization import pkcs12
    from cryptography.x509 import load_pem_x509_certificates

    try:
        _, certificate, _ = pkcs12.load_key_and_certificates(store, PHRASE.encode())
    except ValueError:
        return False
    return certificate == load_pem_x509_certificates(chain.encode())[0]
