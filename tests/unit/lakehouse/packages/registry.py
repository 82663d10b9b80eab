"""A registry on the loopback address that misbehaves on demand, and artifacts for it."""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from pathlib import Path

from lakehouse.packages.package import Artifact


@dataclass
class Registry:
    """What the server holds and how it behaves. Paths begin with a slash; ``log`` has (path, Range header)."""

    url: str = ""
    files: dict[str, bytes] = field(default_factory=dict)
    types: dict[str, str] = field(default_factory=dict)
    statuses: list[int] = field(default_factory=list)  # answered first, one a request
    cut_at: list[int] = field(default_factory=list)  # bodies cut off after so many bytes, one a request
    ranges: bool = True
    before: Callable[[], object] = lambda: None
    log: list[tuple[str, str | None]] = field(default_factory=list)

    def put(self, artifact: Artifact, content: bytes) -> None:
        """Offer the content at the artifact's Maven path."""
        group, _, name = artifact.project.partition(":")
        self.files[f"/{group.replace('.', '/')}/{name}/{artifact.version}/{artifact.file}"] = content


def handler(registry: Registry) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            wanted = self.headers.get("Range")
            registry.log.append((self.path, wanted))
            registry.before()
            status = registry.statuses.pop(0) if registry.statuses else 200
            content = registry.files.get(self.path)
            if content is None or status != 200:
                self.send_response(404 if content is None else status)
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            first = int(wanted.removeprefix("bytes=").rstrip("-")) if wanted and registry.ranges else 0
            body = content[first:]
            self.send_response(206 if first else 200)
            if first:
                self.send_header("Content-Range", f"bytes {first}-{len(content) - 1}/{len(content)}")
            self.send_header("Content-Type", registry.types.get(self.path, "application/octet-stream"))
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body[: registry.cut_at.pop(0)] if registry.cut_at else body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the base class' name
            """Say nothing."""

    return Handler


def artifact(content: bytes, file: str = "thing-1.0.jar", unpack: tuple[tuple[str, str], ...] = ()) -> Artifact:
    """An artifact pinned to that content."""
    name = file.partition("-")[0]
    return Artifact(
        "maven", f"org.example:{name}", "1.0", file, hashlib.sha256(content).hexdigest(), len(content), unpack
    )


def zipped(files: Mapping[str, str], executable: tuple[str, ...] = ()) -> bytes:
    """A zip archive of those texts."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as bundle:
        for path, text in files.items():
            entry = zipfile.ZipInfo(path)
            entry.external_attr = (0o755 if path in executable else 0o644) << 16
            bundle.writestr(entry, text)
    return buffer.getvalue()


def files(folder: Path) -> dict[str, str]:
    """The texts of all files in a folder, by path."""
    return {str(path.relative_to(folder)): path.read_text() for path in folder.rglob("*") if path.is_file()}
