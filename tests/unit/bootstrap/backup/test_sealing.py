"""What is sealed opens with its passphrase only, and shows nothing."""

from __future__ import annotations

import pytest

from bootstrap.backup import sealing
from lakehouse.errors import LakehouseError

FILES = {"state/secrets/key": b"hidden value", "beside/seed.csv": bytes(range(256))}


@pytest.fixture(autouse=True)
def cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sealing, "_COST", 2)


def test_the_right_passphrase_opens_it() -> None:
    data = sealing.sealed(FILES, b"passphrase")
    assert sealing.opened("The secrets", data, b"passphrase") == FILES
    assert b"hidden" not in data
    assert b"secrets/key" not in data, "names are sealed too"
    assert sealing.sealed(FILES, b"passphrase") != data, "each time with another salt and nonce"


@pytest.mark.parametrize("other", [b"Passphrase", b"", b"passphrase "])
def test_another_one_is_named_and_not_shown(other: bytes) -> None:
    with pytest.raises(LakehouseError, match="The secrets were sealed with another passphrase") as caught:
        sealing.opened("The secrets", sealing.sealed(FILES, b"passphrase"), other)
    assert "passphrase " not in str(caught.value).replace("another passphrase", "")
    assert caught.value.__suppress_context__


def test_what_is_cut_off_does_not_open() -> None:
    data = sealing.sealed(FILES, b"passphrase")
    with pytest.raises(LakehouseError, match="another passphrase"):
        sealing.opened("The secrets", data[:-1], b"passphrase")


def test_another_form_is_named() -> None:
    with pytest.raises(LakehouseError, match="a form that this version of lakehouse does not know"):
        sealing.opened("The secrets", b"lakehouse secrets 2\n", b"passphrase")
