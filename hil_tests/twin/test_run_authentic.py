"""Whole runs whose device believes its server half alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from hil.boards.twin import TwinBoard
from hil.data import registry as datasets
from hil.deploy import package
from hil.deploy.deployment import Deployment
from hil.deploy.reference import Oracle
from hil.errors import ServerError
from hil.server.answer import Answer, KeyedConnection, Request, Stamp, Status
from hil.server.inline import InlineServer
from hil.server.tagger import Tagger
from hil.session.options import RunOptions
from hil.session.run import RunResult, run_session
from hil.session.samples import Samples
from hil.zoo import shelf
from hil_tests.twin import firmware

pytestmark = pytest.mark.twin

KEY = bytes(range(100, 132))
DEADLINE_MS = 40.0
N = 4
NARROW = "ble-270k:bandwidth=60k,mtu=12,overhead=2"

Tamper = Callable[[list[Answer], Answer], Answer]


@dataclass
class Between:
    """Whoever sits between host and server half: `tamper(answers before, answer)`, or a lost line."""

    tamper: Tamper = lambda before, answer: answer
    alter: Callable[[bytes], bytes] = lambda payload: payload
    """What becomes of a payload on its way."""
    lost: tuple[int, ...] = ()
    """Requests that get no answer, and end their connection."""
    key: bytes | None = KEY
    connections: int = 0
    asked: int = 0
    seen: list[Answer] = field(default_factory=list)
    _line: KeyedConnection | None = None

    def connect(self, bundle_hash: bytes, timeout_s: float) -> Between:
        line = InlineServer(BUNDLE, self.key).connect(bundle_hash, timeout_s)
        assert isinstance(line, KeyedConnection)
        self._line = line
        self.connections += 1
        return self

    def begin(self, device_nonce: bytes, server_nonce: bytes, timeout_s: float) -> bytes:
        assert self._line is not None
        return self._line.begin(device_nonce, server_nonce, timeout_s)

    def infer(
        self, payload: bytes, timeout_s: float, *, prefix: bool = False, stamp: Stamp | None = None
    ) -> Answer:
        assert self._line is not None
        self.asked += 1
        if self.asked - 1 in self.lost:
            raise ServerError("the line is dead")
        answer = self._line.infer(self.alter(payload), timeout_s, prefix=prefix, stamp=stamp)
        said = self.tamper(self.seen, answer)
        self.seen.append(answer)
        return said

    def close(self) -> None:
        pass

    def log(self) -> bytes:
        return b""


BUNDLE = shelf.FOLDER / "agilenn-digits.safetensors"


@pytest.fixture(scope="module")
def deployment() -> Deployment:
    if not firmware.have_compiler():
        pytest.skip(f"{firmware.GCC} is not on PATH")
    return package.deploy(BUNDLE, TwinBoard.info, 216_000_000)


def run(
    deployment: Deployment, tmp_path: Path, between: Between | AnswersParts, **settings: Any
) -> RunResult:
    options = RunOptions(
        **{"n": N, "server_ms": 1.0, "deadline_ms": DEADLINE_MS, "out": tmp_path, "name": "x", **settings}
    )
    samples = Samples(datasets.get("digits").load("test", None), None)
    return run_session(
        deployment, TwinBoard(), samples, options=options, oracle=Oracle(deployment), server=between,
        device_key=KEY,
    )  # fmt: skip


def fates(result: RunResult) -> list[str]:
    return [record.reason or record.outcome for record in result.records]


def test_an_honest_run_is_answered_and_tells_what_belief_costs(
    deployment: Deployment, tmp_path: Path
) -> None:
    result = run(deployment, tmp_path, Between())
    assert fates(result) == ["answered"] * N
    assert result.summary["valid"]
    told = result.summary["authentication"]
    assert (told["replies"], told["nonce"], told["unauthentic"]) == (True, "rng", 0)
    assert 1000 < told["verify_cycles"] < 20_000
    assert told["source"] == "twin_cycles"


def test_no_file_of_a_run_holds_the_key(deployment: Deployment, tmp_path: Path) -> None:
    run(deployment, tmp_path, Between(), n=1)
    for path in (*tmp_path.rglob("*"), *deployment.folder.rglob("*")):
        if path.is_file():
            content = path.read_bytes()
            assert KEY not in content, path
            assert KEY.hex().encode() not in content, path


def altered(before: list[Answer], answer: Answer) -> Answer:
    return replace(answer, logits=answer.logits[::-1])


def replayed(before: list[Answer], answer: Answer) -> Answer:
    return before[0] if before else answer


def stripped(before: list[Answer], answer: Answer) -> Answer:
    return replace(answer, tag=b"")


@pytest.mark.parametrize(
    ("tamper", "expected"),
    [
        (altered, ["unauthentic"] * N),
        (replayed, ["answered", *["unauthentic"] * (N - 1)]),
        (stripped, ["deadline"] * N),
    ],
)
def test_what_was_tampered_with_is_a_fallback_at_the_deadline(
    deployment: Deployment, tmp_path: Path, tamper: Tamper, expected: list[str]
) -> None:
    result = run(deployment, tmp_path, Between(tamper))
    assert fates(result) == expected
    assert result.summary["host_agreement"] == 1.0
    for record in result.records:
        if record.outcome == "fallback":
            assert record.latency_ms is not None
            assert record.latency_ms.link == pytest.approx(DEADLINE_MS, rel=0.02)
    assert result.summary["authentication"]["unauthentic"] == expected.count("unauthentic")


def test_an_answer_to_another_payload_is_a_fallback_at_the_deadline(
    deployment: Deployment, tmp_path: Path
) -> None:
    earlier: list[bytes] = []

    def the_one_before(payload: bytes) -> bytes:
        earlier.append(payload)
        return earlier[-2] if len(earlier) > 1 else payload

    result = run(deployment, tmp_path, Between(alter=the_one_before))
    assert fates(result) == ["answered", *["unauthentic"] * (N - 1)]
    assert all(record.agrees for record in result.records)


@dataclass
class AnswersParts:
    """A server half that makes the same of whatever has arrived of a payload."""

    tagger: Tagger = field(default_factory=Tagger)
    parts: list[int] = field(default_factory=list)
    """Bytes of each payload of which not all had arrived."""

    def connect(self, bundle_hash: bytes, timeout_s: float) -> AnswersParts:
        return self

    def begin(self, device_nonce: bytes, server_nonce: bytes, timeout_s: float) -> bytes:
        return self.tagger.begin(KEY, device_nonce, server_nonce)

    def infer(
        self, payload: bytes, timeout_s: float, *, prefix: bool = False, stamp: Stamp | None = None
    ) -> Answer:
        self.parts += [len(payload)] if prefix else []
        answer = Answer(Status.OK, tuple(range(10)), channels=1)
        return self.tagger.tagged(answer, Request(payload, prefix, stamp))

    def close(self) -> None:
        pass

    def log(self) -> bytes:
        return b""


def test_an_answer_to_the_bytes_that_came_in_time_is_believed(deployment: Deployment, tmp_path: Path) -> None:
    manifest = deployment.manifest
    assert manifest.payload is not None
    progressive = replace(manifest, payload=replace(manifest.payload, progressive=True))
    server = AnswersParts()
    result = run(replace(deployment, manifest=progressive), tmp_path, server, radio=NARROW, deadline_ms=30.0)
    assert fates(result) == ["answered"] * N
    assert len(server.parts) >= N, "the deadline comes before the payload is whole"
    assert result.summary["prefixes"]["samples"] == N
    assert result.summary["authentication"]["unauthentic"] == 0


def test_a_server_half_of_another_key_is_never_believed(deployment: Deployment, tmp_path: Path) -> None:
    assert fates(run(deployment, tmp_path, Between(key=bytes(32)), n=2)) == ["unauthentic"] * 2


def test_a_session_goes_on_over_a_new_connection(deployment: Deployment, tmp_path: Path) -> None:
    between = Between(lost=(1, 2))
    result = run(deployment, tmp_path, between)
    assert fates(result)[0] == "answered"
    assert fates(result)[2:] == ["answered"] * 2
    assert result.records[1].reason == "deadline: the line is dead"
    assert between.connections > 1
