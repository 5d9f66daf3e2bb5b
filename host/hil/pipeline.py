"""The stages of a run strung together: names → bundle → firmware → board and server → session.

Prints nothing: it tells a reporter.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from hil import bundle as bundles
from hil.boards import registry as boards
from hil.boards.options import DEFAULT_CLOCK_HZ, BoardOptions
from hil.boards.protocol import Board, ExternalBoard
from hil.bundle import Manifest
from hil.data import registry as datasets
from hil.deploy.codecs.request import CodecRequest
from hil.deploy.deployment import KernelChoice
from hil.errors import UsageError, unknown_name
from hil.schemes import registry as schemes
from hil.session.events import Reporter, StageFinished, StageProgress, StageStarted, Warned
from hil.wire.protocol import KEY_BYTES

if TYPE_CHECKING:
    from hil.deploy.codecs.pack import Packed
    from hil.deploy.deployment import Deployment
    from hil.server.address import ServerAddress
    from hil.server.answer import Server
    from hil.session.events import SampleRecord
    from hil.session.options import RunOptions
    from hil.session.samples import Samples
    from hil.signing.signature import Signer
    from hil.training.progress import Progress

SCHEME: Final = "agilenn"
DATASET: Final = "digits"
CLOCK_HZ: Final = DEFAULT_CLOCK_HZ

Serve = Callable[[Path], AbstractContextManager["Server | None"]]
"""From a bundle to its server half while the context lasts; None for a bundle that sends nothing."""


@dataclass(frozen=True)
class Request:
    """What the user asked for, by name."""

    scheme: str | None = None
    """agilenn unless the bundle says otherwise."""
    dataset: str | None = None
    """digits unless the bundle says otherwise."""
    board: str = "twin"
    bundle: Path | None = None
    """A bundle instead of the cached one; it knows its own scheme and data set."""
    trust: Path | None = None
    """A file of public keys, one of which has to have signed `bundle`; None: any bundle is taken."""
    training_seed: int = 0
    clock_mhz: int | None = None
    data_dir: Path | None = None
    kernels: str = "tuned"
    """tuned, or plain: CMSIS-NN's alone."""
    codec: CodecRequest = field(default_factory=CodecRequest)
    server: ServerAddress | None = None
    """A server half that runs already; None: one is started."""
    authenticate: bool | None = None
    """Whether the device takes authentic replies only. None: unless the server half is on this machine."""
    board_options: BoardOptions = field(default_factory=BoardOptions)
    """Its clock is `clock_mhz`."""


@dataclass(frozen=True)
class Plan:
    """A request whose names are known to exist."""

    request: Request
    scheme: str
    dataset: str
    board: Board
    clock_hz: int
    kernels: KernelChoice = KernelChoice.TUNED
    signer: Signer | None = None
    """Who signed the bundle; None: nobody asked."""


def resolve(request: Request, to_run: bool = True) -> Plan:
    """Looks every name up before minutes are spent on training.

    Unless it is `to_run`, a board that is known without being there need not be. Raises UsageError,
    BundleError, and BoardError when the board, its probe or its emulator is not there.
    """
    if request.scheme is not None:
        schemes.get(request.scheme)
    if request.dataset is not None:
        datasets.get(request.dataset)
    if request.kernels not in tuple(KernelChoice):
        raise unknown_name("kernels", request.kernels, [choice.value for choice in KernelChoice])
    signer = _signer(request)  # before anything of the bundle is used
    scheme, dataset = request.scheme or SCHEME, request.dataset or DATASET
    if request.bundle is not None:
        manifest = bundles.read_manifest(request.bundle)
        _check_bundle(request, manifest)
        scheme, dataset = manifest.scheme, manifest.dataset
    clock_hz = CLOCK_HZ if request.clock_mhz is None else request.clock_mhz * 1_000_000
    board = boards.get(request.board, replace(request.board_options, clock_hz=clock_hz))
    if isinstance(board, ExternalBoard) and (to_run or not board.info.config):
        board.prepare()
    return Plan(request, scheme, dataset, board, clock_hz, KernelChoice(request.kernels), signer)


def _signer(request: Request) -> Signer | None:
    """Whose bundle it is, where that matters. Raises UntrustedError and UsageError."""
    if request.trust is None:
        return None
    if request.bundle is None:
        raise UsageError("only a signed bundle is taken, and none is named", "name it: --bundle FILE")
    from hil.signing import keys, signature

    return signature.require(request.bundle, keys.trusted(request.trust))


def _check_bundle(request: Request, manifest: Manifest) -> None:
    """A scheme or data set named beside a bundle must be the bundle's."""
    pairs = (("scheme", request.scheme, manifest.scheme), ("data set", request.dataset, manifest.dataset))
    for kind, given, actual in pairs:
        if given not in (None, actual):
            raise UsageError(
                f"{request.bundle} was trained with {kind} {actual!r}, not {given!r}",
                f"leave the {kind} out, or name another bundle",
            )


@dataclass
class Stage:
    """A stage under way; `cached` and `detail` are told when it ends."""

    name: str
    reporter: Reporter
    cached: bool = False
    detail: str = ""
    began_s: float = field(default_factory=time.monotonic)

    def progress(self, done: int, total: int, detail: str = "") -> None:
        self.reporter.handle(StageProgress(self.name, done, total, detail))

    def finish(self) -> None:
        seconds = time.monotonic() - self.began_s
        self.reporter.handle(StageFinished(self.name, seconds, self.cached, self.detail))


@contextmanager
def stage(reporter: Reporter, name: str, detail: str = "") -> Iterator[Stage]:
    """Reports the begin of a stage and, unless it raises, its end."""
    reporter.handle(StageStarted(name, detail))
    under_way = Stage(name, reporter)
    yield under_way
    under_way.finish()


def ensure_bundle(plan: Plan, reporter: Reporter) -> Path:
    """The bundle that was named, else one trained before, else the shipped one, else one trained now."""
    request = plan.request
    if request.bundle is not None:
        return request.bundle
    from hil.training import api
    from hil.training.progress import left
    from hil.zoo import shelf
    from hil.zoo.trained import trained

    with stage(reporter, "train", f"{plan.scheme} on {plan.dataset}") as training:
        training.cached = True
        if (found := trained(plan.scheme, plan.dataset, request.training_seed)) is not None:
            shipped = found.parent == shelf.FOLDER
            training.detail = f"{plan.scheme} on {plan.dataset}, comes with hil" if shipped else ""
            return found

        def report(step: Progress) -> None:
            training.cached = False
            if step.warning:
                reporter.handle(Warned("training", step.warning))
            else:
                parts = (f"{step.phase} {step.text}".rstrip(), left(step))
                training.progress(step.done, step.total, ", ".join(part for part in parts if part))

        return api.ensure_bundle(
            plan.scheme, plan.dataset, None, request.training_seed, request.data_dir, report
        )


def pack_payload(plan: Plan, bundle: Path, reporter: Reporter) -> Packed:
    """`bundle` with the codec that was asked for, from the cache or made now."""
    from hil.deploy.codecs.pack import Packed, pack

    request = plan.request.codec
    if request.codec is None:
        return Packed(bundle)
    with stage(reporter, "codec", request.codec) as packing:
        packed = pack(bundle, request, plan.clock_hz)
        packing.cached = packed.bundle == bundle
        if packed.chosen is not None:
            one = packed.chosen.measured
            packing.detail = f"{one.codec}: {one.cycles:,} cycles, {one.payload_bytes:,.0f} bytes"
        return packed


def build_firmware(plan: Plan, bundle: Path, reporter: Reporter) -> Deployment:
    """The firmware for `bundle`, from the cache or built now."""
    from hil.deploy import package

    with stage(reporter, "build", plan.board.info.name) as building:
        found = package.find(bundle, plan.board.info, plan.clock_hz, plan.kernels)
        building.cached = found is not None
        steps = package.STEPS
        return found or package.deploy(
            bundle,
            plan.board.info,
            plan.clock_hz,
            lambda step: building.progress(steps.index(step), len(steps), step),
            plan.kernels,
        )


def run_pipeline(
    plan: Plan,
    options: RunOptions,
    reporter: Reporter,
    command: Sequence[str] = (),
    serve: Serve | None = None,
) -> dict[str, Any]:
    """The whole way; returns the summary. Board and server are stopped when this returns or raises.

    `serve` gives a bundle's server half; it is a process of its own if not given.
    """
    from hil.deploy.reference import Oracle
    from hil.session.run import run_session

    bundle = pack_payload(plan, ensure_bundle(plan, reporter), reporter).bundle
    key = None if serve else _device_key(plan.request, bundle, reporter)
    with serve(bundle) if serve else _server(bundle, plan.request.server, key) as server:
        samples = _samples(plan, bundle)
        deployment = build_firmware(plan, bundle, reporter)
        result = run_session(
            deployment,
            plan.board,
            samples,
            options=options,
            oracle=Oracle(deployment),
            server=server,
            reporters=[reporter],
            command=command,
            signed_by=plan.signer.name if plan.signer else None,
            timeline=_timeline,
            device_key=key,
        )
    return result.summary


def _timeline(summary: Mapping[str, Any], records: Sequence[SampleRecord]) -> str | None:
    """The sample of median latency."""
    from hil.report.timeline import chart, median_sample
    from hil.report.timeline_svg import timeline_svg

    median = median_sample(records)
    return None if median is None else timeline_svg(chart(summary, median))


def _device_key(request: Request, bundle: Path, reporter: Reporter) -> bytes | None:
    """What device and server half share; None: replies are taken as they come.

    A server half of our own gets a random one, for this run. One that runs already derives it from the token.
    Raises UsageError where authentic replies were asked for, and there is no token.
    """
    from hil.wire.authentic import device_key

    server = request.server
    wanted = request.authenticate
    if wanted is None:
        wanted = server is not None and not server.is_loopback
    if not wanted or bundles.read_manifest(bundle).payload is None:
        return None
    if server is None:
        return secrets.token_bytes(KEY_BYTES)
    if server.credential is not None:
        return device_key(server.credential.token)
    if request.authenticate:
        raise UsageError(
            "the device's key is made of its token, and there is none", "give --token-file or HIL_TOKEN"
        )
    hint = "whoever is between device and server can forge them; give --token-file"
    reporter.handle(Warned("unauthenticated", "the server's replies are taken as they come", hint))
    return None


def _server(
    bundle: Path, running: ServerAddress | None, key: bytes | None
) -> AbstractContextManager[Server | None]:
    """Started early: the server half loads torch, which takes seconds, while the firmware is built."""
    from hil.server.kept import KeptServer
    from hil.server.process import serve_command

    if bundles.read_manifest(bundle).payload is None:
        return nullcontext()
    return KeptServer(serve_command(bundle), key) if running is None else nullcontext(running)


def _samples(plan: Plan, bundle: Path) -> Samples:
    """The test split of the bundle's data set, with the float model's predictions."""
    from hil.session.samples import Samples

    opened = bundles.load(bundle)
    split = datasets.get(opened.manifest.dataset).load("test", plan.request.data_dir)
    if limit := opened.manifest.config.get("recipe", {}).get("limit", 0):
        split = split.first(limit)  # a trial training looked at no more than that
    return Samples(split, opened.tensors.get("record.predictions"))
