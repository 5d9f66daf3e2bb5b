"""A token is nowhere but in its own file: not in the run folder, not in a log, not in an error."""

from __future__ import annotations

import contextlib
import logging
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hil.cli import main
from hil.errors import ServerError
from hil.redaction import MASK, redacted
from hil.server import tokens
from hil.server.address import ServerAddress
from hil.server.client import Client
from hil.server.protocol import Kind, Refusal, pack_frame, pack_goodbye, pack_refusal
from hil.server.service import Service
from hil.server.tokens import Tokens
from hil_tests.patience import PATIENCE_S
from hil_tests.unit.server.fake_remote import FakeRemote, serving
from hil_tests.unit.session.fakes import FakeBoard, run_fake

SECRET = tokens.new("camera-1")


@pytest.mark.parametrize("around", ["{}", "the token file {} cannot be read", "--token-file={}", "'{}', 'x'"])
def test_a_credential_is_masked_wherever_it_stands(around: str) -> None:
    text = around.format(SECRET.line())
    assert SECRET.token not in redacted(text)
    assert MASK in redacted(text)


@pytest.mark.parametrize(
    "text",
    [
        "127.0.0.1:7011",
        "the bundle has sha256:" + "ab" * 40 + ".",
        "wifi-6m:bandwidth=1M,latency=2ms",
        "62:de:60:" + ":".join(["ab"] * 29),
        "/home/me/runs/2026:long_name_of_a_folder_that_goes_on_and_on_and_on",
        "host/hil/cli/run.py:123",
    ],
)
def test_what_is_no_secret_stays(text: str) -> None:
    assert redacted(text) == text


def test_the_environments_token_is_masked_in_any_place(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HIL_TOKEN", SECRET.line())
    assert redacted(f"x{SECRET.token}y") == f"x{MASK}y"


def test_a_run_leaves_no_byte_of_its_token(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], caplog: Any
) -> None:
    caplog.set_level(logging.DEBUG, logger="hil.server")  # `hil serve` in this process may have set it
    monkeypatch.setenv("HIL_TOKEN", SECRET.line())
    board = FakeBoard()
    known = Tokens({SECRET.name: SECRET.token})
    service = Service(FakeRemote(classes=4), board.model.bundle_hash, tokens=known)
    command = ("hil", "run", "--token-file", SECRET.line())
    with serving(service) as bound:
        address = ServerAddress("127.0.0.1", bound.port, SECRET)
        result = run_fake(tmp_path, board, address, command=command)  # type: ignore[arg-type]
    assert result.summary["outcomes"]["answered"] == 6, "it was let in by its token"
    kept = [file for file in tmp_path.rglob("*") if file.is_file()]
    assert len(kept) > 4
    for file in kept:
        assert SECRET.token.encode() not in file.read_bytes(), file
    said = capsys.readouterr()
    assert SECRET.token not in said.out + said.err + caplog.text
    assert SECRET.name in caplog.text, "the log has whose session it was"


@contextlib.contextmanager
def echo(*frames: bytes) -> Iterator[int]:
    """A server that says what it likes to whoever connects."""
    listener = socket.create_server(("127.0.0.1", 0))

    def talk() -> None:
        connection, _ = listener.accept()
        with connection:
            connection.recv(4096)
            connection.sendall(b"".join(frames))
            connection.recv(4096)

    thread = threading.Thread(target=talk)
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        thread.join(PATIENCE_S)
        listener.close()


@pytest.mark.parametrize(
    "frames",
    [
        (pack_refusal(Refusal.TOKEN, f"{SECRET.token} is not known"),),
        (pack_frame(Kind.WELCOME), pack_goodbye(f"good-bye {SECRET.token}")),
    ],
)
def test_a_server_that_repeats_a_token_is_not_quoted(frames: tuple[bytes, ...]) -> None:
    with echo(*frames) as port, pytest.raises(ServerError) as caught:
        Client("127.0.0.1", port, bytes(32), PATIENCE_S, credential=SECRET).infer(b"x", PATIENCE_S)
    assert SECRET.token not in str(caught.value)
    assert MASK in str(caught.value)


@pytest.mark.parametrize("more", [[], ["-v"], ["--json"]])
def test_a_token_in_the_wrong_place_is_not_repeated(
    more: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    given = ["run", "--server", "127.0.0.1:7011", "--token-file", SECRET.line(), *more]
    assert main(given) == 2
    said = capsys.readouterr()
    assert "cannot be read" in " ".join(said.err.split())
    assert SECRET.token not in said.out + said.err
