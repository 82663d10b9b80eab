"""One file from an address to the disk: resumed, checked, and either complete or absent."""

from __future__ import annotations

import errno
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from urllib.parse import urlsplit

import requests

from lakehouse.errors import LakehouseError
from lakehouse.packages.manifest import sha256
from lakehouse.packages.package import Artifact

_CHUNK = 1 << 16  # bytes; a cut connection loses at most so many
_ATTEMPTS = 5
_TRANSIENT = (
    requests.ConnectionError,
    requests.Timeout,
    requests.exceptions.ChunkedEncodingError,
    requests.exceptions.ContentDecodingError,
)


class _TryAgain(Exception):
    """The server may answer differently in a moment."""


class _NotHere(Exception):
    """This address does not have the file; another one may."""


def download(
    artifact: Artifact,
    urls: Sequence[str],
    part: Path,
    session: requests.Session,
    *,
    seen: Callable[[int], None] = lambda size: None,
    pause: Callable[[float], None] = time.sleep,
) -> None:
    """Download the artifact to ``part``, resuming from what it has; ``seen`` gets the number of bytes so far.

    Timeouts, cut connections and answers 429 and 5xx are retried with growing pauses; other answers are final.

    Raises LakehouseError if no address has the file, the network or the disk fails, or the SHA-256 differs (then
        ``part`` is deleted, so that the next run starts from the beginning).
    """
    failure: Exception = LakehouseError(f"{artifact.coordinates}: no address to fetch it from")
    for url in urls:
        for attempt in range(_ATTEMPTS):
            try:
                _transfer(url, part, artifact.size, session, seen)
                check(artifact, part)
                return
            except _NotHere as error:
                failure = error
                break
            except (_TryAgain, *_TRANSIENT) as error:
                failure = error
                if attempt + 1 < _ATTEMPTS:
                    pause(2**attempt)
            except requests.RequestException as error:
                failure = error
                break
            except OSError as error:
                raise disk_error(error, part) from error
    hosts = ", ".join(dict.fromkeys(urlsplit(url).hostname or url for url in urls))
    if isinstance(failure, _NotHere):
        raise LakehouseError(
            f"{artifact.coordinates}: {hosts} answers {failure} for {artifact.file}. "
            "Use a mirror that has it: pip's index-url for PyPI, LAKEHOUSE_MAVEN_REPOSITORY for Maven."
        ) from failure
    raise LakehouseError(
        f"{artifact.coordinates}: {artifact.file} could not be fetched from {hosts} in {_ATTEMPTS} attempts "
        f"({_say(failure)}). Check the network and run again: the downloaded part is kept."
    ) from failure


def check(artifact: Artifact, path: Path) -> None:
    """Compare the file with its pin and delete it if it differs.

    Raises LakehouseError if it differs.
    """
    got = sha256(path)
    if got != artifact.sha256:
        path.unlink()
        raise LakehouseError(
            f"{artifact.coordinates}: {artifact.file} has the SHA-256 {got}, but {artifact.sha256} is pinned. It was "
            "deleted. Run again; if this repeats, the registry or a proxy on the way changes the file: do not use it."
        )


def disk_error(error: OSError, path: Path) -> LakehouseError:
    """A file system error as a message that says what to do."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        fix = "Free some space there, or set XDG_CACHE_HOME to a folder with more, and run again."
        return LakehouseError(f"the disk with {path.parent} is full. {fix}")
    fix = "Make it writable, or set XDG_CACHE_HOME to a folder that is."
    return LakehouseError(f"cannot write {path}: {error.strerror or error}. {fix}")


def _transfer(url: str, part: Path, size: int, session: requests.Session, seen: Callable[[int], None]) -> None:
    have = part.stat().st_size if part.exists() else 0
    if have > size:
        part.unlink()
        have = 0
    seen(have)
    if have == size:
        return
    headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={have}-"} if have else {})
    with session.get(url, headers=headers, stream=True, timeout=(10, 60)) as answer:
        if answer.status_code == requests.codes.requested_range_not_satisfiable:
            part.unlink()
            raise _TryAgain("the range was refused")
        if answer.status_code == 429 or answer.status_code >= 500:
            raise _TryAgain(f"answer {answer.status_code}")
        if answer.status_code not in (200, 206):
            raise _NotHere(str(answer.status_code))
        resumed = answer.status_code == 206 and answer.headers.get("Content-Range", "").startswith(f"bytes {have}-")
        with part.open("ab" if resumed else "wb") as file:
            have = have if resumed else 0
            for chunk in answer.iter_content(_CHUNK):
                file.write(chunk)
                have += len(chunk)
                seen(have)
    if have < size:
        raise _TryAgain(f"the connection was cut at {have} of {size} bytes")


_WORDS: Sequence[tuple[type[Exception], str]] = (  # the narrower ones first
    (requests.exceptions.ProxyError, "the proxy that http_proxy and https_proxy name cannot be reached"),
    (requests.exceptions.SSLError, "its certificate is not trusted"),
    (requests.exceptions.Timeout, "no answer in time"),
    (requests.exceptions.ConnectionError, "no connection"),
)


def _say(error: Exception) -> str:
    if isinstance(error, _TryAgain):
        return str(error)
    return next((words for kind, words in _WORDS if isinstance(error, kind)), type(error).__name__)
