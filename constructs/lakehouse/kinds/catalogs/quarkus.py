"""What catalog servers on Quarkus share, Nessie and Polaris: metrics, and TLS. https://quarkus.io/guides/http-reference"""

from __future__ import annotations

from lakehouse.services.service import Numbers
from lakehouse.text.placeholders import Text

NUMBERS = (Numbers("/q/metrics"),)  # of their management port

#: Properties that would open again what :func:`tls` closes, or replace the file that has its settings.
SECURED = (
    *("quarkus.http.ssl*", "quarkus.http.insecure-requests", "quarkus.http.auth.*", "quarkus.tls.*"),
    *("quarkus.oidc.*", "quarkus.profile", "quarkus.config.*"),
)


def tls(port: int, certificate: str, key: str) -> dict[str, Text]:
    """The settings of a server that has TLS only. ``certificate`` and ``key`` are paths, in which $$ stands for $."""
    return {
        "quarkus.http.ssl-port": str(port),
        "quarkus.http.insecure-requests": "disabled",
        "quarkus.http.ssl.certificate.files": certificate,
        "quarkus.http.ssl.certificate.key-files": key,
        "quarkus.http.ssl.certificate.reload-period": "30s",  # the shortest that it takes
    }
