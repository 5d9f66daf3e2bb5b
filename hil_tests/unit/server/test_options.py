"""What would be unsafe, or would answer nobody, is refused before anything is loaded."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from hil.errors import UsageError
from hil.server.limits import Limits
from hil.server.options import ServeOptions, is_loopback


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "server.example"])
def test_other_machines_need_a_token_or_a_word_that_none_is_wanted(host):
    with pytest.raises(UsageError, match="anybody who reaches") as caught:
        ServeOptions(host=host)
    assert "--token-file" in caught.value.hint
    assert "--insecure" in caught.value.hint
    assert ServeOptions(host=host, insecure=True).host == host
    assert ServeOptions(host=host, token_file=Path("tokens")).host == host


def test_other_machines_get_tls_unless_told_otherwise() -> None:
    known = ServeOptions(host="0.0.0.0", token_file=Path("tokens"))
    assert known.makes_certificate
    assert known.tls
    assert not known.dangers
    own = replace(known, tls_cert=Path("c"), tls_key=Path("k"))
    assert own.tls
    assert not own.makes_certificate


def test_what_is_insecure_is_said_loudly() -> None:
    open_to_all = ServeOptions(host="0.0.0.0", insecure=True)
    assert not open_to_all.tls
    assert [danger.partition(":")[0] for danger in open_to_all.dangers] == [
        "anybody who reaches 0.0.0.0 may use this server",
        "payloads, answers and tokens cross the network in the clear",
    ]
    assert len(replace(open_to_all, token_file=Path("tokens")).dangers) == 1
    assert not replace(open_to_all, token_file=Path("tokens"), self_signed=True).dangers
    assert not ServeOptions(insecure=True).dangers


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1", "localhost"])
def test_this_machine_needs_none(host):
    assert is_loopback(host)
    assert not ServeOptions(host=host).tls


@pytest.mark.parametrize(
    "options",
    [
        {"tls_cert": Path("c")},
        {"tls_key": Path("k")},
        {"tls_cert": Path("c"), "tls_key": Path("k"), "self_signed": True},
    ],
)
def test_certificate_and_key_go_together(options):
    with pytest.raises(UsageError):
        ServeOptions(**options)


@pytest.mark.parametrize(
    "limits", [{"queue_max": 0}, {"session_max": 0}, {"batch_max": -1}, {"delay_ms": -1.0}, {"delay_ms": 1e9}]
)
def test_a_bound_that_answers_nobody_is_a_usage_error(limits):
    with pytest.raises(UsageError):
        Limits(**limits)
