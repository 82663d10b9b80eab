"""The way back from privileges to verbs, against the compiler and the double's own reading of Polaris's privileges."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lakehouse.access.grants import VERBS
from lakehouse.access.polaris import PolarisGrant, PolarisPlace, grants_on
from lakehouse.access.polaris_verbs import expressed, lacking
from lakehouse.spec import Verb
from tests.polaris.content import _give
from tests.polaris.privileges import PRIVILEGES

CATALOG: PolarisPlace = ((), "", "catalog")
SPACE: PolarisPlace = (("n",), "", "namespace")
INNER: PolarisPlace = (("n", "m"), "", "namespace")
TABLE: PolarisPlace = (("n",), "t", "table")
VIEW: PolarisPlace = (("n",), "v", "view")
PLACES = (CATALOG, SPACE, INNER, TABLE, VIEW)


def privileges(place: PolarisPlace, *names: str) -> set[PolarisGrant]:
    return {PolarisGrant(place[0], place[1], name, place[2]) for name in names}


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("verb", VERBS)
def test_what_a_verb_means_is_that_verb_again(place: PolarisPlace, verb: Verb) -> None:
    found = expressed(grants_on(place, verb))
    said = {"view": {"write": "read"}}.get(place[2], {}).get(verb, verb)
    assert (dict(found.verbs), found.rest) == ({".".join((*place[0], *filter(None, place[1:2]))): said}, ())


@pytest.mark.parametrize(
    ("have", "verbs", "rest"),
    [
        # What people grant by hand: a few privileges that include the others.
        (privileges(CATALOG, "CATALOG_MANAGE_CONTENT"), {"": "manage"}, ["CATALOG_MANAGE_CONTENT"]),
        (privileges(SPACE, "TABLE_READ_DATA", "NAMESPACE_READ_PROPERTIES", "VIEW_READ_PROPERTIES"), {"n": "read"}, []),
        (privileges(TABLE, "TABLE_WRITE_DATA"), {"n.t": "write"}, []),
        (privileges(TABLE, "TABLE_WRITE_DATA", "TABLE_DROP"), {"n.t": "manage"}, []),
        # More than one verb and less than the next
        (grants_on(SPACE, "read") | privileges(SPACE, "TABLE_CREATE"), {"n": "read"}, ["TABLE_CREATE"]),
        (privileges(SPACE, "TABLE_LIST"), {}, ["TABLE_LIST"]),
        # What is around it gives it already, or the rest of it.
        (grants_on(CATALOG, "read") | privileges(SPACE, "TABLE_LIST"), {"": "read"}, []),
        (grants_on(CATALOG, "read") | privileges(TABLE, "TABLE_WRITE_DATA"), {"": "read", "n.t": "write"}, []),
        (privileges((("a.b",), "", "namespace"), "CATALOG_MANAGE_CONTENT"), {}, ["CATALOG_MANAGE_CONTENT"]),
        (privileges(CATALOG, "CATALOG_MANAGE_ACCESS"), {}, ["CATALOG_MANAGE_ACCESS"]),
    ],
)
def test_grants_by_hand_are_the_most_that_they_give(have: Any, verbs: dict[str, str], rest: list[str]) -> None:
    found = expressed(have)
    assert (dict(found.verbs), [each.privilege for each in found.rest]) == (verbs, rest)


GRANTS = st.sampled_from(PLACES).flatmap(
    lambda place: st.builds(
        lambda name: PolarisGrant(place[0], place[1], name, place[2]), st.sampled_from(sorted(PRIVILEGES[place[2]]))
    )
)


@given(st.sets(GRANTS, max_size=12))
def test_verbs_never_say_more_than_the_grants_give(have: set[PolarisGrant]) -> None:
    """And nothing is lost: what they do not say is the rest."""
    found = expressed(have)
    names = {".".join((*place[0], *filter(None, place[1:2]))): place for place in PLACES}
    said = {grant for target, verb in found.verbs.items() for grant in grants_on(names[target], verb)}
    assert not lacking(said, have)
    assert not lacking(have, said | set(found.rest))


@pytest.mark.parametrize("privilege", sorted(PRIVILEGES["catalog"]))
def test_a_privilege_is_given_by_those_that_the_server_takes(privilege: str) -> None:
    thing = privilege.partition("_")[0]
    if thing not in ("NAMESPACE", "TABLE", "VIEW") or privilege.endswith("_POLICY"):
        givers = {privilege}
    else:
        what = privilege.partition("_")[2]
        known = what in ("CREATE", "DROP", "LIST", "READ_PROPERTIES", "WRITE_PROPERTIES", "READ_DATA", "WRITE_DATA")
        givers = (
            _give(privilege)
            if known
            else {
                privilege,
                *({"CATALOG_MANAGE_CONTENT", "CATALOG_MANAGE_METADATA"} if what == "FULL_METADATA" else ()),
            }
        )
    wanted = privileges(CATALOG, privilege)
    have = {other for other in PRIVILEGES["catalog"] if not lacking(wanted, privileges(CATALOG, other))}
    assert have == givers & PRIVILEGES["catalog"]
