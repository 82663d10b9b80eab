"""What ``authentication: password`` adds to Trino: TLS, passwords, and rules that say who may do what.

The owner's password is a part of the service's definition. The principals' passwords and the rules are not, so that a
changed grant restarts nothing: the bootstrap writes them (`bootstrap.engines.trino_files`), and Trino reads them again.

https://trino.io/docs/476/security/tls.html, https://trino.io/docs/476/security/password-file.html and
https://trino.io/docs/476/security/file-system-access-control.html
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from lakehouse.access.trino import trino_rules
from lakehouse.kinds.engines.trino_rules import OWNER
from lakehouse.services.certificate import Certificate
from lakehouse.services.service import File
from lakehouse.spec import Lakehouse
from lakehouse.spec.roles import Access
from lakehouse.text.placeholders import Hashed, Secret, Text, joined
from lakehouse.text.properties import properties

PASSWORD = Secret("trino-password", "password")  # the owner's
USERS = "access/users"  # the principals' passwords, relative to the service's configuration folder
RULES = "access/rules.json"
AUTHORITY = "authority.pem"
SECONDS = 2  # until Trino has read the principals' passwords and the rules again

ASKS = {"http-server.authentication.type": "PASSWORD"}  # of config.properties

# By which Trino's nodes know each other.
INTERNAL: Mapping[str, Text] = {"internal-communication.shared-secret": Secret("trino-internal")}
_SERVER = "server.pem"
_LOGIN = {"owner": "owner", "users": USERS}  # the files of passwords, by the names of their own settings


def settings(etc: str, coordinator: str, port: int) -> dict[str, Text]:
    """Those of the server, with ``etc`` as its configuration folder. They replace the ones without TLS.

    ``coordinator`` is its address for other servers.
    """
    return {
        "http-server.http.enabled": "false",
        "http-server.https.enabled": "true",
        "http-server.https.port": str(port),
        "http-server.https.keystore.path": f"{etc}/{_SERVER}",
        **ASKS,
        "password-authenticator.config-files": ",".join(f"{etc}/{name}.properties" for name in _LOGIN),
        "access-control.config-files": f"{etc}/access-control.properties",
        "discovery.uri": coordinator,
        **INTERNAL,
        "internal-communication.https.required": "true",
        "internal-communication.https.truststore.path": f"{etc}/{AUTHORITY}",
    }


def of_worker(etc: str, coordinator: str, port: int) -> dict[str, Text]:
    """Those of a worker: the owner logs in there, to read its numbers. Who may do what, the coordinator decides."""
    found = settings(etc, coordinator, port)
    del found["access-control.config-files"]
    return {**found, "password-authenticator.config-files": f"{etc}/owner.properties"}


def first_rules(lakehouse: Lakehouse) -> dict[str, Any]:
    """The rules until the bootstrap has written those of the file: only the owner may do anything."""
    return trino_rules(lakehouse.model_copy(update={"access": Access()}), OWNER)


def files(etc: str, certificate: Certificate, rules: Mapping[str, Any]) -> tuple[File, ...]:
    """What these settings refer to, with the first ``rules``."""
    control = {
        "access-control.name": "file",
        "security.config-file": f"{etc}/{RULES}",
        "security.refresh-period": f"{SECONDS}s",
    }
    return (
        *_tls(certificate),
        *(File(f"{name}.properties", properties(_login(f"{etc}/{path}"))) for name, path in _LOGIN.items()),
        File("access-control.properties", properties(control)),
        _owner(),
        File(USERS, "", once=True),
        File(RULES, json.dumps(rules, indent=1), once=True),
    )


def files_of_worker(etc: str, certificate: Certificate) -> tuple[File, ...]:
    """What the settings of a worker refer to."""
    path = _LOGIN["owner"]
    return *_tls(certificate), File("owner.properties", properties(_login(f"{etc}/{path}"))), _owner()


def _tls(certificate: Certificate) -> tuple[File, ...]:
    return (
        File(_SERVER, joined([certificate.key, "\n", certificate.chain])),
        File(AUTHORITY, certificate.authority),
    )


def _owner() -> File:
    return File(_LOGIN["owner"], joined([f"{OWNER}:", Hashed(PASSWORD), "\n"]))


def _login(path: str) -> dict[str, Text]:
    return {
        "password-authenticator.name": "file",
        "file.password-file": path,
        "file.refresh-period": f"{SECONDS}s",
    }
