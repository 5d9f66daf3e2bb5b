"""Whole runs over bandwidth, loss, deadline, clock, scheme and codec: what must be true of any of them."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from hil import bundle as bundles
from hil.boards import registry as boards
from hil.boards.options import BoardOptions
from hil.boards.protocol import ExternalBoard
from hil.data import registry as datasets
from hil.deploy import package
from hil.deploy.codecs.pack import pack
from hil.deploy.codecs.request import CodecRequest
from hil.deploy.deployment import Deployment, KernelChoice
from hil.deploy.reference import Oracle
from hil.link.parse import parse_radio
from hil.link.radio import Direction, Radio
from hil.neighbourhood.parameter import Choice, Data, Parameters, Whole
from hil.neighbourhood.template import Context, Template, Verdict, Where
from hil.server.inline import InlineServer
from hil.session.events import SampleRecord
from hil.session.options import RunOptions
from hil.session.run import run_session
from hil.session.samples import Samples, choose
from hil.wire.protocol import ReplyStatus
from hil.wire.to_device import Reply
from hil.zoo import shelf
from hil_tests.neighbourhood.layers import whole

SOURCES = ("hil_tests/neighbourhood/layers.py",)
NEAR = 1e-6
WIRE_S = 0.004
"""Chunks, acknowledgements and the frames around them, on the wire's fastest rate."""


@cache
def deployed(scheme: str, codec: str, clock_mhz: int, board: str) -> Deployment:
    """The firmware, built once and kept in the cache. One of them has kernels that were tuned for minutes."""
    path = shelf.FOLDER / f"{scheme}-digits.safetensors"
    if codec != "own":
        path = pack(path, CodecRequest(codec, "latency", "wifi-6m"), clock_mhz * 1_000_000).bundle
    tuned = (scheme, codec, clock_mhz) == ("agilenn", "own", 216)
    kernels = KernelChoice.TUNED if tuned else KernelChoice.PLAIN
    info = boards.get(board, BoardOptions(clock_hz=clock_mhz * 1_000_000)).info
    return package.deploy(path, info, clock_mhz * 1_000_000, kernels=kernels)


@cache
def samples(scheme: str) -> Samples:
    opened = bundles.load(shelf.FOLDER / f"{scheme}-digits.safetensors")
    return Samples(datasets.get("digits").load("test", None), opened.tensors.get("record.predictions"))


def radio_text(parameters: Parameters) -> str:
    """The radio as `hil run` takes it."""
    loss = whole(parameters, "loss")
    text = f"custom:bandwidth={whole(parameters, 'kbps')}k,latency={whole(parameters, 'latency')}ms"
    text += f",jitter={whole(parameters, 'jitter')}ms,loss={loss}%,mtu={whole(parameters, 'mtu')}"
    text += f",overhead=17,tries={whole(parameters, 'tries')},timeout=2ms,tx=145,rx=56,idle=70"
    text += ",burst=4" if parameters["burst"] == "yes" else ""
    return text + (",outage=40%+30%" if parameters["outage"] == "yes" else "")


@dataclass(frozen=True)
class _Run:
    parameters: Parameters
    deployment: Deployment
    options: RunOptions
    records: Sequence[SampleRecord]
    summary: Mapping[str, Any]

    @property
    def deadline_s(self) -> float:
        return self.options.deadline_ms / 1000

    @property
    def tolerance_s(self) -> float:
        return 0.01 * self.deadline_s + (0.0003 if self.parameters["board"] == "twin" else 0.003)


def _run(parameters: Parameters) -> _Run:
    scheme, board = str(parameters["scheme"]), str(parameters["board"])
    deployment = deployed(scheme, str(parameters["codec"]), whole(parameters, "clock"), board)
    with tempfile.TemporaryDirectory() as out:
        options = RunOptions(
            n=whole(parameters, "samples"),
            seed=whole(parameters, "data"),
            deadline_ms=whole(parameters, "deadline"),
            radio=radio_text(parameters),
            server_ms=whole(parameters, "server"),
            out=Path(out),
            transcript=False,
            overlap=parameters["overlap"] == "yes",
            layer_samples=1,
        )
        server = InlineServer(deployment.bundle) if deployment.manifest.payload else None
        chosen = boards.get(board, BoardOptions(clock_hz=whole(parameters, "clock") * 1_000_000))
        if isinstance(chosen, ExternalBoard):
            chosen.prepare()
        result = run_session(
            deployment, chosen, samples(scheme), options=options, oracle=Oracle(deployment), server=server
        )
    return _Run(parameters, deployment, options, result.records, result.summary)


def _asked(parameters: Parameters) -> str:
    run = _run(parameters)
    for check in (_counted, _parts, _energy, _late, _link, _repeated, _issues):
        if detail := check(run):
            return detail
    return ""


def _counted(run: _Run) -> str:
    """Outcomes add up, and shares are of all samples."""
    outcomes, records = run.summary["outcomes"], run.records
    if (
        len(records) != run.options.n
        or sum(outcomes.values()) != run.options.n
        or run.summary["samples"] != run.options.n
    ):
        return f"{outcomes} of {run.options.n} samples"
    order = choose(run.options.n, len(samples(str(run.parameters["scheme"])).split), run.options.seed)
    if [record.sample for record in records] != order.tolist():
        return "other samples than the seed says"
    right = sum(record.prediction == record.label for record in records)
    if abs(run.summary["accuracy"] - right / run.options.n) > NEAR:
        return f"an accuracy of {run.summary['accuracy']} with {right} right answers"
    wrong = [record.index for record in records if record.outcome != "failed" and record.agrees is not True]
    return f"samples {wrong} are not the reference's" if wrong else ""


def _parts(run: _Run) -> str:
    """The parts of the latency are its whole, sample by sample and in the summary."""
    for record in run.records:
        parts = record.latency_ms
        if (parts is None) != (record.outcome == "failed"):
            return f"sample {record.index} {record.outcome} with latency {parts}"
        if parts is None:
            continue
        total = parts.local + parts.link + parts.remote + parts.fuse
        if (
            abs(total - parts.total) > 0.01 * parts.total
            or min(parts.local, parts.link, parts.remote, parts.fuse) < 0
        ):
            return f"sample {record.index}: parts of {total:.4f} ms in {parts.total:.4f}"
        if record.outcome != "answered" and parts.remote:
            return f"sample {record.index} was not answered, and waited for the server"
    latency = run.summary["latency_ms"]
    known = [record.latency_ms for record in run.records if record.latency_ms]
    for name in ("local", "link", "remote", "fuse", "overlap"):
        mean = float(np.mean([getattr(parts, name) for parts in known])) if known else None
        if (mean is None) != (latency[name] is None) or (
            mean is not None and abs(mean - latency[name]) > NEAR + 1e-6 * mean
        ):
            return f"{name} is {latency[name]} in the summary, {mean} in the samples"
    return ""


def _energy(run: _Run) -> str:
    """Energies add up in every way they are cut, and none is negative."""
    energy = run.summary["energy_mj"]
    if energy["mean"] is None:
        spent = [record for record in run.records if record.energy_mj is not None]
        return "samples have an energy and the run has none" if spent else ""
    ways = {
        "parts": [energy[name] for name in ("cpu", "idle", "peripherals", "radio")],
        "states": list(energy["by_state"].values()),
    }
    for name, values in ways.items():
        if min(values) < 0 or abs(sum(values) - energy["mean"]) > 1e-6 * energy["mean"] + 1e-9:
            return f"{name} of the energy are {sum(values)}, all of it {energy['mean']}"
    stages = sum(energy["by_stage"].values())
    if abs(stages - energy["cpu"]) > 1e-6 * energy["cpu"] + 1e-9:
        return f"stages of the CPU's energy are {stages}, all of it {energy['cpu']}"
    return ""


def _waited_s(run: _Run, record: SampleRecord) -> float:
    assert record.cycles is not None
    return (record.cycles.wait + record.cycles.overlap) / run.deployment.clock_hz


def _late(run: _Run) -> str:
    """Nobody waits past the deadline, by the device's own cycles, and nobody gives up before it."""
    for record in run.records:
        if record.cycles is None or record.outcome == "local":
            continue
        # Computing cannot be interrupted: a deadline that passes meanwhile ends the exchange after it.
        late = (
            record.cycles.wait / run.deployment.clock_hz if record.cycles.overlap else _waited_s(run, record)
        )
        if late > run.deadline_s + run.tolerance_s:
            return f"sample {record.index} {record.outcome} after a wait of {1000 * late:.3f} ms"
        if record.reason.startswith("deadline") and _waited_s(run, record) < run.deadline_s - run.tolerance_s:
            return f"sample {record.index} gave up after {1000 * _waited_s(run, record):.3f} ms"
    return ""


def _link(run: _Run) -> str:
    """What the radio's model says of each sample decides its outcome, and bounds its wait from below."""
    payload = run.deployment.manifest.payload
    if payload is None:
        return ""
    radio = parse_radio(run.options.radio).for_run(run.options.n)
    for record in run.records:
        overlapped = record.cycles is not None and record.cycles.overlap
        if record.outcome == "local" or not record.payload_bytes or record.prefix_channels or overlapped:
            continue
        if detail := _way(run, radio, record, payload.progressive):
            return f"sample {record.index} {record.outcome}{detail}"
    return ""


def _way(run: _Run, radio: Radio, record: SampleRecord, progressive: bool) -> str:
    """Of one payload that left as a whole, and its reply."""
    seed, sample, server_s = run.options.seed, record.index, whole(run.parameters, "server") / 1000
    up = radio.transfer(record.payload_bytes, Direction.UPLINK, seed=seed, sample=sample)
    reply = Reply(0, ReplyStatus.OK, (0,) * run.deployment.manifest.classes).pack()
    down = radio.transfer(len(reply), Direction.DOWNLINK, seed=seed, sample=sample)
    lost, took_s = up.lost or down.lost, up.seconds + server_s + down.seconds
    if record.outcome == "answered":
        if lost:
            return " though the radio lost a message"
        early = _waited_s(run, record) < took_s - run.tolerance_s
        return f" in {1000 * _waited_s(run, record):.3f} ms of {1000 * took_s:.3f}" if early else ""
    in_time = took_s + WIRE_S + run.tolerance_s < run.deadline_s
    return (
        f" ({record.reason}) though it takes {1000 * took_s:.1f} ms"
        if in_time and not lost and not progressive
        else ""
    )


def _repeated(run: _Run) -> str:
    """Retransmissions are those of the samples."""
    want = sum(record.wire_retransmissions + record.radio_retransmissions for record in run.records)
    if run.summary["retransmissions"] != want:
        return f"{run.summary['retransmissions']} retransmissions, {want} by the samples"
    wire = sum(record.wire_retransmissions for record in run.records)
    return f"{wire} frames sent again on a wire that loses none" if wire else ""


def _issues(run: _Run) -> str:
    """A run on a sound device has no issue but those that its link explains."""
    allowed = {"wire-bottleneck", "failed-samples", "no-energy"}
    found = [issue for issue in run.summary["issues"] if issue["code"] not in allowed]
    if found:
        return f"{found[0]['code']}: {found[0]['message']}"
    alone = run.deployment.graph.logits is not None
    failed = run.summary["outcomes"].get("failed", 0)
    if failed and alone:
        return f"{failed} samples failed: {next(r.reason for r in run.records if r.outcome == 'failed')}"
    if run.summary["valid"] != (not failed):
        return f"valid is {run.summary['valid']} with {failed} failed samples"
    return ""


def _ask(instances: Sequence[Parameters], context: Context) -> list[Verdict]:
    details = [_asked({**one, "board": context.board}) for one in instances]
    return [Verdict(not detail, detail) for detail in details]


def _fits(parameters: Parameters) -> bool:
    """Firmware is built for these, which takes seconds each: codecs of one scheme, and clocks of all."""
    scheme, codec = parameters["scheme"], parameters["codec"]
    if codec != "own" and (scheme != "agilenn" or parameters["clock"] != 216):
        return False
    loss = whole(parameters, "loss")
    return parameters["burst"] == "no" or 0 < loss <= 70


TEMPLATES = (
    Template(
        "run",
        "Does a whole run add up, keep its deadlines and agree with the reference?",
        (
            Choice("scheme", ("agilenn", "deepcod", "spinn", "edge_only", "mcunet")),
            Choice("codec", ("own", "none", "range", "huffman", "lz4", "context")),
            Choice("clock", (216, 108, 60)),
            Whole("samples", 1, 4),
            Whole("kbps", 20, 20_000, (50, 270, 6000), 6000),
            Whole("latency", 0, 40),
            Whole("jitter", 0, 20),
            Whole("loss", 0, 100, (10, 50)),
            Choice("burst", ("no", "yes")),
            Choice("outage", ("no", "yes")),
            Whole("mtu", 8, 1460, (20, 244), 1460),
            Whole("tries", 1, 10, at_rest=8),
            Whole("deadline", 1, 400, (2, 5, 20, 60), 400),
            Whole("server", 0, 60, (1, 5)),
            Choice("overlap", ("yes", "no")),
            Data(),
        ),
        _ask,
        "sums over the samples, the device's cycles, the radio's model, the bit-exact reference",
        (
            "boards",
            "codec",
            "deploy",
            "faults",
            "link",
            "mcu",
            "measure",
            "schemes",
            "session",
            "twin",
            "wire",
        ),
        Where.BOARD,
        _fits,
        batch=10,
        full=300,
        sample=3,
        sources=SOURCES,
    ),
)
