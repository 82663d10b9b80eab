"""The keys of users in the state folder."""

from __future__ import annotations

from pathlib import Path

from bootstrap.remote.user_keys import UserKeys
from lakehouse.runtimes.state import State


def test_keys_are_made_once_kept_and_forgotten(tmp_path: Path) -> None:
    keys = UserKeys(State(tmp_path))
    assert (keys.access_key("demo-a"), keys.any_of("demo")) == (None, False)
    made = keys.make("demo-a")
    assert keys.make("demo-a") == made
    assert (keys.access_key("demo-a"), keys.any_of("demo"), keys.any_of("other")) == (made[0], True, False)
    keys.keep("demo-a", "A", "S")
    assert keys.make("demo-a") == ("A", "S")
    keys.forget("demo-a")
    assert list((tmp_path / "secrets").iterdir()) == []


def test_half_a_pair_is_none_and_is_not_made_whole(tmp_path: Path) -> None:
    keys, state = UserKeys(State(tmp_path)), State(tmp_path)
    keys.keep("demo-a", "A", "S")
    assert keys.pair("demo-a") == ("A", "S")
    for lost in ("access-key", "secret-key"):
        keys.keep("demo-a", "A", "S")
        state.forget(f"demo-a-{lost}")
        assert keys.pair("demo-a") is None
        assert not state.kept(f"demo-a-{lost}").exists()
