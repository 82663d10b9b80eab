"""Secrets of services under names for the user."""

from __future__ import annotations

from dataclasses import dataclass

from lakehouse.text.placeholders import Secret


@dataclass(frozen=True)
class Pair:
    """A name and its proof, such as a user and a password: one credential with two secrets."""

    name: Secret
    value: Secret

    @classmethod
    def of(
        cls,
        credential: str,
        name: str,
        value: str,
        default: str = "",
        *,
        lasting: bool = False,
        barred: tuple[str, str] = ("", ""),
    ) -> Pair:
        """A pair whose parts are kept as ``name`` and ``value``. ``default`` is the name if the user sets none.

        A ``lasting`` one cannot be rotated: its server keeps the one that it had at its first start. ``barred`` are the
        characters that the user's name and value may not have.
        """
        return cls(
            Secret(name, "name", credential, default, lasting, barred[0]),
            Secret(value, "key", credential, "", lasting, barred[1]),
        )


STORE = Pair.of("store", "store-access-key", "store-secret-key")  # of the object store's owner
