"""What servers on Quarkus share."""

from __future__ import annotations

import pytest

from lakehouse.kinds import CATALOGS
from lakehouse.kinds.catalogs import quarkus
from lakehouse.spec.further import covers


@pytest.mark.parametrize("word", ["nessie", "polaris"])
def test_no_property_replaces_what_makes_tls_the_only_way_in(word: str) -> None:
    kind = CATALOGS[word]
    for key in (*quarkus.tls(1, "certificate", "key"), "quarkus.oidc.tenant-enabled", "quarkus.profile"):
        assert any(covers(each, key) for each in kind.secured), key
    assert not any(covers(each, "quarkus.http.limits.max-body-size") for each in kind.secured)
