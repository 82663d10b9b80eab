"""Rules of a stack with `secure`, for every kind."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from lakehouse.kinds import CATALOGS, STORES
from lakehouse.spec import Lakehouse, LocalStack
from lakehouse.spec.entries import KindEntry
from lakehouse.spec.kinds import KindRules
from lakehouse.spec.secure import check_secure
from lakehouse.spec.stacks import Secure
from tests.unit.lakehouse.services.place import default, local


def problems(
    secure: Secure | None,
    *,
    store: str = "s3proxy",
    properties: dict[str, str] | None = None,
    catalog: str = "rest",
    **engines: Any,
) -> dict[str, str]:
    """The messages by the last key of their places."""
    lakehouse = default()
    stack = local(lakehouse).model_copy(
        update={
            "store": KindEntry(kind=store, properties=properties or {}),
            "catalogs": dict.fromkeys(lakehouse.catalogs, CATALOGS[catalog].entry(kind=catalog)),
            "secure": secure,
        }
    )
    left = lakehouse.engines.model_copy(update={"spark": None, "trino": None, **engines})
    found = check_secure("local", stack, lakehouse.model_copy(update={"engines": left}))
    return {str(each.at[-1]): each.message for each in found}


def refused(kind: KindRules) -> bool:
    return kind.unsecured is not None


@pytest.mark.parametrize("word", [word for word, kind in STORES.items() if "process" in kind.on])
def test_a_store_is_refused_exactly_if_it_says_why(word: str) -> None:
    found = problems(Secure(), store=word)
    assert ("store" in found) == refused(STORES[word])
    if lack := STORES[word].unsecured:
        assert lack.why in found["store"]
        assert "rite s3proxy or seaweedfs" in found["store"]
        assert found["store"].endswith("or remove `secure`")
    assert problems(None, store=word) == {}


@pytest.mark.parametrize("word", [word for word, kind in CATALOGS.items() if "process" in kind.on])
def test_so_is_a_catalog(word: str) -> None:
    found = problems(Secure(), catalog=word)
    lack = CATALOGS[word].unsecured
    assert lack is None or all(lack.why in message for message in found.values())
    assert bool(found) or not refused(CATALOGS[word])
    assert problems(None, catalog=word) == {}


def test_what_is_weak_but_known_can_be_accepted_by_its_word() -> None:
    message = problems(Secure(), store="minio")["store"]
    assert "accept it with `secure: {accept: [minio-keys]}`" in message
    assert not {"store", "0"} & problems(Secure(accept=["minio-keys"]), store="minio").keys()
    assert "is no weakness of this stack" in problems(Secure(accept=["minio-keys"]), store="s3proxy")["0"]


@pytest.mark.parametrize(
    "key", ["MINIO_PROMETHEUS_AUTH_TYPE", "MINIO_IDENTITY_LDAP_SERVER_ADDR", "MINIO_POLICY_PLUGIN_URL"]
)
def test_no_property_of_a_store_opens_it_again(key: str) -> None:
    accepted = Secure(accept=["minio-keys"])
    assert "could open what that closes" in problems(accepted, store="minio", properties={key: "x"})[key]
    assert key not in problems(None, store="minio", properties={key: "x"})
    assert (
        problems(accepted, store="minio", properties={"MINIO_API_REQUESTS_MAX": "400"}).keys()
        == problems(accepted, store="minio").keys()
    )


def test_hive_says_that_it_has_only_kerberos() -> None:
    [message] = problems(Secure(), catalog="hive").values()
    assert "Kerberos" in message


def test_glue_is_not_said_to_have_no_tls() -> None:
    [message] = problems(Secure(), catalog="glue").values()
    assert "AWS serves it by https, but nobody has tried" in message


def test_trino_must_ask_for_passwords() -> None:
    trino = default().engines.trino
    assert trino is not None
    asks = trino.model_copy(update={"authentication": "password"})
    assert "trino" not in problems(Secure(), trino=asks)
    message = problems(Secure(), trino=trino.model_copy(update={"authentication": None}))["trino"]
    assert message.endswith("Add authentication: password")


@given(st.lists(st.text(min_size=1, max_size=20), max_size=3))
def test_only_weaknesses_that_the_stack_has_can_be_accepted(words: list[str]) -> None:
    found = problems(Secure(accept=words))
    assert [key for key in found if key.isdigit()] == [str(nth) for nth in range(len(words))]


@pytest.mark.parametrize(
    ("written", "means"),
    [(True, Secure()), (False, None), ({}, Secure()), ({"accept": ["minio-keys"]}, Secure(accept=["minio-keys"]))],
)
def test_it_is_a_word_or_a_mapping_and_is_dumped_as_it_was_written(written: Any, means: Secure | None) -> None:
    said = {"runtime": "process", "store": "s3proxy", "catalogs": {"lake": "rest"}, "secure": written}
    stack = LocalStack.model_validate(said)
    assert stack.secure == means
    assert stack.model_dump()["secure"] == (True if written == {} else written)
    assert LocalStack.model_validate(stack.model_dump()) == stack


@pytest.mark.parametrize("wrong", ["yes", 1, {"accept": True}, {"cert": "a"}])
def test_other_values_are_refused(wrong: Any) -> None:
    with pytest.raises(ValidationError):
        LocalStack.model_validate(
            {"runtime": "process", "store": "s3proxy", "catalogs": {"lake": "rest"}, "secure": wrong}
        )


def test_no_stack_is_secure_by_itself() -> None:
    lakehouse: Lakehouse = default()
    assert local(lakehouse).secure is None


def test_the_users_files_belong_together() -> None:
    with pytest.raises(ValidationError, match="belong together, and key and authority is missing"):
        Secure(certificate="lake.pem")
    assert Secure(certificate="lake.pem", key="lake-key.pem", authority="root.pem").is_given
    assert not Secure().is_given


def test_a_key_in_the_file_itself_is_refused_and_not_repeated() -> None:
    key = f"-----BEGIN {'private'.upper()} KEY-----\nMIGHAgEA"  # the scan of secrets takes a literal for one
    with pytest.raises(ValidationError) as refused:
        Secure(certificate="lake.pem", key=key, authority="root.pem")
    [found] = refused.value.errors(include_input=False)
    assert "Name the file that contains it" in found["msg"]
    assert "MIGHAgEA" not in found["msg"]
