"""When certificates and keys of tokens end."""

from __future__ import annotations

import time
from pathlib import Path

from lakehouse.runtimes import certificates, tokens
from lakehouse.runtimes.endings import Lifetime, endings
from lakehouse.runtimes.state import State
from lakehouse.services.certificate import Certificate
from lakehouse.services.service import File, Probe, Service
from lakehouse.text.placeholders import Secret

CERTIFICATE = Certificate("trino", ("localhost",))
TOKEN = Secret("nessie-owner.jwt", "token", "nessie-tokens", subject="owner")
SERVICE = Service(
    "trino", "", packages=(), command=(), probe=Probe("tcp", 1), files=(File("a", CERTIFICATE.key), File("b", TOKEN))
)


def test_what_is_made_has_an_end(tmp_path: Path) -> None:
    state = State(tmp_path)
    assert endings(state, [SERVICE]) == {}
    certificates.make(state, CERTIFICATE.chain)
    tokens.make(state, "nessie-tokens")
    found = endings(state, [SERVICE])
    for name in ("trino-certificate", "nessie-tokens"):
        days = [round((when - time.time()) / 86_400) for when in (found[name].begin, found[name].late, found[name].end)]
        assert days == [0, certificates.DAYS - certificates.RENEWED_DAYS, certificates.DAYS]


def test_a_short_life_is_late_in_its_last_third() -> None:
    assert Lifetime(0, 9).late == 6
