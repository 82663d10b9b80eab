"""Makes the tokens by which clients of a stack's services show who they are, with ``openssl``.

A token is a JWT (RFC 7519), signed with a key of the stack's own (RS256). Servers check it with the public key, so they
need no identity provider. A key and its tokens end together, and are made again before that, as certificates are.
"""

from __future__ import annotations

import base64
import json
import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from lakehouse.runtimes import certificates
from lakehouse.runtimes.state import State, write_private
from lakehouse.text.placeholders import OWNERS, Secret

ISSUER = "lakehouse"
SHAPES = ("token", "verifier")
_DAY = 86_400  # seconds
_KEY, _END = "key.pem", "end"


def value(state: State, wanted: Secret) -> str:
    """The value of a token or a verifier. The key that signs is made if there is none.

    Raises LakehouseError if openssl is missing or fails.
    """
    if not is_there(state, wanted.credential):
        make(state, wanted.credential)
    return (
        mint(state, wanted.credential, wanted.subject, [OWNERS]) if wanted.shape == "token" else _public(state, wanted)
    )


def mint(state: State, signer: str, subject: str, groups: Sequence[str]) -> str:
    """A token of the subject, valid as long as the key that signs it. ``groups`` are the names that Nessie calls roles.

    Raises LakehouseError if there is no such key, or if openssl is missing or fails.
    """
    folder = _folder(state, signer)
    about: dict[str, Any] = {"iss": ISSUER, "sub": subject, "groups": list(groups)}
    claims = {**about, "iat": int(time.time()), "exp": _end(folder)}
    text = f"{_part({'alg': 'RS256', 'typ': 'JWT'})}.{_part(claims)}"
    return f"{text}.{_signature(folder, text)}"


def is_there(state: State, signer: str) -> bool:
    """Whether the key exists."""
    return all((_folder(state, signer) / each).is_file() for each in (_KEY, _END))


def is_former(state: State, kept: Secret) -> bool:
    """Whether a kept token or verifier is of a former key: its service was not in the file when the key was replaced.

    Signatures of RSA are always the same (PKCS #1 v1.5), so the token is signed again and compared.
    """
    if kept.shape not in SHAPES or not is_there(state, kept.credential):
        return False
    if kept.shape == "verifier":
        return state.secret(kept.secret) != _public(state, kept)
    text, _, signature = state.secret(kept.secret).rpartition(".")
    return signature != _signature(_folder(state, kept.credential), text)


def due(state: State, signer: str, now: Callable[[], float] = time.time) -> bool:
    """Whether the key must be made again: it is missing, or ends soon."""
    if not is_there(state, signer):
        return True
    return _end(_folder(state, signer)) - now() < certificates.RENEWED_DAYS * _DAY


def end(state: State, signer: str) -> float:
    """When the key and its tokens end, in seconds since 1970."""
    return _end(_folder(state, signer))


def make(state: State, signer: str) -> None:
    """Make the key, even if there is one. Former tokens are worth nothing once the servers have the new public key."""
    folder = _folder(state, signer)
    making = folder.with_name(f".{signer}")
    shutil.rmtree(making, ignore_errors=True)  # of an interrupted run
    making.mkdir(mode=0o700, parents=True)
    certificates.openssl(making, "genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-out", _KEY)
    write_private(making / _END, str(int(time.time()) + certificates.DAYS * _DAY))
    shutil.rmtree(folder, ignore_errors=True)
    making.rename(folder)


def _signature(folder: Path, text: str) -> str:
    return _encoded(certificates.openssl(folder, "dgst", "-sha256", "-sign", _KEY, given=text.encode()))


def _public(state: State, wanted: Secret) -> str:
    """The key's public half: SubjectPublicKeyInfo in base64 on one line. Of 2,048 bits, it needs no padding."""
    der = certificates.openssl(_folder(state, wanted.credential), "pkey", "-in", _KEY, "-pubout", "-outform", "DER")
    return base64.b64encode(der).decode()


def _folder(state: State, signer: str) -> Path:
    return state.root / "certificates" / signer


def _end(folder: Path) -> int:
    """When the key ends, in seconds since 1970. One whose end cannot be read has ended."""
    text = (folder / _END).read_text()
    return int(text) if text.isdecimal() else 0


def _part(content: Mapping[str, Any]) -> str:
    return _encoded(json.dumps(content, separators=(",", ":")).encode())


def _encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
