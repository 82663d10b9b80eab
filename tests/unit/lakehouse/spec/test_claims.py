"""The register: it agrees with the definition of a clash, taken pair by pair."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from lakehouse.spec.claims import Claim, Register, clash, marks, parts

_LEVELS = st.lists(st.sampled_from(["a", "b", "ab", "a-b"]), min_size=1, max_size=4)
_CLAIMS = st.builds(
    lambda bucket, levels, owner, catalog, holds: Claim(
        "/".join([f"s3://{bucket}", *levels]), owner, catalog, holds=catalog if holds else ""
    ),
    st.sampled_from(["one", "two"]),
    _LEVELS,
    st.sampled_from("pqrs"),
    st.sampled_from(["x", "y"]),
    st.booleans(),
)
_TREES = st.lists(_CLAIMS, max_size=12)


@settings(max_examples=300, deadline=None)
@given(_TREES, _CLAIMS)
def test_the_register_agrees_with_the_definition(claims: list[Claim], asked: Claim) -> None:
    register = Register(claims)
    expected = [other for other in claims if clash(asked, other)]
    found = register.clash(asked)
    assert (found in expected) if expected else (found is None)
    pairs = [(one, other) for n, one in enumerate(claims) for other in claims[:n] if clash(one, other)]
    for outer, inner in (reported := list(register.clashes())):
        assert clash(outer, inner)
        assert inner.parts[: len(outer.parts)] == outer.parts
    # Each clash is reported at its inner side, or at the later of two with one folder: no pair is left out.
    inside = [inner for _, inner in reported]
    for one, other in pairs:
        assert one in inside or other in inside


@settings(max_examples=200, deadline=None)
@given(_TREES, _CLAIMS)
def test_what_is_in_and_around_a_folder(claims: list[Claim], asked: Claim) -> None:
    register = Register(claims)
    key = asked.parts
    assert sorted(map(id, register.within(asked.location))) == sorted(
        id(c) for c in claims if c.parts[: len(key)] == key
    )
    around = [c for c in claims if len(c.parts) < len(key) and key[: len(c.parts)] == c.parts]
    assert sorted(map(id, register.around(asked.location))) == sorted(map(id, around))


def test_schemes_and_slashes_make_no_other_folder() -> None:
    assert parts("s3a://b/lake/") == parts("s3n://b/lake") == parts("s3://b/lake") == ("b", "lake")


def test_a_catalog_holds_its_own_tables_and_no_others() -> None:
    lake = Claim("s3://w/lake", "lake", "lake", holds="lake")
    assert not clash(lake, Claim("s3://w/lake/n/t", "lake.n.t", "lake"))
    assert clash(lake, Claim("s3://w/lake/n/t", "other.n.t", "other"))
    assert clash(lake, Claim("s3://w/lake", "lake.n.t", "lake"))
    assert clash(lake, Claim("s3://w", "lake.n.t", "lake"))
    assert not clash(Claim("s3://w", "lake", "lake", holds="lake"), marks("w"))
    assert clash(Claim("s3://w/.lakehouse/x", "lake.n.t", "lake"), marks("w"))
