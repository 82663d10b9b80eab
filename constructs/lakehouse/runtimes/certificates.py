"""Makes the certificates of a stack's services with ``openssl``: one authority per stack, one certificate per name.

They are in the state folder, and other users cannot read them. A certificate is made again if its names change, if it
expires soon, or if its authority changes.
"""

from __future__ import annotations

import ipaddress
import re
import shutil
import ssl
import subprocess
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from lakehouse.errors import LakehouseError
from lakehouse.runtimes.state import State, write_private
from lakehouse.services.certificate import AUTHORITIES, AUTHORITY, INNER, Given
from lakehouse.services.service import Service
from lakehouse.text import pkcs12
from lakehouse.text.placeholders import Issued, issued

AUTHORITY_DAYS = 3650
DAYS = 397  # the longest that clients accept
RENEWED_DAYS = 30  # so many days before it expires, a certificate is made again

_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]{0,252})")


def issue(state: State, services: Iterable[Service], given: Given | None = None) -> None:
    """Make the certificates that the services' files name and that do not exist, and the bundle for users' programs.

    Those that the user gives are copied.

    Raises LakehouseError if openssl is missing or fails.
    """
    for each in wanted(services).values():
        if not is_there(state, each.certificate):
            make(state, each, given)
    if is_there(state, AUTHORITY):
        _bundle(state)


def bundle(state: State) -> Path:
    """The certificates for programs that read only one file of them: the public authorities, and the stack's."""
    return _folder(state, AUTHORITY) / "bundle.pem"


def _bundle(state: State) -> None:
    content = f"{pkcs12.roots()}\n{(_folder(state, AUTHORITY) / 'certificate.pem').read_text()}"
    path = bundle(state)
    if not path.is_file() or path.read_text() != content:
        write_private(path, content)


def is_there(state: State, name: str) -> bool:
    """Whether the certificate exists, for any names."""
    # An authority that the user gives has no key here.
    there = ("certificate",) if name in AUTHORITIES else ("key", "certificate")
    return all((_folder(state, name) / f"{part}.pem").is_file() for part in there)


def wanted(services: Iterable[Service]) -> Mapping[str, Issued]:
    """The certificates that the services' files name, by their names."""
    parts = [part for each in services for file in each.files for part in issued(file.text)]
    return {part.certificate: part for part in parts}


def due(state: State, wanted: Issued, given: Given | None = None) -> bool:
    """Whether a certificate must be made: it is missing, expires soon, or has other names or another authority.

    One that the user gives: whether the state folder has another one.
    """
    folder = _folder(state, wanted.certificate)
    certificate = folder / "certificate.pem"
    if not is_there(state, wanted.certificate):
        return True
    if given is not None and is_given(wanted):
        return any((folder / name).read_bytes() != source.read_bytes() for name, source in _copied(wanted, given))
    if wanted.certificate in AUTHORITIES:
        return not (folder / "key.pem").is_file() or not _lasts(certificate)
    authority = _signer(wanted)
    noted = _note(wanted.names, _folder(state, authority.certificate) / "certificate.pem")
    return due(state, authority) or _noted(folder) != noted or not _lasts(certificate)


def is_given(wanted: Issued) -> bool:
    """Whether a certificate is the user's in a stack whose user gives one."""
    return AUTHORITY in (wanted.certificate, wanted.signer) and wanted.certificate != INNER


def _signer(wanted: Issued) -> Issued:
    return Issued(wanted.signer, "certificate")


def _copied(wanted: Issued, given: Given) -> Sequence[tuple[str, Path]]:
    """The names of the user's files in the state folder, and their paths."""
    if wanted.certificate == AUTHORITY:
        return [("certificate.pem", given.authority)]
    return [("key.pem", given.key), ("certificate.pem", given.certificate)]


def lifetime(state: State, name: str) -> tuple[float, float]:
    """From when to when the certificate is valid, in seconds since 1970."""
    shown = openssl(_folder(state, name), "x509", "-noout", "-startdate", "-enddate", "-in", "certificate.pem")
    begin, end = (ssl.cert_time_to_seconds(line.partition("=")[2]) for line in shown.decode().splitlines())
    return begin, end


def make(state: State, wanted: Issued, given: Given | None = None) -> None:
    """Make a certificate, or copy the user's, even if it exists. If its authority is due, that is made first."""
    name, names = wanted.certificate, wanted.names
    if given is not None and is_given(wanted):
        _copy(state, wanted, given)
        return
    if name in AUTHORITIES:
        _make_authority(state, name)
        return
    if due(state, _signer(wanted)):
        _make_authority(state, wanted.signer)
    authority = _folder(state, wanted.signer)
    with tempfile.TemporaryDirectory(dir=_root(state), prefix=".making-") as scratch:
        made = Path(scratch)
        (made / "extensions").write_text(
            f"subjectAltName={','.join(map(_alternative, names))}\n"
            "basicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature\n"
            "extendedKeyUsage=serverAuth,clientAuth\n"
        )
        openssl(made, "req", "-new", *_KEY, "-subj", f"/CN={_plain(name)}", "-keyout", "key.pem", "-out", "request")
        openssl(
            made, "x509", "-req", "-in", "request", "-days", str(DAYS), "-extfile", "extensions",
            "-CA", str(authority / "certificate.pem"), "-CAkey", str(authority / "key.pem"), "-CAcreateserial",
            "-CAserial", "serial", "-out", "certificate.pem",
        )  # fmt: skip
        _keep(state, name, made, _note(names, authority / "certificate.pem"))


def _copy(state: State, wanted: Issued, given: Given) -> None:
    with tempfile.TemporaryDirectory(dir=_root(state), prefix=".making-") as scratch:
        made = Path(scratch)
        for name, source in _copied(wanted, given):
            write_private(made / name, source.read_bytes())
        if wanted.certificate == AUTHORITY:  # the key of the stack's own authority has no more use
            (_folder(state, AUTHORITY) / "key.pem").unlink(missing_ok=True)
        _keep(state, wanted.certificate, made, "")
    if wanted.certificate == AUTHORITY:
        _bundle(state)


def _make_authority(state: State, name: str) -> None:
    with tempfile.TemporaryDirectory(dir=_root(state), prefix=".making-") as scratch:
        made = Path(scratch)
        (made / "configuration").write_text(
            "[req]\ndistinguished_name=name\nx509_extensions=extensions\n[name]\n"
            "[extensions]\nbasicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign\n"
            "subjectKeyIdentifier=hash\n"
        )
        openssl(
            made, "req", "-x509", "-config", "configuration", *_KEY, "-days", str(AUTHORITY_DAYS),
            "-subj", "/CN=lakehouse authority", "-keyout", "key.pem", "-out", "certificate.pem",
        )  # fmt: skip
        _keep(state, name, made, "")
    if name == AUTHORITY:
        _bundle(state)


def _keep(state: State, name: str, made: Path, note: str) -> None:
    """Move the new files to their place, the certificate last, so that an interrupted move does not count."""
    folder = _folder(state, name)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    (made / "names").write_text(note)
    for each in ("key.pem", "names", "certificate.pem"):
        if (made / each).exists():  # no key of an authority that the user gives
            (made / each).chmod(0o600)
            (made / each).replace(folder / each)


def _note(names: tuple[str, ...], authority: Path) -> str:
    """The names and the authority of a certificate, as they are recorded beside it."""
    return "\n".join((*names, authority.read_text()))


def _noted(folder: Path) -> str:
    try:
        return (folder / "names").read_text()
    except OSError:
        return ""


def _root(state: State) -> Path:
    root = state.root / "certificates"
    root.mkdir(mode=0o700, parents=True, exist_ok=True)
    return root


def _folder(state: State, name: str) -> Path:
    return state.root / "certificates" / name


def _lasts(certificate: Path) -> bool:
    command = [_program(), "x509", "-noout", "-checkend", str(RENEWED_DAYS * 86_400), "-in", str(certificate)]
    return subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=False).returncode == 0


def mistrust(certificate: Path, authority: Path) -> str:
    """Why a client that trusts only ``authority`` refuses a server with the certificate, in openssl's words.

    ``certificate`` may have further ones between it and the authority. Empty: it is trusted. Raises LakehouseError if
    openssl is missing.
    """
    own = str(certificate.absolute())
    command = [_program(), "verify", "-CAfile", str(authority.absolute()), "-no-CApath", "-purpose", "sslserver"]
    done = subprocess.run([*command, "-untrusted", own, own], capture_output=True, text=True, check=False)
    lines = (line for line in done.stderr.splitlines() if line.startswith("error "))
    return next(lines, done.stderr.strip() or "it says not why") if done.returncode else ""


def _alternative(name: str) -> str:
    try:
        kind = f"IP:{ipaddress.ip_address(name)}"
    except ValueError:
        kind = ""
    return kind or f"DNS:{_plain(name)}"


def _plain(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise LakehouseError(f'"{name}" cannot be in a certificate: a name has only letters, digits, dots and hyphens.')
    return name


def openssl(folder: Path, *words: str, given: bytes = b"") -> bytes:
    """What ``openssl`` answers to a command in a folder, ``given`` its input. Other users cannot read its files.

    Raises LakehouseError if it is missing or fails.
    """
    command = [_program(), *words]
    done = subprocess.run(command, cwd=folder, input=given, capture_output=True, umask=0o077, check=False)
    if done.returncode:
        output = " ".join(done.stderr.decode(errors="replace").split())[-300:]
        raise LakehouseError(f"openssl {words[0]} failed, so a certificate or a token could not be made: {output}")
    return done.stdout


def _program() -> str:
    found = shutil.which("openssl")
    if found is None:
        raise LakehouseError("openssl is not on PATH, but certificates need it. Install it (package openssl).")
    return found
