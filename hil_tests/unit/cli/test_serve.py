"""`hil serve` and `hil run --server`: what they refuse, and what they make of their options."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from hil import pipeline
from hil.cli import main
from hil.server import app, tokens
from hil.server.address import ServerAddress
from hil.server.options import Bound, ServeOptions
from hil.zoo.shelf import FOLDER

BUNDLE = str(FOLDER / "agilenn-digits.safetensors")


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> list[ServeOptions]:
    """What was to be served; it is announced at once."""
    asked: list[ServeOptions] = []

    def serve(bundle: Path, options: ServeOptions, announce: Any, *, follow_parent: bool) -> None:
        asked.append(options)
        announce(Bound(4711, 9100, "ab" * 32))

    monkeypatch.setattr(app, "serve", serve)
    return asked


def test_it_says_where_it_listens_and_by_what_it_is_known(
    served: list[ServeOptions], capsys: pytest.CaptureFixture[str]
) -> None:
    given = ["--batch-max", "8", "--queue-max", "50", "--self-signed", "--metrics-port", "0"]
    assert main(["serve", "--bundle", BUNDLE, *given]) == 0
    out = capsys.readouterr().out
    assert "127.0.0.1:4711" in out
    assert "TLS fingerprint " + "ab" * 32 in out
    assert "http://127.0.0.1:9100/metrics" in out
    assert (served[0].limits.batch_max, served[0].limits.queue_max, served[0].tls) == (8, 50, True)


def test_a_program_that_started_it_reads_one_line_of_json(
    served: list[ServeOptions], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["serve", "--bundle", BUNDLE, "--announce"]) == 0
    assert json.loads(capsys.readouterr().out) == {"hil_server": {"port": 4711, "metrics_port": 9100}}


@pytest.mark.parametrize(
    ("given", "word"),
    [
        (["--bundle", BUNDLE, "--host", "0.0.0.0"], "--insecure"),
        (["--bundle", BUNDLE, "--tls-cert", "c.pem"], "go together"),
        ([], "--bundle FILE"),
        (["--new-token", "a:b"], "leave out colons"),
        (["--new-token", "#a"], "leave out colons"),
        (["--new-token", ""], "has no name:token"),
    ],
)
def test_what_is_unsafe_or_makes_no_sense_is_refused(
    given: list[str], word: str, served: list[ServeOptions], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["serve", *given]) == 2
    assert word in capsys.readouterr().err
    assert not served


def test_a_new_token_is_printed_or_kept_in_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["serve", "--new-token", "camera"]) == 0
    shown = tokens.Credential.parse(capsys.readouterr().out, "the output")
    assert shown.name == "camera"
    file = tmp_path / "tokens"
    assert main(["serve", "--new-token", "camera", "--token-file", str(file)]) == 0
    assert tokens.first(file).token not in capsys.readouterr().out


@pytest.fixture
def ran(monkeypatch: pytest.MonkeyPatch) -> list[ServerAddress | None]:
    """The servers that runs were given."""
    given: list[ServerAddress | None] = []

    def run_pipeline(plan: pipeline.Plan, *more: object, **options: object) -> dict[str, bool]:
        given.append(plan.request.server)
        return {"valid": True}

    monkeypatch.setattr(pipeline, "run_pipeline", run_pipeline)
    return given


def test_a_run_asks_the_server_that_it_is_given(
    ran: list[ServerAddress | None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("HIL_TOKEN", raising=False)
    one, other = tokens.new("one"), tokens.new("other")
    tokens.append(tmp_path / "tokens", one)
    run = ["run", "--bundle", BUNDLE, "--plain"]
    assert main(run) == 0
    assert main([*run, "--server", "[::1]:7011"]) == 0
    monkeypatch.setenv("HIL_TOKEN", other.line())
    assert main([*run, "--server", "host:7011", "--tls-fingerprint", "ab" * 32]) == 0
    assert main([*run, "--server", "host:7011", "--token-file", str(tmp_path / "tokens"), "--insecure"]) == 0
    assert ran[:2] == [None, ServerAddress("::1", 7011)]
    assert ran[2] is not None
    assert ran[3] is not None
    assert (ran[2].credential, ran[2].trust and ran[2].trust.digits) == (other, "ab" * 32)
    assert (ran[3].credential, ran[3].trust) == (one, None)


@pytest.mark.parametrize(
    ("given", "word"),
    [
        (["--token-file", "tokens"], "--server HOST:PORT"),
        (["--insecure"], "--server HOST:PORT"),
        (["--server", "host:7011"], "--tls-fingerprint"),
        (["--server", "192.0.2.1:7011"], "--insecure"),
        (["--server", "nonsense"], "no server address"),
        (["--server", "host:7011", "--token-file", "/nowhere/tokens"], "cannot be read"),
        (["--server", "host:7011", "--tls-fingerprint", "abc"], "64 hexadecimal"),
    ],
)
def test_a_run_refuses_a_server_it_cannot_know(
    given: list[str], word: str, ran: list[ServerAddress | None], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["run", "--bundle", BUNDLE, *given]) == 2
    assert word in " ".join(capsys.readouterr().err.split())
    assert not ran
