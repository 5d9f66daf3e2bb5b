"""Names and tokens: kept so that only the owner reads them, and never told."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hil.errors import UsageError
from hil.server import tokens
from hil.server.tokens import Credential, Tokens


def test_a_new_token_can_be_used_and_only_the_owner_reads_it(tmp_path: Path) -> None:
    path = tmp_path / "tokens"
    first, second = tokens.new("camera-1"), tokens.new("camera-2")
    tokens.append(path, first)
    tokens.append(path, second)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    known = tokens.load(path)
    assert known.admits(first.name, first.token)
    assert known.admits(second.name, second.token)
    assert not known.admits(first.name, second.token)
    assert tokens.first(path) == first
    with pytest.raises(UsageError, match="already"):
        tokens.append(path, tokens.new("camera-1"))


@given(st.text(max_size=20), st.text(max_size=40))
def test_nobody_else_is_admitted(name: str, token: str) -> None:
    known = Tokens({"camera": "the-only-token-there-is"})
    assert known.admits(name, token) == ((name, token) == ("camera", "the-only-token-there-is"))


@pytest.mark.parametrize(
    "text", ["", "# only a comment", "no colon", ":token-without-a-name", "short:token", "a:" + "x" * 200]
)
def test_a_file_that_is_no_token_file_is_a_usage_error_that_does_not_tell_it(
    text: str, tmp_path: Path
) -> None:
    (tmp_path / "tokens").write_text(text + "\n")
    with pytest.raises(UsageError) as caught:
        tokens.load(tmp_path / "tokens")
    secret = text.rpartition(":")[2]
    assert not secret or len(secret) < 6 or secret not in str(caught.value)


def test_a_name_twice_and_a_file_that_is_not_there_are_usage_errors(tmp_path: Path) -> None:
    line = tokens.new("a").line()
    (tmp_path / "tokens").write_text(f"{line}\n{line}\n")
    with pytest.raises(UsageError, match="line 2"):
        tokens.load(tmp_path / "tokens")
    with pytest.raises(UsageError, match="cannot be read"):
        tokens.load(tmp_path / "none")


def test_the_environment_may_hold_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HIL_TOKEN", raising=False)
    assert tokens.from_environment() is None
    one = tokens.new("camera")
    monkeypatch.setenv("HIL_TOKEN", one.line())
    assert tokens.from_environment() == one
    monkeypatch.setenv("HIL_TOKEN", "nonsense")
    with pytest.raises(UsageError, match="HIL_TOKEN"):
        tokens.from_environment()


def test_a_token_is_not_in_what_python_prints_of_it() -> None:
    one = Credential.parse("camera:secret-secret-secret", "here")
    assert "secret" not in repr(one)
    assert "secret" not in repr(Tokens({one.name: one.token}))
