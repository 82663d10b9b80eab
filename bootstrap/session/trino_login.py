"""How the toolkit's clients log in to Trino. Without passwords it knows only a name, and checks nothing."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bootstrap.session.target import Target
from lakehouse.kinds.engines.trino_password import PASSWORD
from lakehouse.kinds.engines.trino_rules import OWNER
from lakehouse.services.certificate import AUTHORITY
from lakehouse.text.placeholders import Issued


@dataclass(frozen=True)
class TrinoLogin:
    """How a user reaches Trino: by only a name, or by TLS with a password. ``trust`` is a path."""

    user: str = OWNER
    password: str = field(default="", repr=False)
    trust: str = ""

    def settings(self) -> dict[str, Any]:
        """The arguments of Trino's client that are not its address."""
        from trino.auth import BasicAuthentication
        from trino.client import TrinoRequest

        http = TrinoRequest.http.Session()
        if not self.password:
            return {"http_scheme": "http", "http_session": http}
        # Else the shell's REQUESTS_CA_BUNDLE, or a password in its .netrc, would replace what is set here.
        http.trust_env = False
        http.verify = self.trust
        return {
            "http_scheme": "https",
            "http_session": http,
            "auth": BasicAuthentication(self.user, self.password),
        }


def trino_login(target: Target) -> TrinoLogin:
    """That of the toolkit's own clients."""
    if not target.asks_in_trino:
        return TrinoLogin()
    return TrinoLogin(password=target.local.state.secret(PASSWORD.secret), trust=str(authority(target)))


def authority(target: Target) -> Path:
    """The file of the certificate by which clients trust the stack's services."""
    return target.local.state.kept(Issued(AUTHORITY, "certificate").kept)
