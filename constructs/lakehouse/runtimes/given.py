"""The certificate that the user gives a secure stack for its services, in place of those that the stack makes itself.

It is checked before anything uses it: a server with a wrong one starts, and then its clients fail one by one.
"""

from __future__ import annotations

import ipaddress
import os
import shlex
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lakehouse.errors import UsageError
from lakehouse.runtimes.certificates import is_given, mistrust
from lakehouse.services.certificate import Given
from lakehouse.text.placeholders import Issued

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

SMALLEST_RSA = 2048  # bits
SOON = timedelta(days=1)  # who deploys a certificate that ends sooner deploys what fails tomorrow


class _Wrong(Exception):
    """Why a file cannot be used, as text that follows its path."""


def check(given: Given | None, certificates: Iterable[Issued], now: datetime | None = None) -> None:
    """Raises UsageError, with all faults, if the files cannot be used for the user's ones among these certificates."""
    if given is None:
        return
    names = (name for each in certificates if is_given(each) for name in each.names)
    if wrong := [f"{given.at}.{key}: {message}." for key, message in faults(given, dict.fromkeys(names), now)]:
        raise UsageError("\n".join(wrong))


def faults(given: Given, names: Iterable[str], now: datetime | None = None) -> Iterator[tuple[str, str]]:
    """Why a deploy cannot use the files: the file's key in ``secure`` and a sentence, for each fault.

    ``names`` are the host names and addresses by which clients reach the services. Raises LakehouseError if openssl is
    missing.
    """
    moment = now or datetime.now(UTC)
    read: dict[str, Any] = {}
    for key, path, how in (
        ("certificate", given.certificate, _certificates),
        ("key", given.key, _key),
        ("authority", given.authority, _certificates),
    ):
        try:
            read[key] = how(path)
            _check_text(path)
        except _Wrong as why:
            yield key, f"{path} {why}"
    if len(read) < 3:
        return
    chain, authority = read["certificate"], read["authority"]
    wrong = [("certificate", f"{given.certificate} {each}") for each in _of_server(chain[0], list(names), moment)]
    wrong += [("authority", f"{given.authority} {each}") for each in _of_authority(authority, moment)]
    if chain[0].public_key() != read["key"].public_key():
        message = f"{given.key} is not the key of the first certificate in {given.certificate}. Name the key that is"
        wrong.append(("key", message))
    yield from wrong
    if not wrong and (refused := mistrust(given.certificate, given.authority)):
        rule = "It must have the server's certificate first, then each between that and the authority"
        yield "certificate", f"{given.certificate} is not trusted by who trusts {given.authority}: {refused}. {rule}"


def _certificates(path: Path) -> Sequence[Certificate]:
    from cryptography.x509 import load_pem_x509_certificates

    try:
        return load_pem_x509_certificates(_content(path))
    except ValueError:
        raise _Wrong("has no certificate in PEM. `openssl x509 -inform DER` converts one from DER") from None


def _key(path: Path) -> Any:
    from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, SECP384R1, EllipticCurvePrivateKey
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    content = _content(path)
    mode = path.stat().st_mode & 0o777
    if mode & 0o077:
        raise _Wrong(f"has mode {mode:04o}, so other users may read it. Run `chmod 600 {shlex.quote(path.name)}`")
    try:
        found = load_pem_private_key(content, None)
    except TypeError:
        raise _Wrong("asks for a pass phrase, which nobody enters at a deploy. `openssl pkey` removes it") from None
    except ValueError:
        raise _Wrong("has no private key in PEM. Name the file of the certificate's key") from None
    match found:
        case RSAPrivateKey() if found.key_size >= SMALLEST_RSA:
            return found
        case RSAPrivateKey():
            raise _Wrong(f"is an RSA key of {found.key_size} bits. Clients want at least {SMALLEST_RSA}: make another")
        case EllipticCurvePrivateKey(curve=SECP256R1() | SECP384R1()):
            return found
    raise _Wrong("is of a kind that not all services read. Make one of RSA, or of the curves P-256 or P-384")


def _content(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            if os.fstat(file.fileno()).st_uid not in (os.getuid(), 0):
                raise _Wrong("belongs to another user. Make a copy of your own")
            return file.read()
    except FileNotFoundError:
        raise _Wrong("does not exist. Create it, or correct the path") from None
    except OSError as error:
        raise _Wrong(f"cannot be read: {error.strerror}. Name a file that can") from None


def _check_text(path: Path) -> None:
    """PEM may have comments, and what writes a service's files reads them as text."""
    try:
        _content(path).decode()
    except UnicodeDecodeError:
        raise _Wrong("is not text in UTF-8. Keep only the lines from each BEGIN to its END") from None


def _of_server(certificate: Certificate, names: Sequence[str], now: datetime) -> Iterator[str]:
    from cryptography.x509 import DNSName, ExtensionNotFound, IPAddress, SubjectAlternativeName

    yield from _of_time(certificate, now)
    try:
        said = certificate.extensions.get_extension_for_class(SubjectAlternativeName).value
    except ExtensionNotFound:
        yield "names no host (subjectAltName), so no client accepts it. Have one issued that does"
        return
    hosts = [each.lower() for each in said.get_values_for_type(DNSName)]
    addresses = said.get_values_for_type(IPAddress)
    missing = [each for each in dict.fromkeys(names) if not _is_among(each, hosts, addresses)]
    if missing:
        yield (
            f"is for {', '.join((*hosts, *map(str, addresses))) or 'no host'}; clients reach the services by "
            f"{', '.join(missing)} too. Have one issued with these names (subjectAltName)"
        )


def _is_among(name: str, hosts: Sequence[str], addresses: Sequence[Any]) -> bool:
    """Whether a certificate is for a name. An asterisk stands for the first part of it. (RFC 9525)"""
    try:
        return ipaddress.ip_address(name) in addresses
    except ValueError:
        rest = name.lower().partition(".")[2]
        return name.lower() in hosts or bool("." in rest and f"*.{rest}" in hosts)


def _of_authority(every: Sequence[Certificate], now: datetime) -> Iterator[str]:
    from cryptography.x509 import BasicConstraints, ExtensionNotFound

    for each in every:
        yield from _of_time(each, now)
        try:
            signs = each.extensions.get_extension_for_class(BasicConstraints).value.ca
        except ExtensionNotFound:
            signs = False
        if not signs or each.issuer != each.subject:
            yield (
                f"has {each.subject.rfc4514_string()}, which is no root authority: it signs no certificates, or is not "
                "signed by itself. Put it into `certificate`, and here only the root"
            )


def _of_time(certificate: Certificate, now: datetime) -> Iterator[str]:
    name = certificate.subject.rfc4514_string() or "a certificate"
    begin, end = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    if now < begin:
        yield f"has {name}, which is valid only from {begin:%Y-%m-%d %H:%M} UTC on. Wait, or set this machine's clock"
    if now > end:
        yield f"has {name}, which ended on {end:%Y-%m-%d}. Have another one issued"
    elif now > end - SOON:
        yield f"has {name}, which ends at {end:%Y-%m-%d %H:%M} UTC, within a day. Have another one issued"
