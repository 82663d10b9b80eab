"""Files that only a passphrase opens. Their names are sealed with them. Pure, except for the random numbers."""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Mapping
from typing import TYPE_CHECKING

from lakehouse.errors import LakehouseError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_MARK = b"lakehouse secrets 1\n"
_SALT, _NONCE = 16, 12
_COST = 1 << 16  # of scrypt: 64 MiB and some 0.2 s for each attempt


def sealed(files: Mapping[str, bytes], passphrase: bytes) -> bytes:
    """The files by their names, encrypted with AES-256-GCM and a key that scrypt makes of the passphrase."""
    salt, nonce = os.urandom(_SALT), os.urandom(_NONCE)
    text = json.dumps({name: base64.b64encode(content).decode() for name, content in files.items()})
    return _MARK + salt + nonce + _cipher(passphrase, salt).encrypt(nonce, text.encode(), _MARK)


def opened(what: str, data: bytes, passphrase: bytes) -> dict[str, bytes]:
    """The files that were sealed. Raises LakehouseError if the passphrase is another; ``what`` names them there."""
    from cryptography.exceptions import InvalidTag

    if not data.startswith(_MARK):
        raise LakehouseError(f"{what} are in a form that this version of lakehouse does not know. Use a newer one.")
    rest = data[len(_MARK) :]
    salt, nonce, content = rest[:_SALT], rest[_SALT : _SALT + _NONCE], rest[_SALT + _NONCE :]
    try:
        text = _cipher(passphrase, salt).decrypt(nonce, content, _MARK)
    except (InvalidTag, ValueError):
        raise LakehouseError(f"{what} were sealed with another passphrase. Give the one of that backup.") from None
    return {name: base64.b64decode(each) for name, each in json.loads(text).items()}


def _cipher(passphrase: bytes, salt: bytes) -> AESGCM:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM
    from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

    return AESGCM(Scrypt(salt=salt, length=32, n=_COST, r=8, p=1).derive(passphrase))
