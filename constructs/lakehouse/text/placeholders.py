"""Placeholders for secrets and other files in configuration, until the configuration is written.

A placeholder is an object beside the text, not a pattern in it, so that the user's text always stays text.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from lakehouse.errors import LakehouseError
from lakehouse.text import pkcs12
from lakehouse.text.later import ASIDE, definition, later
from lakehouse.text.private import private, public
from lakehouse.text.profiles import Profile

# The form of a generated secret: a key is 40 hexadecimal digits, a password 24 letters and digits. A name is the first
# half of a pair. A token is a JWT, and a verifier the public key by which a server checks tokens.
SecretShape = Literal["key", "password", "name", "token", "verifier"]
OWNERS = "lakehouse"  # the group in tokens of the toolkit and of the services, which may do everything


@dataclass(frozen=True)
class Secret:
    """Stands for the secret of that name, which is generated once for each stack if the user does not set it."""

    secret: str
    shape: SecretShape = field(default="key", metadata=ASIDE)
    # The name under which the user sets it, by itself or as a part of a pair; empty: ``name``. Of a token and a
    # verifier, the name of the key that signs.
    credential: str = field(default="", metadata=ASIDE)
    default: str = field(default="", metadata=ASIDE)  # the value if the user does not set it; empty: it is generated
    lasting: bool = field(default=False, metadata=ASIDE)  # its server keeps the value of its first start: no rotation
    barred: str = field(default="", metadata=ASIDE)  # characters that the server or its clients read as more than text
    of_aws: bool = field(default=False, metadata=ASIDE)  # if the user does not set it, it is that of the user's shell
    profile: Profile | None = field(default=None, metadata=ASIDE)  # where the user keeps it, if not under that name
    subject: str = field(default="", metadata=ASIDE)  # of a token: who shows it


@dataclass(frozen=True)
class Content:
    """Stands for the content of that file."""

    file: str
    public: bool = later(False)  # others may read it, too; else it is a secret, which only its owner may read


@dataclass(frozen=True)
class Issued:
    """Stands for a part of the certificate of that name, in PEM."""

    certificate: str
    part: Literal["key", "certificate"]
    names: tuple[str, ...] = ()  # host names and IP addresses for which it is valid
    signer: str = later("authority")  # the certificate of the authority that signs it

    @property
    def kept(self) -> str:
        """Its path in the folder of secrets."""
        return f"certificates/{self.certificate}/{self.part}.pem"


@dataclass(frozen=True)
class Hashed:
    """Stands for the bcrypt hash of a secret, as Apache's ``htpasswd -B`` writes it: another one at each writing."""

    bcrypt: Secret


@dataclass(frozen=True)
class Signed:
    """Stands for a JWT without claims, signed with a secret (HS256). The key is in base64url: the secret, twice.

    Once would be less than the 256 bits that a key must have. https://datatracker.ietf.org/doc/html/rfc7515
    """

    hmac: Secret


@dataclass(frozen=True)
class Basic:
    """Stands for a user and a password as a client of HTTP shows them. https://datatracker.ietf.org/doc/html/rfc7617"""

    basic: Secret  # the password
    user: str


@dataclass(frozen=True)
class Binary:
    """Bytes that are not text, in base64. A file with them has no other parts."""

    base64: str

    @classmethod
    def of(cls, data: bytes) -> Binary:
        return cls(base64.b64encode(data).decode())


@dataclass(frozen=True)
class Truststore:
    """Stands for Java's store of the certificates that it trusts: the public roots, and this one.

    It is bytes, so a file with it has no other parts. It holds no secret, and Java reads it without a password.
    """

    trusted: Issued


@dataclass(frozen=True)
class Keystore:
    """Stands for Java's store of a certificate and its key: bytes, so a file with it has no other parts.

    Java wants a phrase for such a store, :data:`lakehouse.text.pkcs12.PHRASE`. Everybody knows it: what keeps the key
    is the file's mode, as it keeps the same key in PEM.
    """

    key: Issued
    chain: Issued


Part = str | Secret | Hashed | Signed | Basic | Content | Issued | Binary | Truststore | Keystore
Text = Part | tuple[Part, ...]  # a single string is text without placeholders


def parts(text: Text) -> tuple[Part, ...]:
    """The text as a sequence of strings and placeholders."""
    return text if isinstance(text, tuple) else (text,)


def joined(texts: Sequence[Text]) -> Text:
    """The texts concatenated; a string if they have no placeholder."""
    found: list[Part] = []
    for part in (part for text in texts for part in parts(text)):
        if isinstance(part, str) and found and isinstance(found[-1], str):
            found[-1] += part
        else:
            found.append(part)
    return "".join(map(str, found)) if all(isinstance(part, str) for part in found) else tuple(found)


def filled(text: Text, secret: Callable[[str], str]) -> str:
    """The text with each secret replaced by the result of ``secret(NAME)``, and each file by its content.

    Raises LakehouseError if a file cannot be read, or a secret has a character that ends a line.
    """
    return "".join(_filled(part, secret) for part in parts(text))


def written(text: Text, secret: Callable[[str], str]) -> bytes:
    """The content of a file with that text. Raises LakehouseError as :func:`filled` does."""
    match parts(text):
        case (Binary(data),):
            return base64.b64decode(data)
        case (Truststore(authority),):
            return pkcs12.truststore(secret(authority.kept))
        case (Keystore(key, chain),):
            return pkcs12.keystore(secret(key.kept), secret(chain.kept))
    return filled(text, secret).encode()


_COST = 10  # of bcrypt: 2 to the power of it rounds, 0.05 s of a core; passwords here are random, so more adds nothing
_BCRYPT = re.compile(rf"\$2y\${_COST}\$[./A-Za-z0-9]{{53}}")
# ]]> ends a section of XML. Trino, Spark, Hadoop and Quarkus replace ${...}, and Quarkus reads $$ as $.
_MEANT = ("\\", '"', "'", " ", "=", "]]>", "${", "$$")


def is_value(text: str) -> bool:
    """Whether every configuration file can hold the text as a value, as it is."""
    return text.isprintable() and text.isascii() and not any(each in text for each in _MEANT)


def secrets(text: Text) -> tuple[Secret, ...]:
    """The secrets in it, also those of which it has only the hash, or what they sign."""
    own = (_secret(part) for part in parts(text))
    return tuple(part for part in own if part is not None)


def _secret(part: Part) -> Secret | None:
    match part:
        case Hashed(secret) | Signed(secret) | Basic(secret):
            return secret
        case Secret():
            return part
    return None


def hashed(password: str) -> str:
    """The bcrypt hash of a password, with a salt of its own. Java's libraries know the format by the name ``2y``."""
    import bcrypt  # only a deploy of a service with passwords needs it

    return "$2y$" + bcrypt.hashpw(password.encode(), bcrypt.gensalt(_COST)).decode().removeprefix("$2b$")


def signed(key: str) -> str:
    """A JWT without claims, signed with the key of that base64url form."""
    text = ".".join(_base64url(each) for each in (b'{"alg":"HS256","typ":"JWT"}', b"{}"))
    secret = base64.urlsafe_b64decode(key + "=" * (-len(key) % 4))
    return f"{text}.{_base64url(hmac.digest(secret, text.encode(), 'sha256'))}"


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def has_hash(text: str, password: str) -> bool:
    """Whether the text has a hash of the password that :func:`hashed` made."""
    import bcrypt

    return any(bcrypt.checkpw(password.encode(), each.encode()) for each in _BCRYPT.findall(text))


def issued(text: Text) -> tuple[Issued, ...]:
    """The parts of certificates in it."""
    return tuple(each for part in parts(text) for each in _issued(part))


def _issued(part: Part) -> tuple[Issued, ...]:
    match part:
        case Issued():
            return (part,)
        case Truststore(authority):
            return (authority,)
        case Keystore(key, chain):
            return (key, chain)
    return ()


def with_contents(text: Text) -> list[Any]:
    """The text in a form for JSON, with the digest of each file's content. The digest is empty if there is no file."""
    return [_with_content(part) for part in parts(text)]


def read(raw: Any) -> Text:
    """The text that :func:`with_contents` wrote as JSON."""
    if isinstance(raw, str):
        return raw
    if isinstance(raw, Mapping):
        return _placeholder(raw)
    return joined([read(part) for part in raw])


def _placeholder(raw: Mapping[str, Any]) -> Part:
    if "certificate" in raw:
        return _read_issued(raw)
    if raw.get("profile"):
        return Secret(**{**raw, "profile": Profile(**raw["profile"])})
    if "trusted" in raw:
        return Truststore(_read_issued(raw["trusted"]))
    if "chain" in raw:
        return Keystore(_read_issued(raw["key"]), _read_issued(raw["chain"]))
    if "hmac" in raw:
        return Signed(Secret(**raw["hmac"]))
    if "basic" in raw:
        return Basic(Secret(**raw["basic"]), raw["user"])
    if "bcrypt" in raw:
        return Hashed(Secret(**raw["bcrypt"]))
    kinds: dict[str, Callable[..., Part]] = {"secret": Secret, "file": Content, "base64": Binary}
    return kinds[next(iter(raw))](**raw)


def _read_issued(raw: Mapping[str, Any]) -> Issued:
    return Issued(**{**raw, "names": tuple(raw["names"])})


def _with_content(part: Part) -> Any:
    if isinstance(part, str):
        return part
    if not isinstance(part, Content):
        return definition(part)
    path = Path(part.file)
    return {"content": hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""}


def _filled(part: Part, secret: Callable[[str], str]) -> str:
    match part:
        case Secret(secret=name):
            value = secret(name)
            if not is_value(value):
                raise LakehouseError(f"The secret {name} has characters that a configuration file cannot hold.")
            return value
        case Hashed(password):
            return hashed(_filled(password, secret))
        case Signed(key):
            return signed(_filled(key, secret) * 2)
        case Basic(password, user):
            return "Basic " + base64.b64encode(f"{user}:{_filled(password, secret)}".encode()).decode()
        case Content(file):
            read_file = public if part.public else private
            return read_file(Path(file), f"{file}, which lakehouse.yaml names,")
        case Issued():
            return secret(part.kept)
        case Binary() | Truststore() | Keystore():
            raise AssertionError("bytes beside text")  # :func:`written` writes them
        case _:
            return part
