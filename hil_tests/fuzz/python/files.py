"""Files and texts that users and other programs write: settings, summaries, events, tokens, addresses.

Only HilError may come out of any reader.
"""

from __future__ import annotations

import atexit
import contextlib
import hashlib
import json
import shutil
import tempfile
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

from hil.errors import HilError, UntrustedError
from hil.link.parse import parse_radio
from hil.report import compare_json, compare_markdown, run_formats, stored, thresholds
from hil.report.compare import compare
from hil.report.json_report import as_json
from hil.report.run_data import MEMORY, read_run
from hil.server import tls, tokens
from hil.server.address import ServerAddress
from hil.server.process import parse_ready_line
from hil.server.tls import Trust
from hil.signing import keys, signature
from hil.signing.keys import PublicKey
from hil_tests.fuzz.python.places import changed, nested
from hil_tests.unit.report.run_folders import full_summary, records, write_run
from hil_tests.unit.report.summaries import summary

_FOLDER = Path(tempfile.mkdtemp(prefix="hil-fuzz-"))
atexit.register(shutil.rmtree, _FOLDER, ignore_errors=True)


def _thresholds(data: bytes) -> None:
    thresholds.load(_written("thresholds.toml", data)).rule("latency_ms.mean")


def _summaries(data: bytes) -> None:
    """Compared with a sound one, both ways."""
    strange = stored.read_summary(_written("summary.json", data), allow_partial=True)
    rules, sound = thresholds.load(), summary()
    for a, b in ((strange, sound), (sound, strange)):
        comparison = compare(a, b, rules, across_sources=True)
        compare_markdown.markdown(comparison, "a", "b")
        as_json(compare_json.as_values(comparison, "a", "b"))


def _run(data: bytes) -> None:
    """A folder: the summary, the events and the memory plan, of which changes say what is strange."""
    folder = _FOLDER / "run"
    what, rest = data[0] if data else 0, data[1:]
    names = ("summary.json", "events.jsonl", MEMORY)
    for name, content in _sound_run().items():
        _written(f"run/{name}", rest if name == names[what % 3] else content)
    if what % 3 == 1 and what & 4:
        events = [json.loads(line) for line in _sound_run()["events.jsonl"].splitlines()]
        lines = [json.dumps(changed(event, rest)) for event in events[:4]]
        _written("run/events.jsonl", "\n".join(lines).encode())
    run = read_run(folder)
    for write in (run_formats.run_json, run_formats.run_csv, run_formats.run_markdown, run_formats.run_junit):
        write(run)


def _changed_summary(data: bytes) -> None:
    _summaries(json.dumps(changed(summary(), data)).encode())


def _changed_run(data: bytes) -> None:
    _run(b"\0" + json.dumps(changed(json.loads(_sound_run()["summary.json"]), data)).encode())


def _changed_memory(data: bytes) -> None:
    _run(b"\2" + json.dumps(changed(json.loads(_sound_run()[MEMORY]), data)).encode())


def _tokens(data: bytes) -> None:
    path = _written("tokens", data)
    for read in (tokens.load, tokens.first):
        with contextlib.suppress(HilError):
            read(path)
    known = tokens.load(path)
    assert not known.admits("", "")
    tokens.Credential.parse(data.decode(errors="replace"), "the input")


def _texts(data: bytes) -> None:
    text = data.decode(errors="replace")
    parse_ready_line(text)
    for read in (ServerAddress.parse, parse_radio, lambda text: Trust(fingerprint=text)):
        with contextlib.suppress(HilError):
            read(text)
    tls.fingerprint(_written("certificate.pem", data))


def _signatures(data: bytes) -> None:
    """Beside a bundle, and trusted keys."""
    bundle = _written("bundle", b"any bytes")
    _written("bundle.sig", data)
    with contextlib.suppress(UntrustedError):
        signature.require(bundle, _keys())
    keys.trusted(_written("trusted", data))


@cache
def _keys() -> tuple[PublicKey, ...]:
    return (PublicKey(bytes(range(32)), "ours"),)


_READERS: tuple[Callable[[bytes], None], ...] = (
    _thresholds, _summaries, _run, _changed_summary, _changed_run, _changed_memory, _tokens, _texts,
    _signatures,
)  # fmt: skip


def one(data: bytes) -> None:
    """The first byte chooses the reader."""
    with contextlib.suppress(HilError):
        _READERS[(data[0] if data else 0) % len(_READERS)](data[1:])


def _written(name: str, content: bytes) -> Path:
    path = _FOLDER / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


@cache
def _sound_run() -> dict[str, bytes]:
    """The files of a small run, by name."""
    folder = write_run(_FOLDER / "sound", full_summary(), records(4))
    return {name: (folder / name).read_bytes() for name in ("summary.json", "events.jsonl", MEMORY)}


def seeds() -> Iterator[bytes]:
    """A sound file for every reader, changes of them, and documents that are too deep."""
    yield b"\0" + thresholds.DEFAULTS.read_bytes()
    yield b"\0" + b"x = " + nested(2000).encode()
    yield b"\1" + json.dumps(summary()).encode()
    yield b"\1" + nested(3000).encode()
    for index, name in enumerate(("summary.json", "events.jsonl", MEMORY)):
        yield bytes([2, index]) + _sound_run()[name]
        yield bytes([2, index]) + nested(3000).encode()
        yield bytes([2, 5, index, 3, 9, 20])
    for reader in (3, 4, 5):
        for where in range(0, 60, 7):
            yield bytes([reader, where, 9, where + 1, 24])
    yield b"\6" + b"# ours\ncamera-1:a-token-of-sixteen-and-more\n"
    yield b"\7" + b"127.0.0.1:7011"
    yield b"\7" + b"wifi-6m:bandwidth=1M,latency=2ms,loss=0.1"
    yield b"\7" + b'{"hil_server": {"port": 7011, "metrics_port": null}}'
    yield b"\7" + b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"
    yield b"\7" + nested(3000).encode()
    sha256 = hashlib.sha256(b"any bytes").hexdigest()
    signed = {"schema": 1, "algorithm": "ed25519", "key_id": "ab" * 8, "sha256": sha256, "signature": "AAAA"}
    yield b"\x08" + json.dumps(signed).encode()
    yield b"\x08" + f"# ours\n{_keys()[0].line()}\n".encode()
